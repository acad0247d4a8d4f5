"""What the log holds, as rows: the one place that turns the nouns of a conversation into rows and back.

A `Record` is everything that one write adds, table by table. The same record goes into SQLite or, when SQLite cannot
be written, as one JSON line into a spill file; nothing else needs to know which.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bot.conversation import (
    Action,
    ConversationId,
    Correction,
    Language,
    Option,
    PassageUsed,
    Provenance,
    Rating,
    Route,
    ScoredIntent,
    Source,
    Turn,
    TurnId,
    VisitorId,
)
from bot.errors import StoreError

Row = dict[str, Any]  # values are str, int, float or None, as SQLite and JSON both take them

TABLES: tuple[str, ...] = (
    "conversations",
    "turns",
    "turn_intents",
    "turn_passages",
    "turn_sources",
    "ratings",
    "corrections",
)


@dataclass(frozen=True)
class Record:
    """What one write adds. `head` is the table whose row `id` tells whether it has been written already."""

    head: str
    id: str
    rows: Mapping[str, Sequence[Row]]

    @property
    def first(self) -> Row:
        """The row of the head table."""
        return self.rows[self.head][0]


def visitor_hash(visitor: VisitorId) -> str:
    """What is stored of a visitor: their id is random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(visitor.encode("utf-8", "surrogatepass")).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment as fixed-width UTC text, whose order is the order of time.

    Raises:
        StoreError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise StoreError(
            f"A time in the log needs a time zone, but {moment.isoformat()} has none. Use datetime.now(UTC)."
        )
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def conversation_record(conversation: ConversationId, visitor: VisitorId, channel: str) -> Record:
    """A conversation that opens now."""
    row = {
        "id": conversation,
        "visitor_sha256": visitor_hash(visitor),
        "channel": channel,
        "opened_at": stamp(datetime.now(UTC)),
    }
    return _record("conversations", conversation, {"conversations": [row]})


def rating_record(rating: Rating) -> Record:
    """A vote that is given now."""
    return _judgement_record("ratings", asdict(rating))


def correction_record(correction: Correction) -> Record:
    """A better answer that is given now."""
    return _judgement_record("corrections", asdict(correction))


def turn_record(turn: Turn) -> Record:
    """A turn and its ranked parts."""
    row: Row = {
        "id": turn.id,
        "conversation_id": turn.conversation_id,
        "asked_at": stamp(turn.asked_at),
        "customer_text": turn.customer_text,
        "question": turn.question,
        "answer": turn.answer,
        "language": turn.language.value,
        "mixed": int(turn.mixed),
        "route": turn.route.value,
        "reason": turn.reason,
        "intent": turn.intent,
        "score": float(turn.score),
        "margin": float(turn.margin),
        "in_scope": float(turn.in_scope),
        "missing_slot": turn.missing_slot,
        "generation": turn.generation,
        "kefu": turn.provenance.kefu,
        "index_id": turn.provenance.index,
        "encoder": turn.provenance.encoder,
        "model": turn.provenance.model,
        "adapter": turn.provenance.adapter,
        "prompt_version": turn.provenance.prompt_version,
        "thresholds": _json(dict(turn.thresholds)),
        "slots": _json(dict(turn.slots)),
        "options": _json([asdict(option) for option in turn.options]),
        "actions": _json([action.value for action in turn.actions]),
        "timings_ms": _json(dict(turn.timings_ms)),
        "masked": _json(dict(turn.masked)),
        "flags": _json(list(turn.flags)),
    }
    parts = {
        "turn_intents": [asdict(intent) for intent in turn.intents],
        "turn_passages": [{**asdict(passage), "cited": int(passage.cited)} for passage in turn.passages],
        "turn_sources": [{**asdict(source), "language": source.language.value} for source in turn.sources],
    }
    placed = {
        table: [{"turn_id": turn.id, "place": place, **part} for place, part in enumerate(rows, start=1)]
        for table, rows in parts.items()
    }
    return _record("turns", turn.id, {"turns": [row], **placed})


def read_turn(row: Row, intents: Sequence[Row], passages: Sequence[Row], sources: Sequence[Row]) -> Turn:
    """The turn that `turn_record` made these rows from; its ranked parts come in the order of `place`."""
    return Turn(
        id=TurnId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        asked_at=datetime.fromisoformat(row["asked_at"]),
        customer_text=row["customer_text"],
        question=row["question"],
        answer=row["answer"],
        language=Language(row["language"]),
        mixed=bool(row["mixed"]),
        route=Route(row["route"]),
        reason=row["reason"],
        intent=row["intent"],
        score=row["score"],
        margin=row["margin"],
        in_scope=row["in_scope"],
        thresholds=json.loads(row["thresholds"]),
        intents=tuple(ScoredIntent(part["intent"], part["score"]) for part in intents),
        slots=json.loads(row["slots"]),
        missing_slot=row["missing_slot"],
        options=tuple(Option(**option) for option in json.loads(row["options"])),
        actions=tuple(Action(action) for action in json.loads(row["actions"])),
        passages=tuple(_read_passage(part) for part in passages),
        sources=tuple(_read_source(part) for part in sources),
        provenance=Provenance(
            kefu=row["kefu"],
            index=row["index_id"],
            encoder=row["encoder"],
            model=row["model"],
            adapter=row["adapter"],
            prompt_version=row["prompt_version"],
        ),
        timings_ms=json.loads(row["timings_ms"]),
        generation=row["generation"],
        masked=json.loads(row["masked"]),
        flags=tuple(json.loads(row["flags"])),
    )


def turn_of_record(record: Record) -> Turn:
    """The turn inside a turn's record."""
    rows = record.rows
    return read_turn(record.first, rows["turn_intents"], rows["turn_passages"], rows["turn_sources"])


def read_rating(row: Row) -> Rating:
    """The rating in a row of `ratings`."""
    return Rating(TurnId(row["turn_id"]), row["value"], row["reason"])


def read_correction(row: Row) -> Correction:
    """The correction in a row of `corrections`."""
    return Correction(TurnId(row["turn_id"]), row["text"], row["author"])


def _judgement_record(table: str, fields: Row) -> Record:
    key = secrets.token_urlsafe(16)
    return _record(table, key, {table: [{"id": key, **fields, "given_at": stamp(datetime.now(UTC))}]})


def _record(head: str, key: str, rows: Mapping[str, Sequence[Row]]) -> Record:
    """Half a surrogate pair cannot be written as UTF-8 and must not cost a turn: it becomes U+FFFD."""
    clean = {
        table: [{name: _writable(value) for name, value in row.items()} for row in part]
        for table, part in rows.items()
    }
    return Record(head, key, clean)


def _writable(value: Any) -> Any:
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, str)
        else value
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read_passage(row: Row) -> PassageUsed:
    return PassageUsed(
        rank=row["rank"],
        passage_id=row["passage_id"],
        article_id=row["article_id"],
        content_hash=row["content_hash"],
        score=row["score"],
        cited=bool(row["cited"]),
    )


def _read_source(row: Row) -> Source:
    return Source(
        number=row["number"],
        article_id=row["article_id"],
        passage_id=row["passage_id"],
        title=row["title"],
        language=Language(row["language"]),
        score=row["score"],
    )
