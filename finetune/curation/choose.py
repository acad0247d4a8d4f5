"""Of several exchanges that ask the same, the one with the best answer; the others are duplicates of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from finetune.curation.likeness import Alike, Question, normalised, shingles, similarity
from finetune.records import Exchange
from retrieval.chunking import width
from retrieval.documents import Article

Agreement = Callable[[str, str], float]
"""Question and answer → how far the knowledge base says the same, 0 to 1."""

UNJUDGED = 3  # the standing of an answer of the bot's that nobody voted up
_SENSIBLE = (20, 600)  # width of an answer; a Chinese character is 2
_SAME_ANSWER = 0.8
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """An exchange with the question that it is compared by."""

    exchange: Exchange
    asked: Question


def no_opinion(question: str, answer: str) -> float:
    """An agreement for when there is no knowledge base: all answers alike."""
    del question, answer
    return 0.0


def knowledge_agreement(articles: Iterable[Article]) -> Agreement:
    """How much of an answer stands in one article: the share of its shingles, of the article that has most."""
    texts = [shingles(f"{article.title} {article.body}") for article in articles]

    def agreement(question: str, answer: str) -> float:
        del question
        said = shingles(answer)
        return max((len(said & text) / len(said) for text in texts), default=0.0)

    return agreement


def standing(exchange: Exchange) -> int:
    """What people said about an answer, best first: 0 corrected by a person, 1 voted up, 2 a person's, 3 nothing."""
    if exchange.corrected:
        return 0
    if exchange.rating == 1:
        return 1
    return 2 if exchange.author == "agent" else UNJUDGED


def worse_ones(candidates: Sequence[Candidate], found: Alike, agreement: Agreement) -> Mapping[str, str]:
    """The exchanges that are not kept, by id, each with the reason.

    What is kept is decided best answer first, so that no two kept questions are nearly the same.

    Args:
        candidates: exchanges to choose from.
        found: which of their questions are alike.
        agreement: decides between answers that people thought alike of; asked only where there is a choice.
    """
    asked_by = Counter(found.numbers)
    has_choice = [asked_by[number] > 1 or bool(found.near[number]) for number in found.numbers]
    order = sorted(range(len(candidates)), key=lambda at: _order(candidates[at], has_choice[at], agreement))
    kept: dict[int, int] = {}  # number of a question → its candidate
    dropped: dict[str, str] = {}
    for at in order:
        number = found.numbers[at]
        better = next((kept[other] for other in (number, *sorted(found.near[number])) if other in kept), None)
        if better is None:
            kept[number] = at
        else:
            dropped[candidates[at].exchange.id] = _reason(candidates[at], candidates[better])
    return dropped


def _order(
    candidate: Candidate, has_choice: bool, agreement: Agreement
) -> tuple[float | str | datetime, ...]:
    exchange = candidate.exchange
    agrees = agreement(exchange.question, exchange.answer) if has_choice else 0.0
    low, high = _SENSIBLE
    size = width(exchange.answer)
    off = max(0, low - size, size - high)
    return standing(exchange), -agrees, off, _LAST if exchange.at is None else exchange.at, exchange.id


def _reason(worse: Candidate, better: Candidate) -> str:
    alike = normalised(worse.exchange.answer) == normalised(better.exchange.answer)
    if alike and worse.asked.plain == better.asked.plain:
        return "exact duplicate"
    near = similarity(shingles(worse.exchange.answer), shingles(better.exchange.answer)) >= _SAME_ANSWER
    return "near-duplicate" if alike or near else "another answer to this question is better"
