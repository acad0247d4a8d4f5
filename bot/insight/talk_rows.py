"""Which talks are behind a figure. The SQL that says what a figure counts stands here, once, for figures and lists alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from bot.insight.figures import DURABLE, Period
from bot.memory.records import Row, stamp

# One row a talk of the period, with what it is counted as. Of the columns beside `max(asked_at)`, SQLite takes the values
# of the row that has the maximum: those of the last turn.
TALKS = """
WITH votes AS MATERIALIZED (
    SELECT turn_id, value, max(given_at) FROM ratings WHERE reason NOT LIKE 'review: %' GROUP BY turn_id
), asked AS MATERIALIZED (
    SELECT t.number, t.conversation_id, t.asked_at, t.route, t.intent, t.language, votes.value AS vote
    FROM turns AS t LEFT JOIN votes ON votes.turn_id = t.id
    WHERE t.asked_at >= :since AND t.asked_at < :until AND t.route != 'merged'
), called AS (
    SELECT DISTINCT conversation_id FROM calls WHERE called_at >= :since AND called_at < :until
), talk AS (
    SELECT a.conversation_id AS id, max(a.asked_at) AS last_at, a.route AS last_route, a.number AS last_turn,
           a.language, coalesce(a.vote, 0) AS last_vote, count(*) AS turns,
           sum(a.route = 'no_answer') AS unanswered, sum(a.route != 'person') AS answerable
    FROM asked AS a GROUP BY a.conversation_id
), flagged AS (
    SELECT talk.*, c.channel, c.visitor_sha256, called.conversation_id IS NOT NULL AS handed_over,
           (called.conversation_id IS NULL AND last_route IN ('template', 'grounded') AND last_vote >= 0) AS resolved,
           (last_at < :settled) AS old_enough
    FROM talk JOIN conversations AS c ON c.id = talk.id LEFT JOIN called ON called.conversation_id = talk.id
)
"""

# Whether those of `{source}` are durable: asked of as few talks as possible, because it looks for later turns of each.
JUDGED = """
judged AS MATERIALIZED (
    SELECT f.*, CASE WHEN f.resolved AND f.old_enough THEN
        NOT EXISTS (
            SELECT 1 FROM conversations AS o JOIN turns AS t ON t.conversation_id = o.id
            WHERE o.visitor_sha256 = f.visitor_sha256 AND t.asked_at > f.last_at
              AND t.asked_at <= strftime('%Y-%m-%dT%H:%M:%f', f.last_at, :again))
        AND NOT EXISTS (
            SELECT 1 FROM conversation_customers AS mine
            JOIN conversation_customers AS other ON other.customer_id = mine.customer_id
            JOIN turns AS t ON t.conversation_id = other.conversation_id
            WHERE mine.conversation_id = f.id AND t.asked_at > f.last_at
              AND t.asked_at <= strftime('%Y-%m-%dT%H:%M:%f', f.last_at, :again))
        END AS durable
    FROM {source} AS f
)
"""

# What each figure counts, as a condition on a talk.
FIGURES: Mapping[str, str] = {
    "talks": "1",
    "resolved": "resolved",
    "unresolved": "NOT resolved",
    "durable": "durable",
    "returned": "durable = 0",
    "handed_over": "handed_over",
    "unanswered": "unanswered > 0",
    "up": "id IN (SELECT conversation_id FROM asked WHERE vote > 0)",
    "down": "id IN (SELECT conversation_id FROM asked WHERE vote < 0)",
    "slow": "id IN (SELECT conversation_id FROM turns WHERE total_ms >= :slow"
    " AND asked_at >= :since AND asked_at < :until)",
    "language": "id IN (SELECT conversation_id FROM asked WHERE language = :value)",
    "intent": "id IN (SELECT conversation_id FROM asked WHERE coalesce(intent, '') = :value)",
    "reason": "id IN (SELECT conversation_id FROM calls WHERE reason || '/' || detail = :value"
    " AND called_at >= :since AND called_at < :until)",
    "hours": "id IN (SELECT conversation_id FROM asked WHERE {bucket} IN (SELECT value FROM json_each(:value)))",
}
_OF_THE_JUDGED = ("durable", "returned")
BUCKET = "substr(asked_at, 1, 14) || CASE WHEN substr(asked_at, 15, 2) < '30' THEN '00' ELSE '30' END"  # half an hour, UTC


@dataclass(frozen=True)
class TalkRow:
    """A talk in a list; `words` and `route` are those of its last turn."""

    id: str
    channel: str
    last_at: datetime  # UTC
    turns: int
    words: str
    route: str
    language: str
    handed_over: bool
    resolved: bool
    durable: bool | None  # None if it is not resolved, or not old enough
    unanswered: int


@dataclass(frozen=True)
class Filter:
    """Which talks are wanted. `value` is the language, intent, reason ("reason/detail") or hour ("weekday-hour")."""

    figure: str = "talks"
    value: str = ""
    words: str = ""  # that a turn of it must hold, in question or answer

    @property
    def known(self) -> bool:
        """Whether there is such a figure."""
        return self.figure in FIGURES


def arguments(period: Period, *, now: datetime | None = None) -> dict[str, Any]:
    """What `TALKS` is asked with."""
    moment = datetime.now(UTC) if now is None else now
    return {
        **span(period),
        "settled": stamp(moment - DURABLE),
        "again": f"+{DURABLE.days} days",
    }


def span(period: Period) -> dict[str, str]:
    """The period's ends, as the log writes moments."""
    return {"since": stamp(period.since), "until": stamp(period.until)}


def hour_buckets(log: Database, period: Period) -> list[tuple[str, datetime, int]]:
    """Half hours in which something was asked: as UTC text, as a moment where the shop is, and how many turns."""
    rows = log.query(
        f"SELECT {BUCKET} AS bucket, count(*) AS turns FROM turns"  # noqa: S608 — a constant
        " WHERE asked_at >= :since AND asked_at < :until AND route != 'merged' GROUP BY bucket",
        span(period),
    )
    return [
        (
            row["bucket"],
            datetime.fromisoformat(f"{row['bucket']}:00+00:00").astimezone(period.zone),
            row["turns"],
        )
        for row in rows
    ]


def talks(
    log: Database,
    period: Period,
    wanted: Filter,
    *,
    most: int | None = None,
    offset: int = 0,
    slow: float | None = None,
    now: datetime | None = None,
) -> Iterator[TalkRow]:
    """The talks that a figure counts, the latest first.

    Args:
        log: the log.
        period: days.
        wanted: which ones.
        most: at most so many; default: all.
        offset: leaves out so many first.
        slow: milliseconds from which an answer is slow.
        now: the moment that decides which talks are old enough; default: now.
    """
    values = arguments(period, now=now) | {"slow": slow, "value": wanted.value}
    if wanted.figure == "hours":
        values["value"] = json.dumps(
            [
                bucket
                for bucket, at, _ in hour_buckets(log, period)
                if f"{at.weekday()}-{at.hour}" == wanted.value
            ]
        )
    condition = FIGURES[wanted.figure].replace("{bucket}", BUCKET)
    if wanted.words:
        values["like"] = "%{}%".format(
            wanted.words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        )
        condition += (
            " AND id IN (SELECT conversation_id FROM turns WHERE asked_at >= :since AND asked_at < :until AND"
            r" (customer_text LIKE :like ESCAPE '\' OR answer LIKE :like ESCAPE '\'))"
        )
    limit = "" if most is None else f" LIMIT {int(most)} OFFSET {int(offset)}"
    chosen = f"WHERE {condition} ORDER BY last_at DESC, id{limit}"
    if wanted.figure in _OF_THE_JUDGED:
        parts = [TALKS, JUDGED.replace("{source}", "flagged"), f"found AS (SELECT * FROM judged {chosen})"]  # noqa: S608 — constants
    else:
        few = f"few AS (SELECT * FROM flagged {chosen})"  # noqa: S608 — constants
        parts = [TALKS, few, JUDGED.replace("{source}", "few"), "found AS (SELECT * FROM judged)"]
    sql = (
        ", ".join(parts) + " SELECT found.*, t.customer_text AS words"  # noqa: S608 — constants and numbers
        " FROM found JOIN turns AS t ON t.number = found.last_turn"
        " ORDER BY found.last_at DESC, found.id"
    )
    used = {name: value for name, value in values.items() if f":{name}" in sql}
    for row in log.query(sql, used):
        yield _talk(row)


def _talk(row: Row) -> TalkRow:
    return TalkRow(
        id=row["id"],
        channel=row["channel"],
        last_at=datetime.fromisoformat(row["last_at"]),
        turns=row["turns"],
        words=row["words"],
        route=row["last_route"],
        language=row["language"],
        handed_over=bool(row["handed_over"]),
        resolved=bool(row["resolved"]),
        durable=None if row["durable"] is None else bool(row["durable"]),
        unanswered=row["unanswered"],
    )
