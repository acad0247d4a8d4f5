"""Where a conversation takes place and whose it is: the page the customer is on, and the user that a site vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from sqlite_utils import Database

from bot.conversation import ConversationId
from bot.memory.records import stamp

_LONGEST = 500


@dataclass(frozen=True)
class Visit:
    """A page that the customer was on when they wrote."""

    page: str
    title: str
    seen_at: datetime  # UTC


@dataclass(frozen=True)
class Customer:
    """A user that a site vouches for. `id` is the site's own."""

    id: str
    name: str


def bare_page(address: str) -> str:
    """A page's address without what follows '?' or '#', where sites put tokens and personal data; "" for no address."""
    try:
        parts = urlsplit(address[:_LONGEST])
        host, port = parts.hostname, parts.port
    except ValueError:  # e.g. http://[ or a port of letters
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    where = host if port is None else f"{host}:{port}"  # a name and password before it are left out
    return urlunsplit((parts.scheme, where, parts.path, "", ""))


def note_visit(log: Database, conversation: ConversationId, page: str, title: str, *, at: datetime) -> None:
    """Note that the customer is on `page`, unless that is where they were already."""
    last = last_visit(log, conversation)
    if last is not None and last.page == page:
        return
    log.conn.execute(
        "INSERT INTO visits (conversation_id, page, title, seen_at) VALUES (?, ?, ?, ?)",
        [conversation, page, title[:_LONGEST], stamp(at)],
    )


def last_visit(log: Database, conversation: ConversationId) -> Visit | None:
    """Where the customer was last; None for a conversation without a page."""
    sql = "SELECT * FROM visits WHERE conversation_id = ? ORDER BY number DESC LIMIT 1"
    row = next(log.query(sql, [conversation]), None)
    return None if row is None else Visit(row["page"], row["title"], datetime.fromisoformat(row["seen_at"]))


def identify(log: Database, conversation: ConversationId, customer: Customer, *, at: datetime) -> None:
    """Note whose conversation it is."""
    log.conn.execute(
        "INSERT INTO customers (id, name, first_seen_at, seen_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at",
        [customer.id, customer.name[:_LONGEST], stamp(at), stamp(at)],
    )
    log.conn.execute(
        "INSERT INTO conversation_customers (conversation_id, customer_id) VALUES (?, ?)"
        " ON CONFLICT (conversation_id) DO UPDATE SET customer_id = excluded.customer_id",
        [conversation, customer.id],
    )


def customer_of(log: Database, conversation: ConversationId) -> Customer | None:
    """Whose conversation it is; None for an anonymous visitor's."""
    sql = (
        "SELECT c.id, c.name FROM conversation_customers AS o JOIN customers AS c ON c.id = o.customer_id"
        " WHERE o.conversation_id = ?"
    )
    row = next(log.query(sql, [conversation]), None)
    return None if row is None else Customer(row["id"], row["name"])


def conversations_of_customer(log: Database, customer_id: str) -> list[ConversationId]:
    """The conversations of a user that a site vouches for, the latest first."""
    sql = (
        "SELECT o.conversation_id AS id FROM conversation_customers AS o"
        " JOIN conversations AS c ON c.id = o.conversation_id WHERE o.customer_id = ? ORDER BY c.opened_at DESC"
    )
    return [ConversationId(row["id"]) for row in log.query(sql, [customer_id])]
