"""The threshold from which a model declines."""

import random

import pytest

from finetune.training.declining import calibrate


def test_nine_in_ten_open_questions_are_declined_with_as_few_false_refusals_as_that_allows() -> None:
    odds = [(n / 100, True) for n in range(1, 101)] + [(0.05, False)] * 40 + [(0.5, False)] * 10
    found = calibrate(odds, 0.9)
    assert found is not None
    assert found.threshold == pytest.approx(0.10)
    assert found.right_refusals == pytest.approx(0.91)
    assert found.false_refusals == pytest.approx(0.2)


def test_new_open_questions_are_declined_as_often_as_promised() -> None:
    chance = random.Random(7)  # noqa: S311 — a sample, no secret
    kept = []
    for _ in range(200):
        found = calibrate([(chance.betavariate(4, 2), True) for _ in range(60)], 0.9)
        assert found is not None
        kept.append(sum(chance.betavariate(4, 2) >= found.threshold for _ in range(200)) / 200)
    assert sum(kept) / len(kept) >= 0.9


def test_too_few_open_questions_promise_nothing() -> None:
    assert calibrate([(0.5, True)] * 8 + [(0.1, False)] * 100, 0.9) is None
    assert calibrate([(0.1, False)] * 100, 0.9) is None
