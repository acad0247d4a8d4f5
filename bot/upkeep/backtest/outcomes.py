"""What became of a question, in the terms that a team compares: route, intent, articles, words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.answering.grounded import DECLINED
from bot.conversation import Route, Turn
from bot.turns import ABANDONED

_OF_THE_DAY = ("date",)  # slots whose value depends on when it is asked: "yesterday"


class Kind(StrEnum):
    """What differs between two outcomes; the first one weighs most."""

    ROUTE = "route"
    INTENT = "intent"  # also: another slot is asked for, other intents are offered in a question back
    SOURCES = "sources"
    WORDING = "wording"


@dataclass(frozen=True)
class Outcome:
    """What became of a question.

    In a quick comparison no answer is written from articles: then `articles` is the best one found, and `texts` are the
    hashes of its passages that were found.
    """

    route: Route
    intent: str | None
    missing_slot: str | None  # what a template asks for
    offers: tuple[str, ...]  # what a question back offers
    articles: tuple[str, ...]  # ids of the articles that the answer rests on, in order
    answer: str | None  # masked; None if it was not written
    score: float  # 0 to 1: of the article where one is quoted, else of the intent
    reason: str
    generation: str | None
    slots: Mapping[str, str]  # masked
    texts: tuple[str, ...] = ()
    partial: bool = False  # the customer left: the answer is what they saw of it, its articles are not known


def outcome_of(turn: Turn, *, quick: bool = False) -> Outcome:
    """What became of a turn; `quick` leaves away what only writing an answer from articles brought.

    A model that reads the passages may decline; then the turn goes another way. Where nothing is written nobody
    declines, so a quick comparison takes such a turn as what had been decided before: an answer from articles.
    """
    decided = quick and turn.generation == DECLINED
    route = Route.GROUNDED if decided else turn.route
    grounded = route is Route.GROUNDED
    outcome = Outcome(
        route=route,
        intent=None if decided else turn.intent,
        missing_slot=turn.missing_slot,
        offers=tuple(each.label for each in turn.options) if route is Route.CLARIFY else (),
        articles=tuple(dict.fromkeys(source.article_id for source in turn.sources)),
        answer=turn.answer,
        score=turn.passages[0].score if grounded and turn.passages else turn.score,
        reason=turn.reason,
        generation=turn.generation,
        slots=turn.slots,
        partial=ABANDONED in turn.flags,
    )
    return _unwritten(outcome, turn) if quick and grounded else outcome


def _unwritten(outcome: Outcome, turn: Turn) -> Outcome:
    best = tuple(passage.article_id for passage in turn.passages[:1])
    texts = {passage.content_hash for passage in turn.passages if passage.article_id in best}
    return replace(outcome, articles=best, answer=None, texts=tuple(sorted(texts)))


def differences(before: Outcome, after: Outcome) -> tuple[Kind, ...]:
    """What a customer would notice, the weightiest first. Scores and reasons alone are no difference."""
    found = []
    if before.route is not after.route:
        found.append(Kind.ROUTE)
    if _meant(before) != _meant(after):
        found.append(Kind.INTENT)
    unseen = before.partial and before.answer is not None  # which articles the rest would have cited
    if not unseen and set(before.articles) != set(after.articles):
        found.append(Kind.SOURCES)
    if not _same_words(before, after):
        found.append(Kind.WORDING)
    return tuple(found)


def _meant(outcome: Outcome) -> tuple[str | None, str | None, tuple[str, ...]]:
    return outcome.intent, outcome.missing_slot, outcome.offers


def _same_words(before: Outcome, after: Outcome) -> bool:
    if (
        before.answer is None or after.answer is None
    ):  # not written; of two answers from an article, its text counts
        return (
            before.answer is not after.answer
            or before.articles != after.articles
            or before.texts == after.texts
        )
    old, new = _plain(before, after), _plain(after, before)
    return new.startswith(old) if before.partial else old == new


def _plain(outcome: Outcome, other: Outcome) -> str:
    """The answer without what is no wording: blanks, forms of characters, and a day that was counted from that day."""
    text = outcome.answer if outcome.answer is not None else ""
    for name in _OF_THE_DAY:
        value = outcome.slots.get(name)
        if value is not None and name in other.slots and other.slots[name] != value:
            text = text.replace(value, f"{{{name}}}")
    return "".join(unicodedata.normalize("NFKC", text).split())
