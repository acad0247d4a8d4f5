"""The record of who did what."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.web.console.access import AsAdmin, ConsoleHere

router = APIRouter()
_SIZE = 50


@router.get("/audit")
def record(request: Request, console: ConsoleHere, signed: AsAdmin, before: int | None = None) -> Response:
    """The last things that were done, the latest first."""
    entries = console.accounts.audit_page(before=before, size=_SIZE)
    older = entries[-1].number if len(entries) == _SIZE else None
    return console.page(
        request, signed, "audit.html.jinja", entries=entries, older=older, first=before is None
    )
