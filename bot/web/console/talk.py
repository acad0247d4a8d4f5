"""A talk: all that was said, the passport, and what a person does with it: take, reply, return, close."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.conversation import ConversationId, Language
from bot.desk.board import read_board
from bot.desk.candidates import candidate_of, keep_candidate, kept_candidates
from bot.desk.desk import utc_now
from bot.desk.passport import make_passport
from bot.desk.timeline import WholeTalk, read_talk, timeline
from bot.desk.writing import Writing
from bot.errors import AccessRefused, CallRefused
from bot.memory.calls import Call, CallState
from bot.memory.staff import Staff
from bot.web.console.access import AsAgent, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed
from bot.web.console.text import console_language

router = APIRouter(prefix="/talks")
LONGEST_REPLY = 4000  # characters


class Hand(StrEnum):
    """In whose hands a talk is, as one person sees it."""

    BOT = "bot"
    WAITING = "waiting"  # for a person; the bot answers or is silent, as the settings say
    MINE = "mine"
    THEIRS = "theirs"


@dataclass(frozen=True)
class _View:
    """What the parts of a talk's page are made from."""

    console: Console
    request: Request
    signed: Signed
    whole: WholeTalk
    call: Call | None

    @property
    def hand(self) -> Hand:
        if self.call is None:
            return Hand.BOT
        if self.call.state is CallState.WAITING:
            return Hand.WAITING
        return Hand.MINE if self.call.agent == self.signed.staff.id else Hand.THEIRS

    @property
    def seen(self) -> str:
        """Changes when anything of the talk does: a part that has it need not be sent again."""
        whole = self.whole
        ratings = sorted((str(rating.turn_id), rating.value) for rating in whole.ratings.values())
        sizes = (len(whole.turns), len(whole.events), len(whole.uploads))
        state = (sizes, ratings, self.call, whole.talk.page, self.hand)
        return hashlib.sha256(repr(state).encode()).hexdigest()[:16]

    def values(self) -> dict[str, Any]:
        language = console_language(self.request)
        return {
            "talk": self.whole.talk,
            "call": self.call,
            "hand": self.hand.value,
            "seen": self.seen,
            "title_of": lambda intent: self.console.assistant.intent_title(intent, language),
        }

    def thread(self) -> dict[str, Any]:
        with self.console.desk.log.reading() as log:
            candidates = kept_candidates(log, self.whole, self.console.desk.mask)
        return {
            "entries": timeline(self.whole),
            "html": self.console.markdown.html,
            "candidates": candidates,
        }


@router.get("/{conversation}")
def talk(request: Request, console: ConsoleHere, signed: AsAgent, conversation: str) -> Response:
    """A talk as a whole page."""
    view = _view(console, request, signed, conversation)
    values = {**view.values(), **view.thread(), "board": read_board(console.desk), "longest": LONGEST_REPLY}
    return console.page(request, signed, "talk.html.jinja", **values)


@router.get("/{conversation}/thread")
def thread(
    request: Request, console: ConsoleHere, signed: AsAgent, conversation: str, seen: str = ""
) -> Response:
    """What was said, for a page that heard that something changed; 204 if it has it all."""
    view = _view(console, request, signed, conversation)
    if view.seen == seen:
        return Response(status_code=204)
    return console.part(request, signed, "talk_thread.html.jinja", **view.values(), **view.thread())


@router.get("/{conversation}/bar")
def bar(
    request: Request, console: ConsoleHere, signed: AsAgent, conversation: str, hand: str = ""
) -> Response:
    """Where one writes, or takes the talk; 204 as long as it is in the same hands: nobody's typing is disturbed."""
    view = _view(console, request, signed, conversation)
    if view.hand.value == hand:
        return Response(status_code=204)
    return console.part(request, signed, "talk_bar.html.jinja", **view.values(), longest=LONGEST_REPLY)


@router.get("/{conversation}/passport")
def passport(
    request: Request, console: ConsoleHere, signed: AsAgent, conversation: str, seen: str = ""
) -> Response:
    """The passport; 204 if the page has it as it is."""
    view = _view(console, request, signed, conversation)
    if view.seen == seen:
        return Response(status_code=204)
    made = make_passport(view.whole, calls_for_person=tuple(console.assistant.person_intents()))
    suggestions = console.assistant.suggestions(view.whole.talk.id)
    return console.part(
        request,
        signed,
        "talk_passport.html.jinja",
        **view.values(),
        passport=made,
        uploads=view.whole.uploads,
        suggestions=suggestions,
        html=console.markdown.html,
    )


@router.get("/{conversation}/list")
def others(request: Request, console: ConsoleHere, signed: AsAgent, conversation: str) -> Response:
    """The other talks that need somebody, beside this one."""
    view = _view(console, request, signed, conversation)
    return console.part(
        request, signed, "talk_list.html.jinja", **view.values(), board=read_board(console.desk)
    )


@router.post("/{conversation}/take")
def take(request: Request, console: ConsoleHere, signed: AsAgent, conversation: str) -> Response:
    """Take the talk: the bot is silent from now on."""
    view = _view(console, request, signed, conversation)
    language = view.whole.talk.language or Language.ZH
    _try(view, lambda desk, talk, me: desk.take(talk, me, language=language))
    console.note(signed.staff, "take", conversation)
    return _changed(request, conversation)


@router.post("/{conversation}/reply")
def reply(
    request: Request, console: ConsoleHere, signed: AsAgent, conversation: str, text: Annotated[str, Form()]
) -> Response:
    """Say something to the customer."""
    view = _view(console, request, signed, conversation)
    words = text.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_REPLY:
        raise AccessRefused(
            "reply_length", f"A reply has 1 to {LONGEST_REPLY} characters; this has {len(words)}."
        )
    _try(view, lambda desk, talk, me: desk.reply(talk, me, words))
    return _changed(request, conversation)


@router.post("/{conversation}/writing")
def writing(request: Request, console: ConsoleHere, signed: AsAgent, conversation: str) -> Response:
    """Note that the person is writing, so that the customer sees it."""
    call = console.desk.open_call(ConversationId(conversation))
    if call is not None and call.agent == signed.staff.id:
        now_writing: Writing = request.app.state.writing
        now_writing.note(call.conversation_id)
    return Response(status_code=204)


@router.post("/{conversation}/return")
def give_back(request: Request, console: ConsoleHere, signed: AsAgent, conversation: str) -> Response:
    """Return the talk to the bot."""
    view = _view(console, request, signed, conversation)
    _try(view, lambda desk, talk, me: desk.give_back(talk, me))
    console.note(signed.staff, "return", conversation)
    return _changed(request, conversation)


@router.post("/{conversation}/close")
def close(
    request: Request,
    console: ConsoleHere,
    signed: AsAgent,
    conversation: str,
    outcome: Annotated[str, Form()] = "",
) -> Response:
    """Close the talk: what the customer wanted is done."""
    view = _view(console, request, signed, conversation)
    _try(view, lambda desk, talk, me: desk.close_call(talk, me, outcome.strip()[:500]))
    console.note(signed.staff, "close", conversation)
    return _changed(request, conversation)


@router.post("/{conversation}/candidate")
def candidate(
    request: Request, console: ConsoleHere, signed: AsAgent, conversation: str, number: Annotated[int, Form()]
) -> Response:
    """Make what a person said a candidate for an approved answer; says if a template says so already."""
    view = _view(console, request, signed, conversation)
    desk, language = console.desk, view.whole.talk.language or Language.ZH
    try:
        found = candidate_of(view.whole, number, console.assistant.person_intents())
    except CallRefused as refusal:
        raise AccessRefused("no_question", str(refusal)) from refusal
    answer = desk.mask(found.event.text)
    with desk.log.writing() as log:
        gap = keep_candidate(log, found, answer, at=utc_now())
    console.note(signed.staff, "candidate", conversation, f"#{gap.id}")
    return console.part(
        request,
        signed,
        "talk_candidate.html.jinja",
        **view.values(),
        gap=gap.id,
        like=console.assistant.template_like(answer, language),
        question=found.turn.question,
    )


def _view(console: Console, request: Request, signed: Signed, conversation: str) -> _View:
    with console.desk.log.reading() as log:
        whole = read_talk(log, ConversationId(conversation))
    if whole is None:
        raise AccessRefused("no_talk", f"There is no talk {conversation!r}.")
    return _View(console, request, signed, whole, console.desk.open_call(whole.talk.id))


def _try(view: _View, act: Callable[[Any, ConversationId, Staff], object]) -> None:
    """Do something with the talk, or say in the person's language who has it."""
    try:
        act(view.console.desk, view.whole.talk.id, view.signed.staff)
    except CallRefused as refusal:
        now = view.console.desk.open_call(view.whole.talk.id)
        theirs = now is not None and now.agent is not None and now.agent != view.signed.staff.id
        raise AccessRefused("talk_theirs" if theirs else "talk_ended", str(refusal)) from refusal


def _changed(request: Request, conversation: str) -> Response:
    """For htmx: the page's parts fetch what changed. Else the page anew."""
    if "hx-request" in request.headers:
        return HTMLResponse("", headers={"hx-trigger": "desk"})
    return RedirectResponse(f"/console/talks/{conversation}", 303)
