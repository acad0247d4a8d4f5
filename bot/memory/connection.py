"""How the log's file is opened, and the one way to write to it.

SQLite's own defaults lose here: a plain BEGIN takes the write lock late, and a second writer then gets "database is
locked" at once, whatever the timeout says. So every write runs in `immediate`, which waits for the lock first.
synchronous=NORMAL keeps every committed turn when the process is killed; a power cut may cost the last few turns,
but never leaves a damaged file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from bot.errors import StoreBusy, StoreError
from bot.memory.migrations import ALL_STEPS, applied_steps, migrate, refuse_newer

# Faults of the disk or of a neighbour, not of Kefu: a turn that meets one is kept elsewhere and written later.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_OUTAGE = _BUSY | {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_RETRY_SECONDS = 0.02


def is_outage(error: sqlite3.Error) -> bool:
    """Whether the file cannot be used for now (full, read-only, locked, damaged), rather than the request wrong."""
    return _primary_code(error) in _OUTAGE


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the lock."""
    return _primary_code(error) in _BUSY


@contextmanager
def immediate(log: Database, *, wait_seconds: float) -> Iterator[None]:
    """One transaction that holds the write lock from its first statement; whole or not at all.

    Raises:
        sqlite3.OperationalError: the lock was not free within `wait_seconds`, or the disk failed.
    """
    log.conn.execute(f"PRAGMA busy_timeout = {max(0, int(wait_seconds * 1000))}")
    log.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        log.conn.execute("COMMIT")
    except BaseException:
        if log.conn.in_transaction:  # a full disk may have rolled it back already
            log.conn.execute("ROLLBACK")
        raise


def open_for_writing(path: Path, *, wait_seconds: float) -> Database:
    """Open the log, make it if there is none, and bring it to the newest shape.

    Raises:
        StoreTooNew: a newer Kefu wrote it.
        StoreError: the file is no SQLite database.
        sqlite3.OperationalError, OSError: it cannot be written now.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        log = _connect(f"{path.resolve().as_uri()}?mode=rwc")
        try:
            _make_ready(log, wait_seconds)
        except BaseException:
            log.close()
            raise
    except sqlite3.DatabaseError as error:
        if _primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise _not_a_log(path) from error
        raise
    return log


def _make_ready(log: Database, wait_seconds: float) -> None:
    _turn_wal_on(log, wait_seconds)
    refuse_newer(log)
    if len(applied_steps(log)) < len(ALL_STEPS):
        with immediate(log, wait_seconds=wait_seconds):
            migrate(log)


def open_for_reading(path: Path) -> Database | None:
    """Open a log that cannot be written, or None when it cannot even be read.

    Raises:
        StoreTooNew: a newer Kefu wrote it.
        StoreError: an older Kefu wrote it; it would have to be migrated first.
    """
    # A log in WAL mode needs its -shm file, which nobody can make in a read-only folder: then "immutable" is the way.
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        try:
            log = _connect(f"{path.resolve().as_uri()}?{mode}")
        except sqlite3.OperationalError:
            continue
        try:
            steps = applied_steps(log)
            refuse_newer(log)
        except sqlite3.OperationalError:
            log.close()
            continue
        except BaseException:
            log.close()
            raise
        if len(steps) == len(ALL_STEPS):
            return log
        log.close()
        raise StoreError(
            f"The log {path} is of an older Kefu (it has {len(steps)} of {len(ALL_STEPS)} steps) and cannot be written. "
            "Make its folder writable once, so that it can be brought up to date."
        )
    return None


def copy_to(path: Path, target: Path) -> None:
    """Copy a log that is in use into a new file, through a connection of its own, checked and on disk.

    Raises:
        StoreError: the log cannot be read, or the copy is not sound.
        sqlite3.OperationalError, OSError: the copy cannot be written.
    """
    log = open_for_reading(path)
    if log is None:
        raise StoreError(f"There is no log at {path} that could be copied.")
    with closing(log):
        log.conn.execute("VACUUM INTO ?", [str(target)])
    with closing(sqlite3.connect(target)) as copy:
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(
            f"The copy {target} is not sound: {found}. The disk may be failing; try another one."
        )
    with target.open("rb") as written:
        os.fsync(written.fileno())


def empty_log() -> Database:
    """A log without a row and without a file, to read from when there is nothing else."""
    log = _connect(":memory:")
    migrate(log)
    return log


def _connect(uri: str) -> Database:
    # isolation_level=None: Python opens no transactions of its own. Threads share the connection under Store's lock.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=0.5)
    try:
        log = Database(connection)
        for pragma in (
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"journal_size_limit = {_WAL_LIMIT_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return log


def _turn_wal_on(log: Database, wait_seconds: float) -> None:
    """Switch to WAL. SQLite refuses at once, without waiting, when another process does the same: try again."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            log.enable_wal()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _primary_code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _not_a_log(path: Path) -> StoreError:
    return StoreError(
        f"{path} is not a Kefu log: its content is no SQLite database. Move it away or restore a backup."
    )


def busy_error(path: Path, wait_seconds: float) -> StoreBusy:
    """The error for a lock that did not come free."""
    return StoreBusy(
        f"The log {path} was locked by another process for more than {wait_seconds:g} s. "
        "Find out who holds it (`fuser` names the process), or let `kefu doctor` look at it."
    )
