"""Puts together what means the same: average linkage up to a cut, on what there is already and what is new.

The average cosine between the members of two clusters is the product of their mean vectors, so that average linkage
(UPGMA: Sokal and Michener 1958) needs no matrix of all pairs: a cluster is its mean and its size. Clusters that are each
other's nearest are merged at once, round by round. Average linkage is reducible, which means that this gives what merging
the nearest pair again and again would give (reciprocal nearest neighbours: Murtagh 1983, "A survey of recent advances in
hierarchical clustering algorithms"). 10,000 vectors take seconds and some megabytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Vectors

Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

_BLOCK = 512  # rows compared with all others at a time


def agglomerate(means: Vectors, sizes: Reals, cut: float, *, apart: Flags | None = None) -> Labels:
    """Merge clusters whose members' average cosine is at least `cut`.

    Args:
        means: mean vectors of what there is, shape (n, d); of a single question its unit vector.
        sizes: how many members each has, shape (n,), above 0.
        cut: least average cosine, -1 to 1.
        apart: shape (n,); two that are marked are never put together.

    Returns:
        Shape (n,): for each the number of the first one in its cluster; its own if it stayed alone.
    """
    state = _Linkage(means, sizes, cut, np.zeros(len(means), dtype=np.bool_) if apart is None else apart)
    while state.merge_round():
        pass
    return state.roots()


class _Linkage:
    """Average linkage under way."""

    def __init__(self, means: Vectors, sizes: Reals, cut: float, apart: Flags) -> None:
        self._means = means.astype(np.float32, copy=True)
        self._sizes = sizes.astype(np.float64, copy=True)
        self._cut = cut
        self._apart = apart.copy()
        self._parent = np.arange(len(means))
        self._alive = np.ones(len(means), dtype=np.bool_)
        self._nearest = np.full(len(means), -1)
        self._cosine = np.full(len(means), -np.inf)
        self._look(np.arange(len(means)))

    def merge_round(self) -> bool:
        """Merge every pair of mutually nearest clusters; False if none is near enough."""
        near = np.flatnonzero(self._alive & (self._cosine >= self._cut))
        if not len(near):
            return False
        pairs = [(int(a), int(self._nearest[a])) for a in near if self._mutual(int(a))]
        if not pairs:  # a tie of three, seen differently from each side by a rounding
            first = int(near[np.argmax(self._cosine[near])])
            pairs = [(first, int(self._nearest[first]))]
        for a, b in pairs:
            self._merge(min(a, b), max(a, b))
        touched = np.array(pairs).ravel()
        changed = self._alive & (
            np.isin(self._nearest, touched) | np.isin(np.arange(len(self._alive)), touched)
        )
        self._look(np.flatnonzero(changed))
        return True

    def roots(self) -> Labels:
        """For each, the first of its cluster."""
        roots = self._parent.copy()
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]
        return roots

    def _mutual(self, a: int) -> bool:
        b = int(self._nearest[a])
        return a < b and int(self._nearest[b]) == a

    def _merge(self, stays: int, goes: int) -> None:
        total = self._sizes[stays] + self._sizes[goes]
        weights = np.array([self._sizes[stays], self._sizes[goes]]) / total
        self._means[stays] = weights @ self._means[[stays, goes]]
        self._sizes[stays] = total
        self._apart[stays] |= self._apart[goes]
        self._alive[goes] = False
        self._parent[goes] = stays

    def _look(self, rows: Labels) -> None:
        """Find the nearest of each of these clusters."""
        columns = np.flatnonzero(self._alive)
        everyone = self._means[columns]
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            cosines = self._means[block] @ everyone.T
            cosines[np.arange(len(block)), np.searchsorted(columns, block)] = -np.inf
            cosines[np.ix_(self._apart[block], self._apart[columns])] = -np.inf
            best = cosines.argmax(axis=1)
            self._nearest[block] = columns[best]
            self._cosine[block] = cosines[np.arange(len(block)), best]
