"""Who changed what, and back again; and how the trial of an edit goes on."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.errors import AccessRefused, ContentError
from bot.upkeep.backtest.marking import Part, marked
from bot.upkeep.editing.editor import EditCollides
from bot.upkeep.editing.history import Sides
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed
from bot.web.console.trial_rows import trial_rows
from bot.web.console.workshop import author_of

router = APIRouter(prefix="/knowledge")
_MOST = 100
_AROUND = 2  # lines that stay the same, shown around those that do not


@dataclass(frozen=True)
class DiffLine:
    """A line of both sides, in parts; None where a side has none. `gap` stands for lines that are the same."""

    before: tuple[Part, ...] | None
    after: tuple[Part, ...] | None
    same: bool = False
    gap: bool = False


@router.get("/history")
def history(request: Request, console: ConsoleHere, signed: AsEditor, file: str = "") -> Response:
    """The last saves."""
    entries = console.workshop.editor.history.latest(most=_MOST, of=[file] if file else ())
    return console.page(
        request, signed, "knowledge_history.html.jinja", tab="history", entries=entries, file=file
    )


@router.get("/history/{name}")
def entry(request: Request, console: ConsoleHere, signed: AsEditor, name: str) -> Response:
    """One save, both sides of each of its files."""
    return _entry(console, request, signed, name)


@router.post("/history/{name}/undo")
def undo(request: Request, console: ConsoleHere, signed: AsEditor, name: str) -> Response:
    """Put back what stood there before a save."""
    why = str(console.text(request)["knowledge"]["undone"]).format(name=name)
    try:
        saved = console.workshop.editor.undo(name, author_of(signed.staff), why)
    except EditCollides:
        text = console.text(request)["knowledge"]["undo_collides"]
        return _entry(console, request, signed, name, refusal=str(text))
    except ContentError as error:
        return _entry(console, request, signed, name, refusal=str(error))
    if saved is not None:
        console.note(signed.staff, "undo_knowledge", ", ".join(saved.files), name)
    return RedirectResponse("/console/knowledge/history?done=undone", 303)


@router.get("/trial/{job}")
def trial(request: Request, console: ConsoleHere, signed: AsEditor, job: str) -> Response:
    """How far the trial of an edit is, or what came of it."""
    found = console.workshop.background.find(job)
    if found is None or found.owner != signed.staff.id:
        raise AccessRefused("no_job", "This is not running any more. Start it again.")
    report = found.result.report if found.over and found.result is not None else None
    changes, text = () if report is None else report.changes, console.text(request)
    return console.part(
        request,
        signed,
        "knowledge_trial.html.jinja",
        job=found,
        error=found.error,
        report=report,
        changes=[(change, trial_rows(change, text)) for change in changes[:_MOST]],
    )


@router.post("/trial/{job}/stop")
def stop(request: Request, console: ConsoleHere, signed: AsEditor, job: str) -> Response:
    """End a trial."""
    console.workshop.background.stop(job)
    return trial(request, console, signed, job)


def diff_lines(sides: Sides) -> list[DiffLine]:
    """Both texts side by side, line by line, with what differs within a line marked."""
    before, after = _lines(sides.before), _lines(sides.after)
    shown: list[DiffLine] = []
    for code, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if code == "equal":
            shown += [_same(line) for line in before[i:j]]
            continue
        for number in range(max(j - i, m - k)):
            old = before[i + number] if i + number < j else None
            new = after[k + number] if k + number < m else None
            shown.append(_different(old, new))
    return list(_shortened(shown))


def _different(old: str | None, new: str | None) -> DiffLine:
    if old is None or new is None:
        return DiffLine(
            None if old is None else (Part(old, True),), None if new is None else (Part(new, True),)
        )
    return DiffLine(*marked(old, new))


def _same(line: str) -> DiffLine:
    return DiffLine((Part(line, False),), (Part(line, False),), same=True)


def _shortened(lines: list[DiffLine]) -> list[DiffLine]:
    near = {
        place + offset
        for place, line in enumerate(lines)
        if not line.same
        for offset in range(-_AROUND, _AROUND + 1)
    }
    kept: list[DiffLine] = []
    for place, line in enumerate(lines):
        if place in near:
            kept.append(line)
        elif not kept or not kept[-1].gap:
            kept.append(DiffLine(None, None, gap=True))
    return kept


def _lines(data: bytes | None) -> list[str]:
    return [] if data is None else data.decode("utf-8", "replace").splitlines()


def _entry(console: Console, request: Request, signed: Signed, name: str, *, refusal: str = "") -> Response:
    editor = console.workshop.editor
    saved = editor.history.find(name)
    sides = editor.history.sides(saved)
    return console.page(
        request,
        signed,
        "knowledge_entry.html.jinja",
        status=409 if refusal else 200,
        tab="history",
        entry=saved,
        files=[(file, diff_lines(both)) for file, both in sides.items()],
        refusal=refusal,
    )
