"""A FAISS index of unit vectors: exact for small collections, in lists for large ones. Similarity is the cosine.

In lists (IVF: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011, without their codes) means:
each vector lies with those of its centre, in float16, and a search looks into the lists whose centres are nearest. Into how
many is chosen when the index is built, so that it finds what an exact search finds, and is kept in the file.
`benchmarks/scale.py` measures it beside the alternatives.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch

EXACT_UP_TO = 20_000  # vectors; up to it an exact search takes less than 4 ms
RECALL = 0.95  # of the nearest _WANTED of stand-ins for questions; of a question's ten nearest it is more
_WANTED = 400  # as many as retrieval/evidence.py looks at
_STAND_INS = 256
_PER_CENTRE = 40  # vectors that a centre is learned from; FAISS wants 39
_LISTS_PER_ROOT = 4  # lists, as a multiple of the root of the number of vectors
_PROBES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # lists to look into, the fewest first

log = structlog.get_logger(__name__)


class VectorIndex:
    """Finds the nearest vectors. Row numbers are those of the vectors it was built from."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors, *, exact_up_to: int = EXACT_UP_TO) -> VectorIndex:
        """An index over unit vectors, shape (count, dimension), float32."""
        count, dimension = vectors.shape
        ready = np.ascontiguousarray(vectors, dtype=np.float32)
        if count > exact_up_to:
            return cls(_lists(ready))
        index = faiss.IndexFlatIP(dimension)
        index.add(ready)
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

    @property
    def probes(self) -> int | None:
        """How many lists a search looks into; None where it is exact. It survives saving."""
        return int(self._index.nprobe) if isinstance(self._index, faiss.IndexIVF) else None

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
        found = rows[0] >= 0  # lists that hold fewer pad with -1
        return rows[0][found], np.clip(scores[0][found], -1.0, 1.0)

    def vectors(self) -> Vectors:
        """All vectors, shape (len, dimension); those in lists are rounded to float16."""
        if len(self) == 0:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.asarray(self._index.reconstruct_n(0, len(self)), dtype=np.float32)


def _lists(vectors: Vectors) -> faiss.IndexIVF:
    """The vectors in lists, with as few of them looked into as RECALL allows."""
    count, dimension = vectors.shape
    lists = max(1, min(int(_LISTS_PER_ROOT * count**0.5), count // _PER_CENTRE))
    index = cast(
        "faiss.IndexIVF", faiss.index_factory(dimension, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    )
    index.train(vectors[_evenly(count, _PER_CENTRE * lists)])
    index.add(vectors)
    wanted = min(_WANTED, count)
    queries = _stand_ins(vectors)
    exact, _ = faiss.knn(queries, vectors, wanted, metric=faiss.METRIC_INNER_PRODUCT)
    farthest = exact[:, -1:] - 1e-6  # of those that are to be found; of equal ones any will do
    recall = 0.0
    for probes in (*(few for few in _PROBES if few < lists), lists):
        index.nprobe = probes
        _, rows = index.search(queries, wanted)
        cosines = np.einsum("qd,qkd->qk", queries, vectors[np.maximum(rows, 0)])
        recall = float(((cosines >= farthest) & (rows >= 0)).mean())
        if recall >= RECALL:
            break
    log.info("lists_built", vectors=count, lists=lists, probes=int(index.nprobe), recall=round(recall, 4))
    return index


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of the first `count` numbers, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _stand_ins(vectors: Vectors) -> Vectors:
    """What questions may look like, shape (_STAND_INS, dimension): vectors, each drawn a third of the way to another.

    A vector that is in the index itself would be found too easily.
    """
    rows = np.random.default_rng(0).integers(len(vectors), size=(2, _STAND_INS))
    mixed = 2 * vectors[rows[0]] + vectors[rows[1]]
    return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12), np.float32)
