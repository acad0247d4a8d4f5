"""An older log is brought up to date, a newer one is refused, and a step is whole or did not happen."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.conversation import ConversationId, Rating, VisitorId
from bot.errors import StoreError, StoreTooNew
from bot.memory.connection import open_for_reading
from bot.memory.migrations import ALL_STEPS, applied_steps, migrate, migrate_up_to
from bot.memory.records import conversation_record, turn_record
from bot.memory.store import Store
from tests.example_turns import example_turn

ANNA = VisitorId("anna")
TALK = ConversationId("talk")


def _first_log(path: Path) -> None:
    """A log as the first Kefu wrote it, with one turn."""
    with closing(Database(path)) as log:
        migrate_up_to(log, ALL_STEPS[1])
        for record in (conversation_record(TALK, ANNA, "web"), turn_record(example_turn(TALK))):
            for table, rows in record.rows.items():
                log.table(table).insert_all(rows)


def test_a_log_of_the_first_shape_is_brought_up_to_date_with_its_turns(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    _first_log(path)
    with Store(path) as store:
        turn = example_turn(TALK)
        assert store.turns(TALK) == [turn]
        store.add_rating(TALK, Rating(turn.id, 1))
        assert store.check().schema == ALL_STEPS[-1]
        assert store.check().integrity == "ok"


def test_the_time_of_a_turn_is_a_column_and_what_is_no_time_is_none(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    _first_log(path)
    strange = {"total": 12.5}, {}, {"total": float("nan")}
    with Store(path) as store:
        for number, timings in enumerate(strange, start=2):
            store.append_turn(example_turn(TALK, number, timings_ms=timings))
    with closing(Database(path)) as log:
        times = [row["total_ms"] for row in log.query("SELECT total_ms FROM turns ORDER BY number")]
    assert times == [1830.0, 12.5, None, None]


def test_steps_are_numbered_without_a_gap() -> None:
    assert [name[:4] for name in ALL_STEPS] == [f"s{number:03d}" for number in range(1, len(ALL_STEPS) + 1)]


def test_a_log_of_a_newer_kefu_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    Store(path).close()
    with closing(sqlite3.connect(path)) as log, log:
        log.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('kefu-log', 's999_from_the_future')"
        )
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="s999_from_the_future"):
        Store(path)
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    _first_log(path)
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("CREATE TABLE corrections (id)")  # stands in the way of the second half of step 2
    with pytest.raises(StoreError, match="corrections"):
        Store(path)
    with closing(Database(path)) as log:
        assert applied_steps(log) == [ALL_STEPS[0]]
        assert "ratings" not in log.table_names()


def test_an_older_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    _first_log(path)
    with pytest.raises(StoreError, match="older Kefu"):
        open_for_reading(path)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "kefu.db")) as log:
        migrate(log)
        before = log.schema
        migrate(log)
        assert log.schema == before
