"""The log's file, open for what stands beside the turns (the desk, staff, webhooks): one connection, behind a lock.

Turns have a writer of their own that may put a record aside when the disk fails (`bot.memory.writer`). What is written
here cannot wait: two people must not both take one talk. So a failure is an error, and the next call tries again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from bot.errors import StoreError
from bot.memory.connection import busy_error, immediate, is_busy, open_for_writing


class SharedLog:
    """A connection to the log. Safe to share between threads; opened by the first use."""

    def __init__(self, path: Path, *, wait_seconds: float = 10.0) -> None:
        """Nothing is opened yet.

        Args:
            path: the SQLite file; made and migrated if need be.
            wait_seconds: how long one use may wait for other threads and processes.
        """
        self._path = path
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._log: Database | None = None

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self._path

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The log, to be read from.

        Raises:
            StoreError: it cannot be opened or read.
        """
        with self._lock, self._told():
            yield self._opened()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: what is written inside is written whole, or not at all if something is raised.

        Raises:
            StoreBusy: another process holds the log for too long.
            StoreError: it cannot be opened or written.
        """
        with self._lock, self._told():
            log = self._opened()
            with immediate(log, wait_seconds=self._wait_seconds):
                yield log

    def close(self) -> None:
        """Close the connection; a later use would open it again."""
        with self._lock:
            if self._log is not None:
                self._log.close()
                self._log = None

    def _opened(self) -> Database:
        if self._log is None:
            self._log = open_for_writing(self._path, wait_seconds=self._wait_seconds)
        return self._log

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_busy(error):
                raise busy_error(self._path, self._wait_seconds) from error
            raise StoreError(
                f"The log {self._path} cannot be used: {error}. `kefu doctor` says what is wrong with it."
            ) from error
