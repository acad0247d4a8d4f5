"""What every page that edits content does alike: save, refuse with the field, say what a save would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.errors import ContentError
from bot.upkeep.editing.checking import EditRefused, FieldProblem
from bot.upkeep.editing.editor import Edit, EditCollides
from bot.upkeep.editing.trial import try_edit
from bot.web.console.console import Console
from bot.web.console.session import Signed
from bot.web.console.workshop import author_of

TRIAL = "trial"  # kind of the jobs that try an edit


@dataclass(frozen=True)
class Refused:
    """Why a save did not come to be; all empty if nothing was refused."""

    at: Mapping[str, str] = field(default_factory=dict)  # the form's field → what is wrong with it
    problems: Sequence[FieldProblem] = ()  # at no field of this form
    collided: tuple[str, ...] = ()  # files that a colleague has changed meanwhile
    message: str = ""

    @property
    def anything(self) -> bool:
        """Whether there is something to show."""
        return bool(self.at or self.problems or self.collided or self.message)


NOTHING_REFUSED = Refused()
FieldOf = Callable[[FieldProblem], str | None]  # which field of the form a problem belongs to; None: to none


def save(console: Console, signed: Signed, edits: Sequence[Edit], why: str, field_of: FieldOf) -> Refused:
    """Save edits and note who did; or say why not."""
    try:
        saved = console.workshop.editor.save(edits, author_of(signed.staff), why)
    except EditCollides as collision:
        return Refused(collided=collision.files)
    except EditRefused as refusal:
        placed = [(field_of(problem), problem) for problem in refusal.problems]
        return Refused(
            at={name: problem.message for name, problem in placed if name is not None},
            problems=[problem for name, problem in placed if name is None],
        )
    except ContentError as error:
        return Refused(message=str(error))
    if saved is not None:
        console.note(signed.staff, "edit_knowledge", ", ".join(saved.files), why)
    return NOTHING_REFUSED


def saved_page(path: str) -> Response:
    """Show the page anew, with a line that says that it was saved."""
    return RedirectResponse(f"{path}?done=saved", 303)


def start_trial(console: Console, request: Request, signed: Signed, edits: Sequence[Edit]) -> HTMLResponse:
    """Begin to find out what edits would change; the piece of the page that goes on asking."""
    workshop = console.workshop
    files = {edit.name: edit.data for edit in edits if edit.data != workshop.editor.read(edit.name)}
    try:
        workshop.editor.check(files)
    except ContentError as error:
        return console.part(request, signed, "knowledge_trial.html.jinja", job=None, error=str(error))
    models = workshop.models
    job = workshop.background.start(
        TRIAL, signed.staff.id, lambda progress: try_edit(workshop.settings, models, files, progress)
    )
    return console.part(request, signed, "knowledge_trial.html.jinja", job=job, error="")


def versions(edits: Sequence[Edit]) -> dict[str, Any]:
    """The version of each file that was opened, by its name."""
    return {edit.name: edit.version for edit in edits}
