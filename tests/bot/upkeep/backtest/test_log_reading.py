"""Opening the log to be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.conversation import ConversationId, VisitorId
from bot.errors import StoreError, StoreTooNew
from bot.memory.migrations import ALL_STEPS, applied_steps, migrate_up_to
from bot.memory.reading import turns_of
from bot.memory.records import conversation_record, turn_record
from bot.memory.store import Store
from bot.upkeep.backtest.log_reading import log_to_read
from tests.example_turns import example_turn

TALK = ConversationId("talk")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kefu.db"


def test_a_log_in_use_is_read_with_its_last_turn(path: Path) -> None:
    with Store(path) as store:
        conversation = store.open_conversation(VisitorId("anna"), channel="page")
        store.append_turn(example_turn(conversation))
        with log_to_read(path) as log:
            assert turns_of(log, conversation, last=None) == [example_turn(conversation)]
            with pytest.raises(StoreError, match="readonly"), log_to_read(path) as other:
                other.execute("DELETE FROM turns")


def test_of_a_log_that_an_older_kefu_wrote_a_copy_is_brought_up_to_date(path: Path) -> None:
    with closing(Database(path)) as old:
        migrate_up_to(old, ALL_STEPS[1])
        for record in (conversation_record(TALK, VisitorId("anna"), "page"), turn_record(example_turn(TALK))):
            for table, rows in record.rows.items():
                old.table(table).insert_all(rows)
    before = path.read_bytes()
    with log_to_read(path) as log:
        assert turns_of(log, TALK, last=None) == [example_turn(TALK)]
        assert applied_steps(log) == list(ALL_STEPS)
    assert path.read_bytes() == before


def test_a_log_of_a_newer_kefu_is_refused(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as log, log:
        log.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('kefu-log', 's999_later')")
    with pytest.raises(StoreTooNew, match="s999_later"), log_to_read(path):
        pass


def test_no_log_and_a_file_that_is_none_are_clear_errors_and_nothing_is_made(path: Path) -> None:
    with pytest.raises(StoreError, match=r"no log at .*kefu\.db"), log_to_read(path):
        pass
    assert list(path.parent.iterdir()) == []
    path.write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"kefu\.db"), log_to_read(path):
        pass
