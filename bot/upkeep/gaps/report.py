"""What is told about gaps: how often and how lately each was asked, in which language, and what comes near it.

Gaps are ranked by a count in which age is worth less: each talk counts 1 on the day it was had and half of it every
`HALF_LIFE` later (exponential decay: Cormode et al. 2009, "Forward decay"). A talk counts once, however often the customer
asked in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.conversation import ConversationId, ScoredIntent, TurnId
from bot.memory.gaps import GapId, GapState, StoredGap
from bot.upkeep.gaps.unanswered import Failures, UnansweredTurn

KIND = "kefu-unanswered"
SCHEMA = 1  # of the JSON
HALF_LIFE = timedelta(days=14)


class Way(StrEnum):
    """What can be done about a gap."""

    INTO_INTENT = "into an intent"  # its questions become examples of an intent that there is
    AS_INTENT = "as an intent"
    AS_ARTICLE = "as an article"
    MEND = "mend what there is"  # a person has to edit what answered badly, or what should have answered


@dataclass(frozen=True)
class NearArticle:
    """The article that comes nearest. `score` is the probability (0 to 1) that it answers."""

    id: str
    language: str
    title: str
    score: float


@dataclass(frozen=True)
class Suggestion:
    """What is probably best done. `target` is an intent or "intent ID" / "article ID" to mend; `text` says it all."""

    way: Way
    text: str
    target: str | None = None


@dataclass(frozen=True)
class Gap:
    """A gap with the turns that were not answered in the time that was looked at, newest first."""

    stored: StoredGap
    turns: tuple[UnansweredTurn, ...]
    weight: float  # see the module; of an accepted gap only what was asked since
    intent: ScoredIntent | None = None  # the nearest one
    article: NearArticle | None = None
    suggestion: Suggestion | None = None

    @property
    def id(self) -> GapId:
        """What people type to name it."""
        return self.stored.id

    @property
    def talks(self) -> int:
        """In how many conversations it was asked."""
        return len({turn.conversation for turn in self.turns})

    @property
    def languages(self) -> dict[str, int]:
        """How often it was asked in each language."""
        return _counted(turn.language.value for turn in self.turns)

    @property
    def why(self) -> dict[str, int]:
        """Why the turns count as not answered, and how many."""
        return _counted(turn.why.value for turn in self.turns)

    @property
    def again(self) -> int:
        """Turns that were not answered although the gap had been accepted."""
        return sum(_asked_again(self.stored, turn) for turn in self.turns)


@dataclass(frozen=True)
class GapReport:
    """The gaps that are listed, those that matter most first, and how many there are besides."""

    since: datetime | None
    at: datetime
    gaps: tuple[Gap, ...]
    total: int  # gaps that could be listed; `gaps` may be the first of them
    accepted: int  # not listed
    dismissed: int  # not listed
    unanswered: int  # turns in all gaps
    failures: Failures
    cut: float  # least average cosine of what was put together
    topics: int  # that the cut was learned from


def weight_of(turns: Sequence[UnansweredTurn], at: datetime) -> float:
    """How much turns count on the day `at`; see the module."""
    latest: dict[ConversationId, datetime] = {}
    for turn in turns:
        latest[turn.conversation] = max(turn.asked_at, latest.get(turn.conversation, turn.asked_at))
    ages = (max(at - asked_at, timedelta(0)) for asked_at in latest.values())
    return float(sum(0.5 ** (age / HALF_LIFE) for age in ages))


def ranked(
    stored: Sequence[StoredGap],
    turns: Sequence[UnansweredTurn],
    belongs: Mapping[TurnId, GapId],
    at: datetime,
) -> list[Gap]:
    """The gaps that have turns, those that count most on the day `at` first.

    Args:
        stored: gaps.
        turns: unanswered ones; those of no gap in `stored` are left out.
        belongs: the gap that each turn belongs to.
        at: this moment, UTC.
    """
    own: defaultdict[GapId, list[UnansweredTurn]] = defaultdict(list)
    for turn in sorted(turns, key=lambda turn: turn.asked_at, reverse=True):
        if turn.id in belongs:
            own[belongs[turn.id]].append(turn)
    gaps = [Gap(gap, tuple(own[gap.id]), _weight(gap, own[gap.id], at)) for gap in stored if own[gap.id]]
    return sorted(gaps, key=lambda gap: (-gap.weight, gap.id))


def is_open(gap: Gap) -> bool:
    """Whether somebody should look at it: it is new, or was asked again although it had been accepted."""
    return gap.stored.state is GapState.NEW or (gap.stored.state is GapState.ACCEPTED and gap.again > 0)


def as_json(report: GapReport) -> dict[str, Any]:
    """The report as JSON values, for programs."""
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "since": None if report.since is None else report.since.isoformat(),
        "at": report.at.isoformat(),
        "total": report.total,
        "not_listed": {"accepted": report.accepted, "dismissed": report.dismissed},
        "unanswered_turns": report.unanswered,
        "technical_problems": {
            "turns": list(report.failures.turns),
            "kinds": dict(report.failures.kinds),
            "last": None if report.failures.last_at is None else report.failures.last_at.isoformat(),
        },
        "cut": round(report.cut, 4),
        "topics_learned_from": report.topics,
        "gaps": [_gap_as_json(gap) for gap in report.gaps],
    }


def _gap_as_json(gap: Gap) -> dict[str, Any]:
    stored, suggestion = gap.stored, gap.suggestion
    return {
        "id": gap.id,
        "title": stored.title,
        "state": stored.state.value,
        "reason": stored.reason,
        "outcome": stored.outcome,
        "count": len(gap.turns),
        "talks": gap.talks,
        "again": gap.again,
        "weight": round(gap.weight, 4),
        "languages": gap.languages,
        "why": gap.why,
        "first_asked": gap.turns[-1].asked_at.isoformat(),
        "last_asked": gap.turns[0].asked_at.isoformat(),
        "intent": None if gap.intent is None else asdict(gap.intent),
        "article": None if gap.article is None else asdict(gap.article),
        "suggestion": None
        if suggestion is None
        else {**asdict(suggestion), "way": suggestion.way.name.lower()},
        "turn_ids": [turn.id for turn in gap.turns],
    }


def _weight(gap: StoredGap, turns: Sequence[UnansweredTurn], at: datetime) -> float:
    if gap.state is GapState.ACCEPTED:
        turns = [turn for turn in turns if _asked_again(gap, turn)]
    return weight_of(turns, at)


def _asked_again(gap: StoredGap, turn: UnansweredTurn) -> bool:
    decided = gap.decided_at
    return gap.state is GapState.ACCEPTED and decided is not None and turn.asked_at > decided


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
