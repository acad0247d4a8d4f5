"""Puts records into the log, each once, and takes over what a dead process left in a spill file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlite_utils import Database

from bot.memory.connection import immediate, is_outage
from bot.memory.records import TABLES, Record
from bot.memory.spill import Spill, discard, read_records

_log = structlog.get_logger(__name__)


@dataclass
class Replayed:
    """What became of spilled records."""

    written: int = 0
    known: int = 0  # were in the log already
    refused: int = 0  # torn lines, or rows that point at nothing


def insert_once(log: Database, record: Record) -> bool:
    """Add a record inside the caller's transaction; False when it is there already.

    Raises:
        sqlite3.IntegrityError: it points at a conversation or turn that does not exist.
    """
    if log.table(record.head).count_where("id = ?", [record.id]):
        return False
    for table, rows in record.rows.items():
        if rows:
            log.table(table).insert_all(rows)
    return True


def replay(log: Database, records: Iterable[Record | None]) -> Replayed:
    """Add records inside the caller's transaction; one that does not fit costs no other."""
    result = Replayed()
    for record in records:
        if record is None:
            result.refused += 1
            continue
        try:
            with log.atomic():  # a savepoint
                if insert_once(log, record):
                    result.written += 1
                else:
                    result.known += 1
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.OperationalError) and is_outage(error):
                raise
            result.refused += 1
            _log.error("spilled_record_refused", table=record.head, id=record.id, error=str(error))
    return result


def take_over(log: Database, spill: Spill, *, wait_seconds: float) -> None:
    """Write what dead processes left behind in one transaction, then remove their files.

    Raises:
        sqlite3.OperationalError: the log cannot be written; the files stay.
    """
    with spill.abandoned() as files:
        if not files:
            return
        with immediate(log, wait_seconds=wait_seconds):  # nobody can forget any of it while it is read
            records = [record for file in files for record in read_records(file)]
            records.sort(key=_place)  # a conversation may lie in one file and its turns in another
            result = replay(log, records)
        for file in files:
            discard(file.path, keep=result.refused > 0)
    counts = {"written": result.written, "known": result.known, "refused": result.refused}
    _log.info("spill_replayed", files=len(files), **counts)


def _place(record: Record | None) -> int:
    """What others point at comes first."""
    return len(TABLES) if record is None else TABLES.index(record.head)
