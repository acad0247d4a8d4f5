"""The live queue: who waits for a person, who is being helped, and the talks that Kefu has alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.desk.board import read_board, reasons_between
from bot.desk.desk import utc_now
from bot.web.console.access import AsAgent, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.text import console_language

router = APIRouter()
_DAYS = 7  # that reasons are counted for


@router.get("")
def queue(request: Request, console: ConsoleHere, signed: AsAgent) -> Response:
    """The queue as a whole page."""
    return console.page(request, signed, "queue.html.jinja", **board_values(console, request))


@router.get("/queue")
def board(request: Request, console: ConsoleHere, signed: AsAgent) -> Response:
    """Its living part alone, for a page that heard that something changed."""
    return console.part(request, signed, "board.html.jinja", live=True, **board_values(console, request))


def board_values(console: Console, request: Request) -> dict[str, Any]:
    """What the board's template needs."""
    now, language = utc_now(), console_language(request)
    with console.desk.log.reading() as log:
        reasons = reasons_between(log, now - timedelta(days=_DAYS), now)
    present = console.presence.here()
    return {
        "board": read_board(console.desk),
        "reasons": reasons,
        "days": _DAYS,
        "title_of": lambda intent: console.assistant.intent_title(intent, language),
        "open_now": console.desk.hours.is_open(now),
        "opens_next": console.desk.hours.opens_next(now),
        "hours": console.desk.hours.rules,
        "present": [person for person in console.accounts.everybody() if person.id in present],
    }
