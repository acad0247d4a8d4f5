"""A map from a question's vector to articles, learned from questions whose article is known.

Nearness alone puts "nobody showed up at the agreed time" beside every article about times. What customers asked
before, and the titles, headings and questions of the articles, say what is meant where.

It is kernel ridge regression: each known question speaks for its articles as far as it is near, and those that say
the same share one voice. Its solution is exact, takes a second or two, and gives for every question the scores that it
would get had it not been learned from (leave-one-out), which is what calibration needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.linalg import lapack

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch

# What a question's own label counts against what its neighbours say; from 0.03 to 0.3 it hardly matters.
_PENALTY = 0.1
_MOST_KNOWN = 5_000  # questions that are learned from; time grows with the cube: 5,000 take two seconds
_ENOUGH = 20  # questions in a language, from which an article's usual score there can be told

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TopicMap:
    """Scores of articles: how many standard deviations a question puts each above its usual.

    What is usual is measured for questions in Chinese and in others apart: an article about which nobody has asked in
    English so far gets low scores from English questions, and a little more than little is much.
    """

    known: Vectors  # (questions, dimension): unit vectors of what was learned from
    weights: Floats  # (questions, articles): what each of them says
    usual: Floats  # (2, articles): mean score, of questions without Chinese and with it
    spread: Floats  # (2, articles): standard deviation, likewise
    reach: float  # distance (1 - cosine) at which a question's voice has sunk to 1/e

    def scores(self, vector: Vectors, *, chinese: bool) -> Floats:
        """Score of every article for a question's unit vector, shape (articles,)."""
        # Not by BLAS: for so little it wakes a second thread, and where cores are busy it waits for that one.
        near = _nearness(np.einsum("qd,d->q", self.known, vector), self.reach)
        raw = np.einsum("q,qa->a", near, self.weights)
        language = int(chinese)
        return np.asarray((raw - self.usual[language]) / self.spread[language], dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write it as safetensors; the caller publishes it atomically."""
        reach = np.asarray([self.reach], dtype=np.float32)
        arrays = {"known": self.known, "weights": self.weights, "usual": self.usual, "spread": self.spread}
        save_file({**arrays, "reach": reach}, path)

    @classmethod
    def load(cls, path: Path, shape: tuple[int, int]) -> TopicMap:
        """Read it; `shape` is (dimension, articles).

        Raises:
            IndexMismatch: it is damaged or of another shape.
        """
        try:
            stored = load_file(path)
            reach = float(stored["reach"][0])
            loaded = cls(stored["known"], stored["weights"], stored["usual"], stored["spread"], reach)
        except (OSError, SafetensorError, KeyError, IndexError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error
        count = len(loaded.known)
        seen = [loaded.known.shape, loaded.weights.shape, loaded.usual.shape, loaded.spread.shape]
        wanted = [(count, shape[0]), (count, shape[1]), (2, shape[1]), (2, shape[1])]
        if seen != wanted:
            raise IndexMismatch(f"{path} has shape {seen} instead of {wanted}. Run `kefu index`.")
        return loaded


def learn_topics(
    vectors: Vectors,
    right: Sequence[frozenset[int]],
    chinese: Sequence[bool],
    articles: int,
    held_out: Sequence[int],
) -> tuple[TopicMap, Floats]:
    """Learn the map.

    Args:
        vectors: unit vectors of the questions, shape (questions, dimension). Beyond 5,000, so many are learned from.
        right: for each question, the numbers of the articles that answer it; empty if none does.
        chinese: for each question, whether it is written in Chinese.
        articles: how many there are.
        held_out: rows of the questions whose leave-one-out scores are wanted.

    Returns:
        The map, and the scores of the held-out questions as if each had not been learned from, shape
        (len(held_out), articles).
    """
    rows = _learned_rows(len(vectors), held_out)
    known = np.ascontiguousarray(vectors[rows], dtype=np.float32)
    targets = np.zeros((len(rows), articles), dtype=np.float32)
    for place, row in enumerate(rows):
        targets[place, list(right[row])] = 1.0
    # The mean distance of two questions, since how far apart texts are differs between encoders.
    reach = max(1.0 - float((known.sum(axis=0) ** 2).sum()) / max(len(rows), 1) ** 2, 1e-3)
    kernel = _nearness(known @ known.T, reach)
    kernel[np.diag_indices_from(kernel)] += _PENALTY
    half = _half_inverse(kernel)
    weights = half.T @ (half @ targets)
    without_itself = targets - weights / np.einsum("ij,ij->j", half, half)[:, None]
    language = np.asarray([chinese[row] for row in rows], dtype=np.int64)
    usual, spread = _usual(without_itself, targets, language)
    place_of = {row: place for place, row in enumerate(rows)}
    wanted = [place_of[row] for row in held_out]
    scores = (without_itself[wanted] - usual[language[wanted]]) / spread[language[wanted]]
    return TopicMap(known, weights, usual, spread, reach), np.asarray(scores, dtype=np.float32)


def _nearness(cosines: Floats, reach: float) -> Floats:
    """1 for the same, 1/e at the distance `reach`."""
    return np.asarray(np.exp((cosines - 1.0) / reach), dtype=np.float32)


def _half_inverse(matrix: Floats) -> Floats:
    """H with H.T @ H = the inverse of a symmetric positive definite matrix, which is overwritten.

    Two thirds of the work of the inverse itself, of which only the diagonal is needed.
    """
    if len(matrix) == 0:
        return matrix
    factor, _ = lapack.spotrf(
        matrix.T, lower=1, clean=1, overwrite_a=1
    )  # (transposed: in its order of memory)
    half, _ = lapack.strtri(factor, lower=1, overwrite_c=1)
    return np.asarray(half, dtype=np.float32)


def _learned_rows(count: int, held_out: Sequence[int]) -> list[int]:
    """The rows that are held out, and as many others, evenly spread, as there is time for; in order."""
    others = sorted(set(range(count)) - set(held_out))
    room = max(_MOST_KNOWN - len(set(held_out)), 0)
    places = np.linspace(0, len(others) - 1, min(len(others), room)).round().astype(int)
    return sorted({*held_out, *(others[place] for place in places)})


def _usual(scores: Floats, targets: Floats, language: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each article's scores over the questions that it does not answer.

    Without the second, an article about which little is known would lose to a well-known one every time.

    Args:
        scores: shape (questions, articles).
        targets: 1 where an article answers, of the same shape.
        language: of each question, 0 or 1.

    Returns:
        Both in shape (2, articles), for each language.
    """
    others = np.where(targets > 0, np.nan, scores)
    usual = np.zeros((2, scores.shape[1]), dtype=np.float32)
    spread = np.ones_like(usual)
    for number in (0, 1):
        spoken = language == number
        asked = others[spoken] if spoken.sum() >= _ENOUGH else others
        counted = (~np.isnan(asked)).sum(axis=0) > 1
        usual[number, counted] = np.nanmean(asked[:, counted], axis=0)
        spread[number, counted] = np.maximum(np.nanstd(asked[:, counted], axis=0), 1e-6)
    return usual, spread
