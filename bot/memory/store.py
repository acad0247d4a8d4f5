"""The log: every turn, with all that decided it.

How it is kept. One SQLite file in WAL mode. A turn is one row with what people filter and plot (time, route, intent,
score, model …), rows for its ranked parts (intents, passages, sources) and JSON for the rest; it is written in one
transaction before the customer sees the answer as complete, and never changed. What people say about it later, a vote
or a better answer, is a row of its own that points at it; the last one counts, all are kept.

One connection writes and one reads, each behind a lock: handlers run in many threads, and SQLite is safest with one
writer. A reader never waits for the writer. When the log cannot be written (disk full, read-only, locked too long), the
record goes to a spill file (`bot.memory.spill`), is still found by every method here that serves a chat, and is written
into the log by the next write that succeeds or at the next start, once. Whoever wants to know asks `Store.trouble`.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from bot.conversation import ConversationId, Correction, Rating, Turn, TurnId, VisitorId
from bot.errors import ConversationUnknown, StoreError, TurnUnknown
from bot.memory import reading
from bot.memory.connection import copy_to, empty_log, open_for_reading
from bot.memory.reading import ConversationSummary, LoggedTurn, LogReport
from bot.memory.records import (
    conversation_record,
    correction_record,
    rating_record,
    turn_record,
    visitor_hash,
)
from bot.memory.writer import Writer

_PAGE = 200
_OPENED_BY_PROGRAMS = frozenset(
    {"api", "widget", "openai"}
)  # channels whose conversation's id is the key to it


class Store:
    """The log of one Kefu. Safe to share between threads."""

    def __init__(self, path: Path, *, busy_seconds: float = 10.0) -> None:
        """Open the log, make or migrate it, and take over what an earlier process could not write.

        Args:
            path: the SQLite file; its folder is made.
            busy_seconds: how long one write may wait for other threads and processes.

        Raises:
            StoreTooNew: a newer Kefu wrote the log.
            StoreBusy: the log has to be migrated and another process holds it.
            StoreError: the file is no log, or an older log on a disk that cannot be written.
        """
        self.path = path
        self._writer = Writer(path, busy_seconds=busy_seconds)
        self._waiting = self._writer.waiting
        self._read_lock = threading.Lock()
        self._reader = open_for_reading(path) or empty_log()

    # -- conversations

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        """Begin a conversation; its id cannot be guessed."""
        conversation = ConversationId(secrets.token_urlsafe(24))
        self._writer.write(conversation_record(conversation, visitor, channel))
        return conversation

    def check_owner(self, conversation_id: ConversationId, visitor: VisitorId | None) -> None:
        """Let through only the visitor whose conversation it is; None is a program or widget that holds the id itself.

        Raises:
            ConversationUnknown: there is no such conversation, or it is somebody else's; both look the same.
        """
        found = self._waiting.owner_and_channel(
            conversation_id
        )  # first: what waits may move into the log meanwhile
        if found is None:
            with self._reading() as log:
                found = reading.owner_and_channel(log, conversation_id)
        if found is not None:
            owner, channel = found
            if visitor is None and channel in _OPENED_BY_PROGRAMS:
                return
            if visitor is not None and hmac.compare_digest(owner, visitor_hash(visitor)):
                return
        raise _unknown_conversation(conversation_id)

    def conversations(self, visitor: VisitorId) -> list[ConversationSummary]:
        """The visitor's conversations that have a turn, the latest first."""
        with self._reading() as log:
            return reading.conversations_of(log, visitor_hash(visitor))

    # -- turns

    def append_turn(self, turn: Turn) -> None:
        """Store a turn, whole. When this returns, it is on disk: in the log, or in a spill file (see `trouble`).

        A turn whose id is in the log already is left as it is.

        Raises:
            ConversationUnknown: the turn belongs to no conversation.
            StoreError: the turn holds something that cannot be stored (e.g. a score that is no number).
        """
        self._writer.write(turn_record(turn))

    def turns(self, conversation_id: ConversationId, *, last: int | None = None) -> list[Turn]:
        """The conversation's turns as they were stored, in order of time; only the `last` ones if given."""
        waiting = self._waiting.turns(conversation_id)
        with self._reading() as log:
            stored = reading.turns_of(log, conversation_id, last=last)
        if not waiting:
            return stored
        known = {turn.id for turn in stored}
        both = sorted(
            [*stored, *(turn for turn in waiting if turn.id not in known)], key=lambda turn: turn.asked_at
        )
        return both if last is None else both[max(0, len(both) - max(0, last)) :]

    def turn(self, turn_id: TurnId) -> Turn:
        """One turn.

        Raises:
            TurnUnknown: there is none with this id.
        """
        found = self._waiting.turn(turn_id)
        if found is None:
            with self._reading() as log:
                found = reading.turn_by_id(log, turn_id)
        if found is None:
            raise _unknown_turn(turn_id)
        return found

    # -- what people say about turns

    def add_rating(self, conversation_id: ConversationId, rating: Rating) -> None:
        """Store a vote on a turn of this conversation. A second vote replaces the first in what is read.

        Raises:
            TurnUnknown: the conversation has no such turn.
            StoreError: the value is neither +1 nor -1.
        """
        if rating.value not in (-1, 1):
            raise StoreError(f"A rating is +1 or -1, but this one is {rating.value!r}.")
        if self.turn(rating.turn_id).conversation_id != conversation_id:
            raise _unknown_turn(rating.turn_id)
        self._writer.write(rating_record(rating))

    def rating(self, turn_id: TurnId) -> Rating | None:
        """The last vote on a turn, or None."""
        waiting = self._waiting.rating(turn_id)
        if waiting is not None:
            return waiting
        with self._reading() as log:
            return reading.last_rating(log, turn_id)

    def add_correction(self, correction: Correction) -> None:
        """Store a better answer to a turn. A later one replaces it in what is read.

        Raises:
            TurnUnknown: there is no such turn.
        """
        self.turn(correction.turn_id)
        self._writer.write(correction_record(correction))

    def logged(
        self, *, since: datetime | None = None, until: datetime | None = None, rating: int | None = None
    ) -> Iterator[LoggedTurn]:
        """Turns in order of time with their last rating and correction.

        Args:
            since: only turns asked at or after this moment (with time zone).
            until: only turns asked before this moment.
            rating: only turns whose last vote is this, +1 or -1.
        """
        after: tuple[str, int] | None = None
        while True:
            with self._reading() as log:
                page, after = reading.logged_page(
                    log, since=since, until=until, rating=rating, after=after, size=_PAGE
                )
            yield from page
            if after is None:
                return

    # -- upkeep

    @property
    def trouble(self) -> str | None:
        """Why the last write did not reach the log; None when the log is healthy and nothing waits."""
        return self._writer.trouble

    def check(self) -> LogReport:
        """Look the log over. Reads the whole file."""
        with self._reading() as log:
            return LogReport(
                path=self.path,
                bytes=sum(_size(self.path.with_name(self.path.name + end)) for end in ("", "-wal")),
                journal_mode=log.journal_mode,
                schema=reading.last_step(log),
                integrity=reading.integrity(log),
                counts=reading.counts(log),
                sqlite_version=sqlite3.sqlite_version,
                writable=self._writer.writable,
                trouble=self._writer.trouble,
                spilled=self._waiting.files(),
            )

    def backup(self, target: Path) -> None:
        """Copy the log as it is now to `target`, checked, while it stays in use. An older `target` is replaced.

        Raises:
            StoreError: the copy cannot be written, or is not sound.
        """
        beside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            copy_to(self.path, beside)
            beside.replace(target)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The log cannot be copied to {target}: {error}. Choose a place with room for it."
            ) from error
        finally:
            beside.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the log. What still waits in a spill file is written at the next start."""
        with self._read_lock:
            self._reader.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- how

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._read_lock:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise StoreError(
                    f"The log {self.path} cannot be read: {error}. `kefu doctor` looks at it."
                ) from error


def _unknown_conversation(conversation: ConversationId) -> ConversationUnknown:
    return ConversationUnknown(f"There is no conversation {conversation!r} for this visitor. Open a new one.")


def _unknown_turn(turn: TurnId) -> TurnUnknown:
    return TurnUnknown(f"There is no turn {turn!r} in this conversation. Use the turn_id of a reply.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # no such file
        return 0
