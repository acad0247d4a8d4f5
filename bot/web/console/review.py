"""The review queue, made for the keyboard: turns worth a look, each accepted, rejected, put right or made a golden question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from bot.conversation import Correction, Rating, Turn, TurnId
from bot.errors import AccessRefused, BotError, TurnUnknown
from bot.golden import GOLDEN_FILE
from bot.insight.figures import BY_STAFF
from bot.insight.review_rows import KINDS, reviewed_since, worth_a_look
from bot.upkeep.editing.golden import expected_of, golden_edit
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.overview import log_of
from bot.web.console.session import Signed
from bot.web.console.text import console_language
from bot.web.console.workshop import author_of

router = APIRouter(prefix="/review")
_DAYS, _MOST = 30, 25
LONGEST = 4000  # characters of a better answer


@router.get("")
def queue(
    request: Request, console: ConsoleHere, signed: AsEditor, kind: str = "", part: bool = False
) -> Response:
    """The turns to look at; `part` gives more of them alone."""
    now = datetime.now(UTC)
    chosen = kind if kind in KINDS else ""
    with log_of(console) as log:
        rows, counts = worth_a_look(log, now - timedelta(days=_DAYS), kind=chosen, most=_MOST)
        hour = reviewed_since(log, now - timedelta(hours=1))
    store = console.workshop.kefu.store
    language = console_language(request)
    values: dict[str, Any] = {
        "items": [(row, store.turn(row.turn)) for row in rows],
        "counts": counts,
        "kind": chosen,
        "hour": hour,
        "days": _DAYS,
        "html": console.markdown.html,
        "title_of": lambda intent: console.assistant.intent_title(intent, language),
    }
    if part:
        return console.part(request, signed, "review_items.html.jinja", **values)
    return console.page(request, signed, "review.html.jinja", **values)


@router.post("/{turn}/accept")
def accept(request: Request, console: ConsoleHere, signed: AsEditor, turn: str) -> Response:
    """The answer is good: it may be learned from."""
    return _judge(request, console, signed, turn, 1, "accept_turn")


@router.post("/{turn}/reject")
def reject(request: Request, console: ConsoleHere, signed: AsEditor, turn: str) -> Response:
    """The answer is bad, and nobody has a better one now."""
    return _judge(request, console, signed, turn, -1, "reject_turn")


@router.post("/{turn}/correct")
def correct(
    request: Request, console: ConsoleHere, signed: AsEditor, turn: str, answer: Annotated[str, Form()] = ""
) -> Response:
    """Keep a better answer."""
    text = answer.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= LONGEST:
        raise AccessRefused(
            "reply_length", f"A better answer has 1 to {LONGEST} characters, not {len(text)}."
        )
    found = _turn(console, turn)
    console.workshop.kefu.store.add_correction(
        Correction(found.id, console.desk.mask(text), signed.staff.name)
    )
    console.note(signed.staff, "correct_turn", found.id)
    return _done(request, console, signed, found, "correct_turn")


@router.post("/{turn}/golden")
def golden(request: Request, console: ConsoleHere, signed: AsEditor, turn: str) -> Response:
    """What came of it must come of it from now on, or a change is refused."""
    found = _turn(console, turn)
    editor = console.workshop.editor
    past = [
        each.customer_text
        for each in console.workshop.kefu.store.turns(found.conversation_id)
        if each.asked_at < found.asked_at
    ]
    context = past[-2:] if found.question.strip() != found.customer_text.strip() else []
    try:
        edit = golden_edit(
            editor.read(GOLDEN_FILE),
            found.customer_text,
            expected_of(found),
            context=context,
            note=signed.staff.name,
        )
        editor.save([edit], author_of(signed.staff), found.customer_text)
    except BotError as error:
        return console.part(request, signed, "review_note.html.jinja", text=str(error), good=False)
    console.note(signed.staff, "golden_turn", found.id, found.customer_text)
    text = str(console.text(request)["review"]["golden_done"])
    return console.part(request, signed, "review_note.html.jinja", text=text, good=True)


def _judge(
    request: Request, console: Console, signed: Signed, turn: str, value: int, action: str
) -> Response:
    found = _turn(console, turn)
    rating = Rating(found.id, value, f"{BY_STAFF}{signed.staff.name}")
    console.workshop.kefu.store.add_rating(found.conversation_id, rating)
    console.note(signed.staff, action, found.id)
    return _done(request, console, signed, found, action)


def _turn(console: Console, turn: str) -> Turn:
    try:
        return console.workshop.kefu.store.turn(TurnId(turn))
    except TurnUnknown as error:
        raise AccessRefused("no_turn", f"There is no turn {turn!r}.") from error


def _done(request: Request, console: Console, signed: Signed, turn: Turn, action: str) -> Response:
    return console.part(request, signed, "review_done.html.jinja", turn=turn, action=action)
