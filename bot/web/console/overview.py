"""The overview: how many talks, how they ended, what is asked and when; each figure opens its talks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlite_utils import Database
from starlette.requests import Request
from starlette.responses import Response

from bot.insight.figures import Overview, Period
from bot.insight.overview import overview
from bot.insight.talk_rows import Filter, talks
from bot.memory.connection import empty_log, open_for_reading
from bot.web.console.access import AsAgent, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.overview_csv import csv_response
from bot.web.console.overview_plots import day_plot, heat_map
from bot.web.console.text import console_language

router = APIRouter(prefix="/overview")
_PRESETS = (7, 30, 90)
_MOST_DAYS = 366
_PAGE = 50


@dataclass(frozen=True)
class Chosen:
    """The period that a page shows."""

    period: Period
    preset: int | None  # days up to today

    def query(self, **more: str) -> str:
        """The rest of an address that keeps the period."""
        first, last = self.period.first.isoformat(), self.period.last.isoformat()
        return urlencode({"first": first, "last": last} | more)


@router.get("")
def figures(
    request: Request, console: ConsoleHere, signed: AsAgent, first: str = "", last: str = ""
) -> Response:
    """All figures of a period."""
    chosen = choose(console, first, last)
    with log_of(console) as log:
        found = overview(log, chosen.period)
    language = console_language(request)
    return console.page(
        request,
        signed,
        "overview.html.jinja",
        chosen=chosen,
        presets=_PRESETS,
        found=found,
        plot=day_plot(found.days),
        heat=heat_map(found.hours, found.busiest),
        title_of=lambda intent: console.assistant.intent_title(intent, language),
        today=console.workshop.today(),
        timedelta=timedelta,
    )


@router.get("/talks")
def behind(
    request: Request,
    console: ConsoleHere,
    signed: AsAgent,
    figure: str = "talks",
    value: str = "",
    words: str = "",
    first: str = "",
    last: str = "",
    page: int = 1,
) -> Response:
    """The talks behind a figure."""
    chosen, wanted = choose(console, first, last), _filter(figure, value, words)
    start = max(0, page - 1) * _PAGE
    with log_of(console) as log:
        slow = _slow(log, chosen.period) if wanted.figure == "slow" else None
        rows = list(talks(log, chosen.period, wanted, most=_PAGE + 1, offset=start, slow=slow))
    language = console_language(request)
    return console.page(
        request,
        signed,
        "overview_talks.html.jinja",
        chosen=chosen,
        wanted=wanted,
        rows=rows[:_PAGE],
        more=len(rows) > _PAGE,
        number=max(1, page),
        title_of=lambda intent: console.assistant.intent_title(intent, language),
    )


@router.get("/{what}.csv")
def table(
    console: ConsoleHere,
    signed: AsAgent,
    what: str,
    figure: str = "talks",
    value: str = "",
    words: str = "",
    first: str = "",
    last: str = "",
) -> Response:
    """One of the page's tables as a file for a spreadsheet."""
    chosen, wanted = choose(console, first, last), _filter(figure, value, words)
    console.note(signed.staff, "export", what, chosen.query())
    with log_of(console) as log:
        if what == "talks":
            slow = _slow(log, chosen.period) if wanted.figure == "slow" else None
            rows: Any = list(talks(log, chosen.period, wanted, slow=slow))
            return csv_response(what, rows, chosen.period)
        return csv_response(what, overview(log, chosen.period), chosen.period)


def choose(console: Console, first: str, last: str) -> Chosen:
    """The period that an address names; by default the last 30 days. What cannot be read is today."""
    today = console.workshop.today()
    end = min(_day(last, today), today)
    start = min(_day(first, end - timedelta(days=_PRESETS[1] - 1)), end)
    start = max(start, end - timedelta(days=_MOST_DAYS - 1))
    days = (end - start).days + 1
    period = Period(start, end, ZoneInfo(console.settings.time_zone))
    return Chosen(period, days if end == today and days in _PRESETS else None)


@contextmanager
def log_of(console: Console) -> Iterator[Database]:
    """The log, on a connection of its own: counting must not keep the desk waiting."""
    found = open_for_reading(console.desk.log.path)
    with closing(empty_log() if found is None else found) as log:
        yield log


def _slow(log: Database, period: Period) -> float:
    found: Overview = overview(log, period)
    return 0.0 if found.p95 is None else found.p95


def _filter(figure: str, value: str, words: str) -> Filter:
    wanted = Filter(figure, value, words.strip())
    return wanted if wanted.known else Filter(words=words.strip())


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
