"""Conformal risk control: the lowest threshold whose share of mistakes stays within a budget.

A route is taken by every turn whose score reaches a threshold, so a lower threshold can only add turns, and mistakes with
them. On n judged turns, the threshold below is the lowest at which (mistakes + 1) / (n + 1) is within the budget; then the
share of turns to come that are mistakes is within the budget too, on average over calibrations, whatever the scores'
distribution, as long as turns to come are like those that were judged (Angelopoulos et al. 2022, "Conformal Risk Control",
arXiv 2208.02814, theorem 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import beta

_STEP = 1e-4  # thresholds are rounded up to it
_CONFIDENCE = 0.9


@dataclass(frozen=True)
class Judged:
    """One turn as far as one route is concerned.

    `score` is the highest threshold (0 to 1) at which it takes the route, None if it takes it at none; `wrong` says
    whether the route is a mistake for it.
    """

    score: float | None
    wrong: bool


@dataclass(frozen=True)
class Threshold:
    """The lowest threshold within a budget, and what it was found on.

    `value` is None where no threshold is: too few turns were judged to promise the budget at all.
    """

    value: float | None
    budget: float  # share of turns, 0 to 1
    turns: int  # judged
    taken: int  # of them, that take the route at `value`
    wrong: int  # of those, mistakes

    @property
    def risk(self) -> float:
        """The share of all judged turns that are mistakes at `value`."""
        return self.wrong / self.turns if self.turns else 0.0

    @property
    def most_wrong_of_taken(self) -> float:
        """The highest share of mistakes among turns that take the route that is credible (Clopper-Pearson, 90 %, one-sided)."""
        if self.wrong >= self.taken:
            return 1.0
        return float(beta.ppf(_CONFIDENCE, self.wrong + 1, self.taken - self.wrong))


def fewest_turns(budget: float) -> int:
    """How many turns must be judged before a budget can be promised: without any mistake, 1 / (n + 1) is within it."""
    return max(1, math.ceil(1.0 / budget - 1.0 - 1e-9))


def control(judged: Sequence[Judged], budget: float, *, lowest: float, highest: float = 1.0) -> Threshold:
    """The lowest threshold from `lowest` to `highest` that keeps mistakes within `budget` (above 0, below 1).

    Raises:
        ValueError: the budget is no such share.
    """
    if not 0.0 < budget < 1.0:
        raise ValueError(f"A budget is a share between 0 and 1, not {budget}.")
    count = len(judged)
    allowed = math.floor(budget * (count + 1) - 1.0 + 1e-9)
    if allowed < 0:
        return _at(None, judged, budget)
    mistakes = sorted((each.score for each in judged if each.wrong and each.score is not None), reverse=True)
    value = lowest
    if len(mistakes) > allowed and mistakes[allowed] >= lowest:
        value = (
            math.floor(mistakes[allowed] / _STEP + 1e-9) + 1
        ) * _STEP  # just above the first that is too many
    return _at(None if value > highest else round(value, 4), judged, budget)


def _at(value: float | None, judged: Sequence[Judged], budget: float) -> Threshold:
    taken = [each for each in judged if value is not None and each.score is not None and each.score >= value]
    return Threshold(value, budget, len(judged), len(taken), sum(each.wrong for each in taken))
