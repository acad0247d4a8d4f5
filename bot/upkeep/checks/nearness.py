"""Which of many vectors are near each other.

Sentence vectors crowd in a narrow cone, in which everything is near everything. Around its middle, what all texts share is
gone, and a cosine tells more (Mu and Viswanath 2018, "All-but-the-Top").
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retrieval.encoder import Vectors

_BLOCK = 1024  # vectors compared with all others at a time


def centred(vectors: Vectors, middle: Vectors | None = None) -> Vectors:
    """Unit vectors from the middle, of the same shape (count, dimension).

    Args:
        vectors: unit vectors.
        middle: shape (dimension,); default: the mean of `vectors`.
    """
    if len(vectors) == 0:
        return vectors
    moved = vectors - (vectors.mean(axis=0) if middle is None else middle)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), dtype=np.float32)


def near_pairs(vectors: Vectors, least: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose cosine is at least so much (-1 to 1); the first row is the lower."""
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        for row, column in np.argwhere(cosines >= least):
            if start + row < column:
                yield int(start + row), int(column)
