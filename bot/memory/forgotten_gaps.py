"""What becomes of gaps whose questions are forgotten: without any left they go, else they take the title of one that is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlite_utils import Database

from bot.memory.reading import title_of


def renew_gaps(log: Database, touched: Iterable[int], gone: set[str]) -> None:
    """Take away gaps of which no question is left, and titles that are a question that is gone."""
    members: defaultdict[int, list[int]] = defaultdict(list)  # a gap → those that were merged into it
    for row in log.query("SELECT number, merged_into FROM gaps WHERE merged_into IS NOT NULL"):
        members[row["merged_into"]].append(row["number"])
    for gap in touched:
        family = [gap]
        for number in family:  # grows while it is read
            family += members[number]
        left = _latest_question(log, gap)
        for number in reversed(family):  # what points at others first
            if left is None:
                log.conn.execute("DELETE FROM gaps WHERE number = ?", [number])
            elif next(log.query("SELECT title FROM gaps WHERE number = ?", [number]))["title"] in gone:
                log.conn.execute("UPDATE gaps SET title = ? WHERE number = ?", [title_of(left), number])


def _latest_question(log: Database, gap: int) -> str | None:
    sql = """
        SELECT t.question FROM gap_turns AS g JOIN turns AS t ON t.id = g.turn_id WHERE g.gap = ?
        ORDER BY t.asked_at DESC, t.number DESC LIMIT 1"""
    row = next(log.query(sql, [gap]), None)
    return None if row is None else row["question"]
