"""When the log cannot be written the chat goes on: turns are kept aside, still found, and written later, once."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.conversation import ConversationId, Rating, TurnId, VisitorId
from bot.errors import ConversationUnknown, StoreBusy
from bot.memory.store import Store
from tests.example_turns import example_turn

ANNA = VisitorId("anna")
NOBODY = 65534


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process can read and not write; as root it becomes somebody else for that."""
    folder = tmp_path / "var"
    folder.mkdir()
    Store(folder / "kefu.db").close()
    folder.chmod(0o555)
    (folder / "kefu.db").chmod(0o444)
    root = os.geteuid() == 0
    if root:
        for parent in (tmp_path, *tmp_path.parents[:3]):  # pytest makes them for its owner only
            if not parent.stat().st_mode & stat.S_IXOTH:
                parent.chmod(0o755)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        (folder / "kefu.db").chmod(0o644)


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full: files cannot grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Another process that holds the write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _spilled(path: Path) -> list[str]:
    """Heads of the records in a log's spill files."""
    places = (path.parent, Path(tempfile.gettempdir()))
    files = [file for place in places for file in sorted(place.glob("*.spill-*.jsonl"))]
    return [json.loads(line)["head"] for file in files for line in file.read_text().splitlines()]


def _fill(store: Store, turns: int) -> ConversationId:
    conversation = store.open_conversation(ANNA, channel="web")
    for number in range(1, turns + 1):
        store.append_turn(example_turn(conversation, number))
    return conversation


def test_a_turn_on_a_full_disk_is_kept_found_and_written_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path) as store:
        conversation = _fill(store, 3)
        turn = example_turn(conversation, 4)
        with _files_no_larger_than(path.with_name("kefu.db-wal").stat().st_size), capture_logs() as logs:
            store.append_turn(turn)
            assert _spilled(path) == ["turns"]
        assert [entry["event"] for entry in logs] == ["record_spilled", "log_not_writable"]
        assert "快递" not in repr(logs)
        assert store.trouble is not None
        assert store.turns(conversation, last=2)[1] == turn
        assert store.turn(turn.id) == turn
        store.append_turn(example_turn(conversation, 5))
        assert store.trouble is None
        assert _spilled(path) == []
        assert store.check().counts["turns"] == 5


def test_with_no_room_anywhere_the_turn_waits_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path) as store:
        conversation = _fill(store, 1)
        with capture_logs() as logs, _files_no_larger_than(0):
            store.append_turn(example_turn(conversation, 2))
        assert logs[0]["event"] == "record_in_memory_only"
        assert logs[0]["log_level"] == "critical"
        assert len(store.turns(conversation)) == 2
        store.append_turn(example_turn(conversation, 3))
        assert store.check().counts["turns"] == 3


def test_a_line_that_did_not_fit_leaves_no_half_behind(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=0.05) as store:
        conversation = _fill(store, 1)
        with _locked(path):
            store.append_turn(example_turn(conversation, 2))
            (file,) = tmp_path.glob("*.spill-*.jsonl")
            with _files_no_larger_than(file.stat().st_size + 100):
                store.append_turn(example_turn(conversation, 3))  # goes to the temporary directory
        assert _spilled(path) == ["turns", "turns"]
        assert len(file.read_text().splitlines()) == 1


def test_a_log_locked_too_long_spills_and_the_next_start_writes_each_turn_once(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=0.05) as store:
        known = _fill(store, 1)
        with _locked(path):
            new = _fill(store, 2)  # the conversation itself has to wait as well
            store.append_turn(example_turn(known, 2))
            store.check_owner(new, ANNA)
            with pytest.raises(ConversationUnknown):
                store.check_owner(new, VisitorId("bo"))
            store.add_rating(new, Rating(TurnId(f"turn-{new}-1"), 1))
            assert store.rating(TurnId(f"turn-{new}-1")) == Rating(TurnId(f"turn-{new}-1"), 1)
        assert store.check().counts["turns"] == 1
    (file,) = tmp_path.glob("*.spill-*.jsonl")
    kept = file.read_bytes()
    for _ in range(2):  # the second time as if the process had died before it could remove the file
        with Store(path) as again:
            counts = again.check().counts
            assert (counts["conversations"], counts["turns"], counts["ratings"]) == (2, 4, 1)
            assert again.turns(new) == [example_turn(new, 1), example_turn(new, 2)]
            assert again.check().spilled == ()
        file.write_bytes(kept)


def test_a_turn_in_one_file_finds_its_conversation_in_another(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=0.05) as store, _locked(path):
        conversation = _fill(store, 1)
    (file,) = tmp_path.glob("*.spill-*.jsonl")
    opened, turn = file.read_text().splitlines()
    file.with_name("kefu.db.spill-a.jsonl").write_text(turn + "\n")
    file.with_name("kefu.db.spill-b.jsonl").write_text(opened + "\n")
    file.unlink()
    with Store(path) as again:
        assert again.turns(conversation) == [example_turn(conversation)]
        assert again.check().spilled == ()


def test_a_file_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=0.05) as store:
        with _locked(path):
            _fill(store, 1)
        with Store(path) as other:
            assert other.check().counts["turns"] == 0
            assert len(other.check().spilled) == 1
    with Store(path) as later:
        assert later.check().counts["turns"] == 1


def test_torn_and_foreign_lines_are_set_aside_and_cost_no_other(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=0.05) as store, _locked(path):
        _fill(store, 1)
    (file,) = tmp_path.glob("*.spill-*.jsonl")
    evil = {
        "kefu_spill": 1,
        "schema": 1,
        "head": "sqlite_master",
        "id": "x",
        "rows": {"sqlite_master": [{"id": "x"}]},
    }
    newer = {"kefu_spill": 1, "schema": 99, "head": "turns", "id": "x", "rows": {"turns": [{"id": "x"}]}}
    odd = {
        "kefu_spill": 1,
        "schema": 1,
        "head": "turns",
        "id": "x",
        "rows": {"turns": [{"id": "x", 'a"b': [1]}]},
    }
    lost = {
        "kefu_spill": 1,
        "schema": 1,
        "head": "turns",
        "id": "x",
        "rows": {"turns": [{"id": "x", "no": 1}]},
    }
    with file.open("a") as lines:
        lines.writelines(json.dumps(line) + "\n" for line in (evil, newer, odd, lost, [1], 7))
        lines.write('{"kefu_spill": 1, "head": "tur')
    with Store(path) as again, capture_logs():
        assert again.check().counts["turns"] == 1
        assert again.check().spilled == ()
    assert file.with_suffix(".rejected").exists()


def test_a_log_on_a_read_only_disk_is_read_and_turns_are_kept_elsewhere(read_only_folder: Path) -> None:
    path = read_only_folder / "kefu.db"
    with Store(path) as store:
        assert "readonly" in str(store.trouble) or "unable to open" in str(store.trouble)
        conversation = _fill(store, 2)
        store.check_owner(conversation, ANNA)
        assert len(store.turns(conversation)) == 2
        assert not store.check().writable
    assert _spilled(path) == ["conversations", "turns", "turns"]
    assert list(read_only_folder.glob("*.spill-*")) == []


def test_a_log_that_turns_read_only_while_open_costs_no_turn(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path) as store:
        conversation = _fill(store, 1)
        store._writer._log.conn.execute("PRAGMA query_only = ON")  # type: ignore[union-attr]
        store.append_turn(example_turn(conversation, 2))
        assert len(store.turns(conversation)) == 2
    with Store(path) as again:
        assert len(again.turns(conversation)) == 2


def test_without_any_place_for_a_log_the_chat_still_has_its_turns(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    path = tmp_path / "var" / "kefu.db"
    with Store(path) as store:
        conversation = _fill(store, 2)
        assert len(store.turns(conversation)) == 2
        assert list(store.logged()) == []
    (tmp_path / "var").unlink()
    with Store(path) as again:
        assert len(again.turns(conversation)) == 2


def test_opening_a_log_that_must_be_migrated_while_it_is_locked_says_busy(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with closing(sqlite3.connect(path)) as log:
        log.execute("PRAGMA journal_mode = wal")
    with _locked(path), pytest.raises(StoreBusy, match="locked"):
        Store(path, busy_seconds=0.05)


def test_reading_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    with Store(path, busy_seconds=5) as store:
        conversation = _fill(store, 1)
        with _locked(path), store._writer._lock:  # as if a write waited
            assert len(store.turns(conversation)) == 1
