"""What a draft is made from: a gap's questions, what people answered, and what the nearest articles say, by language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from bot.answering.compose import compose
from bot.conversation import Language
from bot.knowledge import Knowledge
from bot.memory.reading import title_of
from bot.safety.redact import KINDS
from bot.understanding.intents import normalise
from bot.understanding.language import detect
from bot.upkeep.gaps.report import Gap
from bot.upkeep.gaps.unanswered import UnansweredTurn
from retrieval.encoder import Encoder, Vectors

FACES = (Language.ZH, Language.EN)  # what content is written in
MOST_QUESTIONS = 12  # of one language in a draft: enough to learn from, few enough to read
_ARTICLES = 3  # that raw material is taken from
MASKED = re.compile("|".join(f"<{kind}>" for kind in KINDS))  # where personal data stood
_WORD = re.compile(r"[a-z0-9]+")
_SLUG_WORDS, _SLUG_CHARACTERS = 5, 40


@dataclass(frozen=True)
class Face:
    """What there is for one language."""

    questions: tuple[str, ...] = ()  # different ones, the most typical first
    answer: str | None = None  # the best that a person wrote
    sources: tuple[str, ...] = ()  # sentences of the nearest articles, each with where it stands

    @property
    def title(self) -> str | None:
        """The most typical question, cut to what a button holds; None if nobody asked in this language."""
        return title_of(self.questions[0]) if self.questions else None


@dataclass(frozen=True)
class Material:
    """All that a draft is made from. `slug` is a name for it that may be changed."""

    slug: str
    faces: dict[Language, Face] = field(default_factory=dict)

    def face(self, language: Language) -> Face:
        """What there is for a language of `FACES`."""
        return self.faces.get(language, Face())


def material_of(
    gap: Gap, knowledge: Knowledge, encoder: Encoder, *, mask: Callable[[str], str], day: date
) -> Material:
    """Everything for a draft about `gap`.

    Args:
        gap: with at least one turn.
        knowledge: what answers today.
        encoder: gives vectors.
        mask: masks personal data in what people answered.
        day: articles that are not valid then are no material.
    """
    faces = {
        language: Face(
            questions=_questions(gap, language, encoder),
            answer=_answer(gap.turns, language, encoder, mask),
            sources=_sources(gap.stored.title, language, knowledge, encoder, day),
        )
        for language in FACES
    }
    return Material(_slug(gap, faces[Language.EN].title), faces)


def distinct_questions(turns: Sequence[UnansweredTurn], language: Language) -> Counter[str]:
    """The questions of one language and how often each was asked; none in which personal data was masked."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for turn in turns:
        if turn.language.content is language and not MASKED.search(turn.question):
            counts[first.setdefault(normalise(turn.question), " ".join(turn.question.split()))] += 1
    return counts


def _questions(gap: Gap, language: Language, encoder: Encoder) -> tuple[str, ...]:
    counts = distinct_questions(gap.turns, language)
    if not counts:
        return ()
    texts = list(counts)
    order = varied(
        encoder.encode_queries(texts), np.array([counts[text] for text in texts], dtype=np.float32)
    )
    return tuple(texts[row] for row in order[:MOST_QUESTIONS])


def varied(vectors: Vectors, weights: Vectors) -> list[int]:
    """Rows in an order in which each beginning is as varied as can be, the most typical row first.

    Farthest-first traversal: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance".

    Args:
        vectors: unit vectors, shape (n, dimension), n ≥ 1.
        weights: how much each counts for what is typical, shape (n,).
    """
    order = [int((vectors @ (weights @ vectors)).argmax())]
    nearest = vectors @ vectors[order[0]]
    while len(order) < len(vectors):
        nearest[order] = np.inf
        order.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[order[-1]])
    return order


def _answer(
    turns: Sequence[UnansweredTurn], language: Language, encoder: Encoder, mask: Callable[[str], str]
) -> str | None:
    """The answer that agrees most with the others that people gave; of two, or of equals, the later one.

    (The choice of the consensus: minimum Bayes risk, Kumar and Byrne 2004.)
    """
    given = [
        turn.correction.strip() for turn in turns if turn.correction is not None and turn.correction.strip()
    ]
    answers = [mask(text) for text in given if detect(text).language.content is language]
    if not answers:
        return None
    vectors = encoder.encode_passages(answers)
    agreement = np.round(vectors @ vectors.sum(axis=0), 3)
    return answers[int(agreement.argmax())]  # turns come newest first, and so does the first of equals


def _sources(
    question: str, language: Language, knowledge: Knowledge, encoder: Encoder, day: date
) -> tuple[str, ...]:
    hits = knowledge.find(question, language, top_k=_ARTICLES, day=day)
    if not hits:
        return ()
    found = []
    for quote in compose(question, hits, encoder):
        hit = hits[quote.hit]
        text = " ".join(quote.text.split())
        found.append(f"{hit.passage.article_id} ({hit.passage.language}, {hit.score:.0%}): {text}")
    return tuple(found)


def _slug(gap: Gap, english: str | None) -> str:
    words = _WORD.findall(english.lower()) if english is not None else []
    name = "-".join(words[:_SLUG_WORDS])[:_SLUG_CHARACTERS].strip("-")
    return name if name else f"gap-{gap.id}"
