"""Thresholds per language and route, from judged questions, to a budget of mistakes: see `risk` for the promise.

The two thresholds depend on each other: whatever no template answers may be answered from an article, and an article that is
found may keep a template from answering. They are found in turns until neither moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.conversation import Language, Route
from bot.policy import Thresholds
from bot.thresholds import LANGUAGES, ThresholdTable
from bot.upkeep.calibration.observing import Observed
from bot.upkeep.calibration.risk import Judged, Threshold, control, fewest_turns

LOWEST_TEMPLATE = 0.5  # an intent that is not even the likelier half is no approved answer
LOWEST_GROUNDED = 0.1
_NEVER = 2.0  # no score reaches it
_ROUNDS = 6
_BINS = 10

Judge = Callable[[Observed, Thresholds], Judged | None]


@dataclass(frozen=True)
class Budgets:
    """The most mistakes that the team allows, as shares of all turns, 0 to 1."""

    wrong_templates: float = 0.02
    wrong_answers: float = 0.08


@dataclass(frozen=True)
class Bin:
    """Turns with about the same score: how many, their mean score, and the share for which the route was right."""

    turns: int
    score: float
    right: float


@dataclass(frozen=True)
class Point:
    """A threshold with what it brings: shares of all judged turns that take the route, and that are mistakes."""

    threshold: float
    covered: float
    risk: float


@dataclass(frozen=True)
class RouteCalibration:
    """One threshold. `pooled`: both languages were too few alone. `calibrated` is what serves from now on."""

    route: Route
    before: float
    calibrated: float
    found: Threshold
    pooled: bool
    reliability: tuple[Bin, ...]
    curve: tuple[Point, ...]

    @property
    def too_thin(self) -> bool:
        """Whether too few turns were judged, so that what served before stays."""
        return self.found.turns < fewest_turns(self.found.budget)


@dataclass(frozen=True)
class LanguageCalibration:
    """What was found for customers of one language, and how many of its judged turns go which way, before and after."""

    language: Language
    template: RouteCalibration
    grounded: RouteCalibration
    routes_before: Mapping[Route, int]
    routes_after: Mapping[Route, int]


def fit_thresholds(
    observed: Sequence[Observed], present: ThresholdTable, budgets: Budgets
) -> tuple[LanguageCalibration, ...]:
    """Find the thresholds of each language.

    Args:
        observed: judged questions with what was understood and found.
        present: the thresholds that serve now.
        budgets: the mistakes that are allowed.
    """
    return tuple(_of_language(language, observed, present, budgets) for language in LANGUAGES)


def _of_language(
    language: Language,
    observed: Sequence[Observed],
    present: ThresholdTable,
    budgets: Budgets,
) -> LanguageCalibration:
    own = [each for each in observed if each.language is language]
    fewest = fewest_turns(min(budgets.wrong_templates, budgets.wrong_answers))
    pooled = len(own) < fewest
    learned = observed if pooled else own
    before = now = present.of(language)
    for _ in range(_ROUNDS):
        template = control(
            _judged(_as_template, learned, now), budgets.wrong_templates, lowest=LOWEST_TEMPLATE
        )
        next_ = replace(now, template_score=_served(template, before.template_score))
        grounded = control(
            _judged(_as_grounded, learned, next_), budgets.wrong_answers, lowest=LOWEST_GROUNDED
        )
        next_ = replace(next_, grounded_score=_served(grounded, before.grounded_score))
        if next_ == now:
            break
        now = next_
    return LanguageCalibration(
        language,
        _route(
            Route.TEMPLATE,
            before.template_score,
            now.template_score,
            template,
            pooled,
            _judged(_as_template, learned, now),
        ),
        _route(
            Route.GROUNDED,
            before.grounded_score,
            now.grounded_score,
            grounded,
            pooled,
            _judged(_as_grounded, learned, now),
        ),
        _routes(own, before),
        _routes(own, now),
    )


def _served(found: Threshold, before: float) -> float:
    """What serves: where too little is known, what served before; where no threshold is within the budget, the strictest."""
    if found.value is not None:
        return found.value
    return before if found.turns < fewest_turns(found.budget) else 1.0


def _judged(judge: Judge, observed: Sequence[Observed], thresholds: Thresholds) -> list[Judged]:
    found = (judge(each, thresholds) for each in observed)
    return [each for each in found if each is not None]


def _as_template(observed: Observed, thresholds: Thresholds) -> Judged | None:
    """Whether, and from which score, a template answers; None if nobody knows whether it would be right."""
    lowest = replace(thresholds, template_score=LOWEST_TEMPLATE)
    decision = observed.decide(lowest)
    if decision.route is not Route.TEMPLATE or decision.intent is None:
        return Judged(None, wrong=False)
    wrong = observed.evidence.template_wrong(decision.intent)
    if wrong is None:
        return None
    certain = observed.decide(replace(thresholds, template_score=_NEVER))  # a fact that was asked for
    score = 1.0 if certain.route is Route.TEMPLATE else observed.asked.understanding.score
    return Judged(score, wrong)


def _as_grounded(observed: Observed, thresholds: Thresholds) -> Judged | None:
    """The same for an answer from an article."""
    hits = observed.asked.hits
    if not hits or hits[0].score < LOWEST_GROUNDED or observed.article is None:
        return Judged(None, wrong=False)
    decision = observed.decide(replace(thresholds, grounded_score=hits[0].score))
    if decision.route is not Route.GROUNDED:
        return Judged(None, wrong=False)
    wrong = observed.evidence.article_wrong(observed.article)
    return None if wrong is None else Judged(hits[0].score, wrong)


def _routes(observed: Sequence[Observed], thresholds: Thresholds) -> Mapping[Route, int]:
    return Counter(each.decide(thresholds).route for each in observed)


def _route(
    route: Route, before: float, calibrated: float, found: Threshold, pooled: bool, judged: Sequence[Judged]
) -> RouteCalibration:
    return RouteCalibration(
        route, before, calibrated, found, pooled, tuple(_reliability(judged)), tuple(_curve(judged))
    )


def _reliability(judged: Sequence[Judged]) -> Iterator[Bin]:
    scored = [(each.score, not each.wrong) for each in judged if each.score is not None]
    for number in range(_BINS):
        inside = [pair for pair in scored if min(int(pair[0] * _BINS), _BINS - 1) == number]
        if inside:
            scores, right = zip(*inside, strict=True)
            yield Bin(len(inside), float(np.mean(scores)), float(np.mean(right)))


def _curve(judged: Sequence[Judged]) -> Iterator[Point]:
    """A point wherever a turn more takes the route, from the highest score down."""
    scored = sorted(((each.score, each.wrong) for each in judged if each.score is not None), reverse=True)
    wrong = 0
    for taken, (score, mistake) in enumerate(scored, start=1):
        wrong += mistake
        yield Point(score, taken / len(judged), wrong / len(judged))
