"""A shelf of articles to be searched while examples are made: which passages a customer's question would bring up."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import embedded_text, split
from retrieval.documents import Article, Passage
from retrieval.encoder import Encoder
from retrieval.keywords import KeywordIndex, tokenize

_PASSAGE_WIDTH = 600  # as `retrieval.passage_characters`
_KEYWORD_SHARE = 0.3  # of a passage's score; nearness in meaning has the rest


class Shelf:
    """The passages of some articles in one language, ranked by nearness in meaning and words in common."""

    def __init__(self, articles: Sequence[Article], encoder: Encoder) -> None:
        self.passages: list[Passage] = [
            passage for article in articles for passage in split(article, _PASSAGE_WIDTH)
        ]
        texts = [embedded_text(passage) for passage in self.passages]
        self._encoder = encoder
        self._vectors = encoder.encode_passages(texts)
        self._keywords = KeywordIndex.build([tokenize(text) for text in texts])

    def ranked(self, question: str, *, without: Collection[str] = ()) -> list[Passage]:
        """All passages, best first; none of the articles whose ids are in `without`."""
        order = [self.passages[i] for i in np.argsort(-self.scores(question))]
        return [passage for passage in order if passage.article_id not in without]

    def scores(self, question: str) -> NDArray[np.float32]:
        """How well each passage fits to a question, 0 to 1, in the order of `passages`."""
        near = self._encoder.encode_queries([question])[0] @ self._vectors.T
        shared = self._keywords.scores(tokenize(question))
        return (1 - _KEYWORD_SHARE) * _scaled(near) + _KEYWORD_SHARE * _scaled(shared)

    def beside(self, place: int) -> list[int]:
        """The other passages by their nearness in meaning to the one at `place`, nearest first."""
        order = np.argsort(-(self._vectors @ self._vectors[place]))
        return [int(other) for other in order if other != place]


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """`values` from 0 to 1."""
    low, high = values.min(), values.max()
    return np.asarray((values - low) / max(high - low, 1e-6), dtype=np.float32)
