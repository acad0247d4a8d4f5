"""Deletes rows, then files, then what SQLite still holds of them: nothing of it is left in the log's files.

The rows go in one transaction, with the entry of the audit log, which holds counts only. So do the lines of what waits beside
the log for a full disk or a busy log: while the log is locked, no process can bring them into it. The files go after it; one
that is left by a crash in between belongs to no row, and the next deletion takes it away. Deleted rows are overwritten with zeros
(PRAGMA secure_delete), and the write-ahead log, which holds pages as they were, is emptied. The log's file does not get
smaller: VACUUM would need twice the room and lock customers out for its time; new turns take the room that is free.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import structlog

from bot.memory.blanking import blank, records_in
from bot.memory.forgetting import Counts, What, delete_marked, mark, marked_waiting
from bot.memory.shared_log import SharedLog
from bot.memory.spill import Spill
from bot.memory.staff import note
from bot.memory.uploads import UploadId, find_upload

_log = structlog.get_logger(__name__)
_WAL_WAIT_MS = 2000  # for readers that are still in the write-ahead log
_STRAY_SECONDS = 24 * 3600.0  # a file without a row that is younger may be one that just comes in


@dataclass(frozen=True)
class Erased:
    """What went. `files_left` could not be deleted now; `in_wal` says that the write-ahead log was in use."""

    counts: Counts
    files_left: int = 0
    in_wal: bool = False


def preview(log: SharedLog, what: What) -> Counts:
    """How much `erase` would delete now.

    Raises:
        CallRefused: a conversation that was asked for has an open call.
        StoreError: the log cannot be read.
    """
    with log.reading() as database:
        return mark(database, what, records_in(Spill(log.path).files()))


def erase(log: SharedLog, uploads: Path, what: What, *, at: datetime, why: str) -> Erased:
    """Delete for ever.

    Args:
        log: a connection of one's own, which is held until all is done.
        uploads: the folder with the files that customers sent.
        what: what is to go.
        at: now, UTC.
        why: for the audit log; names no customer.

    Raises:
        CallRefused: a conversation that was asked for has an open call; nothing is deleted.
        StoreError: the log or a spill file cannot be written; nothing is deleted from the log.
    """
    spill = Spill(log.path)
    with log.reading() as database:
        database.conn.execute("PRAGMA secure_delete = ON")
    with log.writing() as database:
        counts = mark(database, what, records_in(spill.files()))
        files = delete_marked(database)
        if not counts.nothing:
            note(database, None, "forget", why, told(counts), at=at)
        blank(spill.files(), marked_waiting(database))
    left = _delete_files(uploads, files) + _delete_strays(uploads, log)
    return Erased(counts, left, in_wal=not counts.nothing and _wal_in_use(log))


def told(counts: Counts) -> str:
    """Counts on one line, without those that are zero: "turns 12, files 3"."""
    return ", ".join(f"{name} {number}" for name, number in asdict(counts).items() if number)


def _delete_files(folder: Path, files: Sequence[UploadId]) -> int:
    return sum(not _deleted(folder / name) for name in files)


def _delete_strays(folder: Path, log: SharedLog) -> int:
    """Take away files to which no row belongs (any more)."""
    if not folder.is_dir():
        return 0
    old = [path for path in folder.iterdir() if path.is_file() and _age(path) > _STRAY_SECONDS]
    with log.reading() as database:
        stray = [path for path in old if find_upload(database, path.name) is None]
    return sum(not _deleted(path) for path in stray)


def _age(path: Path) -> float:
    """Seconds since a file was written; 0 for one that is gone by now."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _deleted(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.error("file_not_deleted", file=path.name, error=str(error))
        return False
    return True


def _wal_in_use(log: SharedLog) -> bool:
    """Empty the write-ahead log; whether somebody reads in it, so that it is emptied later."""
    with log.reading() as database:
        database.conn.execute(f"PRAGMA busy_timeout = {_WAL_WAIT_MS}")
        busy = database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return bool(busy)
