"""Which intent a question belongs to: a linear head on sentence vectors, nearest examples, and words.

Three kinds of classes are learned from the team's own content, in both languages at once:

- one class an intent, from its examples and titles;
- `KNOWLEDGE`: questions that articles answer and no template does, from the articles' own `questions`;
- `OUT_OF_SCOPE`: what is nobody's business here, from the out-of-scope examples.

The head is the logit of a logistic regression on frozen sentence vectors; similarity the mean cosine of the three nearest
examples; words the margin of a linear support vector machine on hashed n-grams (`bot.understanding.wording`). The head
separates the classes, the examples know what is far from all of them, the words what a vector blurs. How much each counts is
learned as well (`bot.understanding.mixing`), so that what comes out is a probability. A vector may have parts, one an encoder
(`retrieval.joined_encoder`): each is centred and measured by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.svm import LinearSVC

from bot.content import Content
from bot.conversation import ScoredIntent
from bot.understanding.mixing import FEW, Labels, Matrix, Mix, fit_mixes, mixed
from bot.understanding.vector_parts import Parts, centred, mean_of, present, similarities
from bot.understanding.wording import rarity, worded
from retrieval.encoder import Vectors

OUT_OF_SCOPE = "(out-of-scope)"
KNOWLEDGE = "(knowledge)"

NEAREST = 3
_REGULARISATION = 10.0  # inverse strength (scikit-learn's C)
_HELD_OUT = 0.2
_RANKED = 5


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
    """A fitted classifier as plain arrays: n examples, c classes, vectors of length d, w columns of words."""

    classes: tuple[str, ...]
    texts: tuple[str, ...]  # n
    labels: Labels  # (n,), positions in `classes`
    vectors: Vectors  # (n, d), of the examples, as the encoder gave them
    parts: Parts  # lengths of a vector's parts, together d
    mean: Vectors  # (d,), subtracted before vectors are compared: it is what all questions share
    rarities: Vectors  # (w,), of the words' columns
    weights: Vectors  # (c, d)
    bias: Vectors  # (c,)
    word_weights: Vectors  # (w, c)
    word_bias: Vectors  # (c,)
    mixes: tuple[Mix, ...]  # for vectors that have one of the parts, two …

    @cached_property
    def _centred_examples(self) -> Vectors:
        return centred(self.vectors, self.mean, self.parts)

    @cached_property
    def _strange(self) -> Vectors:
        return _strange(self.classes)

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
            moved = centred(vector[None, :], self.mean, self.parts)
            scores = (
                moved @ self.weights.T + self.bias,
                _nearness(moved, self._centred_examples, self.parts, self.labels, len(self.classes)),
                worded([question], self.rarities) @ self.word_weights + self.word_bias,
            )
            mix = self.mixes[max(int(present(moved, self.parts).sum()) - 1, 0)]
            probabilities = softmax(mixed(mix, scores, self._strange), axis=1)[0]
        found = dict(zip(self.classes, map(float, probabilities), strict=True))
        knowledge, out_of_scope = found.pop(KNOWLEDGE, 0.0), found.pop(OUT_OF_SCOPE, 0.0)
        ranked = sorted(found.items(), key=lambda item: -item[1])[:_RANKED]
        return Classified(tuple(ScoredIntent(name, score) for name, score in ranked), knowledge, out_of_scope)

    def knows(self, question: str) -> bool:
        """Whether the question is, letter for letter, an example or title of one class alone."""
        return len(self._exact.get(normalise(question), ())) == 1

    def _certain(self, text: str) -> Matrix | None:
        found = self._exact.get(text, set())
        if len(found) != 1:
            return None
        certain = np.zeros(len(self.classes))
        certain[next(iter(found))] = 1.0
        return certain


def fit_head(examples: TrainingSet, vectors: Vectors, parts: Parts | None = None) -> IntentHead:
    """Fit on `examples` and their query vectors, shape (n, d).

    Args:
        examples: n questions and their classes.
        vectors: of the questions, shape (n, d).
        parts: lengths of the vectors' parts, together d; a part of zeros says nothing. Default: one part.

    Raises:
        ValueError: fewer than two classes have examples; a choice needs two.
    """
    classes = tuple(sorted(set(examples.labels)))
    if len(classes) < 2:
        raise ValueError(f"Intents cannot be learned from {len(classes)} class; add a second intent.")
    labels = np.array([classes.index(label) for label in examples.labels], dtype=np.int64)
    parts = (vectors.shape[1],) if parts is None else parts
    mean = mean_of(vectors, parts)
    moved = centred(vectors, mean, parts)
    rarities = rarity(examples.texts)
    words = worded(examples.texts, rarities)
    weights, bias = _regress(moved, labels)
    word_weights, word_bias = _separate(words, labels)
    return IntentHead(
        classes=classes,
        texts=examples.texts,
        labels=labels,
        vectors=np.asarray(vectors, dtype=np.float32),
        parts=parts,
        mean=mean,
        rarities=rarities,
        weights=weights,
        bias=bias,
        word_weights=word_weights,
        word_bias=word_bias,
        mixes=_fit_mixes(moved, parts, words, labels, classes),
    )


def _regress(vectors: Vectors, labels: Labels) -> tuple[Vectors, Vectors]:
    """Weights (c, d) and bias (c,) of a multinomial logistic regression."""
    head = LogisticRegression(C=_REGULARISATION, max_iter=100, class_weight="balanced")
    head.fit(vectors.astype(np.float64), labels)
    return _a_row_a_class(head.coef_, head.intercept_)


def _separate(words: csr_matrix, labels: Labels) -> tuple[Vectors, Vectors]:
    """Weights (w, c) and bias (c,) of linear support vector machines, each class against the rest."""
    head = LinearSVC(random_state=0)
    head.fit(words, labels)
    weights, bias = _a_row_a_class(head.coef_, head.intercept_)
    by_column = np.ascontiguousarray(
        weights.T
    )  # a question needs a few hundred columns: each lies in one piece
    return by_column, bias


def _a_row_a_class(weights: Matrix, bias: Matrix) -> tuple[Vectors, Vectors]:
    """Two classes, for which the library gives one row, get two like any other."""
    if len(weights) == 1:
        weights, bias = np.concatenate((-weights, weights)) / 2, np.concatenate((-bias, bias)) / 2
    return weights.astype(np.float32), bias.astype(np.float32)


def _fit_mixes(
    vectors: Vectors, parts: Parts, words: csr_matrix, labels: Labels, classes: Sequence[str]
) -> tuple[Mix, ...]:
    """Mixes learned from held-out examples; cautious ones where there are too few to hold any out."""
    if np.bincount(labels, minlength=len(classes)).min() < 2 or len(labels) * _HELD_OUT < len(classes):
        return (FEW,) * len(parts)
    split = StratifiedShuffleSplit(1, test_size=_HELD_OUT, random_state=0)
    seen, unseen = next(split.split(vectors, labels))
    weights, bias = _regress(vectors[seen], labels[seen])
    word_weights, word_bias = _separate(words[seen], labels[seen])
    scores = (
        vectors[unseen] @ weights.T + bias,
        _nearness(vectors[unseen], vectors[seen], parts, labels[seen], len(classes)),
        np.asarray(words[unseen] @ word_weights + word_bias),
    )
    counts = present(vectors[unseen], parts).sum(axis=1)
    return fit_mixes(scores, labels[unseen], _strange(classes), counts, len(parts))


def _strange(classes: Sequence[str]) -> Vectors:
    """1 for OUT_OF_SCOPE, else 0; shape (len(classes),)."""
    return np.array([name == OUT_OF_SCOPE for name in classes], dtype=np.float32)


def _nearness(vectors: Vectors, examples: Vectors, parts: Parts, labels: Labels, classes: int) -> Matrix:
    """Mean similarity to the nearest examples of each class, shape (len(vectors), classes)."""
    similarity = similarities(vectors, examples, parts)
    near = np.full((len(vectors), classes), -1.0)
    for label in range(classes):
        of_class = similarity[:, labels == label]
        if of_class.shape[1]:
            near[:, label] = np.sort(of_class, axis=1)[:, -NEAREST:].mean(axis=1)
    return near
