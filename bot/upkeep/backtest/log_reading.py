"""Opens the log to be read: without writing to it, and also where an older Kefu wrote it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from bot.errors import StoreError, StoreTooNew
from bot.memory.connection import open_for_reading, open_for_writing

_WAIT_SECONDS = 10.0


@contextmanager
def log_to_read(path: Path) -> Iterator[Database]:
    """The log at `path`. Of one that would have to be migrated first, a copy is.

    Raises:
        StoreError: there is no log, or it cannot be read.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="kefu-log-") as scratch, closing(_open(path, scratch)) as log:
            yield log
    except sqlite3.Error as error:
        raise StoreError(f"The log {path} cannot be read: {error}. `kefu doctor` looks at it.") from error


def _open(path: Path, scratch: str) -> Database:
    try:
        log = open_for_reading(path)
    except StoreTooNew:
        raise
    except (
        StoreError
    ):  # it is of an older Kefu: after an update, a replay may come before the server's next start
        copy = Path(scratch) / path.name
        _copy(path, copy)
        return open_for_writing(copy, wait_seconds=_WAIT_SECONDS)
    if log is None:
        raise StoreError(f"There is no log at {path} that can be read. It begins with the first question.")
    return log


def _copy(path: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as log,
        closing(sqlite3.connect(target)) as copy,
    ):
        log.backup(copy)
