"""What people preferred, as rows for preference training: pairs for DPO, judged answers for KTO.

A pair has two sources: a person's correction against what the bot had said, and, for one question, an answer that was
voted up against one that was voted down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from finetune.curation.likeness import asked
from finetune.records import Conversation, Exchange

Place = tuple[Conversation, int]  # a conversation and the position of an exchange in it
ChatMessage = dict[str, str]  # {"role": "user" or "assistant", "content": …}


def prompt_of(conversation: Conversation, index: int) -> list[ChatMessage]:
    """What a model has read when it answers exchange `index`: everything before it, and its question."""
    messages = [
        message for exchange in conversation.exchanges[:index] for message in exchange_messages(exchange)
    ]
    return [*messages, {"role": "user", "content": conversation.exchanges[index].question}]


def exchange_messages(exchange: Exchange) -> list[ChatMessage]:
    """One exchange as two chat messages."""
    return [{"role": "user", "content": exchange.question}, answer_message(exchange.answer)]


def answer_message(text: str) -> ChatMessage:
    """An answer as a chat message."""
    return {"role": "assistant", "content": text}


def preference_pairs(conversations: Sequence[Conversation]) -> Iterator[dict[str, Any]]:
    """Rows of prompt, chosen and rejected, each a list of chat messages (TRL's conversational form), with metadata.

    Of several answers that were voted up for one question, the first is the chosen one for all that were voted down.
    """
    for conversation, index in _places(conversations):
        exchange = conversation.exchanges[index]
        if exchange.selected and exchange.rejected is not None and exchange.rejected != exchange.answer:
            yield _pair(conversation, index, exchange.rejected, "correction")
    liked = _liked_by_question(conversations)
    for conversation, index in _places(conversations):
        exchange = conversation.exchanges[index]
        best = liked.get(_key(conversation, index)) if exchange.rating == -1 else None
        if best is None or exchange.corrected:
            continue
        if best[0].exchanges[best[1]].answer != exchange.answer:
            yield _pair(*best, exchange.answer, "votes")


def judged_answers(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """Rows of prompt, completion (chat messages) and label (True: voted up, or a person's correction), with metadata."""
    for index, exchange in enumerate(conversation.exchanges):
        if not exchange.selected:
            continue
        if exchange.rejected is not None:
            yield _judged(conversation, index, exchange.answer, label=True)
            yield _judged(conversation, index, exchange.rejected, label=False)
        elif exchange.rating is not None:
            yield _judged(conversation, index, exchange.answer, label=exchange.rating > 0)


def _places(conversations: Iterable[Conversation]) -> Iterator[Place]:
    for conversation in conversations:
        for index in range(len(conversation.exchanges)):
            yield conversation, index


def _liked_by_question(conversations: Iterable[Conversation]) -> dict[str, Place]:
    liked: dict[str, Place] = {}
    for conversation, index in _places(conversations):
        exchange = conversation.exchanges[index]
        if exchange.selected and (exchange.rating == 1 or exchange.corrected):
            liked.setdefault(_key(conversation, index), (conversation, index))
    return liked


def _key(conversation: Conversation, index: int) -> str:
    return asked(conversation, index).plain


def _pair(conversation: Conversation, index: int, rejected: str, origin: str) -> dict[str, Any]:
    return {
        "prompt": prompt_of(conversation, index),
        "chosen": [answer_message(conversation.exchanges[index].answer)],
        "rejected": [answer_message(rejected)],
        "metadata": {**_where(conversation, index), "origin": origin},
    }


def _judged(conversation: Conversation, index: int, answer: str, *, label: bool) -> dict[str, Any]:
    return {
        "prompt": prompt_of(conversation, index),
        "completion": [answer_message(answer)],
        "label": label,
        "metadata": _where(conversation, index),
    }


def _where(conversation: Conversation, index: int) -> dict[str, Any]:
    exchange = conversation.exchanges[index]
    return {
        "conversation_id": conversation.id,
        "turn_id": exchange.id,
        "language": exchange.language.value,
        "intent": exchange.intent,
    }
