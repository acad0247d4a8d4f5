"""Chatwoot: conversations with their messages, from an export or from the answers of its API, saved as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from finetune.importers.reading import Message, Reading, Role, Row, Talk, json_rows
from finetune.importers.talks import in_order_of_time
from finetune.importers.values import clean, first_of, read_rating, read_time

# What the API numbers, webhooks name.
_TYPES = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
_INCOMING, _OUTGOING = 0, 1
_STARS = 5


def read_chatwoot(reading: Reading) -> Iterator[Talk]:
    """A talk a conversation; private notes, activities and templates are left out, a survey's vote is kept."""
    for place, row in json_rows(reading):
        for number, conversation in enumerate(_conversations(row), start=1):
            yield from _talk(reading, place, number, conversation)


def is_chatwoot(row: Row) -> bool:
    """Whether a JSON object looks like Chatwoot's."""
    return any(
        "message_type" in message
        for conversation in _conversations(row)
        for message in _messages(conversation)
        if isinstance(message, dict)
    )


def _conversations(row: Row) -> list[Row]:
    """The conversations in an export (`conversations`), a list (`data.payload`), or one conversation (`messages`)."""
    data = row.get("data")
    if isinstance(data, dict):
        row = data
    for name in ("conversations", "payload"):
        parts = row.get(name)
        if isinstance(parts, list) and not _are_messages(parts):
            return [part for part in parts if isinstance(part, dict)]
    return [row] if _messages(row) else []


def _messages(conversation: Row) -> list[Any]:
    for name in ("messages", "payload"):
        parts = conversation.get(name)
        if isinstance(parts, list) and (name == "messages" or _are_messages(parts)):
            return parts
    return []


def _are_messages(parts: list[Any]) -> bool:
    return any(isinstance(part, dict) and "message_type" in part for part in parts)


def _talk(reading: Reading, place: str, number: int, conversation: Row) -> Iterator[Talk]:
    rows = _messages(conversation)
    named = first_of(conversation, "id")
    named = named if named else _conversation_of(rows)
    here = f"{place} conversation {named if named else number}"
    if not rows:
        reading.problem(here, "it has no messages; export it together with them")
        return
    contact = _contact(conversation, rows)
    messages, rating = [], _vote(conversation.get("csat_survey_response"))
    for row in rows:
        if not isinstance(row, dict):
            reading.problem(here, f"a message is {type(row).__name__}, no object")
            continue
        voted = _survey(row)
        rating = rating if voted is None else voted
        message = _message(reading, here, row)
        if message is not None:
            messages.append(message)
    yield Talk(
        key=named if named else reading.key(f"{place} {number}"),
        place=here,
        messages=in_order_of_time(messages),
        customer=_identity(contact),
        channel=_channel(conversation),
        rating=rating,
        people=frozenset(_names(conversation, rows)),
    )


def _message(reading: Reading, place: str, row: Row) -> Message | None:
    if row.get("private") is True:
        reading.skip("private notes")
        return None
    kind = row.get("message_type")
    number = _TYPES.get(kind) if isinstance(kind, str) else kind
    if number not in (0, 1, 2, 3):
        reading.problem(place, f"message {row.get('id')} has the unknown type {kind!r:.20}")
        return None
    text = clean(row.get("content"))
    if not text and row.get("attachments"):
        reading.skip("attachments without text")
        return None
    return Message(_role(row, number), text, _time(reading, place, row))


def _role(row: Row, kind: int) -> Role:
    if kind == _INCOMING:
        return "customer"
    if kind != _OUTGOING:
        return "system"
    sender = row.get("sender")
    words = [row.get("sender_type"), sender.get("type") if isinstance(sender, dict) else None]
    return "agent" if any(isinstance(word, str) and word.casefold() == "user" for word in words) else "bot"


def _time(reading: Reading, place: str, row: Row) -> datetime | None:
    try:
        return read_time(row.get("created_at"), reading.zone)
    except ValueError as error:
        reading.problem(place, f"message {row.get('id')}: {error}; it is read without its time")
        return None


def _survey(row: Row) -> int | None:
    """The vote in a message that asked for one."""
    attributes = row.get("content_attributes")
    values = attributes.get("submitted_values") if isinstance(attributes, dict) else None
    return _vote(values.get("csat_survey_response")) if isinstance(values, dict) else None


def _vote(survey: Any) -> int | None:
    stars = survey.get("rating") if isinstance(survey, dict) else None
    try:
        return read_rating(stars, _STARS)
    except ValueError:
        return None


def _contact(conversation: Row, rows: list[Any]) -> Row:
    meta = conversation.get("meta")
    sender = meta.get("sender") if isinstance(meta, dict) else None
    if isinstance(sender, dict):
        return sender
    incoming = (row for row in rows if isinstance(row, dict) and row.get("message_type") in (0, "incoming"))
    return next((row["sender"] for row in incoming if isinstance(row.get("sender"), dict)), {})


def _identity(contact: Row) -> str | None:
    found = first_of(contact, "email", "phone_number", "id")
    return found if found else None


def _conversation_of(rows: list[Any]) -> str:
    return next((first_of(row, "conversation_id") for row in rows if isinstance(row, dict)), "")


def _channel(conversation: Row) -> str:
    meta = conversation.get("meta")
    named = meta.get("channel") if isinstance(meta, dict) else None
    return clean(named if named is not None else conversation.get("channel")).removeprefix("Channel::")


def _names(conversation: Row, rows: list[Any]) -> Iterator[str]:
    senders = [row.get("sender") for row in rows if isinstance(row, dict)]
    for person in (_contact(conversation, rows), *senders):
        if isinstance(person, dict) and isinstance(person.get("name"), str):
            yield person["name"]
