"""How the words of a question meet the documents of the keyword index, in its own words or in those of the other language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.keywords import KeywordIndex
from retrieval.wording import Ways

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class WordMatch:
    """What the keyword index has for the words of one question."""

    scores: Floats  # (documents,): BM25, 0 up
    best_possible: float  # what a document that is best for each word would score
    words: tuple[
        tuple[Rows, Floats], ...
    ]  # for each word the documents that say it, and how much that counts

    @property
    def share(self) -> Floats:
        """BM25 as a share of what is possible, shape (documents,), 0 up."""
        return self.scores if self.best_possible == 0 else self.scores / np.float32(self.best_possible)

    def coverage(self, documents: Mask, article_of: Rows, articles: int) -> Floats:
        """Share of the question's words that each article says in `documents`, weighted by rarity, shape (articles,).

        Args:
            documents: which count, shape (documents,).
            article_of: document → number of its article.
            articles: how many there are.
        """
        covered = np.zeros(articles, dtype=np.float32)
        for rows, worth in self.words:
            said = np.zeros(articles, dtype=np.float32)
            counts = documents[rows]
            np.maximum.at(said, article_of[rows[counts]], worth[counts])
            covered += said
        return covered if self.best_possible == 0 else covered / np.float32(self.best_possible)


def match_words(words: Sequence[Ways], keywords: KeywordIndex) -> WordMatch:
    """Look the words of a question up.

    A word that no document says counts as much as the mean known one, so that a question about something else does
    not look well matched by the one word that it shares. A translation counts as much as it is likely to be one. So
    does a word that another is only guessed to stand for, and what is missing to certainty is missing from the whole.

    Args:
        words: of the question, each with the ways to say it.
        keywords: the index of the documents.
    """
    scores = np.zeros(len(keywords), dtype=np.float32)
    found_words = []
    weights = []
    for ways in words:
        weighed = [(way, sure, keywords.weight(way)) for way, sure in ways.items()]
        known = [(way, sure, weight) for way, sure, weight in weighed if weight > 0]
        if not known:
            continue
        surest = max(sure for _, sure, _ in known)
        weights.append(max(sure * weight for _, sure, weight in known) / surest)
        found = [(*keywords.entries(way), sure, weight) for way, sure, weight in known]
        for rows, bm25, sure, _ in found:
            scores[rows] += np.float32(sure) * bm25
        rows = np.concatenate([rows for rows, *_ in found])
        worth = np.concatenate(
            [np.full(len(rows), sure * weight, np.float32) for rows, _, sure, weight in found]
        )
        found_words.append((rows, worth))
    best = sum(weights) / len(weights) * len(words) if weights else 0.0
    return WordMatch(scores, best, tuple(found_words))
