"""What could not be answered, by meaning: list, look closer, edit the draft, accept, dismiss, merge."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.errors import ContentError
from bot.memory.gaps import GapId
from bot.upkeep.editing.history import Sides
from bot.upkeep.gaps.accepting import Choice, Plan
from bot.upkeep.gaps.report import GapReport, Way
from bot.upkeep.gaps.review import GapReview, dismiss, merge, reopen
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed
from bot.web.console.text import console_language
from bot.web.console.workshop import SentForm, author_of, texts_of

router = APIRouter(prefix="/knowledge/unanswered")
PATH = "/console/knowledge/unanswered"
GAPS = "gaps"  # kind of the jobs
_DAYS, _MOST = 90, 50
_FRESH = timedelta(minutes=10)
_WAYS = {"intent": Way.AS_INTENT, "article": Way.AS_ARTICLE, "into": Way.INTO_INTENT}


@router.get("")
def gaps(request: Request, console: ConsoleHere, signed: AsEditor, again: bool = False) -> Response:
    """The list, gathered anew beside the page if it is old."""
    background, review = console.workshop.background, review_of(console)
    job = background.latest(GAPS)
    old = job is None or (job.over and datetime.now(UTC) - job.started_at > _FRESH)
    if job is None or old or (again and job.over):
        job = background.start(GAPS, "", lambda progress: _report(review, progress))
    return console.page(
        request,
        signed,
        "knowledge_unanswered.html.jinja",
        tab="unanswered",
        **_list(console, request, job.id),
    )


@router.get("/list/{job}")
def listed(request: Request, console: ConsoleHere, signed: AsEditor, job: str) -> Response:
    """The list alone, for the page that waits for it."""
    return console.part(request, signed, "knowledge_gaps.html.jinja", **_list(console, request, job))


@router.get("/{gap}")
def gap(request: Request, console: ConsoleHere, signed: AsEditor, gap: int, way: str = "") -> Response:
    """One gap with its talks and a draft."""
    return _closer(console, request, signed, gap, way)


@router.post("/{gap}/accept")
def accept(request: Request, console: ConsoleHere, signed: AsEditor, gap: int, form: SentForm) -> Response:
    """Write what is in the form into the knowledge base."""
    typed = texts_of(form)
    review = review_of(console)
    try:
        stored, plan = _accept(review, GapId(gap), form)
    except ContentError as error:
        return _closer(console, request, signed, gap, typed.get("way", ""), refusal=str(error), form=form)
    _keep(console, signed, plan, f"{stored.id}: {stored.title}")
    _forget_list(console)
    console.note(signed.staff, "gap_accepted", str(stored.id), plan.outcome)
    return RedirectResponse(f"{PATH}?done=accepted&again=1", 303)


@router.post("/{gap}/dismiss")
def put_aside(
    console: ConsoleHere, signed: AsEditor, gap: int, reason: Annotated[str, Form()] = ""
) -> Response:
    """Say that nothing is to be done."""
    dismiss(review_of(console).store.path, GapId(gap), reason.strip())
    console.note(signed.staff, "gap_dismissed", str(gap), reason.strip())
    return RedirectResponse(f"{PATH}?done=dismissed&again=1", 303)


@router.post("/{gap}/reopen")
def take_up(console: ConsoleHere, signed: AsEditor, gap: int) -> Response:
    """Take back what was decided."""
    reopen(review_of(console).store.path, GapId(gap))
    console.note(signed.staff, "gap_reopened", str(gap))
    return RedirectResponse(f"{PATH}/{gap}?done=reopened", 303)


@router.post("/{gap}/merge")
def join(console: ConsoleHere, signed: AsEditor, gap: int, other: Annotated[int, Form()]) -> Response:
    """Put another gap into this one."""
    kept = merge(review_of(console).store.path, GapId(gap), GapId(other))
    console.note(signed.staff, "gap_merged", str(kept.id), str(other))
    return RedirectResponse(f"{PATH}/{kept.id}?done=merged", 303)


def review_of(console: Console) -> GapReview:
    """The gaps of the wired assistant.

    Raises:
        AccessRefused: `not_wired`.
    """
    workshop = console.workshop
    kefu = workshop.kefu
    return GapReview(
        knowledge=kefu.manager.knowledge,
        encoder=kefu.encoder,
        store=kefu.store,
        knowledge_base=workshop.settings.knowledge_base,
        mask=workshop.mask,
        day=workshop.today(),
    )


def _report(review: GapReview, progress: Any) -> GapReport:
    progress("gather", 0, 1)
    return review.report(since=datetime.now(UTC) - timedelta(days=_DAYS), limit=_MOST)


def _list(console: Console, request: Request, job: str) -> dict[str, Any]:
    language = console_language(request)
    return {
        "job": console.workshop.background.find(job),
        "days": _DAYS,
        "title_of": lambda intent: console.assistant.intent_title(intent, language),
    }


def _accept(review: GapReview, gap: GapId, form: FormData) -> tuple[Any, Plan]:
    typed = texts_of(form)
    way = _WAYS.get(typed.get("way", ""))
    if way is Way.INTO_INTENT:
        return review.accept(gap, Choice(way, typed.get("intent", "").strip()))
    drafts = texts_of(form, "draft.")
    with tempfile.TemporaryDirectory(prefix="kefu-draft-") as scratch:
        files = []
        for number, (name, text) in enumerate(drafts.items()):
            suffix = ".md" if name.endswith(".md") else ".yaml"
            path = Path(scratch) / f"draft{number}{suffix}"
            path.write_text(text.replace("\r\n", "\n"), "utf-8")
            files.append(path)
        if not files:
            raise ContentError("There is no draft to accept. Choose an answer or an article first.")
        return review.accept(gap, Choice(way, files=tuple(files)))


def _keep(console: Console, signed: Signed, plan: Plan, why: str) -> None:
    """Put what was written into the history, so that it can be taken back like any edit."""
    sides = {change.name: Sides(change.before, change.text.encode()) for change in plan.changes}
    console.workshop.editor.history.keep(sides, author_of(signed.staff), why)


def _forget_list(console: Console) -> None:
    job = console.workshop.background.latest(GAPS)
    if job is not None and not job.over:
        console.workshop.background.stop(job.id)


def _closer(
    console: Console,
    request: Request,
    signed: Signed,
    gap: int,
    way: str,
    *,
    refusal: str = "",
    form: FormData | None = None,
) -> Response:
    review = review_of(console)
    found = review.look(GapId(gap), way=_WAYS.get(way))
    typed = {} if form is None else texts_of(form, "draft.")
    suggested = found.gap.suggestion
    names = {each: name for name, each in _WAYS.items()}
    chosen = way if way in _WAYS else names.get(suggested.way, "article") if suggested else "article"
    language = console_language(request)
    return console.page(
        request,
        signed,
        "knowledge_gap.html.jinja",
        status=409 if refusal else 200,
        tab="unanswered",
        closer=found,
        drafts=typed if typed else {draft.name: draft.text for draft in found.drafts},
        way=chosen,
        ways=list(_WAYS),
        refusal=refusal,
        intents=[line.id for line in console.workshop.shelf.intents()],
        target=suggested.target if suggested and suggested.way is Way.INTO_INTENT else "",
        title_of=lambda intent: console.assistant.intent_title(intent, language),
    )
