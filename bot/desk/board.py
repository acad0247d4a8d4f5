"""What the people at the desk see first: who waits, who has which talk, what goes on without them, and why people are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.desk.desk import Desk, utc_now
from bot.memory.calls import Call, CallReason, CallState, DeskEventKind, calls_between, events_of
from bot.memory.talks import Talk, recent_talks, talk

_RECENT = timedelta(hours=24)
_MOST_RECENT = 30
_WORDS = (DeskEventKind.CUSTOMER, DeskEventKind.PERSON)


@dataclass(frozen=True)
class Line:
    """A talk with an open call."""

    call: Call
    talk: Talk
    words: str  # the last that was said, as it was written
    by_customer: bool  # whether the customer said it: then they wait for an answer


@dataclass(frozen=True)
class Board:
    """All talks that matter now."""

    waiting: tuple[Line, ...]  # who has waited longest first
    taken: tuple[Line, ...]
    recent: tuple[Talk, ...]  # with Kefu alone, the latest first


@dataclass(frozen=True)
class ReasonCount:
    """How often people were called for one reason; `detail` is e.g. the intent behind it."""

    reason: CallReason
    detail: str
    calls: int


def read_board(desk: Desk) -> Board:
    """The board as it is now.

    Raises:
        StoreError: the log cannot be read.
    """
    queue = desk.queue()
    called = {call.conversation_id for call in queue}
    with desk.log.reading() as log:
        lines = [line for call in queue if (line := _line(log, call)) is not None]
        recent = recent_talks(log, utc_now() - _RECENT, most=_MOST_RECENT)
    return Board(
        waiting=tuple(line for line in lines if line.call.state is CallState.WAITING),
        taken=tuple(line for line in lines if line.call.state is CallState.TAKEN),
        recent=tuple(each for each in recent if each.id not in called),
    )


def reasons_between(log: Database, since: datetime, until: datetime) -> list[ReasonCount]:
    """Why people were called from `since` up to `until`, the most frequent reason first."""
    return count_reasons(calls_between(log, since, until))


def count_reasons(calls: Iterable[Call]) -> list[ReasonCount]:
    """Calls by reason and detail, the most frequent first. However a customer asks for a person, it is one reason."""
    counts = Counter((call.reason, "" if call.reason is CallReason.ASKED else call.detail) for call in calls)
    return [ReasonCount(reason, detail, number) for (reason, detail), number in counts.most_common()]


def _line(log: Database, call: Call) -> Line | None:
    found = talk(log, call.conversation_id)
    if found is None:
        return None
    spoken = [event for event in events_of(log, call) if event.kind in _WORDS]
    if not spoken:
        return Line(call, found, found.words, by_customer=True)
    return Line(call, found, spoken[-1].text, by_customer=spoken[-1].kind is DeskEventKind.CUSTOMER)
