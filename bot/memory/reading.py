"""Reads the log: the questions that the chat, the page's history, the export and `kefu doctor` ask of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from bot.conversation import ConversationId, Correction, Rating, Turn, TurnId
from bot.memory.migrations import applied_steps
from bot.memory.records import TABLES, Row, read_correction, read_rating, read_turn, stamp


@dataclass(frozen=True)
class ConversationSummary:
    """A line in a visitor's history. `title` is the start of the first thing they asked."""

    id: ConversationId
    channel: str
    opened_at: datetime  # UTC
    last_at: datetime  # UTC; of the last turn, or of opening
    turns: int
    title: str


@dataclass(frozen=True)
class LoggedTurn:
    """A turn with what people said about it; `rating` and `correction` are the last ones given."""

    turn: Turn
    rating: Rating | None
    correction: Correction | None
    channel: str
    opened_at: datetime  # of the conversation, UTC
    visitor_sha256: str  # tells whose conversation it is, not who that is


@dataclass(frozen=True)
class LogReport:
    """The state of the log, for `kefu doctor`."""

    path: Path
    bytes: int  # with the write-ahead log
    journal_mode: str
    schema: str  # name of the last migration step
    integrity: str  # "ok", or what SQLite found
    counts: Mapping[str, int]  # rows a table
    sqlite_version: str
    writable: bool
    trouble: str | None  # why the last write failed; None when it did not
    spilled: tuple[Path, ...]  # files with records that still wait to be written


_TITLE_CHARACTERS = 60

_LAST_RATING = "SELECT number FROM ratings WHERE turn_id = t.id ORDER BY given_at DESC, number DESC LIMIT 1"
_LAST_CORRECTION = (
    "SELECT number FROM corrections WHERE turn_id = t.id ORDER BY given_at DESC, number DESC LIMIT 1"
)


def owner_and_channel(log: Database, conversation: ConversationId) -> tuple[str, str] | None:
    """The visitor's hash and the channel of a conversation, or None."""
    for row in log.query("SELECT visitor_sha256, channel FROM conversations WHERE id = ?", [conversation]):
        return row["visitor_sha256"], row["channel"]
    return None


def conversations_of(log: Database, visitor_sha256: str) -> list[ConversationSummary]:
    """A visitor's conversations that have a turn, the latest first."""
    rows = log.query(
        """
        SELECT c.id, c.channel, c.opened_at, max(t.asked_at) AS last_at, count(*) AS turns,
               (SELECT customer_text FROM turns WHERE conversation_id = c.id ORDER BY asked_at, number LIMIT 1) AS title
        FROM conversations AS c JOIN turns AS t ON t.conversation_id = c.id
        WHERE c.visitor_sha256 = ?
        GROUP BY c.id ORDER BY last_at DESC, c.id
        """,
        [visitor_sha256],
    )
    return [
        ConversationSummary(
            id=ConversationId(row["id"]),
            channel=row["channel"],
            opened_at=datetime.fromisoformat(row["opened_at"]),
            last_at=datetime.fromisoformat(row["last_at"]),
            turns=row["turns"],
            title=title_of(row["title"]),
        )
        for row in rows
    ]


def title_of(text: str) -> str:
    """The start of a customer's text, on one line."""
    line = " ".join(text.split())  # white space only; Chinese has none to lose
    return line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 1] + "…"


def turns_of(log: Database, conversation: ConversationId, *, last: int | None) -> list[Turn]:
    """A conversation's turns in order of time; only the `last` ones if given."""
    rows = log.query(
        "SELECT * FROM turns WHERE conversation_id = ? ORDER BY asked_at DESC, number DESC LIMIT ?",
        [conversation, -1 if last is None else max(0, last)],
    )
    return _with_parts(log, list(rows)[::-1])


def turn_by_id(log: Database, turn: TurnId) -> Turn | None:
    """One turn, or None."""
    found = _with_parts(log, list(log.query("SELECT * FROM turns WHERE id = ?", [turn])))
    return found[0] if found else None


def last_rating(log: Database, turn: TurnId) -> Rating | None:
    """The last vote on a turn, or None."""
    sql = "SELECT * FROM ratings WHERE turn_id = ? ORDER BY given_at DESC, number DESC LIMIT 1"
    return next((read_rating(row) for row in log.query(sql, [turn])), None)


def logged_page(
    log: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    rating: int | None,
    after: tuple[str, int] | None,
    size: int,
) -> tuple[list[LoggedTurn], tuple[str, int] | None]:
    """Up to `size` turns in order of time with their judgements, and where the next page starts (None at the end)."""
    rows = list(
        log.query(
            f"""
            SELECT t.*, c.channel, c.opened_at, c.visitor_sha256, r.value AS rating_value, r.reason AS rating_reason,
                   k.text AS correction_text, k.author AS correction_author
            FROM turns AS t JOIN conversations AS c ON c.id = t.conversation_id
            LEFT JOIN ratings AS r ON r.number = ({_LAST_RATING})
            LEFT JOIN corrections AS k ON k.number = ({_LAST_CORRECTION})
            WHERE (:since IS NULL OR t.asked_at >= :since) AND (:until IS NULL OR t.asked_at < :until)
              AND (:rating IS NULL OR r.value = :rating)
              AND (t.asked_at, t.number) > (:after_time, :after_number)
            ORDER BY t.asked_at, t.number LIMIT :size
            """,  # noqa: S608 - the two inserted parts are constants of this file
            {
                "since": None if since is None else stamp(since),
                "until": None if until is None else stamp(until),
                "rating": rating,
                "after_time": "" if after is None else after[0],
                "after_number": 0 if after is None else after[1],
                "size": size,
            },
        )
    )
    turns = _with_parts(log, rows)
    page = [_logged(row, turn) for row, turn in zip(rows, turns, strict=True)]
    return page, ((rows[-1]["asked_at"], rows[-1]["number"]) if len(rows) == size else None)


def counts(log: Database) -> dict[str, int]:
    """Rows of each table."""
    return {table: log.table(table).count for table in TABLES}


def last_step(log: Database) -> str:
    """Name of the last migration step; empty when there is none."""
    return (applied_steps(log) or [""])[-1]


def integrity(log: Database) -> str:
    """What SQLite says of the file's own order: "ok", or its first complaints."""
    lines = [str(row[0]) for row in log.execute("PRAGMA integrity_check(10)").fetchall()]
    broken = log.execute("PRAGMA foreign_key_check").fetchall()
    return "; ".join([*lines, f"{len(broken)} rows point at nothing"] if broken else lines)


def _with_parts(log: Database, rows: Sequence[Row]) -> list[Turn]:
    ids = json.dumps([row["id"] for row in rows])
    intents, passages, sources = (
        _parts(log, table, ids) for table in ("turn_intents", "turn_passages", "turn_sources")
    )
    return [read_turn(row, intents[row["id"]], passages[row["id"]], sources[row["id"]]) for row in rows]


def _parts(log: Database, table: str, ids: str) -> Mapping[str, list[Row]]:
    parts: defaultdict[str, list[Row]] = defaultdict(list)
    sql = f"SELECT * FROM {table} WHERE turn_id IN (SELECT value FROM json_each(?)) ORDER BY turn_id, place"  # noqa: S608
    for row in log.query(sql, [ids]):
        parts[row["turn_id"]].append(row)
    return parts


def _logged(row: Row, turn: Turn) -> LoggedTurn:
    judged = {"turn_id": turn.id, "value": row["rating_value"], "reason": row["rating_reason"]}
    corrected = {"turn_id": turn.id, "text": row["correction_text"], "author": row["correction_author"]}
    return LoggedTurn(
        turn=turn,
        rating=None if row["rating_value"] is None else read_rating(judged),
        correction=None if row["correction_text"] is None else read_correction(corrected),
        channel=row["channel"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        visitor_sha256=row["visitor_sha256"],
    )
