"""What fits a customer's interest, and why: content-based recommendation over the catalog.

The interest is what the conversation was about (questions, articles opened, products named), each as a vector that counts
half as much a turn further back. An item's relevance is its best cosine to any of them, above what questions about
nothing in particular have with that item: some items are near to everything (hubs), so each item's mean over such
questions is taken away first, as CSLS does (Conneau et al. 2018, https://arxiv.org/abs/1710.04087). Below the highest
value that 99 of 100 such questions reach with any item, nothing is recommended. Variety comes from maximal marginal
relevance (Carbonell & Goldstein 1998, https://doi.org/10.1145/290941.291025). For content-based recommendation see
Lops, de Gemmis & Semeraro 2011, https://doi.org/10.1007/978-0-387-85820-3_3.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bot.conversation import Language, Route, Turn
from bot.insight.catalog import Item
from retrieval.encoder import Encoder, Vectors

_HALF_LIFE = 1.0  # turns
_VARIETY = 0.3  # share of "unlike what was chosen already" in the choice of the next one
_RANDOM_PASS = 0.99  # share of questions about nothing in particular that get no recommendation
_RECENT = 3  # turns in which a trouble forbids recommending
_LANGUAGES = (Language.ZH, Language.EN)
PRODUCT_SLOT = "product"


class Because(StrEnum):
    """Why something is recommended."""

    ASKED = "asked"  # `what` is what the customer asked about
    READING = "reading"  # `what` is what they read
    GOES_WITH = "goes_with"  # `what` is a product that they named


@dataclass(frozen=True)
class Interest:
    """Something that a customer is interested in. `weight` is 1.0 for now and less for long ago."""

    because: Because
    what: str
    weight: float = 1.0


@dataclass(frozen=True)
class Recommendation:
    """An item that fits. `score` grows with the fit; 0.0 is the least that is recommended."""

    item: Item
    score: float
    because: Because
    what: str


@dataclass(frozen=True)
class Measured:
    """The catalog as vectors, with what makes their cosines comparable."""

    vectors: Mapping[Language, Vectors]  # of each language, (items, dimension)
    means: Mapping[
        Language, NDArray[np.float32]
    ]  # (items,): mean cosine to questions about nothing in particular
    floor: float  # least cosine above that mean


def measure(items: Sequence[Item], unrelated: Sequence[str], encoder: Encoder) -> Measured:
    """Encode the catalog, and find what cosine says nothing.

    Args:
        items: at least one.
        unrelated: questions that no item fits, e.g. what customers ask that is none of the company's business.
        encoder: what turns both into vectors.
    """
    vectors = {
        language: encoder.encode_passages([item.described(language) for item in items])
        for language in _LANGUAGES
    }
    questions = encoder.encode_queries(list(unrelated))
    cosines = {language: questions @ vectors[language].T for language in _LANGUAGES}
    means = {language: cosines[language].mean(axis=0) for language in _LANGUAGES}
    best = np.max([cosines[language] - means[language] for language in _LANGUAGES], axis=0).max(axis=1)
    return Measured(vectors, means, float(np.quantile(best, _RANDOM_PASS, method="higher")))


def interests_of(turns: Sequence[Turn]) -> list[Interest]:
    """What a conversation is about, from its turns, oldest first: questions, articles that answers rest on, products."""
    found = []
    for age, turn in enumerate(reversed(turns)):
        weight = 0.5 ** (age / _HALF_LIFE)
        found.append(Interest(Because.ASKED, turn.question, weight))
        found += [Interest(Because.READING, source.title, weight) for source in turn.sources if source.number]
        product = turn.slots.get(PRODUCT_SLOT)
        if product:
            found.append(Interest(Because.GOES_WITH, product, weight))
    return found


def is_welcome(turns: Sequence[Turn], troubles: Collection[str]) -> bool:
    """Whether a recommendation would not be out of place: never after a complaint, a breakdown, or with a person there.

    Args:
        turns: of the conversation, oldest first.
        troubles: intents that bring or offer a person.
    """
    return all(
        turn.route not in (Route.PERSON, Route.HANDOFF) and turn.intent not in troubles
        for turn in turns[-_RECENT:]
    )


def recommend(
    items: Sequence[Item], measured: Measured, interests: Sequence[Interest], encoder: Encoder, *, top_k: int
) -> list[Recommendation]:
    """Up to `top_k` items that fit, each unlike the ones before it; none if none does.

    Products that the customer named are not recommended: they have them, or know them.

    Args:
        items: the catalog.
        measured: the same items, measured.
        interests: what the customer is interested in.
        encoder: the one that `measured` was made with.
        top_k: how many at most.
    """
    if not interests or not items:
        return []
    named = _named(items, interests)
    relevance = np.full((len(interests), len(items)), -np.inf)
    vectors = encoder.encode_queries([interest.what for interest in interests])
    for row, interest in enumerate(interests):
        fit = _fit(measured, vectors[row])
        allowed = fit > 0.0
        if interest.because is Because.GOES_WITH:
            kin = {kin for number in named for kin in items[number].goes_with}
            allowed = np.array([item.id in kin for item in items])  # the catalog says that it fits
            fit = np.maximum(fit, 0.0)
        relevance[row] = np.where(allowed, interest.weight * fit, -np.inf)
    relevance[:, sorted(named)] = -np.inf
    best, reason = relevance.max(axis=0), relevance.argmax(axis=0)
    chosen = _varied(best, measured.vectors[Language.ZH], top_k)
    return [
        Recommendation(
            items[number],
            float(best[number]),
            interests[reason[number]].because,
            interests[reason[number]].what,
        )
        for number in chosen
    ]


class Recommender:
    """Recommends from one state of the catalog; encodes it at the first need. Safe to share between threads."""

    def __init__(self, items: Sequence[Item], unrelated: Sequence[str], encoder: Encoder) -> None:
        """See `measure`."""
        self._items = tuple(items)
        self._unrelated = tuple(unrelated)
        self._encoder = encoder
        self._lock = threading.Lock()
        self._measured: Measured | None = None

    def prepare(self) -> None:
        """Encode the catalog now, so that nobody waits for it."""
        if self._items and self._unrelated:
            self._measure()

    def recommend(self, interests: Sequence[Interest], *, top_k: int) -> list[Recommendation]:
        """See `recommend`."""
        if not self._items or not self._unrelated or not interests:
            return []
        return recommend(self._items, self._measure(), interests, self._encoder, top_k=top_k)

    def _measure(self) -> Measured:
        with self._lock:
            if self._measured is None:
                self._measured = measure(self._items, self._unrelated, self._encoder)
            return self._measured


def _fit(measured: Measured, vector: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far each item is above the floor, in either language; (items,)."""
    above = [measured.vectors[language] @ vector - measured.means[language] for language in _LANGUAGES]
    fit: NDArray[np.float64] = np.max(above, axis=0).astype(np.float64) - measured.floor
    return fit


def _named(items: Sequence[Item], interests: Sequence[Interest]) -> set[int]:
    """The items that the customer named: slots hold a product's name as the catalog's id or title begins with it."""
    names = {interest.what.casefold() for interest in interests if interest.because is Because.GOES_WITH}
    return {
        number
        for number, item in enumerate(items)
        if item.kind == "product"
        and any(
            name.replace(" ", "-") == item.id or _starts_with(title.casefold(), name)
            for name in names
            for title in (item.title.zh, item.title.en)
        )
    }


def _starts_with(title: str, name: str) -> bool:
    """Whether a title begins with a name that ends there: "M5" is in "M5 扫拖一体机器人", not in "M50 …"."""
    after = title[len(name) : len(name) + 1]
    return title.startswith(name) and not (after.isascii() and after.isalnum())


def _varied(best: NDArray[np.float64], vectors: Vectors, top_k: int) -> list[int]:
    """Rows in the order of choice: relevant, and unlike what was chosen before."""
    candidates = [int(row) for row in np.flatnonzero(np.isfinite(best))]
    if not candidates:
        return []
    alike = vectors @ vectors.T
    scale = max(float(best[candidates].max()), 1e-6)
    chosen: list[int] = []
    while candidates and len(chosen) < top_k:
        worth = [
            (1 - _VARIETY) * best[row] / scale
            - _VARIETY * max((float(alike[row, c]) for c in chosen), default=0.0)
            for row in candidates
        ]
        chosen.append(candidates.pop(int(np.argmax(worth))))
    return chosen
