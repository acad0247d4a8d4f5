"""What is wrong with the knowledge base, found beside the page; each finding leads to its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.content import MESSAGES_FILE
from bot.upkeep.background import Progress
from bot.upkeep.checks.diagnostics import Diagnostic, Location, by_kind
from bot.upkeep.checks.examination import examine_knowledge
from bot.upkeep.checks.gathering import gather
from bot.upkeep.checks.said import in_language
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.text import console_language

router = APIRouter(prefix="/knowledge/check")
CHECK = "check"  # kind of the jobs
_DAYS, _SOON = 30, 30


@router.get("")
def found(request: Request, console: ConsoleHere, signed: AsEditor) -> Response:
    """What was found last."""
    return console.page(
        request, signed, "knowledge_check.html.jinja", tab="check", **_values(request, console)
    )


@router.get("/part")
def part(request: Request, console: ConsoleHere, signed: AsEditor) -> Response:
    """The findings alone, for the page that waits for them."""
    return console.part(request, signed, "knowledge_findings.html.jinja", **_values(request, console))


@router.post("")
def look(console: ConsoleHere, signed: AsEditor) -> Response:
    """Look the knowledge base over, beside the page."""
    workshop = console.workshop
    encoder, settings = workshop.kefu.encoder, workshop.settings

    def work(progress: Progress) -> list[Diagnostic]:
        since = datetime.now(UTC) - timedelta(days=_DAYS)
        return examine_knowledge(gather(settings, encoder, since=since, soon=_SOON), progress)

    workshop.background.start(CHECK, signed.staff.id, work)
    return RedirectResponse("/console/knowledge/check", 303)


def place_of(location: Location) -> str | None:
    """Where a finding is mended; None where there is no page for it."""
    if location.article is not None:
        return f"/console/knowledge/articles/{location.article}"
    if location.intent is not None:
        return f"/console/knowledge/intents/{location.intent}"
    if location.file == MESSAGES_FILE:
        return "/console/knowledge/messages"
    return None


def _values(request: Request, console: Console) -> dict[str, Any]:
    job = console.workshop.background.latest(CHECK)
    findings = [] if job is None or job.result is None else by_kind(job.result).items()
    in_words = partial(in_language, language=console_language(request).content.value)
    return {"job": job, "findings": list(findings), "place_of": place_of, "in_words": in_words}
