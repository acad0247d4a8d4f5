"""Which intent a question belongs to: a linear head and nearest examples, on frozen sentence vectors.

Three kinds of classes are learned from the team's own content, in both languages at once:

- one class an intent, from its examples and titles;
- `KNOWLEDGE`: questions that articles answer and no template does, from the articles' own `questions`;
- `OUT_OF_SCOPE`: what is nobody's business here, from the out-of-scope examples.

A class's score is `a · head + b · similarity`, where head is the logit of a logistic regression and similarity the
mean cosine of the three nearest examples; the head separates the classes, the examples know what is far from all of
them. `a` and `b` are fitted on examples that neither had seen, so that the softmax of the scores is a probability
(temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit

from bot.content import Content
from bot.conversation import ScoredIntent
from retrieval.encoder import Vectors

OUT_OF_SCOPE = "(out-of-scope)"
KNOWLEDGE = "(knowledge)"

NEAREST = 3
_REGULARISATION = 10.0  # inverse strength (scikit-learn's C)
_HELD_OUT = 0.2
_RANKED = 5

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Classified:
    """What the classifier thinks of one question: ranked intents, and what is left for the two other kinds."""

    intents: tuple[ScoredIntent, ...]
    knowledge: float
    out_of_scope: float

    @property
    def in_scope(self) -> float:
        """Probability (0 to 1) that the question is this company's business."""
        return 1.0 - self.out_of_scope


@dataclass(frozen=True)
class TrainingSet:
    """Questions with the class each belongs to."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]


def training_set(content: Content, knowledge_questions: Iterable[str] = ()) -> TrainingSet:
    """The classifier's examples: intents' examples and titles, knowledge questions, out-of-scope examples.

    The button "none of these" is out of scope too: whoever presses it says so.
    """
    pairs = [
        (text, intent.id)
        for intent in content.intents.values()
        for text in (*intent.examples.all(), intent.title.zh, intent.title.en)
    ]
    pairs += [(text, KNOWLEDGE) for text in knowledge_questions]
    none_of_these = (content.messages.zh.clarify_none, content.messages.en.clarify_none)
    pairs += [(text, OUT_OF_SCOPE) for text in (*content.out_of_scope.all(), *none_of_these)]
    unique = dict.fromkeys((text.strip(), label) for text, label in pairs)
    return TrainingSet(tuple(text for text, _ in unique), tuple(label for _, label in unique))


def normalise(text: str) -> str:
    """One form for texts that look alike: NFKC, lower case, no blanks or punctuation at the ends, single blanks."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return " ".join(folded.strip(" \t\r\n.,;:!?。，；：！？~…").split())


@dataclass(frozen=True)
class IntentHead:
    """A fitted classifier as plain arrays: n examples, c classes, vectors of length d."""

    classes: tuple[str, ...]
    texts: tuple[str, ...]  # n
    labels: NDArray[np.int64]  # (n,), positions in `classes`
    examples: Vectors  # (n, d), centred unit vectors
    mean: Vectors  # (d,), subtracted before vectors are compared: it is what all questions share
    weights: Vectors  # (c, d)
    bias: Vectors  # (c,)
    mix: tuple[float, float]  # a and b of the module's docstring

    @cached_property
    def _exact(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for text, label in zip(self.texts, self.labels, strict=True):
            found.setdefault(normalise(text), set()).add(int(label))
        return found

    def classify(self, question: str, vector: Vectors) -> Classified:
        """Rank the intents for `question`, whose query vector has shape (d,).

        A question that is, letter for letter, an example or title of one class alone belongs to it with certainty.
        """
        probabilities = self._certain(normalise(question))
        if probabilities is None:
            centred = _centred(vector[None, :], self.mean)
            scores = _scores(centred, self.examples, self.labels, self.weights, self.bias, len(self.classes))
            probabilities = softmax(self.mix[0] * scores[0] + self.mix[1] * scores[1], axis=1)[0]
        found = dict(zip(self.classes, map(float, probabilities), strict=True))
        knowledge, out_of_scope = found.pop(KNOWLEDGE, 0.0), found.pop(OUT_OF_SCOPE, 0.0)
        ranked = sorted(found.items(), key=lambda item: -item[1])[:_RANKED]
        return Classified(tuple(ScoredIntent(name, score) for name, score in ranked), knowledge, out_of_scope)

    def _certain(self, text: str) -> Matrix | None:
        found = self._exact.get(text, set())
        if len(found) != 1:
            return None
        certain = np.zeros(len(self.classes))
        certain[next(iter(found))] = 1.0
        return certain


def fit_head(examples: TrainingSet, vectors: Vectors) -> IntentHead:
    """Fit on `examples` and their query vectors, shape (n, d).

    Raises:
        ValueError: fewer than two classes have examples; a choice needs two.
    """
    classes = tuple(sorted(set(examples.labels)))
    if len(classes) < 2:
        raise ValueError(f"Intents cannot be learned from {len(classes)} class; add a second intent.")
    labels = np.array([classes.index(label) for label in examples.labels], dtype=np.int64)
    mean = vectors.mean(axis=0)
    centred = _centred(vectors, mean)
    weights, bias = _regress(centred, labels)
    return IntentHead(
        classes=classes,
        texts=examples.texts,
        labels=labels,
        examples=centred,
        mean=mean,
        weights=weights,
        bias=bias,
        mix=_fit_mix(centred, labels, len(classes)),
    )


def _regress(vectors: Vectors, labels: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
    """Weights (c, d) and bias (c,) of a multinomial logistic regression; two classes get two rows like any other."""
    head = LogisticRegression(C=_REGULARISATION, max_iter=100, class_weight="balanced")
    head.fit(vectors.astype(np.float64), labels)
    weights, bias = head.coef_, head.intercept_
    if len(weights) == 1:
        weights, bias = np.concatenate((-weights, weights)) / 2, np.concatenate((-bias, bias)) / 2
    return weights.astype(np.float32), bias.astype(np.float32)


def _fit_mix(vectors: Vectors, labels: NDArray[np.int64], classes: int) -> tuple[float, float]:
    """The mix under which held-out examples are most likely; an even one where there are too few to hold any out."""
    if np.bincount(labels, minlength=classes).min() < 2 or len(labels) * _HELD_OUT < classes:
        return 1.0, 5.0
    split = StratifiedShuffleSplit(1, test_size=_HELD_OUT, random_state=0)
    seen, unseen = next(split.split(vectors, labels))
    weights, bias = _regress(vectors[seen], labels[seen])
    head, near = _scores(vectors[unseen], vectors[seen], labels[seen], weights, bias, classes)
    rows = np.arange(len(unseen))

    def unlikelihood(mix: Matrix) -> float:
        return -float(log_softmax(mix[0] * head + mix[1] * near, axis=1)[rows, labels[unseen]].mean())

    a, b = minimize(unlikelihood, np.array([1.0, 5.0]), method="Nelder-Mead").x
    return float(a), float(b)


def _scores(
    vectors: Vectors,
    examples: Vectors,
    labels: NDArray[np.int64],
    weights: Vectors,
    bias: Vectors,
    classes: int,
) -> tuple[Matrix, Matrix]:
    """Head logits and mean similarity to the nearest examples, each (len(vectors), classes)."""
    similarity = vectors @ examples.T
    near = np.full((len(vectors), classes), -1.0)
    for label in range(classes):
        of_class = similarity[:, labels == label]
        if of_class.shape[1]:
            near[:, label] = np.sort(of_class, axis=1)[:, -NEAREST:].mean(axis=1)
    return (vectors @ weights.T + bias).astype(np.float64), near


def _centred(vectors: Vectors, mean: Vectors) -> Vectors:
    moved = vectors - mean
    length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return np.asarray(moved / length, dtype=np.float32)
