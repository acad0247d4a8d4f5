"""What waits beside a busy or full log is reached, too: it is in no file, and no process brings it into the log later."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
from bot.conversation import ConversationId, Rating, Turn, VisitorId
from bot.errors import ConversationUnknown
from bot.memory.forgetting import OfConversation, OfCustomer, Older, What
from bot.memory.shared_log import SharedLog
from bot.memory.store import Store
from bot.settings import Settings
from bot.settings_sections import RetentionSettings
from bot.upkeep.retention.daily import delete_old
from bot.upkeep.retention.erasing import Erased, erase, preview
from tests.example_turns import example_turn
from tests.forgotten_shop import LONG_AGO, NOW, ForgetfulShop, a_day


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForgetfulShop]:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    shop = ForgetfulShop(tmp_path)
    shop.store.close()
    shop.store = Store(tmp_path / "kefu.db", busy_seconds=0.01)
    yield shop
    shop.close()


@contextmanager
def busy(shop: ForgetfulShop) -> Iterator[None]:
    """Another process that holds the write lock."""
    with closing(sqlite3.connect(shop.store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def put_aside(shop: ForgetfulShop, conversation: ConversationId, said: str, number: int = 7) -> Turn:
    """A turn that a busy log did not take, with a vote."""
    asked_at = NOW - timedelta(minutes=number)
    turn = example_turn(conversation, number, customer_text=said, question=said, asked_at=asked_at)
    with busy(shop):
        shop.store.append_turn(turn)
        shop.store.add_rating(conversation, Rating(turn.id, -1, f"{said} bad"))
    return turn


def erased(shop: ForgetfulShop, what: What) -> Erased:
    log = SharedLog(shop.store.path)
    try:
        foretold = preview(log, what)
        done = erase(log, shop.uploads, what, at=NOW, why="x")
    finally:
        log.close()
    assert done.counts == foretold
    return done


def beside(folder: Path) -> str:
    """Everything in spill files, whatever their names."""
    return "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.spill-*")))


@pytest.mark.parametrize("by_customer", [True, False])
def test_turns_that_wait_in_a_server_are_forgotten_and_do_not_come_back(
    shop: ForgetfulShop, tmp_path: Path, by_customer: bool
) -> None:
    anna, bob = shop.visit("anna", LONG_AGO), shop.visit("bob", LONG_AGO)
    put_aside(shop, anna.conversation, "anna waits")
    kept = put_aside(shop, bob.conversation, "bob waits")
    assert "anna waits" in beside(tmp_path)
    done = erased(shop, OfCustomer("anna-id") if by_customer else OfConversation(anna.conversation))
    assert done.counts.waiting == 2
    assert "anna waits" not in beside(tmp_path)
    with pytest.raises(ConversationUnknown):
        shop.store.check_owner(anna.conversation, VisitorId("anna-browser"))
    assert shop.store.turns(anna.conversation) == []
    assert [turn.id for turn in shop.store.turns(bob.conversation)][-1] == kept.id
    shop.store.append_turn(example_turn(bob.conversation, 8, asked_at=NOW))
    assert shop.store.trouble is None
    assert len(shop.store.turns(bob.conversation)) == 3
    assert shop.traces("anna waits") == set()
    assert beside(tmp_path) == ""


def test_a_whole_conversation_that_waits_is_forgotten_by_its_id(shop: ForgetfulShop, tmp_path: Path) -> None:
    with busy(shop):
        conversation = shop.store.open_conversation(VisitorId("anna-browser"), channel="page")
    put_aside(shop, conversation, "never in the log")
    assert erased(shop, OfConversation(conversation)).counts.waiting == 3
    assert "never in the log" not in beside(tmp_path)
    shop.store.open_conversation(VisitorId("bob-browser"), channel="page")
    assert shop.traces(conversation) == set()


def test_what_a_dead_server_left_is_forgotten_before_the_next_one_takes_it_over(
    shop: ForgetfulShop, tmp_path: Path
) -> None:
    anna, bob = shop.visit("anna", LONG_AGO), shop.visit("bob", LONG_AGO)
    put_aside(shop, anna.conversation, "anna waits")
    put_aside(shop, bob.conversation, "bob waits")
    shop.store.close()
    erased(shop, OfCustomer("anna-id"))
    shop.store = Store(tmp_path / "kefu.db")
    assert "bob waits" in {turn.question for turn in shop.store.turns(bob.conversation)}
    assert shop.traces("anna waits") == set()
    assert beside(tmp_path) == ""


def test_what_was_set_aside_for_a_person_is_forgotten_line_by_line(
    shop: ForgetfulShop, tmp_path: Path
) -> None:
    anna, bob = shop.visit("anna", LONG_AGO), shop.visit("bob", LONG_AGO)
    put_aside(shop, anna.conversation, "anna waits")
    put_aside(shop, bob.conversation, "bob waits")
    (file,) = tmp_path.glob("*.spill-*.jsonl")
    file.with_suffix(".rejected").write_bytes(file.read_bytes())
    erased(shop, OfCustomer("anna-id"))
    assert "anna waits" not in beside(tmp_path)
    assert beside(tmp_path).count('"bob waits"') == 4  # text and question, twice


def test_retention_reaches_what_waits_and_keeps_a_conversation_in_which_a_new_turn_waits(
    shop: ForgetfulShop, tmp_path: Path
) -> None:
    anna = shop.visit("anna", LONG_AGO)
    old = put_aside(shop, anna.conversation, "too old", number=60 * 24 * 100)
    new = put_aside(shop, anna.conversation, "new enough", number=5)
    assert delete_old(Settings(var=tmp_path, retention=RetentionSettings(turns_days=90)), now=NOW)
    assert "too old" not in beside(tmp_path)
    shop.store.append_turn(example_turn(anna.conversation, 9, asked_at=NOW))
    assert shop.store.turns(anna.conversation)[0].id == new.id
    assert shop.traces(old.id) == set()
    assert beside(tmp_path) == ""


def test_nothing_that_waits_is_too_old_for_ever(shop: ForgetfulShop, tmp_path: Path) -> None:
    anna = shop.visit("anna", LONG_AGO)
    put_aside(shop, anna.conversation, "anna waits")
    assert erased(shop, Older(uploads=NOW, visits=NOW)).counts.waiting == 0
    assert erased(shop, Older(turns=NOW - a_day(1))).counts.waiting == 0
    assert "anna waits" in beside(tmp_path)


def test_the_command_counts_what_waits_and_names_files_that_nobody_can_read(
    shop: ForgetfulShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_VAR", str(tmp_path))
    anna = shop.visit("anna", LONG_AGO)
    put_aside(shop, anna.conversation, "anna waits")
    (tmp_path / "kefu.db.spill-00.rejected").write_text('{"torn": "anna', "utf-8")
    told = (
        CliRunner(env={"COLUMNS": "200"}).invoke(app.cli, ["forget", "--customer", "anna-id", "--yes"]).output
    )
    assert "Waiting beside the log" in told
    assert "cannot be read" in told
    assert "kefu.db.spill-00.rejected" in told
    assert "anna waits" not in beside(tmp_path)
