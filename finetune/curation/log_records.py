"""Conversations from the log.

A correction replaces the bot's answer, which becomes the rejected one. Messages sent in a burst become one question, as
they were answered. Everything is masked once more, in case a pattern has been learned since the turn was stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from bot.conversation import ConversationId, Route, Turn
from bot.memory.reading import LoggedTurn
from finetune.records import Conversation, Exchange, ShownPassage

SOURCE = "kefu-log"

Mask = Callable[[str, str], str]  # text and the turn that it stands in → text without personal data


def logged_conversations(
    logged: Iterable[LoggedTurn],
    *,
    mask: Mask,
    rating: int | None = None,
    customer: Callable[[str], str] | None = None,
) -> Iterator[Conversation]:
    """Group turns into conversations, in order of each one's first turn, each up to its last selected exchange.

    Args:
        logged: turns in order of time; conversations may interleave.
        mask: masks every text.
        rating: select only exchanges whose last vote is this, +1 or -1; the others stay as context.
        customer: makes a pseudonym of a visitor's hash; without it, conversations name no customer.
    """
    conversations: dict[ConversationId, list[LoggedTurn]] = {}
    for entry in logged:
        conversations.setdefault(entry.turn.conversation_id, []).append(entry)
    for conversation_id, entries in conversations.items():
        exchanges = list(_exchanges(entries, rating, mask))
        while exchanges and not exchanges[-1].selected:
            exchanges.pop()
        if exchanges:
            yield Conversation(
                id=_pseudonym(conversation_id),
                source=SOURCE,
                customer=None if customer is None else customer(entries[0].visitor_sha256),
                language=exchanges[0].language,
                started_at=entries[0].turn.asked_at,
                channel=entries[0].channel,
                exchanges=tuple(exchanges),
            )


def _exchanges(entries: Iterable[LoggedTurn], rating: int | None, mask: Mask) -> Iterator[Exchange]:
    burst: list[str] = []
    for entry in entries:
        turn = entry.turn
        burst.append(mask(turn.customer_text, turn.id))
        if turn.route is Route.MERGED:
            continue
        if turn.route is Route.PERSON and entry.correction is None:  # the person answered a later message
            continue
        answer = turn.answer if entry.correction is None else entry.correction.text
        if answer.strip():
            yield _exchange(entry, "\n".join(burst), mask(answer, turn.id), rating, mask)
        burst = []


def _exchange(entry: LoggedTurn, question: str, answer: str, rating: int | None, mask: Mask) -> Exchange:
    turn = entry.turn
    vote = None if entry.rating is None else entry.rating.value
    corrected = entry.correction is not None
    return Exchange(
        id=turn.id,
        question=question,
        answer=answer,
        language=turn.language,
        author="agent" if corrected else "bot",
        at=turn.asked_at,
        rating=vote,
        rejected=mask(turn.answer, turn.id) if corrected and turn.answer.strip() else None,
        intent=turn.intent,
        route=turn.route.value,
        passages=tuple(ShownPassage(passage.article_id, passage.passage_id) for passage in turn.passages),
        selected=rating is None or vote == rating,
        metadata=_metadata(turn),
    )


def _metadata(turn: Turn) -> dict[str, object]:
    return {
        "model": turn.provenance.model,
        "adapter": turn.provenance.adapter,
        "prompt_version": turn.provenance.prompt_version,
        "flags": list(turn.flags),
    }


def _pseudonym(conversation_id: ConversationId) -> str:
    """Tells conversations apart, the same in every export, and opens none. The id is long and random: no key needed."""
    return hashlib.sha256(f"export\0{conversation_id}".encode()).hexdigest()[:24]
