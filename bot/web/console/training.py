"""A night's learning from the console: start it, watch it, read its report card, promote and roll back."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from bot.answering.registry import AdapterRegistry
from bot.errors import AccessRefused, BotError, RegistryError
from bot.models import adapter_registry
from bot.upkeep.background import Progress
from bot.web.console.access import AsAdmin, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed

router = APIRouter(prefix="/training")
PROMOTE = "promote"  # kind of the jobs
_LINES = 12
_PROMOTE = (sys.executable, "-m", "app", "promote")


@router.get("")
def training(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """What runs, what came of the last one, and the adapters."""
    return _page(console, request, signed)


@router.get("/progress")
def progress(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """How far the cycle is, for a page that watches it."""
    values = _values(console)
    part = console.part(request, signed, "training_progress.html.jinja", **values)
    if values["running"] is None and (values["promoting"] is None or values["promoting"].over):
        part.headers["HX-Refresh"] = "true"  # what came of it stands elsewhere on the page
    return part


@router.post("/start")
def start(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """Start a cycle."""
    try:
        console.workshop.cycle.start(signed.staff.name)
    except BotError as error:
        return _page(console, request, signed, refusal=str(error))
    console.note(signed.staff, "cycle_started", "")
    return RedirectResponse("/console/training", 303)


@router.post("/stop")
def stop(console: ConsoleHere, signed: AsAdmin) -> Response:
    """End the cycle that runs."""
    if console.workshop.cycle.stop():
        console.note(signed.staff, "cycle_stopped", "")
    return RedirectResponse("/console/training", 303)


@router.post("/promote")
def promote(
    console: ConsoleHere, signed: AsAdmin, adapter: Annotated[str, Form()], force: Annotated[str, Form()] = ""
) -> Response:
    """Let an adapter serve if its evaluation says so, or for the reason that is given; in a process of its own."""
    known = {each.id for each in _adapters(console)["adapters"]}
    if adapter not in known:
        raise AccessRefused("no_adapter", f"There is no adapter {adapter!r}.")
    options = [f"--force={force.strip()}"] if force.strip() else []

    def work(_: Progress) -> str:
        command = [*_PROMOTE, adapter, *options]  # an adapter that there is, and a reason
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RegistryError(
                done.stderr.strip()[-2000:] or f"`kefu promote` ended with {done.returncode}."
            )
        return done.stderr.strip()[-2000:]

    console.workshop.background.start(PROMOTE, "", work)
    console.note(signed.staff, "promote", adapter, force.strip())
    return RedirectResponse("/console/training", 303)


@router.post("/rollback")
def rollback(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """Let the adapter serve again that served before."""
    try:
        now = adapter_registry(console.settings).rollback(by=signed.staff.name)
    except BotError as error:
        return _page(console, request, signed, refusal=str(error))
    console.note(signed.staff, "rollback", now)
    return RedirectResponse("/console/training?done=rolled_back", 303)


@router.get("/report/{adapter}")
def report(console: ConsoleHere, signed: AsAdmin, adapter: str) -> Response:
    """The report card of an adapter, as its evaluation wrote it; may do nothing but show itself."""
    path = console.workshop.cycle.report(adapter)
    if path is None:
        raise AccessRefused("no_report", f"There is no report on {adapter!r}.")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers={"cache-control": "no-store"})


def _page(console: Console, request: Request, signed: Signed, *, refusal: str = "") -> Response:
    values = _values(console)
    status = 409 if refusal else 200
    return console.page(
        request, signed, "training.html.jinja", status=status, refusal=refusal, **values, **_adapters(console)
    )


def _values(console: Console) -> dict[str, Any]:
    cycle = console.workshop.cycle
    return {
        "running": cycle.running(),
        "log": cycle.log(lines=_LINES),
        "last": cycle.last(),
        "broken_off": cycle.broken_off(),
        "promoting": console.workshop.background.latest(PROMOTE),
    }


def _adapters(console: Console) -> dict[str, Any]:
    try:
        registry: AdapterRegistry = adapter_registry(console.settings)
        listed, serving, history = registry.listed(), registry.current(), registry.history()
    except BotError as error:
        return {"adapters": [], "serving": "", "history": (), "trouble": str(error), "reports": {}}
    reports = {each.id: console.workshop.cycle.report(each.id) is not None for each in listed}
    return {"adapters": listed, "serving": serving, "history": history, "trouble": "", "reports": reports}
