"""What the overview shows, as values, and what each figure means. `overview.py` counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

DURABLE = timedelta(days=7)  # so long nobody must have come back
BY_STAFF = "review: "  # how the reason of a vote begins that a reviewer gave; customers' figures leave it out


@dataclass(frozen=True)
class Period:
    """Whole days where the shop is, both ends included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def since(self) -> datetime:
        """When it begins."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=self.zone)

    @property
    def until(self) -> datetime:
        """When it is over; this moment does not belong to it."""
        day = self.last + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Share:
    """A part of something; `share` is None of nothing."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """0 to 1."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class DayFigures:
    """One day."""

    day: date
    talks: int  # that had a turn on this day
    turns: int
    calls: int  # for a person
    unanswered: int  # turns


@dataclass(frozen=True)
class IntentFigures:
    """The turns of one intent; None stands for those without one."""

    intent: str | None
    turns: int
    talks: int
    unanswered: int
    up: int
    down: int


@dataclass(frozen=True)
class ReasonFigures:
    """Calls for a person for one reason; `detail` is e.g. the intent behind it."""

    reason: str
    detail: str
    calls: int


@dataclass(frozen=True)
class Overview:
    """All figures of a period.

    A *talk* is a conversation with a turn in the period; messages that a later one took over are no turns of their own.
    It is *resolved* if no person was called into it in the period, its last turn got an answer (a template or one from
    articles), and that answer was not voted down. It is *durable* if the same visitor or customer has not written again
    within `DURABLE` after its last turn; only resolved talks for which that time has passed are asked.
    """

    period: Period
    talks: int
    turns: int
    resolved: Share  # of talks
    durable: Share  # of resolved talks that are old enough
    handed_over: Share  # talks into which a person was called, of talks
    unanswered: Share  # turns, of those that the bot had to answer
    rated_up: Share  # of rated turns
    p50: float | None  # milliseconds to the whole answer, of turns that the bot answered
    p95: float | None
    languages: Mapping[str, int]  # turns
    days: tuple[DayFigures, ...]  # every day of the period, oldest first
    hours: Mapping[tuple[int, int], int]  # (weekday from Monday = 0, hour) where the shop is → turns
    intents: tuple[IntentFigures, ...]  # most turns first
    reasons: tuple[ReasonFigures, ...]  # most calls first

    @property
    def busiest(self) -> int:
        """Turns in the busiest hour of the week."""
        return max(self.hours.values(), default=0)
