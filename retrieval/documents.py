"""What is searched: articles, the passages they are cut into, and the hits that a search returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Article:
    """One topic in one language. Two faces of a topic share `id` and differ in `language` ("zh" or "en")."""

    id: str
    language: str
    title: str
    body: str  # Markdown without front matter
    path: str  # relative to the knowledge base
    updated: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    owner: str = ""
    products: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()  # other ways a customer asks this; searched, never shown

    def is_valid(self, day: date) -> bool:
        """Whether the article may be quoted as true on `day` (both ends included)."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True)
class Passage:
    """A part of an article that stands on its own. `id` is article id, language and ordinal."""

    id: str
    article_id: str
    language: str
    title: str  # of the article
    headings: tuple[str, ...]  # from the article's first level down to this passage's own
    text: str  # Markdown
    ordinal: int
    content_hash: str  # of everything that is embedded; unchanged hash, unchanged vector


@dataclass(frozen=True)
class Hit:
    """A passage that a search found. `score` is the calibrated probability (0 to 1) that its article answers."""

    passage: Passage
    score: float
    vector_score: float  # cosine, -1 to 1
    keyword_score: float  # BM25, 0 up
