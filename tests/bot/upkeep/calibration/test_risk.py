"""Conformal risk control: the budget holds on turns to come, and too little data promises nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bot.upkeep.calibration.risk import Judged, control, fewest_turns


def turns(count: int, seed: int) -> list[Judged]:
    """Turns whose mistakes grow rarer the higher the score, as a classifier's do; a tenth never takes the route."""
    chance = np.random.default_rng(seed)
    scores = chance.beta(4, 1, count)
    wrong = chance.random(count) < (1.0 - scores) * 0.8
    never = chance.random(count) < 0.1
    return [
        Judged(None if never[i] else float(scores[i]), bool(wrong[i]) and not never[i]) for i in range(count)
    ]


@pytest.mark.parametrize("budget", [0.01, 0.02, 0.05])
def test_the_budget_holds_on_turns_to_come_on_average_over_calibrations(budget: float) -> None:
    future = turns(20_000, seed=10_000)
    shares = []
    for seed in range(200):
        found = control(turns(250, seed), budget, lowest=0.0)
        assert found.value is not None
        mistakes = sum(each.wrong and each.score is not None and each.score >= found.value for each in future)
        shares.append(mistakes / len(future))
    assert np.mean(shares) <= budget
    assert np.mean(shares) >= budget / 3  # and it is no lazy threshold that lets nothing through


def test_the_threshold_stands_just_above_the_first_mistake_too_many() -> None:
    judged = [Judged(0.9, True), Judged(0.8, True), Judged(0.7, True)] + [Judged(0.95, False)] * 97
    found = control(judged, 0.02, lowest=0.5)  # 0.02 × 101 - 1 = 1.02: one mistake
    assert found.value == 0.8001
    assert (found.turns, found.taken, found.wrong) == (100, 98, 1)


def test_mistakes_within_the_budget_leave_the_lowest_threshold() -> None:
    found = control([Judged(0.6, True)] + [Judged(0.95, False)] * 99, 0.02, lowest=0.5)
    assert found.value == 0.5
    assert found.wrong == 1


def test_a_mistake_at_full_certainty_too_many_leaves_no_threshold() -> None:
    assert control([Judged(1.0, True)] * 5 + [Judged(0.9, False)] * 95, 0.02, lowest=0.5).value is None


def test_too_few_turns_promise_nothing() -> None:
    assert fewest_turns(0.02) == 49
    assert control([Judged(0.99, False)] * 48, 0.02, lowest=0.5).value is None
    assert control([Judged(0.99, False)] * 49, 0.02, lowest=0.5).value == 0.5


def test_a_turn_that_never_takes_the_route_counts_but_is_no_mistake() -> None:
    found = control([Judged(None, False)] * 60, 0.02, lowest=0.5)
    assert (found.turns, found.taken, found.wrong, found.value) == (60, 0, 0, 0.5)


def test_the_credible_share_of_mistakes_is_clopper_and_pearsons() -> None:
    found = control([Judged(0.99, False)] * 100, 0.02, lowest=0.5)
    assert found.most_wrong_of_taken == pytest.approx(1 - 0.1 ** (1 / 100))
    assert control([], 0.5, lowest=0.5).most_wrong_of_taken == 1.0


@pytest.mark.parametrize("budget", [0.0, 1.0, 2.0, -0.1])
def test_an_impossible_budget_is_refused_with_its_value(budget: float) -> None:
    with pytest.raises(ValueError, match=str(budget)):
        control([Judged(0.9, False)], budget, lowest=0.5)
