"""The threshold from which a model declines."""

import random

import pytest

from finetune.training.declining import calibrate


def test_the_threshold_tells_open_questions_best_from_answered_ones() -> None:
    odds = [
        *((0.4, True),) * 60,
        *((0.9, True),) * 30,
        *((0.05, True),) * 10,
        *((0.05, False),) * 90,
        *((0.5, False),) * 10,
    ]
    found = calibrate(odds)
    assert found is not None
    assert found.threshold == pytest.approx(0.4)
    assert found.right_refusals == pytest.approx(0.9)
    assert found.false_refusals == pytest.approx(0.1)
    assert (found.open_questions, found.answered_questions) == (100, 100)


def test_it_lies_near_where_the_two_kinds_are_equally_likely() -> None:
    chance = random.Random(7)  # noqa: S311 — a sample, no secret
    odds = [(chance.betavariate(4, 2), True) for _ in range(2000)]
    odds += [(chance.betavariate(2, 4), False) for _ in range(2000)]
    found = calibrate(odds)
    assert found is not None
    assert found.threshold == pytest.approx(0.5, abs=0.08)


def test_of_equal_thresholds_the_highest_keeps_most_answers() -> None:
    found = calibrate([(0.3, True)] * 5 + [(0.8, True)] * 5 + [(0.3, False)] * 5 + [(0.1, False)] * 5)
    assert found is not None
    assert found.threshold == 0.8


def test_of_thresholds_within_a_standard_error_the_highest_keeps_most_answers() -> None:
    odds = [*((0.9, True),) * 70, *((0.2, True),) * 30, *((0.25, False),) * 29, *((0.1, False),) * 71]
    found = calibrate(odds)  # 0.2 would be better by 0.01
    assert found is not None
    assert found.threshold == 0.9
    clear = calibrate([*odds, *((0.2, True),) * 40])
    assert clear is not None
    assert clear.threshold == 0.2


def test_an_adapter_that_was_trained_on_keeps_its_parents_threshold_within_what_is_noise() -> None:
    odds = [*((0.6, True),) * 20, *((0.3, True),) * 3, *((0.32, False),) * 6, *((0.1, False),) * 48]
    alone, kept = calibrate(odds), calibrate(odds, usual=0.35)
    assert alone is not None
    assert alone.threshold == 0.6
    assert kept is not None
    assert kept.threshold == 0.35
    assert kept.right_refusals == pytest.approx(20 / 23)


def test_a_parents_threshold_that_no_longer_fits_is_left_as_far_as_the_questions_tell() -> None:
    odds = [*((0.6, True),) * 60, *((0.1, False),) * 50, *((0.4, False),) * 50]
    found = calibrate(odds, usual=0.2)
    assert found is not None
    assert found.threshold == 0.6


def test_too_few_questions_of_either_kind_say_nothing() -> None:
    assert calibrate([(0.5, True)] * 8 + [(0.1, False)] * 100) is None
    assert calibrate([(0.5, True)] * 100 + [(0.1, False)] * 8) is None
