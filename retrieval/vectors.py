"""A FAISS index of unit vectors: exact for small collections, HNSW for large ones. Similarity is the cosine."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch

EXACT_UP_TO = 20_000  # vectors; below it an exact search takes less than 4 ms
_NEIGHBOURS = 32
_EF = 64  # candidates that HNSW looks at, in building and searching


class VectorIndex:
    """Finds the nearest vectors. Row numbers are those of the vectors it was built from."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors, *, exact_up_to: int = EXACT_UP_TO) -> VectorIndex:
        """An index over unit vectors, shape (count, dimension), float32."""
        count, dimension = vectors.shape
        index = faiss.IndexFlatIP(dimension) if count <= exact_up_to else _graph(dimension)
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        """Read an index.

        Raises:
            IndexMismatch: the file is no FAISS index.
        """
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexMismatch(f"{path} is no FAISS index. Run `kefu index`.") from error

    def save(self, path: Path) -> None:
        """Write the index; the caller publishes it atomically."""
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(self, query: Vectors, count: int) -> tuple[NDArray[np.int64], Vectors]:
        """Rows of the nearest vectors and their cosines, best first; fewer than `count` if there are no more.

        Args:
            query: one unit vector, shape (dimension,).
            count: how many to find, from 1.

        Raises:
            IndexMismatch: the query's dimension is another than the index's.
        """
        if query.shape != (self.dimension,):
            # FAISS itself raises an AssertionError without a word.
            raise IndexMismatch(
                f"The query's vector has shape {query.shape}, the index holds vectors of {self.dimension} numbers. "
                "The index was built with another encoder: run `kefu index`."
            )
        wanted = min(count, len(self))
        if wanted < 1:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        scores, rows = self._index.search(np.ascontiguousarray(query[None, :], dtype=np.float32), wanted)
        found = rows[0] >= 0  # HNSW pads with -1 what it could not reach
        return rows[0][found], np.clip(scores[0][found], -1.0, 1.0)

    def vectors(self) -> Vectors:
        """All vectors, shape (len, dimension)."""
        if len(self) == 0:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.asarray(self._index.reconstruct_n(0, len(self)), dtype=np.float32)


def _graph(dimension: int) -> faiss.Index:
    index = faiss.IndexHNSWFlat(dimension, _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _EF
    index.hnsw.efSearch = _EF
    return index
