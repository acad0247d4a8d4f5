"""Vectors of several parts, one from each encoder: how they are centred and compared where one encoder knew nothing.

A text that an encoder knows nothing of has zeros for its part (`retrieval.joined_encoder`). Nothing is said of it by that
part, for or against.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from retrieval.encoder import Vectors

Parts = tuple[int, ...]  # lengths, together that of a whole vector


def centred(vectors: Vectors, mean: Vectors, parts: Parts) -> Vectors:
    """Unit vectors, in which each part minus its mean is as long as every other; shape (count, d), as given."""
    moved = np.zeros_like(vectors, dtype=np.float32)
    for part in _slices(parts):
        there = vectors[:, part].any(axis=1)
        own = vectors[there, part] - mean[part]
        moved[there, part] = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
    lengths = np.sqrt(np.maximum(present(moved, parts).sum(axis=1, keepdims=True), 1))
    return np.asarray(moved / lengths, dtype=np.float32)


def mean_of(vectors: Vectors, parts: Parts) -> Vectors:
    """The mean of each part over the vectors that have it, shape (d,)."""
    mean = np.zeros(vectors.shape[1], dtype=np.float32)
    for part in _slices(parts):
        there = vectors[:, part].any(axis=1)
        if there.any():
            mean[part] = vectors[there, part].mean(axis=0)
    return mean


def similarities(vectors: Vectors, others: Vectors, parts: Parts) -> Vectors:
    """Mean cosine of the parts that both have, shape (len(vectors), len(others)); of centred vectors."""
    here, there = present(vectors, parts), present(others, parts)
    whole = np.sqrt(np.outer(here.sum(axis=1), there.sum(axis=1)))  # `centred` has divided by these
    return np.asarray(vectors @ others.T * whole / np.maximum(here @ there.T, 1), dtype=np.float32)


def present(vectors: Vectors, parts: Parts) -> Vectors:
    """1 for each part that a vector has, else 0; shape (len(vectors), len(parts))."""
    return np.stack([vectors[:, part].any(axis=1) for part in _slices(parts)], axis=1).astype(np.float32)


def _slices(parts: Parts) -> list[slice]:
    edges = np.cumsum((0, *parts)).tolist()
    return [slice(start, end) for start, end in pairwise(edges)]
