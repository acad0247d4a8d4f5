"""What is learned from: conversations as exchanges of question and answer, whatever they were made of.

The log, imported files and training sets all speak in this one record, and are kept as one JSON line a conversation.
On disk nothing is null: what reads a table by guessing types from its first rows (`datasets` does) would take a column
that begins with nulls for an empty one. So a missing text is "", a missing rating 0, and what differs from row to row
(passages, metadata) is JSON inside a text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar, cast, get_args

from bot.conversation import Language
from finetune.errors import RecordError

Author = Literal["bot", "agent"]  # an agent is a person

_T = TypeVar("_T")


@dataclass(frozen=True)
class ShownPassage:
    """A passage that lay before whoever answered."""

    article_id: str
    passage_id: str


@dataclass(frozen=True)
class Exchange:
    """One question and its best known answer.

    `rejected` is what the bot had said before a person corrected it, never empty. `selected` is False for what is only
    context: it is shown to a learner, but not learned. `metadata` holds JSON values.
    """

    id: str
    question: str
    answer: str
    language: Language  # of the question
    author: Author = "bot"
    at: datetime | None = None  # with time zone
    rating: int | None = None  # +1 or -1
    rejected: str | None = None
    intent: str | None = None
    route: str | None = None
    passages: tuple[ShownPassage, ...] = ()
    selected: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def corrected(self) -> bool:
        """Whether a person replaced the bot's answer."""
        return self.rejected is not None


@dataclass(frozen=True)
class Conversation:
    """A talk with one customer, oldest exchange first.

    `id` and `customer` are pseudonyms: neither opens a conversation nor names anybody. `customer` is None where the
    source does not say who asked.
    """

    id: str
    source: str  # "kefu-log", "chatwoot", "csv" …
    language: Language
    exchanges: tuple[Exchange, ...]
    customer: str | None = None
    started_at: datetime | None = None  # with time zone
    channel: str = ""

    @property
    def selected(self) -> tuple[Exchange, ...]:
        """The exchanges to learn from."""
        return tuple(exchange for exchange in self.exchanges if exchange.selected)


def to_json(conversation: Conversation) -> dict[str, Any]:
    """The conversation as a JSON object without nulls; `from_json` reads it back."""
    return {
        "id": conversation.id,
        "source": conversation.source,
        "customer": _text(conversation.customer),
        "language": conversation.language.value,
        "started_at": _moment(conversation.started_at),
        "channel": conversation.channel,
        "exchanges": [_exchange_row(exchange) for exchange in conversation.exchanges],
    }


def from_json(row: Mapping[str, Any]) -> Conversation:
    """Read a conversation.

    Raises:
        RecordError: a field is missing or holds what it cannot; names it.
    """
    rows = _field(row, "exchanges", list)
    if not all(isinstance(part, dict) for part in rows):
        raise _wrong("exchanges", rows)
    return Conversation(
        id=_field(row, "id", str),
        source=_field(row, "source", str),
        customer=_optional(row, "customer"),
        language=_language(row),
        started_at=_read_moment(row, "started_at"),
        channel=_field(row, "channel", str),
        exchanges=tuple(map(_read_exchange, rows)),
    )


def _exchange_row(exchange: Exchange) -> dict[str, Any]:
    return {
        "id": exchange.id,
        "at": _moment(exchange.at),
        "question": exchange.question,
        "answer": exchange.answer,
        "author": exchange.author,
        "language": exchange.language.value,
        "rating": 0 if exchange.rating is None else exchange.rating,
        "rejected": _text(exchange.rejected),
        "intent": _text(exchange.intent),
        "route": _text(exchange.route),
        "passages": json.dumps([[p.article_id, p.passage_id] for p in exchange.passages], ensure_ascii=False),
        "selected": exchange.selected,
        "metadata": json.dumps(dict(exchange.metadata), ensure_ascii=False, sort_keys=True),
    }


def _read_exchange(row: Mapping[str, Any]) -> Exchange:
    author, rating = _field(row, "author", str), _field(row, "rating", int)
    if author not in get_args(Author):
        raise _wrong("author", author)
    if rating not in (-1, 0, 1):
        raise _wrong("rating", rating)
    return Exchange(
        id=_field(row, "id", str),
        at=_read_moment(row, "at"),
        question=_field(row, "question", str),
        answer=_field(row, "answer", str),
        author=cast("Author", author),
        language=_language(row),
        rating=None if rating == 0 else rating,
        rejected=_optional(row, "rejected"),
        intent=_optional(row, "intent"),
        route=_optional(row, "route"),
        passages=_read_passages(row),
        selected=_field(row, "selected", bool),
        metadata=_json_inside(row, "metadata", dict),
    )


def _read_passages(row: Mapping[str, Any]) -> tuple[ShownPassage, ...]:
    pairs = _json_inside(row, "passages", list)
    try:
        return tuple(ShownPassage(article, passage) for article, passage in pairs)
    except (TypeError, ValueError) as error:
        raise _wrong("passages", pairs) from error


def _text(value: str | None) -> str:
    return "" if value is None else value


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.isoformat()


def _optional(row: Mapping[str, Any], name: str) -> str | None:
    text = _field(row, name, str)
    return text if text else None


def _field(row: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = row.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _wrong(name, value)
    return value


def _language(row: Mapping[str, Any]) -> Language:
    value = _field(row, "language", str)
    try:
        return Language(value)
    except ValueError as error:
        raise _wrong("language", value) from error


def _read_moment(row: Mapping[str, Any], name: str) -> datetime | None:
    value = _field(row, name, str)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise _wrong(name, value) from error
    if moment.tzinfo is None:
        raise _wrong(name, value)
    return moment


def _json_inside(row: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    text = _field(row, name, str)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, text) from error
    if not isinstance(value, kind):
        raise _wrong(name, text)
    return value


def _wrong(name: str, value: object) -> RecordError:
    return RecordError(f"A conversation's {name!r} is {value!r:.80}. Make the file again with this Kefu.")
