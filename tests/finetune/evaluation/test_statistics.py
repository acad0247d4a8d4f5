"""Means with intervals, and differences beyond chance."""

import random

import pytest

from finetune.evaluation.statistics import estimate, paired_difference


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    chance = random.Random(3)  # noqa: S311 — a sample, no secret
    held = 0
    for seed in range(100):
        found = estimate([chance.gauss(0.4, 1.0) for _ in range(60)], seed=seed)
        held += found.low <= 0.4 <= found.high
    assert 88 <= held <= 100


def test_a_mean_lies_in_its_interval_and_zero_is_a_value() -> None:
    found = estimate([0.0, 0.0, 1.0, 1.0])
    assert found.low <= found.mean == 0.5 <= found.high
    assert estimate([0.0, 0.0]).mean == 0.0
    assert estimate([0.0, 0.0]).count == 2


def test_nothing_measured_proves_nothing() -> None:
    found = estimate([])
    assert (found.count, found.above_zero, found.below_zero) == (0, False, False)


def test_pairing_sees_a_small_steady_difference_that_scatter_would_hide() -> None:
    chance = random.Random(4)  # noqa: S311 — a sample, no secret
    current = [chance.random() for _ in range(80)]
    better = [value + 0.02 for value in current]
    assert paired_difference(better, current).above_zero
    assert paired_difference(current, better).below_zero
    assert not paired_difference(current, current).above_zero


def test_cases_that_one_side_lacks_are_left_out() -> None:
    assert paired_difference([1.0, None, 0.5], [0.0, 1.0, None]).count == 1


def test_different_cases_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0], [1.0, 2.0])
