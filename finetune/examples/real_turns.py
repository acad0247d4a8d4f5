"""Curated conversations as single questions, each as the bot would meet it: what is asked, after what, and what was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.answering.prompt import PromptMessage
from bot.conversation import Language, Route
from bot.understanding.context import continues, looks_like_follow_up, with_context
from bot.understanding.language import to_simplified
from finetune.curation.choose import UNJUDGED, standing
from finetune.records import Conversation, Exchange

_HISTORY_TURNS = 2  # as `bot.turns.prompt_history` keeps
_SOURCE_MARK = re.compile(r"\s*\[\d{1,2}\](?!\()")
_ANSWERED = (Route.TEMPLATE, Route.GROUNDED)


@dataclass(frozen=True)
class RealTurn:
    """One question of a customer's with the best known answer.

    `question` is what is searched and shown to a model: a follow-up stands with the question that it follows, and
    traditional characters are simplified, as the bot reads them. `answer` is empty where the bot found none and somebody
    agreed; in an answer, no source is numbered.
    """

    id: str
    language: Language  # that the answer is written in, zh or en
    question: str
    history: tuple[PromptMessage, ...]
    answer: str
    articles: tuple[str, ...]  # that lay before whoever answered
    conversation: str
    judged: bool = (
        False  # whether a person wrote, corrected or voted up the answer, or agreed that there is none
    )
    template: str | None = None  # the intent whose template the bot answered with


def real_turns(conversations: Iterable[Conversation]) -> Iterator[RealTurn]:
    """What can be learned from, or measured on, in the order of the conversations: selected exchanges and refusals."""
    for conversation in conversations:
        history: tuple[PromptMessage, ...] = ()
        before = ""
        for exchange in conversation.exchanges:
            own = to_simplified(exchange.question)
            asked = with_context(own, before) if before and _follows(own) else own
            refused = _refused(exchange)
            if exchange.selected or refused:
                yield RealTurn(
                    id=f"{conversation.id}-{exchange.id}",
                    language=exchange.language.content,
                    question=asked,
                    history=history[-2 * _HISTORY_TURNS :],
                    answer="" if refused else without_marks(to_simplified(exchange.answer)),
                    articles=tuple(dict.fromkeys(passage.article_id for passage in exchange.passages)),
                    conversation=conversation.id,
                    judged=refused or standing(exchange) < UNJUDGED,
                    template=exchange.intent if _own_words(exchange, Route.TEMPLATE) else None,
                )
            if _answered(exchange):
                history = (*history, *_messages(exchange))
                before = asked


def without_marks(text: str) -> str:
    """An answer without the numbers of its sources; links stay."""
    return _SOURCE_MARK.sub("", text).strip()


def _follows(question: str) -> bool:
    """Whether the bot reads it with the question before, as far as can be told without knowing how sure it was."""
    return continues(question) or looks_like_follow_up(question)


def _refused(exchange: Exchange) -> bool:
    """Whether the bot found no answer, and the customer or a colleague agreed that there is none.

    What nobody judged says nothing: in a young shop half of these questions do have an answer, and a bot that learned from
    its own silence would fall more and more silent.
    """
    return _own_words(exchange, Route.NO_ANSWER) and exchange.rating == 1


def _own_words(exchange: Exchange, route: Route) -> bool:
    return exchange.author == "bot" and not exchange.corrected and exchange.route == route


def _answered(exchange: Exchange) -> bool:
    return exchange.author == "agent" or exchange.route is None or exchange.route in _ANSWERED


def _messages(exchange: Exchange) -> tuple[PromptMessage, PromptMessage]:
    return PromptMessage("user", exchange.question), PromptMessage("assistant", exchange.answer)
