"""Puts the console together: its routers behind the login, its files, and what is shown when something is refused."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Form
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bot.errors import AccessRefused, BotError
from bot.factory import Kefu
from bot.settings import Settings
from bot.web.assistant import Assistant
from bot.web.console import (
    account,
    audit,
    config,
    knowledge,
    knowledge_articles,
    knowledge_asking,
    knowledge_check,
    knowledge_history,
    knowledge_intents,
    knowledge_unanswered,
    live,
    login,
    overview,
    queue,
    review,
    staff,
    talk,
    training,
)
from bot.web.console.access import ConsoleHere, own_form, signed_in
from bot.web.console.console import Console
from bot.web.console.session import set_cookie
from bot.web.console.text import LANGUAGE_COOKIE, LANGUAGES, console_language, console_text
from retrieval.readers import MAX_BYTES

PATH = "/console"
# The console's requests that may be larger than others: a file of articles, and the text of two articles.
CONSOLE_BODIES = {f"{PATH}/knowledge/upload": MAX_BYTES, f"{PATH}/knowledge": 2 * 1024 * 1024}
_A_YEAR = 365 * 24 * 3600
_STATUS = {
    "sign_in": 401,
    "role": 403,
    "form": 403,
    "locked": 429,
    "no_talk": 404,
    "no_article": 404,
    "no_intent": 404,
    "no_turn": 404,
}

# Each page's routes. All of them need somebody who is signed in, and all POSTs the proof that they are ours.
PAGES: tuple[APIRouter, ...] = (
    queue.router,
    talk.router,
    live.router,
    account.router,
    staff.router,
    audit.router,
    knowledge.router,
    knowledge_articles.router,
    knowledge_intents.router,
    knowledge_history.router,
    knowledge_asking.router,
    overview.router,
    config.router,
    training.router,
    review.router,
    knowledge_unanswered.router,
    knowledge_check.router,
)

_open = APIRouter()  # for whoever comes


@_open.get("/assets/{name}")
def asset(name: str, console: ConsoleHere) -> Response:
    """A file of the pages."""
    found = console.templates.assets.get(name)
    if found is None:
        return PlainTextResponse("There is nothing here.", 404)
    keep = {"cache-control": f"public, max-age={_A_YEAR}, immutable"}
    return Response(found.content, media_type=found.media_type, headers=keep)


@_open.post("/language")
def choose_language(
    request: Request, language: Annotated[str, Form()], back: Annotated[str, Form()] = PATH
) -> Response:
    """Show the console in another language from now on."""
    response = RedirectResponse(login.own_address(back), 303)
    if language in [each.value for each in LANGUAGES]:
        set_cookie(response, request, LANGUAGE_COOKIE, language)
    return response


def add_console(app: FastAPI, assistant: Assistant, settings: Settings, kefu: Kefu | None = None) -> None:
    """Add the console to the server. Must run before Gradio is mounted at the root."""
    app.state.console = Console(assistant, settings, kefu)
    app.include_router(_open, prefix=PATH, dependencies=[Depends(own_form)])
    app.include_router(login.router, prefix=PATH, dependencies=[Depends(own_form)])
    for router in PAGES:
        app.include_router(router, prefix=PATH, dependencies=[Depends(signed_in), Depends(own_form)])
    app.add_exception_handler(BotError, _refused)


def _refused(request: Request, error: Exception) -> Response:
    """Say in the person's language what was refused; who is not signed in is led to where they can."""
    if not request.url.path.startswith(PATH):
        raise error
    code = error.code if isinstance(error, AccessRefused) else "broken"
    in_place = "hx-request" in request.headers
    if code == "sign_in":
        return _to_the_door(request, in_place=in_place)
    text = console_text(console_language(request))["errors"]
    message = str(text[code]) if isinstance(error, AccessRefused) else f"{text['broken']} {error}"
    status = _STATUS.get(code, 409 if isinstance(error, AccessRefused) else 500)
    if in_place:
        return PlainTextResponse(message, status)
    console: Console = request.app.state.console
    return console.bare(request, "refused.html.jinja", status=status, message=message)


def _to_the_door(request: Request, *, in_place: bool) -> Response:
    if request.method != "GET" or in_place or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": "Sign in."}, 401, {"hx-redirect": f"{PATH}/login"})
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{PATH}/login?next={quote(address)}", 303)
