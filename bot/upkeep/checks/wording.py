"""How much of their words two texts share, rare words counting more, and which pairs of many texts share enough.

A word weighs as much as it tells texts apart (inverse document frequency: Spärck Jones 1972, "A statistical
interpretation of term specificity").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

_BLOCK = 512  # texts compared with all others at a time


@dataclass(frozen=True)
class Overlap:
    """What two texts share, as a share of the weight of the one that has less (`of_less`) and more (`of_more`); 0 to 1."""

    of_less: float
    of_more: float


class Wording:
    """The weights of words in a collection of texts, each given as its set of words."""

    def __init__(self, texts: Sequence[AbstractSet[str]]) -> None:
        self._texts = texts
        counts = Counter(word for words in texts for word in words)
        self._weights = {word: float(np.log(1 + len(texts) / count)) for word, count in counts.items()}

    def weight(self, words: AbstractSet[str]) -> float:
        """The weight of words together; an unknown one weighs as much as the rarest."""
        rarest = float(np.log(1 + len(self._texts)))
        return sum(self._weights.get(word, rarest) for word in words)

    def overlap(self, one: AbstractSet[str], other: AbstractSet[str]) -> Overlap:
        """What two texts share; nothing if one of them has no words."""
        less, more = sorted((self.weight(one), self.weight(other)))
        shared = self.weight(one & other)
        return Overlap(shared / less, shared / more) if less > 0 else Overlap(0.0, 0.0)

    def share(self, words: AbstractSet[str], others: AbstractSet[str]) -> float:
        """The share of the weight of `words` that `others` hold, too (0 to 1); 0 without words."""
        return self.weight(words & others) / self.weight(words) if words else 0.0

    def pairs(self, least: Overlap) -> Iterator[tuple[int, int]]:
        """Pairs of texts of the collection, by position, that share at least so much; the first position is the lower."""
        if not self._texts:
            return
        columns = {word: column for column, word in enumerate(self._weights)}
        flat = [(row, columns[word]) for row, words in enumerate(self._texts) for word in sorted(words)]
        rows, places = (np.array(flat, dtype=np.int64).reshape(-1, 2)).T
        holds = csr_matrix((np.ones(len(rows)), (rows, places)), shape=(len(self._texts), len(columns)))
        weighted = holds.multiply(np.array(list(self._weights.values()))).tocsr()
        total = np.asarray(weighted.sum(axis=1)).ravel()
        for start in range(0, len(self._texts), _BLOCK):
            shared = (weighted[start : start + _BLOCK] @ holds.T).tocoo()
            first, second = shared.row + start, shared.col
            less, more = np.minimum(total[first], total[second]), np.maximum(total[first], total[second])
            wanted = (
                (first < second)
                & (shared.data >= least.of_less * less)
                & (shared.data >= least.of_more * more)
            )
            yield from zip(first[wanted].tolist(), second[wanted].tolist(), strict=True)
