"""An encoder that many may ask at once: what waits together is encoded together, in a fraction of the time.

A model computes one text at a time, and alone a short one mostly waits for the weights to come from memory. So whoever
gets the model encodes for everybody who waits by then ("dynamic batching": Crankshaw et al. 2017, "Clipper", NSDI). A
single customer never waits for others to come.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from retrieval.encoder import Encoder, Vectors

_MOST_TEXTS = 32  # in one batch; beyond that a text gains little, and the first of them waits for the last

Encode = Callable[[Sequence[str]], Vectors]


class _Request:
    """One caller's texts, and what came of them."""

    def __init__(self, encode: Encode, texts: Sequence[str]) -> None:
        self.encode = encode
        self.texts = texts
        self.vectors: Vectors | None = None
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.vectors is not None or self.error is not None


class BatchingEncoder:
    """Wraps an encoder (and is one). Safe to call from several threads."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._waiting: deque[_Request] = deque()
        self._at_work = threading.Lock()

    @property
    def name(self) -> str:
        """Of the wrapped encoder."""
        return self._encoder.name

    @property
    def dimension(self) -> int:
        """Of the wrapped encoder."""
        return self._encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what customers ask, shape (len(texts), dimension)."""
        return self._ask(self._encoder.encode_queries, texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched, shape (len(texts), dimension)."""
        return self._ask(self._encoder.encode_passages, texts)

    def _ask(self, encode: Encode, texts: Sequence[str]) -> Vectors:
        request = _Request(encode, texts)
        self._waiting.append(request)
        with self._at_work:
            while not request.done:  # who got the model before may have done it already
                self._encode_together(self._next_batch())
        if request.error is not None:
            raise request.error
        return np.zeros((0, self.dimension), np.float32) if request.vectors is None else request.vectors

    def _next_batch(self) -> list[_Request]:
        """The request that has waited longest, and those after it that are encoded in the same way."""
        first = self._waiting.popleft()
        batch, size = [first], len(first.texts)
        while self._waiting and self._waiting[0].encode == first.encode:
            size += len(self._waiting[0].texts)
            if size > _MOST_TEXTS:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _encode_together(self, batch: Sequence[_Request]) -> None:
        encode = batch[0].encode
        try:
            vectors = encode([text for request in batch for text in request.texts])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for request in batch:  # one text that cannot be encoded must not cost the others theirs
                self._encode_together([request])
            return
        start = 0
        for request in batch:
            request.vectors = vectors[start : start + len(request.texts)]
            start += len(request.texts)
