"""Means with their uncertainty, and whether one is better than another beyond chance: the bootstrap.

Source: Efron and Tibshirani 1993; for two systems on the same questions, paired: Koehn 2004 (EMNLP).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000
_TAIL = 2.5  # percent at either end: an interval of 95 %


@dataclass(frozen=True)
class Estimate:
    """A mean of `count` values with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def above_zero(self) -> bool:
        """Whether all of the interval is above zero."""
        return self.count > 0 and self.low > 0

    @property
    def below_zero(self) -> bool:
        """Whether all of the interval is below zero."""
        return self.count > 0 and self.high < 0


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """The mean of `values`; all zeros with a count of 0 if there are none."""
    if not values:
        return Estimate(0.0, 0.0, 0.0, 0)
    sample = np.asarray(values, dtype=np.float64)
    low, high = np.percentile(_means(sample, seed), [_TAIL, 100 - _TAIL])
    return Estimate(float(sample.mean()), float(low), float(high), len(sample))


def paired_difference(
    candidate: Sequence[float | None], current: Sequence[float | None], *, seed: int = 0
) -> Estimate:
    """How much higher the candidate is than the current one on the same cases, those left out where either is None.

    Raises:
        ValueError: the two are of different length: they are not of the same cases.
    """
    pairs = [
        (one, other)
        for one, other in zip(candidate, current, strict=True)
        if one is not None and other is not None
    ]
    return estimate([float(one) - float(other) for one, other in pairs], seed=seed)


def _means(sample: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    chance = np.random.default_rng(seed)
    drawn = chance.integers(0, len(sample), size=(_RESAMPLES, len(sample)))
    return np.asarray(sample[drawn].mean(axis=1), dtype=np.float64)
