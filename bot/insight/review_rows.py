"""Which turns a person should look at: voted down, without an answer, close calls, and those that a person put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.conversation import TurnId
from bot.memory.records import Row, stamp

REVIEWED = ("accept_turn", "correct_turn", "reject_turn")  # actions of the record that settle a turn
KINDS = ("down", "corrected", "no_answer", "close")

# A close call: the best intent won by little more than it had to. How little is worth a look is a matter of taste.
_CLOSE = 0.1

_WORTH = """
WITH votes AS (SELECT turn_id, value, reason, max(given_at) FROM ratings GROUP BY turn_id),
better AS (SELECT turn_id, text, author, max(given_at) FROM corrections GROUP BY turn_id),
worth AS MATERIALIZED (
    SELECT t.id, t.number, t.asked_at,
           CASE WHEN v.value < 0 THEN 'down' WHEN b.text IS NOT NULL THEN 'corrected'
                WHEN t.route = 'no_answer' THEN 'no_answer' ELSE 'close' END AS kind,
           coalesce(v.reason, '') AS vote_reason, b.text AS correction, b.author
    FROM turns AS t LEFT JOIN votes AS v ON v.turn_id = t.id LEFT JOIN better AS b ON b.turn_id = t.id
    WHERE t.asked_at >= :since AND t.route NOT IN ('merged', 'person')
      AND t.id NOT IN (SELECT subject FROM audit WHERE action IN ('accept_turn', 'correct_turn', 'reject_turn'))
      AND (v.value < 0 OR b.text IS NOT NULL OR t.route = 'no_answer'
           OR (t.route = 'template' AND t.margin < json_extract(t.thresholds, '$.template_margin') + :close))
)
"""
_ORDER = " ".join(f"WHEN '{each}' THEN {place}" for place, each in enumerate(KINDS))
# Both in one statement, because the log is gone through once for it. The rows of counts have no id.
_COUNTED_AND_LISTED = f"""{_WORTH}
SELECT kind, count(*) AS turns, NULL AS id, NULL AS vote_reason, NULL AS correction, NULL AS author
FROM worth GROUP BY kind
UNION ALL
SELECT * FROM (
    SELECT kind, 0, id, vote_reason, correction, author FROM worth WHERE :kind IN ('', kind)
    ORDER BY CASE kind {_ORDER} END, asked_at DESC, number DESC LIMIT :most)
"""  # noqa: S608 — constants


@dataclass(frozen=True)
class ReviewRow:
    """A turn that is worth a look, why, and what people said of it."""

    turn: TurnId
    kind: str
    vote_reason: str
    correction: str | None
    author: str | None


def worth_a_look(
    log: Database, since: datetime, *, kind: str = "", most: int = 50
) -> tuple[list[ReviewRow], dict[str, int]]:
    """Turns that nobody has reviewed yet, the weightiest kind first and then the latest; and how many of each kind.

    Args:
        log: the log.
        since: from when on (with time zone).
        kind: one of `KINDS`; "" for all.
        most: at most so many.
    """
    values: dict[str, Any] = {"since": stamp(since), "close": _CLOSE, "kind": kind, "most": most}
    found = list(log.query(_COUNTED_AND_LISTED, values))
    counts = {row["kind"]: row["turns"] for row in found if row["id"] is None}
    return [_row(row) for row in found if row["id"] is not None], dict.fromkeys(KINDS, 0) | counts


def reviewed_since(log: Database, since: datetime, actions: Sequence[str] = REVIEWED) -> int:
    """How many turns were settled since a moment."""
    marks = ", ".join("?" * len(actions))
    sql = f"SELECT count(*) AS turns FROM audit WHERE done_at >= ? AND action IN ({marks})"  # noqa: S608 — marks are ours
    return int(next(log.query(sql, [stamp(since), *actions]))["turns"])


def _row(row: Row) -> ReviewRow:
    return ReviewRow(
        turn=TurnId(row["id"]),
        kind=row["kind"],
        vote_reason=row["vote_reason"],
        correction=row["correction"],
        author=row["author"],
    )
