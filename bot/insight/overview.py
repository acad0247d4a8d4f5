"""Counts what happened in a period: by SQL over the log, each figure as `bot/insight/figures.py` defines it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.insight.figures import (
    DayFigures,
    IntentFigures,
    Overview,
    Period,
    ReasonFigures,
    Share,
)
from bot.insight.talk_rows import JUDGED, TALKS, arguments, hour_buckets, span

_BY_BOT = "route NOT IN ('merged', 'person')"  # turns that the bot had to answer; `answerable` of a talk counts them


def overview(log: Database, period: Period, *, now: datetime | None = None) -> Overview:
    """All figures of a period.

    Args:
        log: the log.
        period: days.
        now: the moment that decides which talks are old enough to be durable; default: now.
    """
    values = arguments(period, now=now)
    counts = next(
        log.query(
            f"""{TALKS}, {JUDGED.replace("{source}", "flagged")}
            SELECT count(*) AS talks, coalesce(sum(turns), 0) AS turns, coalesce(sum(resolved), 0) AS resolved,
                   coalesce(sum(handed_over), 0) AS handed_over, coalesce(sum(durable), 0) AS durable,
                   count(durable) AS asked_again, coalesce(sum(unanswered), 0) AS unanswered,
                   coalesce(sum(answerable), 0) AS answerable
            FROM judged""",  # noqa: S608 — constants
            values,
        )
    )
    latencies, intents = _latencies(log, period), _intents(log, period)
    up, down = sum(each.up for each in intents), sum(each.down for each in intents)
    buckets = hour_buckets(log, period)
    hours: Counter[tuple[int, int]] = Counter()
    for _, at, turns in buckets:
        hours[at.weekday(), at.hour] += turns
    return Overview(
        period=period,
        talks=counts["talks"],
        turns=counts["turns"],
        resolved=Share(counts["resolved"], counts["talks"]),
        durable=Share(counts["durable"], counts["asked_again"]),
        handed_over=Share(counts["handed_over"], counts["talks"]),
        unanswered=Share(counts["unanswered"], counts["answerable"]),
        rated_up=Share(up, up + down),
        p50=percentile(latencies, 0.5),
        p95=percentile(latencies, 0.95),
        languages=_languages(log, period),
        days=_days(log, period),
        hours=dict(hours),
        intents=intents,
        reasons=_reasons(log, period),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that `share` of all are not above (nearest rank); None of nothing."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * round(share * 100) // 100))
    return ordered[rank - 1]


def _latencies(log: Database, period: Period) -> list[float]:
    sql = f"""
        SELECT total_ms FROM turns
        WHERE asked_at >= :since AND asked_at < :until AND {_BY_BOT} AND total_ms IS NOT NULL"""  # noqa: S608 — constants
    return sorted(milliseconds for (milliseconds,) in log.conn.execute(sql, span(period)))


def _languages(log: Database, period: Period) -> dict[str, int]:
    sql = """
        SELECT language, count(*) AS turns FROM turns
        WHERE asked_at >= :since AND asked_at < :until AND route != 'merged'
        GROUP BY language ORDER BY turns DESC, language"""
    return {row["language"]: row["turns"] for row in log.query(sql, span(period))}


def _days(log: Database, period: Period) -> tuple[DayFigures, ...]:
    """Days where the shop is. A day there is two strings of UTC, so each is asked for by its ends."""
    found = []
    for number in range(period.days):
        day = period.first + timedelta(days=number)
        ends = span(Period(day, day, period.zone))
        row = next(
            log.query(
                """
                SELECT count(DISTINCT conversation_id) AS talks, count(*) AS turns,
                       coalesce(sum(route = 'no_answer'), 0) AS unanswered,
                       (SELECT count(*) FROM calls WHERE called_at >= :since AND called_at < :until) AS calls
                FROM turns WHERE asked_at >= :since AND asked_at < :until AND route != 'merged'""",
                ends,
            )
        )
        found.append(DayFigures(day, row["talks"], row["turns"], row["calls"], row["unanswered"]))
    return tuple(found)


def _intents(log: Database, period: Period) -> tuple[IntentFigures, ...]:
    sql = f"""{TALKS}
        SELECT asked.intent, count(*) AS turns, count(DISTINCT conversation_id) AS talks,
               sum(route = 'no_answer') AS unanswered, coalesce(sum(vote > 0), 0) AS up,
               coalesce(sum(vote < 0), 0) AS down
        FROM asked GROUP BY asked.intent ORDER BY turns DESC, asked.intent"""  # noqa: S608 — constants
    return tuple(IntentFigures(**row) for row in log.query(sql, span(period) | {"settled": "", "again": ""}))


def _reasons(log: Database, period: Period) -> tuple[ReasonFigures, ...]:
    sql = """
        SELECT reason, detail, count(*) AS calls FROM calls WHERE called_at >= :since AND called_at < :until
        GROUP BY reason, detail ORDER BY calls DESC, reason, detail"""
    return tuple(ReasonFigures(**row) for row in log.query(sql, span(period)))
