"""Where questions are compared, and how near they must be to mean the same: both learned from the team's own content.

A multilingual encoder puts all texts into a narrow cone, and those of one language nearer together. What only says which
language a text is in is taken out (the directions in which the two faces of an intent differ: `retrieval.languages`), and
what all texts share is subtracted (Mu and Viswanath 2018, "All-but-the-Top"). What is left is compared by its cosine.

How near is near enough is no constant. Small logs are drawn from the team's examples, a few questions of each intent and
article, and clustered. An error budget bounds the cut: no more than `MIXED` of the questions that were put together with
others may stand in a cluster that is mostly about something else. Of the cuts within it, the one is taken that puts the
most pairs together rightly (F1 of pairs). Intents that a team keeps apart are often near neighbours, so what nobody has
written about yet is mostly mixed less than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from bot.content import Content
from retrieval.documents import Article
from retrieval.encoder import Encoder, Vectors
from retrieval.languages import LanguageFilter, learn_languages

MIXED = 0.25  # share of gathered questions that may stand among others: the error budget
FEW_TOPICS = 10  # below which the cut is a guess
_DRAWS = 8  # logs that are drawn
_MOST_ASKED = 8  # questions of one topic in such a log, from 1
_PRIOR = 300  # questions that move the middle half way; a few must not be taken for a field
_MOST_SHARE = 0.5
_CUTS = np.linspace(0.95, 0.05, 46)  # cosines that are tried, the strictest first

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Topics:
    """Questions of which it is known what they are about. Texts of one topic mean the same, in whatever language."""

    texts: tuple[str, ...]
    topics: tuple[str, ...]
    languages: tuple[str, ...]  # "zh" or "en"


@dataclass(frozen=True)
class MeaningSpace:
    """Compares questions. `cut` is the least average cosine of questions that belong together."""

    languages: LanguageFilter
    middle: Vectors  # (dimension,)
    cut: float
    topics: int  # that the cut was learned from

    def around(self, vectors: Vectors) -> MeaningSpace:
        """This space with its middle moved towards these questions, half way at most.

        What nobody has written about yet may be a field of its own, in which everything looks alike from the middle of the
        team's content. Half way, because a log can also be full of one topic, which must not become the middle.

        Args:
            vectors: query vectors of different questions, shape (count, dimension), count ≥ 1.
        """
        share = min(_MOST_SHARE, len(vectors) / (len(vectors) + _PRIOR))
        asked = self.languages.apply(vectors).mean(axis=0)
        middle = np.asarray(share * asked + (1 - share) * self.middle, dtype=np.float32)
        return replace(self, middle=middle)

    def place(self, vectors: Vectors) -> Vectors:
        """Unit vectors to compare, of query vectors, both of shape (count, dimension)."""
        return _centred(self.languages.apply(vectors), self.middle)


def known_topics(content: Content, articles: Sequence[Article]) -> Topics:
    """What the team's content says about topics: examples of intents, titles and questions of articles behind no intent."""
    behind = {name for intent in content.intents.values() for name in intent.articles}
    rows = [
        (text, f"intent {intent.id}", language)
        for intent in content.intents.values()
        for language, texts in (("zh", intent.examples.zh), ("en", intent.examples.en))
        for text in texts
    ]
    rows += [
        (text, f"article {article.id}", article.language)
        for article in articles
        if article.id not in behind
        for text in (article.title, *article.questions)
    ]
    unique = {text: (text, topic, language) for text, topic, language in reversed(rows)}
    return Topics(*(tuple(column) for column in zip(*reversed(unique.values()), strict=True)))


def learn_space(known: Topics, encoder: Encoder, *, mixed: float = MIXED) -> MeaningSpace:
    """Learn space and cut.

    Args:
        known: questions with their topics.
        encoder: gives their query vectors.
        mixed: the error budget, 0 to 1; see the module.
    """
    vectors = encoder.encode_queries(known.texts)
    names, numbers = np.unique(np.array(known.topics), return_inverse=True)
    topics = numbers.astype(np.int64)
    languages = learn_languages([(vectors, topics, known.languages)])
    filtered = languages.apply(vectors)
    middle = np.asarray(filtered.mean(axis=0), dtype=np.float32)
    cut = _calibrated(_centred(filtered, middle), topics, mixed)
    return MeaningSpace(languages, middle, cut, len(names))


def _calibrated(placed: Vectors, topics: Ints, budget: float) -> float:
    """The best cut within the budget, over all draws together; the strictest where none is, or one topic is all."""
    if len(np.unique(topics)) < 2:
        return float(_CUTS[0])
    chance = np.random.default_rng(0)
    counts = np.zeros((len(_CUTS), 5))
    for _ in range(_DRAWS):
        rows = _drawn(topics, chance)
        counts += _outcomes(placed[rows], topics[rows])
    misplaced, gathered, right, together, same = counts.T
    f1 = 2 * right / np.maximum(together + same, 1)
    within = misplaced <= budget * gathered
    return float(_CUTS[np.where(within, f1, -1.0).argmax()])


def _drawn(topics: Ints, chance: np.random.Generator) -> Ints:
    """Rows of a small log: of each topic from 1 to `_MOST_ASKED` questions, as many as it has."""
    rows = []
    for topic in np.unique(topics):
        own = np.flatnonzero(topics == topic)
        count = min(int(chance.integers(1, _MOST_ASKED + 1)), len(own))
        rows.append(chance.choice(own, count, replace=False))
    return np.concatenate(rows)


def _outcomes(vectors: Vectors, topics: Ints) -> NDArray[np.float64]:
    """What comes of each cut, shape (cuts, 5); see `_outcome`."""
    distances = np.maximum(1.0 - vectors.astype(np.float64) @ vectors.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), "average")
    labels = [fcluster(tree, 1.0 - cut, "distance").astype(np.int64) for cut in _CUTS]
    return np.array([_outcome(each, topics) for each in labels])


def _outcome(labels: Ints, topics: Ints) -> tuple[float, float, float, float, float]:
    """Questions in a cluster mostly about something else, questions not alone; pairs rightly together, together, and same."""
    cells, counts = np.unique(labels * (topics.max() + 1) + topics, return_counts=True)
    clusters = cells // (topics.max() + 1)
    size = np.bincount(clusters, weights=counts)
    most = np.zeros(len(size))
    np.maximum.at(most, clusters, counts)
    several = size > 1
    return (
        float((size - most)[several].sum()),
        float(size[several].sum()),
        _pairs(counts),
        _pairs(size),
        _pairs(np.bincount(topics)),
    )


def _pairs(sizes: NDArray[Any]) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


def _centred(vectors: Vectors, middle: Vectors) -> Vectors:
    moved = vectors - middle
    length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return np.asarray(moved / length, dtype=np.float32)
