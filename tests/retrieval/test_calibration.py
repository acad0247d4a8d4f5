"""Tests of ranking and probabilities, on made-up evidence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.calibration import CAUTIOUS, DEFAULT, Calibration, Example, calibration_error
from retrieval.calibration import fit as fit_to
from retrieval.errors import IndexMismatch
from retrieval.evidence import SIGNALS, Evidence

ARTICLES = 12
TELLING = 5  # signals of a made-up question that say something, however many there are
EMPTY = np.zeros(0, dtype=np.float32)


def fit(given: list[Example]) -> Calibration:
    return fit_to(given, ARTICLES)


def evidence(signals: np.ndarray, candidates: np.ndarray | None = None) -> Evidence:
    signals = signals.astype(np.float32)
    standard = (signals - signals.mean(axis=0)) / signals.std(axis=0)
    every = np.ones(len(signals), bool)
    return Evidence(signals, standard, every if candidates is None else candidates, EMPTY, EMPTY, EMPTY)


def examples(count: int, seed: int = 0) -> list[Example]:
    """A right article stands out by a strength that varies; a quarter of the questions have none."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        signals = random.normal(0.5, 0.1, (ARTICLES, len(SIGNALS)))
        right = frozenset[int]()
        if number % 4:
            article = int(random.integers(ARTICLES))
            right = frozenset({article})
            signals[article, :TELLING] += random.uniform(0.0, 0.3)
        found.append(Example(evidence(signals), right))
    return found


def test_stated_probabilities_are_met_by_frequencies_on_unseen_questions() -> None:
    learned = fit(examples(3000))  # of fewer the error is half noise
    said, seen = [], []
    for example in examples(3000, seed=9):
        first = int(np.argmax(learned.rank(example.evidence)))
        said.append(float(learned.probabilities(example.evidence)[first]))
        seen.append(float(first in example.right))
    assert calibration_error(np.array(said), np.array(seen)) < 0.06
    assert np.mean(seen) == pytest.approx(np.mean(said), abs=0.04)
    sure = np.array(said) > 0.9
    assert sure.sum() > 50
    assert np.array(seen)[sure].mean() > 0.85


def test_the_report_tells_what_unseen_questions_showed() -> None:
    report = fit(examples(400)).report
    assert report["questions"] == 400
    assert 0.5 < report["top1"] <= report["top3"] <= 1
    assert report["calibration_error"] < 0.08


def test_probability_follows_the_ranking_and_stays_between_zero_and_one() -> None:
    learned = fit(examples(300))
    for example in examples(20, seed=3):
        probabilities = learned.probabilities(example.evidence)
        assert probabilities.min() >= 0
        assert probabilities.max() <= 1
        assert np.argsort(-probabilities)[0] == np.argmax(learned.rank(example.evidence))


def test_what_cannot_answer_is_never_likely() -> None:
    learned = fit(examples(300))
    candidates = np.ones(ARTICLES, dtype=bool)
    candidates[4] = False
    signals = np.full((ARTICLES, len(SIGNALS)), 0.5) + np.arange(ARTICLES)[:, None] * 0.01
    signals[4] = 9.0
    found = evidence(signals, candidates)
    assert learned.probabilities(found)[4] == 0.0
    assert learned.rank(found)[4] == -np.inf


def test_too_little_to_learn_from_gives_the_default_and_a_cautious_one_among_a_handful_of_articles() -> None:
    assert fit_to(examples(10), 10) == DEFAULT
    assert fit_to(examples(10), 9) == CAUTIOUS
    assert fit(examples(10)) == DEFAULT
    assert fit([]) == DEFAULT
    assert fit([Example(example.evidence, frozenset()) for example in examples(100)]) == DEFAULT


def test_a_few_questions_leave_the_usual_weights_nearly_as_they_are_and_many_do_not() -> None:
    def drift(count: int) -> float:
        only_the_first = []
        for number in range(count):
            signals = np.random.default_rng(number).normal(0.5, 0.1, (ARTICLES, len(SIGNALS)))
            signals[number % ARTICLES, 0] += 0.5  # the other signals are noise
            only_the_first.append(Example(evidence(signals), frozenset({number % ARTICLES})))
        learned, usual = (np.asarray(each.ranking) for each in (fit(only_the_first), DEFAULT))
        return float(np.abs(learned / learned.sum() - usual / usual.sum()).sum())

    assert drift(25) < 0.15
    assert drift(1000) > 0.6


def asked(count: int, seed: int) -> list[Example]:
    """What customers ask: as the team's questions, but half of what looks answered has no answer."""
    found = []
    for number, example in enumerate(examples(count, seed)):
        right = example.right if number % 8 < 4 else frozenset[int]()
        found.append(Example(example.evidence, right, judged=True))
    return found


def error(learned: Calibration, seen: list[Example]) -> float:
    first = [int(np.argmax(learned.rank(each.evidence))) for each in seen]
    told = [float(learned.probabilities(each.evidence)[n]) for n, each in zip(first, seen, strict=True)]
    right = [float(n in each.right) for n, each in zip(first, seen, strict=True)]
    return float(np.mean((np.asarray(told) - right) ** 2))


@pytest.mark.parametrize("own", [400, 0], ids=["beside the team's own", "where the team listed none"])
def test_what_people_judged_makes_probabilities_true_of_customers(own: int) -> None:
    team, unseen = examples(own), asked(1500, seed=7)
    before, after = fit(team), fit([*team, *asked(160, seed=5)])
    assert error(after, unseen) < error(before, unseen) - 0.02
    told = np.array([after.probabilities(each.evidence).max() for each in unseen])
    right = np.array([int(np.argmax(after.rank(each.evidence))) in each.right for each in unseen])
    assert np.mean(told) == pytest.approx(np.mean(right), abs=0.06)


def test_a_handful_of_judged_questions_moves_no_probability() -> None:
    team, unseen = examples(400), asked(600, seed=7)
    few, enough = (error(fit([*team, *asked(count, seed=5)]), unseen) for count in (19, 20))
    before = error(fit(team), unseen)
    assert few == pytest.approx(before, abs=0.002)  # the ranking alone has changed a little
    assert enough < before - 0.005
    assert fit(asked(19, seed=5)) == DEFAULT


def test_questions_that_are_always_right_are_survived() -> None:
    signals = np.zeros((2, len(SIGNALS)))
    signals[0] = 1.0
    for judged in (False, True):
        learned = fit([Example(evidence(signals), frozenset({0, 1}), judged)] * 60)
        assert 0 <= learned.probabilities(evidence(signals)).max() <= 1


def test_a_calibration_survives_saving(tmp_path: Path) -> None:
    learned = fit(examples(200))
    learned.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == learned


@pytest.mark.parametrize(
    "change",
    [{"signals": ["other"]}, {"ranking": [1.0]}, {"ranking": None}, {"intercept": "x"}, {"report": []}],
)
def test_a_calibration_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "c.json"
    DEFAULT.save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(IndexMismatch, match="kefu index"):
        Calibration.load(path)


def test_calibration_error_is_the_gap_between_saying_and_seeing() -> None:
    said = np.array([0.85, 0.85, 0.85, 0.85])
    assert calibration_error(said, np.array([1.0, 1.0, 1.0, 0.0])) == pytest.approx(0.10)
