"""Conversations in the log as people of the team list them: where, when, with whom, and the customer's last words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import ConversationId, Language, Route
from bot.memory.records import Row, stamp


@dataclass(frozen=True)
class Talk:
    """A conversation at a glance. `route` and `words` are those of its last turn, masked as it was logged."""

    id: ConversationId
    channel: str
    opened_at: datetime  # UTC
    last_at: datetime  # UTC; of the last turn, or of opening
    turns: int
    language: Language | None  # None before the first turn
    route: Route | None
    words: str
    page: str  # where the customer is; "" for no page
    page_title: str
    customer: str | None  # name of a user that a site vouches for


_TALKS = """
    SELECT c.id, c.channel, c.opened_at, t.asked_at AS last_at, t.language, t.route, t.customer_text AS words,
           (SELECT count(*) FROM turns WHERE conversation_id = c.id) AS turns,
           v.page, v.title AS page_title, u.name AS customer
    FROM conversations AS c
    LEFT JOIN turns AS t ON t.number = (
        SELECT number FROM turns WHERE conversation_id = c.id ORDER BY asked_at DESC, number DESC LIMIT 1)
    LEFT JOIN visits AS v ON v.number = (SELECT max(number) FROM visits WHERE conversation_id = c.id)
    LEFT JOIN conversation_customers AS o ON o.conversation_id = c.id
    LEFT JOIN customers AS u ON u.id = o.customer_id
"""


def talk(log: Database, conversation: ConversationId) -> Talk | None:
    """One conversation, or None."""
    row = next(log.query(f"{_TALKS} WHERE c.id = ?", [conversation]), None)
    return None if row is None else _talk(row)


def recent_talks(log: Database, since: datetime, *, most: int) -> list[Talk]:
    """Conversations with a turn since a moment, the one with the latest first."""
    chosen = (
        "WHERE c.id IN (SELECT conversation_id FROM turns WHERE asked_at >= ?)"
        " ORDER BY t.asked_at DESC, c.id LIMIT ?"
    )
    return [_talk(row) for row in log.query(f"{_TALKS} {chosen}", [stamp(since), most])]


def _talk(row: Row) -> Talk:
    opened_at = datetime.fromisoformat(row["opened_at"])
    return Talk(
        id=ConversationId(row["id"]),
        channel=row["channel"],
        opened_at=opened_at,
        last_at=opened_at if row["last_at"] is None else datetime.fromisoformat(row["last_at"]),
        turns=row["turns"],
        language=None if row["language"] is None else Language(row["language"]),
        route=None if row["route"] is None else Route(row["route"]),
        words="" if row["words"] is None else row["words"],
        page="" if row["page"] is None else row["page"],
        page_title="" if row["page_title"] is None else row["page_title"],
        customer=row["customer"],
    )
