"""What stands twice: articles that say nearly the same, questions of two articles, and examples of two intents.

An example that two intents share belongs to neither: the intent head cannot learn from it, and a customer who types it is
asked back. Articles are compared by their wording (resemblance: Broder 1997, "On the resemblance and containment of
documents") and by their meaning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from bot.understanding.intents import normalise
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.nearness import centred, near_pairs
from bot.upkeep.checks.said import said
from bot.upkeep.checks.wording import Overlap, Wording
from retrieval.chunking import embedded_text, plain_text
from retrieval.documents import Article
from retrieval.encoder import Vectors
from retrieval.keywords import tokenize

_RESEMBLANCE = 0.5  # of the pairs of words in two articles, the share that both hold
_SAME_ARTICLE, _SAME_TITLE = 0.6, 0.65  # least cosines of two articles and of their titles that mean the same
_SAME_QUESTION = 0.87  # least cosine of two questions that mean the same


@dataclass(frozen=True)
class _Asked:
    """A question or example: who owns it, and where it stands."""

    owner: str
    location: Location


def check_duplicates(materials: Materials) -> Iterator[Diagnostic]:
    """Everything that stands twice, within a language."""
    for language in ("zh", "en"):
        faces = [face for face in materials.articles if face.language == language]
        yield from _articles(faces, materials)
        yield from _questions(faces, materials)
    yield from _examples(materials)


def _articles(faces: Sequence[Article], materials: Materials) -> Iterator[Diagnostic]:
    copies = set(_same_words(faces))
    for one, other in sorted(copies | set(_same_meaning(faces, materials))):
        copied = (one, other) in copies
        yield Diagnostic(
            Kind.DUPLICATE_ARTICLE,
            Severity.WARNING if copied else Severity.HINT,
            said("copied" if copied else "alike"),
            tuple(materials.in_article(face, face.title) for face in (faces[one], faces[other])),
            said("copied_do"),
        )


def _same_words(faces: Sequence[Article]) -> Iterator[tuple[int, int]]:
    shingles = []
    for face in faces:
        words = tokenize(plain_text(face.body))
        shingles.append(frozenset(f"{a} {b}" for a, b in pairwise(words)) or frozenset(words))
    for one, other in Wording(shingles).pairs(Overlap(_RESEMBLANCE, _RESEMBLANCE)):
        both = len(shingles[one] & shingles[other])
        if both >= _RESEMBLANCE * len(shingles[one] | shingles[other]):
            yield one, other


def _same_meaning(faces: Sequence[Article], materials: Materials) -> Iterator[tuple[int, int]]:
    if not faces:
        return
    titles = centred(materials.encoder.encode_queries([face.title for face in faces]))
    texts = centred(_article_vectors(faces, materials))
    for one, other in near_pairs(texts, _SAME_ARTICLE):
        if titles[one] @ titles[other] >= _SAME_TITLE:
            yield one, other


def _article_vectors(faces: Sequence[Article], materials: Materials) -> Vectors:
    """The middle of each article's passages, shape (len(faces), dimension)."""
    own = defaultdict(list)
    for passage in materials.passages:
        own[passage.article_id, passage.language].append(embedded_text(passage))
    texts = [text for face in faces for text in own[face.id, face.language]]
    vectors = materials.encoder.encode_passages(texts)
    ends = np.cumsum([len(own[face.id, face.language]) for face in faces])
    return np.stack([part.mean(axis=0) for part in np.split(vectors, ends[:-1])])


def _questions(faces: Sequence[Article], materials: Materials) -> Iterator[Diagnostic]:
    asked = {
        _Asked(face.id, materials.in_article(face, text)): text
        for face in faces
        for text in (face.title, *face.questions)
    }
    for one, other, same in _twice(asked, materials):
        yield Diagnostic(
            Kind.DUPLICATE_QUESTION,
            Severity.WARNING if same else Severity.HINT,
            said("same_question" if same else "near_question"),
            (one, other),
            said("same_question_do"),
        )


def _examples(materials: Materials) -> Iterator[Diagnostic]:
    asked = {}
    for intent in materials.content.intents.values():
        for language, examples, title in (
            ("zh", intent.examples.zh, intent.title.zh),
            ("en", intent.examples.en, intent.title.en),
        ):
            for text in dict.fromkeys((*examples, title)):
                asked[_Asked(intent.id, materials.in_intent(intent, language, text))] = text
    for text in materials.content.out_of_scope.all():
        asked[_Asked("", materials.in_out_of_scope(text))] = text
    for one, other, same in _twice(asked, materials):
        yield Diagnostic(
            Kind.EXAMPLE_OF_TWO,
            Severity.ERROR if same else Severity.WARNING,
            said("same_example" if same else "near_example"),
            (one, other),
            said("same_example_do"),
        )


def _twice(asked: dict[_Asked, str], materials: Materials) -> Iterator[tuple[Location, Location, bool]]:
    """Questions of two owners that are the same (True) or mean the same (False)."""
    spelt = defaultdict(list)
    for each, text in asked.items():
        spelt[normalise(text)].append(each)
    for same in spelt.values():
        for one, other in combinations(same, 2):
            if one.owner != other.owner:
                yield one.location, other.location, True
    every = list(asked)
    vectors = centred(materials.encoder.encode_queries(list(asked.values())))
    for first, second in near_pairs(vectors, _SAME_QUESTION):
        one, other = every[first], every[second]
        if one.owner != other.owner and normalise(asked[one]) != normalise(asked[other]):
            yield one.location, other.location, False
