"""The one writer of the log: puts a record into SQLite or, when that cannot be, aside for later."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

import structlog
from sqlite_utils import Database

from bot.errors import ConversationUnknown, StoreError, TurnUnknown
from bot.memory.connection import busy_error, immediate, is_busy, is_outage, open_for_writing
from bot.memory.records import Record
from bot.memory.replay import insert_once, replay, take_over
from bot.memory.spill import Spill
from bot.memory.waiting import Waiting

_log = structlog.get_logger(__name__)


class Writer:
    """Writes records, one at a time. Safe to share between threads.

    `waiting` holds what the log could not take, and `trouble` says why; it is None when all is well.
    """

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        """Open the log, make or migrate it, and take over what a dead process left.

        Raises:
            StoreTooNew, StoreBusy, StoreError: as `Store` says.
        """
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self.trouble: str | None = None
        self.waiting = Waiting(Spill(path))
        self._log = self._open()

    @property
    def writable(self) -> bool:
        """Whether the log could be opened for writing at all."""
        return self._log is not None

    def write(self, record: Record) -> None:
        """Put the record on disk: into the log, or aside when the log cannot be written.

        Raises:
            ConversationUnknown, TurnUnknown: it points at something that does not exist.
            StoreError: it holds something that the log does not take.
        """
        try:
            self._commit(record)
        except (sqlite3.Error, StoreError) as error:
            if isinstance(error, sqlite3.Error) and not is_outage(error):
                raise _refused(record, error) from error
            self.waiting.add(record)
            self._note_trouble(error)

    def close(self) -> None:
        """Close the connection; what still waits is written at the next start."""
        with self._lock:
            if self._log is not None:
                self._log.close()
            self.waiting.close()

    def _open(self) -> Database | None:
        """None when the log cannot be written: the chat answers all the same, and everything is put aside."""
        try:
            log = open_for_writing(self._path, wait_seconds=self._busy_seconds)
        except sqlite3.Error as error:
            if is_busy(error):
                raise busy_error(self._path, self._busy_seconds) from error
            if not isinstance(error, sqlite3.OperationalError) or not is_outage(error):
                raise StoreError(
                    f"The log {self._path} cannot be used: {error}. Restore a backup, or move it away."
                ) from error
            self._note_trouble(error)
            return None
        except OSError as error:
            self._note_trouble(error)
            return None
        try:
            take_over(log, self.waiting.spill, wait_seconds=self._busy_seconds)
        except sqlite3.OperationalError as error:
            self._note_trouble(error)
        return log

    def _commit(self, record: Record) -> None:
        """Write the record, and with it everything that waits."""
        deadline = time.monotonic() + self._busy_seconds
        if not self._lock.acquire(timeout=self._busy_seconds):
            raise busy_error(self._path, self._busy_seconds)
        try:
            if self._log is None:
                raise StoreError(
                    f"The log {self._path} could not be opened for writing. Mend it and start Kefu again."
                )
            with immediate(self._log, wait_seconds=deadline - time.monotonic()):
                waiting = self.waiting.records(look=True)  # nobody can forget any of it now
                result = replay(self._log, waiting)
                insert_once(self._log, record)
            if waiting:
                self.waiting.remove(waiting, keep_files=result.refused > 0)
                _log.info("log_caught_up", written=result.written, known=result.known, refused=result.refused)
            self.trouble = None
        finally:
            self._lock.release()

    def _note_trouble(self, error: Exception) -> None:
        self.trouble = str(error)
        with suppress(OSError):  # the disk that is full may be the one these messages go to
            _log.error("log_not_writable", path=str(self._path), error=str(error), kind=type(error).__name__)


def _refused(record: Record, error: sqlite3.Error) -> ConversationUnknown | TurnUnknown | StoreError:
    """The error for a record that is itself wrong."""
    if "FOREIGN KEY" not in str(error):
        return StoreError(f"The log does not take {record.id!r} into its table {record.head}: {error}.")
    if record.head == "turns":
        return ConversationUnknown(
            f"There is no conversation {record.first['conversation_id']!r}. Open one first."
        )
    return TurnUnknown(f"There is no turn {record.first['turn_id']!r}. Use the turn_id of a reply.")
