"""A linear map from a question's vector to articles, learned from questions whose article is known.

Nearness alone puts "nobody showed up at the agreed time" beside every article about times. What customers asked
before, and the titles and questions of the articles, say which directions of the vector space matter.

It is ridge regression, because its solution is exact, takes a second, and gives for every question the scores that
it would get had it not been learned from (leave-one-out), which is what calibration needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch

_PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0)

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class TopicMap:
    """Scores of articles, each in units of its own spread: how far above its usual a question puts it."""

    weights: Floats  # (dimension, articles)
    mean: Floats  # (dimension,)

    def scores(self, vector: Vectors) -> Floats:
        """Score of every article for a question's vector, shape (articles,)."""
        return np.asarray((vector - self.mean) @ self.weights, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write it as safetensors; the caller publishes it atomically."""
        save_file({"weights": np.ascontiguousarray(self.weights), "mean": self.mean}, path)

    @classmethod
    def load(cls, path: Path, shape: tuple[int, int]) -> TopicMap:
        """Read it; `shape` is (dimension, articles).

        Raises:
            IndexMismatch: it is damaged or of another shape.
        """
        try:
            stored = load_file(path)
            loaded = cls(stored["weights"], stored["mean"])
        except (OSError, SafetensorError, KeyError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error
        if loaded.weights.shape != shape or loaded.mean.shape != shape[:1]:
            raise IndexMismatch(
                f"{path} has shape {loaded.weights.shape} instead of {shape}. Run `kefu index`."
            )
        return loaded


def learn_topics(
    vectors: Vectors, right: Sequence[frozenset[int]], articles: int, held_out: Sequence[int]
) -> tuple[TopicMap, Floats]:
    """Learn the map, with the penalty that ranks held-out questions best.

    Args:
        vectors: of the questions, shape (questions, dimension).
        right: for each question, the numbers of the articles that answer it; empty if none does.
        articles: how many there are.
        held_out: rows of the questions whose leave-one-out scores are wanted.

    Returns:
        The map, and the scores of the held-out questions as if each had not been learned from, shape
        (len(held_out), articles).
    """
    mean = vectors.mean(axis=0).astype(np.float64)
    scale = max(float(vectors.std()), 1e-6)
    known = (vectors.astype(np.float64) - mean) / scale
    # (the scale only makes the penalties mean the same for every encoder)
    targets = np.zeros((len(vectors), articles))
    for row, numbers in enumerate(right):
        targets[row, list(numbers)] = 1.0
    spectrum, basis = np.linalg.eigh(known.T @ known)
    rotated = known @ basis
    projected = rotated.T @ targets
    rows = np.asarray(held_out, dtype=np.int64)

    def without_itself(penalty: float) -> Reals:
        shrunk = 1.0 / (np.maximum(spectrum, 0.0) + penalty)
        leverage = (rotated[rows] ** 2 * shrunk).sum(axis=1, keepdims=True)
        fitted = (rotated[rows] * shrunk) @ projected
        return np.asarray((fitted - leverage * targets[rows]) / np.maximum(1.0 - leverage, 1e-6))

    penalty = max(_PENALTIES, key=lambda one: _mean_reciprocal_rank(without_itself(one), targets[rows]))
    weights = basis @ (projected / (np.maximum(spectrum, 0.0) + penalty)[:, None])
    # An article about which little is known gets small weights, and would lose to a well-known one every time.
    spread = _spread(known @ weights, targets)
    return (
        TopicMap((weights / spread / scale).astype(np.float32), mean.astype(np.float32)),
        (without_itself(penalty) / spread).astype(np.float32),
    )


def _spread(scores: Reals, targets: Reals) -> Reals:
    """Standard deviation of each article's scores over the questions that it does not answer, shape (articles,)."""
    others = np.where(targets > 0, np.nan, scores)
    counted = (~np.isnan(others)).sum(axis=0)
    spread = np.ones(scores.shape[1])
    spread[counted > 1] = np.nanstd(others[:, counted > 1], axis=0)
    return np.maximum(spread, 1e-6)


def _mean_reciprocal_rank(scores: Reals, targets: Reals) -> float:
    """Of the best right article, over questions that have one; 0.0 if none has."""
    answerable = targets.max(axis=1, initial=0.0) > 0
    if not answerable.any():
        return 0.0
    scores, targets = scores[answerable], targets[answerable]
    best = np.where(targets > 0, scores, -np.inf).max(axis=1, keepdims=True)
    return float((1.0 / (1 + (scores > best).sum(axis=1))).mean())
