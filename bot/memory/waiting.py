"""Records of this process that the log could not take yet: kept on disk by a spill file, and here to be read.

What is forgotten meanwhile (`kefu forget`, retention) is blanked in the file, often by another process, and goes here, too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from bot.conversation import ConversationId, Rating, Turn, TurnId
from bot.memory.records import Record, read_rating, turn_of_record
from bot.memory.spill import Spill

_log = structlog.get_logger(__name__)


class Waiting:
    """What waits, in the order it came. Safe to share between threads."""

    def __init__(self, spill: Spill) -> None:
        self.spill = spill
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._on_disk: set[str] = set()  # ids of those with a line in a file

    def add(self, record: Record) -> None:
        """Keep a record. Not even a disk without any room makes this fail: then it is kept in memory only."""
        with self._lock:
            self._records.append(record)
            with suppress(OSError):  # the disk that is full may be the one these messages go to
                try:
                    path = self.spill.append(record)
                except OSError as error:
                    _log.critical("record_in_memory_only", table=record.head, id=record.id, error=str(error))
                else:
                    self._on_disk.add(record.id)
                    _log.error("record_spilled", table=record.head, id=record.id, path=str(path))

    def remove(self, written: Sequence[Record], *, keep_files: bool) -> None:
        """Forget records that are in the log now. `keep_files` leaves their lines on disk for a person."""
        with self._lock:
            done = {record.id for record in written}
            self._records = [record for record in self._records if record.id not in done]
            if not self._records:  # else one came meanwhile; the files go with it, lines are read once
                self._forget_files(keep=keep_files)

    def records(self, *, look: bool = False) -> tuple[Record, ...]:
        """Everything that waits now. `look` makes sure that nothing is among it that was forgotten a moment ago."""
        with self._lock:
            try:
                left = self.spill.left_of_own(look=look)
            except OSError:  # a failing disk is no reason to lose what is in memory
                left = None
            if left is not None:
                self._records = [
                    each for each in self._records if each.id in left or each.id not in self._on_disk
                ]
                if not self._records:
                    self._forget_files(keep=False)
            return tuple(self._records)

    def _forget_files(self, *, keep: bool) -> None:
        self.spill.forget_own(keep=keep)
        self._on_disk.clear()

    def files(self) -> tuple[Path, ...]:
        """Spill files of this log, of whatever process."""
        return self.spill.waiting()

    def owner_and_channel(self, conversation: ConversationId) -> tuple[str, str] | None:
        """The visitor's hash and the channel of a conversation that waits, or None."""
        for row in (record.first for record in self.records() if record.head == "conversations"):
            if row["id"] == conversation:
                return row["visitor_sha256"], row["channel"]
        return None

    def turns(self, conversation: ConversationId) -> list[Turn]:
        """The conversation's turns that wait."""
        return [
            turn_of_record(record)
            for record in self.records()
            if record.head == "turns" and record.first["conversation_id"] == conversation
        ]

    def turn(self, turn: TurnId) -> Turn | None:
        """A turn that waits, or None."""
        for record in self.records():
            if record.head == "turns" and record.id == turn:
                return turn_of_record(record)
        return None

    def rating(self, turn: TurnId) -> Rating | None:
        """The last vote on a turn that waits, or None."""
        votes = [record.first for record in self.records() if record.head == "ratings"]
        return next((read_rating(row) for row in reversed(votes) if row["turn_id"] == turn), None)

    def close(self) -> None:
        """Let go of the spill files; the next start takes them over."""
        self.spill.close()
