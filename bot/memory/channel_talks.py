"""Conversations of messengers in the log: a user's last one, and what people of the team said in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import ConversationId, Language, VisitorId
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.memory.records import Row, visitor_hash


@dataclass(frozen=True)
class LastTalk:
    """A user's last conversation and when something was said in it."""

    conversation_id: ConversationId
    at: datetime  # UTC


@dataclass(frozen=True)
class ForUser:
    """What happened at the desk, for the user of a messenger who is to hear of it."""

    event: DeskEvent
    channel: str
    user_id: str  # as `bot.memory.visits.identify` was told it
    language: Language


def last_talk(log: Database, visitor: VisitorId, channel: str) -> LastTalk | None:
    """The visitor's last conversation on a channel; None if there is none."""
    sql = (
        "SELECT c.id, coalesce(max(t.asked_at), c.opened_at) AS at FROM conversations AS c"
        " LEFT JOIN turns AS t ON t.conversation_id = c.id WHERE c.visitor_sha256 = ? AND c.channel = ?"
        " GROUP BY c.id ORDER BY c.opened_at DESC LIMIT 1"
    )
    row = next(log.query(sql, [visitor_hash(visitor), channel]), None)
    return None if row is None else LastTalk(ConversationId(row["id"]), datetime.fromisoformat(row["at"]))


def last_number(log: Database) -> int:
    """The number of the last event of all talks; 0 if there is none."""
    row = next(log.query("SELECT coalesce(max(number), 0) AS number FROM call_events"))
    return int(row["number"])


def for_users(log: Database, channels: Collection[str], after: int) -> list[ForUser]:
    """What happened after the event of that number in talks of the channels, except what the users said themselves."""
    marks = ", ".join("?" for _ in channels)
    sql = (
        "SELECT e.*, c.channel, o.customer_id, k.language FROM call_events AS e"  # noqa: S608 (marks are ours)
        " JOIN calls AS k ON k.id = e.call_id JOIN conversations AS c ON c.id = e.conversation_id"
        " JOIN conversation_customers AS o ON o.conversation_id = e.conversation_id"
        f" WHERE e.number > ? AND e.kind <> 'customer' AND c.channel IN ({marks}) ORDER BY e.number"
    )
    return [_for_user(row) for row in log.query(sql, [after, *channels])]


def _for_user(row: Row) -> ForUser:
    event = DeskEvent(
        number=row["number"],
        id=row["id"],
        conversation_id=ConversationId(row["conversation_id"]),
        kind=DeskEventKind(row["kind"]),
        name=row["name"],
        text=row["text"],
        turn_id=None,
        sent_at=datetime.fromisoformat(row["sent_at"]),
    )
    return ForUser(event, row["channel"], row["customer_id"], Language(row["language"]))
