"""What other programs are still to be told: one row an event and address, until it arrived or was given up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.memory.records import Row, stamp

_PENDING = "delivered_at IS NULL AND gave_up_at IS NULL"
_WAITING = f"SELECT * FROM outbox WHERE {_PENDING}"  # noqa: S608 (our own words)


@dataclass(frozen=True)
class Delivery:
    """An event for one address. `id` stays the same however often it is sent, so a receiver can tell it came twice."""

    number: int
    id: str
    event: str
    url: str
    body: str  # JSON, as it is sent
    made_at: datetime  # UTC
    due_at: datetime  # UTC; not sent before
    attempts: int  # so far


def put(log: Database, event: str, url: str, body: str, *, at: datetime) -> None:
    """Note an event that is to be sent now."""
    log.conn.execute(
        "INSERT INTO outbox (id, event, url, body, made_at, due_at, attempts, last_error)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, '')",
        [f"msg_{secrets.token_urlsafe(18)}", event, url, body, stamp(at), stamp(at)],
    )


def next_due(log: Database) -> Delivery | None:
    """What is to be sent next, now or later; None if nothing waits."""
    row = next(log.query(f"{_WAITING} ORDER BY due_at, number LIMIT 1"), None)
    return None if row is None else _delivery(row)


def mark_delivered(log: Database, delivery: Delivery, *, at: datetime) -> None:
    """Note that it arrived."""
    log.conn.execute(
        "UPDATE outbox SET delivered_at = ?, attempts = ?, last_error = '' WHERE number = ?",
        [stamp(at), delivery.attempts + 1, delivery.number],
    )


def postpone(log: Database, delivery: Delivery, error: str, *, until: datetime) -> None:
    """Try again later; nothing else goes to the same address before, so that a dead one holds nobody up."""
    log.conn.execute(
        "UPDATE outbox SET attempts = ?, last_error = ? WHERE number = ?",
        [delivery.attempts + 1, error, delivery.number],
    )
    log.conn.execute(
        f"UPDATE outbox SET due_at = max(due_at, ?) WHERE url = ? AND {_PENDING}",  # noqa: S608
        [stamp(until), delivery.url],
    )


def give_up(log: Database, delivery: Delivery, error: str, *, at: datetime) -> None:
    """Stop trying."""
    log.conn.execute(
        "UPDATE outbox SET gave_up_at = ?, attempts = ?, last_error = ? WHERE number = ?",
        [stamp(at), delivery.attempts + 1, error, delivery.number],
    )


def give_up_address(log: Database, url: str, error: str, *, at: datetime) -> int:
    """Stop trying everything for one address; returns how many events that were."""
    cursor = log.conn.execute(
        f"UPDATE outbox SET gave_up_at = ?, last_error = ? WHERE url = ? AND {_PENDING}",  # noqa: S608
        [stamp(at), error, url],
    )
    return int(cursor.rowcount)


def forget(log: Database, *, before: datetime) -> None:
    """Delete what was delivered or given up before that moment."""
    log.conn.execute(
        "DELETE FROM outbox WHERE coalesce(delivered_at, gave_up_at) < ?",
        [stamp(before)],
    )


def _delivery(row: Row) -> Delivery:
    return Delivery(
        number=row["number"],
        id=row["id"],
        event=row["event"],
        url=row["url"],
        body=row["body"],
        made_at=datetime.fromisoformat(row["made_at"]),
        due_at=datetime.fromisoformat(row["due_at"]),
        attempts=row["attempts"],
    )
