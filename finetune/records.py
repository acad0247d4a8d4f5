"""What is learned from: conversations as pairs of question and answer, made of the log's turns.

A correction replaces the bot's answer. Messages sent in a burst become one question, as they were answered. Everything
is masked once more, in case a pattern has been learned since the turn was stored.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.conversation import ConversationId, Route, TurnId
from bot.memory.reading import LoggedTurn
from bot.safety.redact import redact


@dataclass(frozen=True)
class Exchange:
    """One question and its best known answer. `selected` is False for what is only context."""

    turn_id: TurnId
    asked_at: datetime  # UTC
    question: str
    answer: str
    selected: bool
    rating: int | None
    metadata: dict[str, Any]  # strings, numbers, booleans, None and lists of strings


@dataclass(frozen=True)
class Dialogue:
    """A conversation up to its last selected exchange; at least one is selected."""

    conversation_id: str  # a pseudonym: the real id opens the conversation over the API
    channel: str
    exchanges: tuple[Exchange, ...]

    @property
    def selected(self) -> tuple[Exchange, ...]:
        """The exchanges that the filters chose."""
        return tuple(exchange for exchange in self.exchanges if exchange.selected)


@dataclass
class Masking:
    """Masks text again and counts what it finds, by kind."""

    allow: Collection[str]
    found: Counter[str] = field(default_factory=Counter)
    turns: set[TurnId] = field(default_factory=set)

    def __call__(self, text: str, turn: TurnId) -> str:
        """The text, masked."""
        redacted = redact(text, allow=self.allow)
        if redacted.found:
            self.found.update(redacted.found)
            self.turns.add(turn)
        return redacted.text


def dialogues(logged: Iterable[LoggedTurn], *, rating: int | None, mask: Masking) -> Iterator[Dialogue]:
    """Group turns into dialogues, in order of each conversation's first turn.

    Args:
        logged: turns in order of time; conversations may interleave.
        rating: select only exchanges whose last vote is this; the others stay as context.
        mask: masks every text.
    """
    conversations: dict[ConversationId, list[LoggedTurn]] = {}
    for entry in logged:
        conversations.setdefault(entry.turn.conversation_id, []).append(entry)
    for conversation_id, entries in conversations.items():
        exchanges = list(_exchanges(entries, rating, mask))
        while exchanges and not exchanges[-1].selected:
            exchanges.pop()
        if exchanges:
            yield Dialogue(_pseudonym(conversation_id), entries[0].channel, tuple(exchanges))


def _exchanges(entries: Iterable[LoggedTurn], rating: int | None, mask: Masking) -> Iterator[Exchange]:
    burst: list[str] = []
    for entry in entries:
        turn = entry.turn
        burst.append(mask(turn.customer_text, turn.id))
        if turn.route is Route.MERGED:
            continue
        answer = turn.answer if entry.correction is None else entry.correction.text
        vote = None if entry.rating is None else entry.rating.value
        if answer.strip():
            yield Exchange(
                turn_id=turn.id,
                asked_at=turn.asked_at,
                question="\n".join(burst),
                answer=mask(answer, turn.id),
                selected=rating is None or vote == rating,
                rating=vote,
                metadata=_metadata(entry, vote),
            )
        burst = []


def _metadata(entry: LoggedTurn, vote: int | None) -> dict[str, Any]:
    turn = entry.turn
    return {
        "turn_id": turn.id,
        "asked_at": turn.asked_at.isoformat(),
        "language": turn.language.value,
        "route": turn.route.value,
        "intent": turn.intent,
        "rating": vote,
        "corrected": entry.correction is not None,
        "model": turn.provenance.model,
        "adapter": turn.provenance.adapter,
        "prompt_version": turn.provenance.prompt_version,
        "articles": list(dict.fromkeys(passage.article_id for passage in turn.passages)),
        "flags": list(turn.flags),
    }


def _pseudonym(conversation_id: ConversationId) -> str:
    """Tells conversations apart, the same in every export, and opens none."""
    return hashlib.sha256(f"export\0{conversation_id}".encode()).hexdigest()[:24]
