"""What a replay or an edit changed, as values: every change with both outcomes, and the figures on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.conversation import Provenance
from bot.upkeep.backtest.edits import Touched
from bot.upkeep.backtest.outcomes import Kind, Outcome, differences, outcome_of
from bot.upkeep.backtest.questions import PastQuestion, PastQuestions


@dataclass(frozen=True)
class Change:
    """A question whose outcome is another one. All texts are masked."""

    turn_id: str
    conversation_id: str
    asked_at: datetime  # UTC
    question: str  # as the customer wrote it
    read_as: str  # as it was matched and searched then: with what it follows
    rating: int | None  # +1 or -1, of what the customer got then
    rates_before: bool  # whether what the customer got then is still what `before` says
    kinds: tuple[Kind, ...]  # the weightiest first
    before: Outcome
    after: Outcome

    @property
    def kind(self) -> Kind:
        """The weightiest difference; `WORDING` means the wording only."""
        return self.kinds[0]


@dataclass(frozen=True)
class Tally:
    """How many changes, and how those turns were rated."""

    changed: int
    up: int
    down: int

    @property
    def unrated(self) -> int:
        """Changes of turns that nobody rated."""
        return self.changed - self.up - self.down


@dataclass(frozen=True)
class ReplayReport:
    """What came of asking again. `sides` name what stands left and right: "then" and "today", or "now" and "edited"."""

    command: str  # "replay" or "diff"
    sides: tuple[str, str]
    since: datetime | None
    until: datetime | None
    quick: bool
    asked: int
    changes: tuple[
        Change, ...
    ]  # the weightiest kind first, then those that were rated good, then in order of time
    fragments: int  # messages that were read together with the one that took them over
    failures: int  # turns that failed then, which leaves nothing to compare with
    not_asked: int  # questions over the limit
    broke: int  # questions that could not be asked again; the log on standard error says why
    touched: Touched | None  # what an edit changes; None for a replay
    provenance: Provenance  # of the right side
    seconds: float

    @property
    def same(self) -> int:
        """Questions whose outcome did not change."""
        return self.asked - len(self.changes)

    def tally(self, kind: Kind | None = None) -> Tally:
        """The figures of the changes of one kind, or of all."""
        ratings = [change.rating for change in self.changes if kind in (None, change.kind)]
        return Tally(len(ratings), ratings.count(1), ratings.count(-1))


def change_of(question: PastQuestion, before: Outcome, after: Outcome, *, quick: bool) -> Change | None:
    """How `before` and `after` differ; None if they do not."""
    kinds = differences(before, after)
    if not kinds:
        return None
    turn = question.turn
    return Change(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        asked_at=turn.asked_at,
        question=turn.customer_text,
        read_as=turn.question,
        rating=question.rating,
        rates_before=not differences(outcome_of(turn, quick=quick), before),
        kinds=kinds,
        before=before,
        after=after,
    )


def report(
    command: str,
    sides: tuple[str, str],
    questions: PastQuestions,
    changes: Sequence[Change],
    provenance: Provenance,
    *,
    quick: bool,
    seconds: float,
    broke: int,
    not_asked: int = 0,
    touched: Touched | None = None,
) -> ReplayReport:
    """The report on `questions`, of which `broke` could not be asked and `not_asked` were not."""
    order = list(Kind)
    return ReplayReport(
        command=command,
        sides=sides,
        since=questions.since,
        until=questions.until,
        quick=quick,
        asked=len(questions.questions) - broke - not_asked,
        changes=tuple(
            sorted(changes, key=lambda each: (order.index(each.kind), each.rating != 1, each.asked_at))
        ),
        fragments=questions.fragments,
        failures=questions.failures,
        not_asked=questions.older + not_asked,
        broke=broke,
        touched=touched,
        provenance=provenance,
        seconds=seconds,
    )
