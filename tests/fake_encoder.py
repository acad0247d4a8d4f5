"""A fake encoder: words become random but fixed directions, so texts that share words are near. Keeps a history."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from retrieval.encoder import Vectors
from retrieval.keywords import tokenize

# Words that mean the same in both languages: what a multilingual encoder knows and keywords do not.
_SAME = {
    "退货": "return",
    "退款": "refund",
    "发票": "invoic",
    "耳机": "earphon",
    "快递": "deliver",
    "期限": "window",
}


class FakeEncoder:
    """An `Encoder` without a model."""

    def __init__(self, name: str = "fake@1", dimension: int = 64) -> None:
        self._name = name
        self._dimension = dimension
        self.encoded: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._direction("everything") * 0.5
            for token in tokenize(text):
                vectors[row] += self._direction(_SAME.get(token, token))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)

    def _direction(self, token: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:4], "little")
        return np.random.default_rng(seed).standard_normal(self._dimension).astype(np.float32)
