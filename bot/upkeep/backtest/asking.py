"""Asks a logged question again: the way of a customer's turn, without the customer and without the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.answering.answerer import Said
from bot.conversation import Route, Turn
from bot.knowledge import Knowledge
from bot.stopwatch import Stopwatch
from bot.turns import Asked, Redact, turn_of
from bot.upkeep.backtest.questions import PastQuestion
from bot.upkeep.stand_ins import readable


@dataclass(frozen=True)
class How:
    """How questions are asked again."""

    day: date  # articles that are not valid then are not quoted
    top_k: int  # articles that a search returns
    redact: Redact
    quick: bool = False  # no answer is written from articles


def considered(question: PastQuestion, knowledge: Knowledge, how: How) -> Asked:
    """The first half of the turn, made anew: what the question means, what is found, and which route it takes.

    Its time is the logged one, so that what stood before it is as long ago as it was.
    """
    turn = question.turn
    return knowledge.consider(
        readable(turn.customer_text, turn.language, how.redact),
        question.past,
        conversation=turn.conversation_id,
        at=turn.asked_at,
        day=how.day,
        top_k=how.top_k,
        watch=Stopwatch(),
        taken_over=[readable(text, turn.language, how.redact) for text in question.taken_over],
    )


def completed(asked: Asked, knowledge: Knowledge, how: How) -> Turn:
    """The whole turn as the log would hold it, masked; it is stored nowhere."""
    said = Said("")
    if not (how.quick and asked.decision.route is Route.GROUNDED):
        asked, said = _written(asked, knowledge)
    thresholds = knowledge.thresholds.of(asked.understanding.language)
    return turn_of(asked, said, how.redact, knowledge.provenance, thresholds, {})


def _written(asked: Asked, knowledge: Knowledge) -> tuple[Asked, Said]:
    parts = knowledge.answer(asked)
    while True:
        try:
            next(parts)
        except StopIteration as finished:
            both: tuple[Asked, Said] = finished.value
            return both
