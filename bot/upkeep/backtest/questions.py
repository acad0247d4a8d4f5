"""The questions that customers asked, out of the log: each with what stood before it, as the bot saw it then.

Four kinds of turns are not asked as they lie there. What was said to a person is left out. A message that a newer one
took over (`Route.MERGED`) is read together with that one, as it was. A turn that failed got an apology, which is no
answer to compare with: `failures` says whether it is wanted at all. A turn whose customer left before the answer was
complete is asked like any other; what is compared of it is only what they saw (see `outcomes`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from bot.conversation import ConversationId, Route, Turn
from bot.knowledge import PAST_TURNS
from bot.memory.reading import LoggedTurn, logged_page, turns_of
from bot.turns import failed
from bot.upkeep.backtest.log_reading import log_to_read

_PAGE = 200  # turns


@dataclass(frozen=True)
class PastQuestion:
    """A turn of the log with what the bot had before it. All texts are masked."""

    logged: LoggedTurn
    past: tuple[Turn, ...]  # the turns before it, oldest first, as they were logged
    taken_over: tuple[str, ...]  # messages just before it that were answered together with it, oldest first

    @property
    def turn(self) -> Turn:
        """What was asked and answered then."""
        return self.logged.turn

    @property
    def rating(self) -> int | None:
        """The last vote on that answer, +1 or -1; None if there is none."""
        return None if self.logged.rating is None else self.logged.rating.value


@dataclass(frozen=True)
class PastQuestions:
    """What was asked in a time, in order, and what of it is not among `questions`."""

    since: datetime | None
    until: datetime | None
    questions: tuple[PastQuestion, ...]
    fragments: int = 0  # messages that are read with the one that took them over
    failures: int = 0  # turns that failed then, and were not wanted
    older: int = 0  # earlier than the last ones that were wanted


def read_questions(
    path: Path,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    rating: int | None = None,
    limit: int | None = None,
    failures: bool = False,
) -> PastQuestions:
    """Read the log, without writing to it.

    Args:
        path: the log.
        since: only what was asked at or after this moment (with time zone).
        until: only what was asked before this moment.
        rating: only what was rated so, +1 or -1.
        limit: only so many, the last ones.
        failures: whether turns that failed are wanted, too.

    Raises:
        StoreError: there is no log, or it cannot be read.
    """
    with log_to_read(path) as log:
        fragments = failures_then = wanted = 0
        last: deque[LoggedTurn] = deque(maxlen=limit)
        for logged in _logged(log, since, until, rating):
            if logged.turn.route is Route.PERSON:
                continue
            if logged.turn.route is Route.MERGED:
                fragments += 1
            elif failed(logged.turn) and not failures:
                failures_then += 1
            else:
                wanted += 1
                last.append(logged)
        return PastQuestions(
            since,
            until,
            tuple(_with_past(log, last)),
            fragments=fragments,
            failures=failures_then,
            older=wanted - len(last),
        )


def _logged(
    log: Database, since: datetime | None, until: datetime | None, rating: int | None
) -> Iterator[LoggedTurn]:
    after: tuple[str, int] | None = None
    while True:
        page, after = logged_page(log, since=since, until=until, rating=rating, after=after, size=_PAGE)
        yield from page
        if after is None:
            return


def _with_past(log: Database, wanted: Collection[LoggedTurn]) -> Iterator[PastQuestion]:
    """Each turn with what stood before it. A conversation is read once, and forgotten with its last turn."""
    last_use = {each.turn.conversation_id: number for number, each in enumerate(wanted)}
    open_ones: dict[ConversationId, list[Turn]] = {}
    for number, each in enumerate(wanted):
        conversation = each.turn.conversation_id
        if conversation not in open_ones:
            open_ones[conversation] = turns_of(log, conversation, last=None)
        turns = open_ones[conversation]
        if last_use[conversation] == number:
            del open_ones[conversation]
        yield _question(each, turns)


def _question(logged: LoggedTurn, turns: Sequence[Turn]) -> PastQuestion:
    place = next(number for number, turn in enumerate(turns) if turn.id == logged.turn.id)
    start = place
    while start > 0 and turns[start - 1].route is Route.MERGED:
        start -= 1
    fragments = turns[start:place]
    return PastQuestion(
        logged,
        past=tuple(turns[max(0, start - PAST_TURNS) : start]),
        taken_over=tuple(turn.customer_text for turn in fragments),
    )
