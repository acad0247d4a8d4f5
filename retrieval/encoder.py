"""What turns text into vectors, as the rest of Kefu sees it. Light on purpose: fakes need no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Encodes text into unit vectors, shape (len(texts), dimension), float32."""

    @property
    def name(self) -> str:
        """Identity of the weights (name and fingerprint); an index built with another name is refused."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what customers ask."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what is searched."""
