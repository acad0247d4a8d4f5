"""The list of what the bot knows: articles with their two faces, answers, and where to go on from there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.errors import ContentError
from bot.upkeep.editing.editor import ABSENT, Edit
from bot.upkeep.editing.shelf import IntentLine, Topic
from bot.upkeep.editing.uploads import read_upload
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.knowledge_articles import new_article
from bot.web.console.knowledge_editing import save
from bot.web.console.session import Signed

router = APIRouter(prefix="/knowledge")
FILTERS = ("all", "one_language", "over", "broken")


@router.get("")
def articles(
    request: Request, console: ConsoleHere, signed: AsEditor, q: str = "", only: str = "all"
) -> Response:
    """The articles."""
    return _list(console, request, signed, q=q, only=only)


@router.get("/intents")
def intents(request: Request, console: ConsoleHere, signed: AsEditor, q: str = "") -> Response:
    """The approved answers."""
    lines = [line for line in console.workshop.shelf.intents() if _intent_matches(line, q)]
    return console.page(request, signed, "knowledge_intents.html.jinja", tab="intents", intents=lines, q=q)


@router.post("/upload")
def upload(
    request: Request, console: ConsoleHere, signed: AsEditor, file: Annotated[UploadFile, File()]
) -> Response:
    """Make an article of a file; a table of questions and answers stays the file that it is."""
    data = file.file.read()
    try:
        found = read_upload(file.filename or "", data)
    except ContentError as error:
        return _list(console, request, signed, refusal=str(error))
    if not found.table:
        return new_article(console, request, signed, found)
    version = ABSENT
    why = console.text(request)["knowledge"]["uploaded"].format(name=file.filename)
    refused = save(console, signed, [Edit(found.name, data, version)], why, lambda _: None)
    if refused.anything:
        told = [str(problem) for problem in refused.problems] or [refused.message or found.name]
        if refused.collided:
            told = [console.text(request)["knowledge"]["taken"].format(name=found.name)]
        return _list(console, request, signed, refusal="; ".join(told))
    return RedirectResponse("/console/knowledge?done=saved", 303)


def _list(
    console: Console,
    request: Request,
    signed: Signed,
    *,
    q: str = "",
    only: str = "all",
    refusal: str = "",
) -> Response:
    topics, today = console.workshop.shelf.topics(), console.workshop.today()
    chosen = only if only in FILTERS else "all"
    kinds = {
        "all": topics,
        "one_language": [topic for topic in topics if len(topic.faces) == 1],
        "over": [topic for topic in topics if any(face.over(today) for face in topic.faces)],
        "broken": [topic for topic in topics if any(face.problem for face in topic.faces)],
    }
    return console.page(
        request,
        signed,
        "knowledge.html.jinja",
        status=409 if refusal else 200,
        tab="articles",
        topics=[topic for topic in kinds[chosen] if _topic_matches(topic, q)],
        counts={name: len(found) for name, found in kinds.items()},
        only=chosen,
        q=q,
        today=today,
        refusal=refusal,
    )


def _topic_matches(topic: Topic, wanted: str) -> bool:
    return _holds(wanted, topic.id, *(face.title for face in topic.faces))


def _intent_matches(line: IntentLine, wanted: str) -> bool:
    return _holds(wanted, line.id, line.title_zh, line.title_en)


def _holds(wanted: str, *texts: str) -> bool:
    plain = wanted.strip().casefold()
    return any(plain in text.casefold() for text in texts)
