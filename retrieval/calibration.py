"""Turns evidence into a ranking and a probability that an article answers, learned from questions with known answers.

Two steps, each the simplest that does its job well. Ranking: each signal is measured against its own spread over
all articles (a cosine of 0.86 means nothing by itself), and the standard scores are summed with weights that make
the right article the likeliest (a softmax over articles), drawn to weights that are good for any shop. Probability: a
logistic regression on how clearly an article leads and on how strong the strongest signals are at all, which is what
tells a question that nothing answers from one that is merely close between two articles. Its order is that of the
ranking. What people judged of customers' own questions moves it from where the team's questions put it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from retrieval.errors import IndexMismatch
from retrieval.evidence import SIGNALS, Evidence
from retrieval.publish import write_atomically

STRENGTHS = ("lead", "passage", "question", "topic", "coverage")  # what the probability is read from
FOLDS = 5
_STRONGEST = tuple(SIGNALS.index(name) for name in STRENGTHS[1:])
_PLACES = (
    1.0,
    0.1,
)  # weight of the first and second ranked article in learning the probability: the first decides
_ENOUGH = 20  # answerable questions below which nothing is learned
_RIDGE = 1e-3
PRIOR = 300.0  # precision of the prior where people judged, of weights per standard deviation: see `benchmarks/judged.py`
_JUDGED_WORTH = 10.0  # questions of the team's own that one of a customer's counts for in the probability

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledQuestion:
    """A question with the ids of the articles that answer it; none for one that no article answers."""

    text: str
    articles: frozenset[str]


@dataclass(frozen=True)
class Example:
    """Evidence for one question, with the numbers of the articles that are right; `judged` if a customer asked it."""

    evidence: Evidence
    right: frozenset[int]
    judged: bool = False


@dataclass(frozen=True)
class Calibration:
    """What was learned: a weight for each of SIGNALS, and for each of STRENGTHS, and an intercept."""

    ranking: tuple[float, ...]
    strengths: tuple[float, ...]
    intercept: float
    report: Mapping[str, float] = field(default_factory=dict)  # what cross-validation found

    def rank(self, evidence: Evidence) -> Reals:
        """Ranking score of each article, higher is better, shape (articles,); -inf for what cannot answer."""
        score = evidence.standard.astype(np.float64) @ np.asarray(self.ranking)
        return np.where(evidence.candidates, score, -np.inf)

    def probabilities(self, evidence: Evidence) -> Reals:
        """Probability (0 to 1) that each article answers, shape (articles,); 0.0 for what cannot."""
        logits = strengths_of(evidence, self.rank(evidence)) @ np.asarray(self.strengths) + self.intercept
        return np.where(evidence.candidates, 1.0 / (1.0 + np.exp(-np.clip(logits, -50.0, 50.0))), 0.0)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        stored = {"signals": SIGNALS, "read_from": STRENGTHS, **asdict(self)}
        write_atomically(path, json.dumps(stored, indent=2).encode())

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read it.

        Raises:
            IndexMismatch: it is damaged, or for other signals than this version computes.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            names = (*stored["signals"], *stored["read_from"])
            loaded = cls(
                ranking=tuple(map(float, stored["ranking"])),
                strengths=tuple(map(float, stored["strengths"])),
                intercept=float(stored["intercept"]),
                report={key: float(value) for key, value in stored["report"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error
        if names != (*SIGNALS, *STRENGTHS) or len(loaded.ranking + loaded.strengths) != len(names):
            raise IndexMismatch(f"{path} is for other signals ({', '.join(names)}). Run `kefu index`.")
        return loaded


# Where nothing can be learned: weights that are good for the talks of nine trades (`finetune/talks`), and a probability that
# `benchmarks/first_day.py --fit` learned from eight of them. It rests on the lead and on words in common, since how high a
# cosine is differs between encoders. Among a handful of articles one always leads: there words in common count for more.
DEFAULT = Calibration(
    ranking=(0.8, 0.15, 0.2, 0.4, 0.5, 0.8, 1.0), strengths=(1.9, 0.0, 0.0, 0.0, 1.6), intercept=0.1
)
CAUTIOUS = replace(DEFAULT, strengths=(1.3, 0.0, 0.0, 0.0, 3.0), intercept=-1.0)
_HANDFUL = 10  # articles; DEFAULT was learned from shops of 17 and 100
_WORTH = 500  # known questions that DEFAULT's weights are worth: customers ask otherwise than a team writes


def fit(examples: Sequence[Example], articles: int, *, prior: float = PRIOR) -> Calibration:
    """Learn from labelled evidence; `report` says how well that does on questions that it was not learned from.

    The report holds `questions`, `top1` and `top3` (share of the answerable questions whose right article ranks
    there), `brier` and `calibration_error` (mean distance of probability and frequency of the first article), all
    cross-validated. With too few answerable questions, or one article, nothing is learned: DEFAULT, or CAUTIOUS.

    Args:
        examples: the evidence.
        articles: how many the index has.
        prior: how much it takes to move the probability by what people judged, above 0.
    """
    usual = DEFAULT if articles >= _HANDFUL else CAUTIOUS
    if _answerable(examples) < _ENOUGH or len(examples[0].evidence.candidates) < 2:
        return usual
    return replace(_learn(examples, usual, prior), report=_cross_validate(examples, usual, prior))


def calibration_error(
    probabilities: Reals, outcomes: NDArray[np.float64] | NDArray[np.bool_], bins: int = 10
) -> float:
    """Mean distance between stated probability and observed frequency, 0 to 1, over bins of equal width."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            error += float(inside.mean()) * abs(
                float(probabilities[inside].mean()) - float(outcomes[inside].mean())
            )
    return error


def _learn(examples: Sequence[Example], usual: Calibration, prior: float) -> Calibration:
    """The ranking from all questions; the probability from the team's own, and then from what people judged."""
    ranking = _learn_ranking([example for example in examples if _right(example)])
    own = [example for example in examples if not example.judged]
    judged = [example for example in examples if example.judged]
    learned = replace(usual, ranking=ranking)
    if (
        _answerable(own) < _ENOUGH
    ):  # what is left of them is out of scope everywhere: unlike anything that a customer asks
        own = []
    else:
        learned = _learn_probability(own, learned)
    return _moved(learned, [*own, *judged], prior) if len(judged) >= _ENOUGH else learned


def _learn_probability(examples: Sequence[Example], usual: Calibration) -> Calibration:
    features, labels, importance = _samples(examples, usual)
    if len(set(labels)) < 2:  # nothing ever wrong, or never right: no probability can be learned
        return usual
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit((features - mean) / scale, labels, sample_weight=importance)
    weights = model.coef_[0] / scale
    return replace(
        usual, strengths=tuple(map(float, weights)), intercept=float(model.intercept_[0] - weights @ mean)
    )


def _moved(start: Calibration, examples: Sequence[Example], prior: float) -> Calibration:
    """The probability after customers' questions were judged: logistic regression with `start` as a Gaussian prior.

    A team writes questions otherwise than customers, and knows them to have an answer: how sure one can be among customers
    is another matter, and a few dozen of their questions tell. What they do not tell stays as it was. How often there is an
    answer at all, the intercept, has no prior.
    """
    features, labels, importance = _samples(examples, start)
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    standard = (features - mean) / scale
    before = np.asarray(start.strengths) * scale

    def loss(parameters: Reals) -> tuple[float, Reals]:
        weights, intercept = parameters[:-1], parameters[-1]
        logits = standard @ weights + intercept
        missed = importance * (1.0 / (1.0 + np.exp(-logits)) - labels)
        likelihood = float(importance @ (np.logaddexp(0.0, logits) - labels * logits))
        away = weights - before
        gradient = np.append(standard.T @ missed + prior * away, missed.sum())
        return likelihood + prior / 2 * float(away @ away), gradient

    begin = np.append(before, start.intercept + np.asarray(start.strengths) @ mean)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B").x
    weights = found[:-1] / scale
    return replace(start, strengths=tuple(map(float, weights)), intercept=float(found[-1] - weights @ mean))


def _samples(examples: Sequence[Example], calibration: Calibration) -> tuple[Reals, Reals, Reals]:
    """Strengths of the articles that rank first and second for each question, whether each is right, and what it counts."""
    rows, labels, importance = [], [], []
    for example in examples:
        scores = calibration.rank(example.evidence)
        strengths = strengths_of(example.evidence, scores)
        best = np.argsort(-scores, kind="stable")[: int(example.evidence.candidates.sum())]
        for article, weight in zip(best, _PLACES, strict=False):
            rows.append(strengths[article])
            labels.append(float(int(article) in example.right))
            importance.append(weight * (_JUDGED_WORTH if example.judged else 1.0))
    return np.asarray(rows), np.asarray(labels), np.asarray(importance)


def _learn_ranking(examples: Sequence[Example]) -> tuple[float, ...]:
    """Weights, none negative, that make a right article the likeliest in a softmax over articles, drawn to DEFAULT's."""
    signals = np.stack([example.evidence.standard for example in examples]).astype(np.float64)
    candidates = np.stack([example.evidence.candidates for example in examples])
    right = np.zeros(candidates.shape, dtype=np.bool_)
    for row, example in enumerate(examples):
        right[row, _right(example)] = True

    def loss(weights: Reals) -> tuple[float, Reals]:
        scores = np.where(candidates, signals @ weights, -np.inf)
        all_ = np.exp(scores - scores.max(axis=1, keepdims=True))
        wanted = all_ * right
        probability = np.maximum(wanted.sum(axis=1) / all_.sum(axis=1), 1e-12)
        pull = wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-300) - all_ / all_.sum(
            axis=1, keepdims=True
        )
        gradient = -np.einsum("qa,qas->s", pull, signals) / len(signals) + 2 * _RIDGE * weights
        return float(-np.log(probability).mean() + _RIDGE * weights @ weights), gradient

    start = np.full(len(SIGNALS), 0.5)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(SIGNALS)).x
    usual = np.asarray(DEFAULT.ranking)
    trust = len(signals) / (len(signals) + _WORTH)
    weights = trust * found + (1.0 - trust) * found.sum() * usual / usual.sum()
    return tuple(map(float, weights))


def strengths_of(evidence: Evidence, scores: Reals) -> Reals:
    """For each article: its log-share in the softmax of the ranking, and the strongest signals of the question."""
    candidates = evidence.candidates
    strengths = np.zeros((len(scores), len(STRENGTHS)))
    if candidates.any():
        best = scores[candidates].max()
        total = best + np.log(np.exp(scores[candidates] - best).sum())
        strengths[candidates, 0] = scores[candidates] - total
        strengths[:, 1:] = evidence.signals[candidates][:, _STRONGEST].max(axis=0)
    return strengths


def _answerable(examples: Sequence[Example]) -> int:
    return sum(bool(_right(example)) for example in examples)


def _right(example: Example) -> list[int]:
    return [article for article in sorted(example.right) if example.evidence.candidates[article]]


def _cross_validate(examples: Sequence[Example], usual: Calibration, prior: float) -> dict[str, float]:
    probabilities, outcomes, ranks = [], [], []
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(np.arange(len(examples))):
        fold = _learn([examples[row] for row in train], usual, prior)
        for example in (examples[row] for row in test):
            scores = fold.rank(example.evidence)
            first = int(np.argmax(scores))
            probabilities.append(float(fold.probabilities(example.evidence)[first]))
            outcomes.append(float(first in example.right))
            if right := _right(example):
                ranks.append(1 + int((scores > scores[right].max()).sum()))
    said, seen = np.asarray(probabilities), np.asarray(outcomes)
    return {
        "questions": float(len(examples)),
        "top1": float(np.mean([rank <= 1 for rank in ranks])),
        "top3": float(np.mean([rank <= 3 for rank in ranks])),
        "brier": float(np.mean((said - seen) ** 2)),
        "calibration_error": calibration_error(said, seen),
    }
