"""Ask a question and see why it is answered so: the customer's way, without the log and without a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.answering.answerer import Said
from bot.conversation import ConversationId, Route
from bot.errors import AccessRefused, InputRefused
from bot.policy import Thresholds
from bot.safety.guard import check_message
from bot.stopwatch import Stopwatch
from bot.turns import Asked
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.text import console_language

router = APIRouter(prefix="/knowledge")
_NOBODY = ConversationId("test")


@dataclass(frozen=True)
class Tested:
    """A question with all that decided its answer."""

    asked: Asked
    said: Said
    thresholds: Thresholds
    timings: dict[str, float]  # milliseconds by step

    @property
    def gates(self) -> list[tuple[str, float, float]]:
        """What is compared: its name, the value, and what it must reach."""
        understood, hits, limits = self.asked.understanding, self.asked.hits, self.thresholds
        return [
            ("in_scope", understood.in_scope, limits.in_scope),
            ("template_score", understood.score, limits.template_score),
            ("template_margin", understood.margin, limits.template_margin),
            ("grounded_score", hits[0].score if hits else 0.0, limits.grounded_score),
            ("clarify_score", understood.score, limits.clarify_score),
        ]


@router.get("/test")
def asking(request: Request, console: ConsoleHere, signed: AsEditor, q: str = "") -> Response:
    """The page; with a question, what comes of it."""
    values: dict[str, Any] = {"tested": None, "refusal": "", "html": ""}
    if q.strip():
        try:
            tested = ask(console, q)
            html = console.markdown.html(tested.said.text, tested.said.sources)
            values |= {"tested": tested, "html": html}
        except AccessRefused:
            raise
        except InputRefused as refusal:
            values["refusal"] = str(refusal)
    language = console_language(request)
    return console.page(
        request,
        signed,
        "knowledge_test.html.jinja",
        tab="test",
        q=q,
        title_of=lambda intent: console.assistant.intent_title(intent, language),
        grounded=Route.GROUNDED,
        **values,
    )


def ask(console: Console, question: str) -> Tested:
    """Answer a question as a customer's first one. Nothing is stored.

    Raises:
        InputRefused: it is empty or too long.
        AccessRefused: `not_wired`.
    """
    workshop = console.workshop
    settings, knowledge, watch = workshop.settings, workshop.kefu.manager.knowledge, Stopwatch()
    asked = knowledge.consider(
        check_message(question, max_characters=settings.safety.max_characters),
        (),
        conversation=_NOBODY,
        at=datetime.now(UTC),
        day=workshop.today(),
        top_k=settings.retrieval.top_k,
        watch=watch,
    )
    with watch.step("answer"):
        answering = knowledge.answer(asked)
        while True:
            try:
                next(answering)
            except StopIteration as finished:
                asked, said = finished.value
                break
    thresholds = knowledge.thresholds.of(asked.understanding.language)
    return Tested(asked, said, thresholds, watch.read())
