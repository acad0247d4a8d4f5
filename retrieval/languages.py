"""Takes out of vectors what only says which language a text is in.

A multilingual encoder puts a Chinese question a little nearer to every Chinese text than to any English one, so an
article that exists in English only loses against Chinese articles about something else. The two faces of an article
say the same, so the directions in which they differ are those of language; without them, 退货 and "return" are
compared by what they mean.
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

# Texts of one kind: vectors, shape (count, dimension), the number of the article that each belongs to, and its language.
Group = tuple[Vectors, NDArray[np.int64], Sequence[str]]

_MOST_DIRECTIONS = 12
_PAIRS_PER_DIRECTION = 8  # so that no direction of meaning is taken for one of language


@dataclass(frozen=True)
class LanguageFilter:
    """Directions of language, orthonormal, shape (directions, dimension); without any it changes nothing."""

    directions: Vectors

    def apply(self, vectors: Vectors) -> Vectors:
        """Unit vectors without those directions, of the same shape: (count, dimension) or (dimension,)."""
        if len(self.directions) == 0:
            return vectors
        rest = vectors - (vectors @ self.directions.T) @ self.directions
        lengths = np.linalg.norm(rest, axis=-1, keepdims=True)
        return np.asarray(rest / np.maximum(lengths, 1e-9), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write it as safetensors; the caller publishes it atomically."""
        save_file({"directions": np.ascontiguousarray(self.directions)}, path)

    @classmethod
    def load(cls, path: Path, dimension: int) -> LanguageFilter:
        """Read it.

        Raises:
            IndexMismatch: it is damaged or for vectors of another dimension.
        """
        try:
            directions = load_file(path)["directions"]
        except (OSError, SafetensorError, KeyError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error
        if directions.ndim != 2 or directions.shape[1] != dimension:
            raise IndexMismatch(
                f"{path} has shape {directions.shape}, vectors have {dimension}. Run `kefu index`."
            )
        return cls(directions)


def learn_languages(groups: Sequence[Group]) -> LanguageFilter:
    """Learn the directions of language from what exists in two languages.

    Args:
        groups: texts of one kind each (passages, questions).
    """
    differences = [difference for group in groups for difference in _differences(*group)]
    dimension = groups[0][0].shape[1]
    count = min(_MOST_DIRECTIONS, len(differences) // _PAIRS_PER_DIRECTION, dimension // 4)
    if count == 0:
        return LanguageFilter(np.zeros((0, dimension), dtype=np.float32))
    _, _, directions = np.linalg.svd(np.stack(differences), full_matrices=False)
    return LanguageFilter(np.ascontiguousarray(directions[:count], dtype=np.float32))


def _differences(vectors: Vectors, articles: NDArray[np.int64], languages: Sequence[str]) -> list[Vectors]:
    """For each article in two languages, how the middles of its faces differ."""
    spoken = np.asarray(languages)
    first, *others = sorted(set(languages)) or [""]
    found = []
    for other in others:
        for article in np.intersect1d(articles[spoken == first], articles[spoken == other]):
            own = articles == article
            here, there = vectors[own & (spoken == first)], vectors[own & (spoken == other)]
            found.append(np.asarray(here.mean(axis=0) - there.mean(axis=0), dtype=np.float32))
    return found
