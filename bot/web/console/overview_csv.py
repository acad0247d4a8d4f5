"""Tables for spreadsheets. A cell that a spreadsheet would run as a formula begins with an apostrophe."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from starlette.responses import Response

from bot.errors import AccessRefused
from bot.insight.figures import Overview, Period, Share
from bot.insight.talk_rows import TalkRow

# What begins a formula, also in full width (Excel in Chinese takes ＝ for =), and what hides such a beginning.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes the file for no UTF-8

Cell = str | int | float | None
Table = Iterable[Sequence[Any]]


def csv_response(what: str, found: Overview | Sequence[TalkRow], period: Period) -> Response:
    """One table as a file.

    Raises:
        AccessRefused: `no_table`: there is none of this name.
    """
    rows = _talks(found) if isinstance(found, Sequence) else _table(what, found)
    name = f"kefu-{what}-{period.first}-{period.last}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


def as_csv(rows: Table) -> str:
    """Rows as CSV that a spreadsheet opens without running anything."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return _BYTE_ORDER_MARK + out.getvalue()


def guarded(cell: Cell) -> Cell:
    """A cell as it may stand in a spreadsheet: texts that begin like a formula get an apostrophe, numbers stay."""
    if isinstance(cell, str) and cell.lstrip(" \u3000\u200b\ufeff").startswith(_FORMULA):
        return f"'{cell}"
    return cell


def _table(what: str, found: Overview) -> Iterator[Sequence[Cell]]:
    tables = {
        "figures": _figures,
        "days": _days,
        "intents": _intents,
        "reasons": _reasons,
        "hours": _hours,
        "languages": _languages,
    }
    if what not in tables:
        raise AccessRefused(
            "no_table", f"There is no table {what!r}. Choose one of: {', '.join(tables)}, talks."
        )
    return tables[what](found)


def _figures(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "figure", "part", "whole", "share"
    yield "talks", found.talks, None, None
    yield "turns", found.turns, None, None
    shares: dict[str, Share] = {
        "resolved": found.resolved,
        "durable": found.durable,
        "handed_over": found.handed_over,
        "unanswered": found.unanswered,
        "rated_up": found.rated_up,
    }
    for name, share in shares.items():
        yield name, share.part, share.whole, None if share.share is None else round(share.share, 4)
    yield "p50_ms", found.p50, None, None
    yield "p95_ms", found.p95, None, None


def _days(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "day", "talks", "turns", "calls", "unanswered"
    for day in found.days:
        yield day.day.isoformat(), day.talks, day.turns, day.calls, day.unanswered


def _intents(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "intent", "turns", "talks", "unanswered", "rated_up", "rated_down"
    for each in found.intents:
        yield each.intent, each.turns, each.talks, each.unanswered, each.up, each.down


def _reasons(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "reason", "detail", "calls"
    for each in found.reasons:
        yield each.reason, each.detail, each.calls


def _hours(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "weekday", "hour", "turns"
    for (weekday, hour), turns in sorted(found.hours.items()):
        yield weekday + 1, hour, turns


def _languages(found: Overview) -> Iterator[Sequence[Cell]]:
    yield "language", "turns"
    yield from found.languages.items()


def _talks(rows: Sequence[TalkRow]) -> Iterator[Sequence[Cell]]:
    yield (
        *("conversation", "channel", "last_at", "turns", "language", "last_route"),
        *("handed_over", "resolved", "durable", "unanswered", "last_words"),
    )
    for row in rows:
        yield (
            *(row.id, row.channel, row.last_at.isoformat(), row.turns, row.language, row.route),
            *(int(row.handed_over), int(row.resolved), None if row.durable is None else int(row.durable)),
            *(row.unanswered, row.words),
        )
