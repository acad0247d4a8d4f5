"""Signing in and out."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.errors import AccessRefused
from bot.web.console.access import ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import (
    DOOR_COOKIE,
    SESSION_COOKIE,
    csrf_of,
    drop_cookie,
    form_token,
    new_door_token,
    set_cookie,
)
from bot.web.middleware import client_address

router = APIRouter()
_HOME = "/console"
_OWN = re.compile(r"/console(?:[/?][A-Za-z0-9._~%/?=&-]*)?", re.ASCII)


@router.get("/login")
def form(request: Request, console: ConsoleHere) -> Response:
    """Where one signs in; on a new Kefu, how the first account is made."""
    return _form(console, request, next_=request.query_params.get("next", _HOME))


@router.post("/login")
def sign_in(
    request: Request,
    console: ConsoleHere,
    login: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next_: Annotated[str, Form(alias="next")] = _HOME,
) -> Response:
    """Sign in, and go where one wanted to go."""
    try:
        _, token = console.accounts.sign_in(login, password, address=address_of(request, console))
    except AccessRefused as refusal:
        return _form(console, request, next_=next_, login=login, refusal=refusal)
    response = RedirectResponse(own_address(next_), 303)
    set_cookie(response, request, SESSION_COOKIE, token)
    drop_cookie(response, DOOR_COOKIE)
    return response


@router.post("/logout")
def sign_out(request: Request, console: ConsoleHere) -> Response:
    """Sign out."""
    console.accounts.sign_out(request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/console/login", 303)
    drop_cookie(response, SESSION_COOKIE)
    return response


def own_address(address: str) -> str:
    """`address` if it is one of the console's own pages, else its first page."""
    return address if _OWN.fullmatch(address) else _HOME


def address_of(request: Request, console: Console) -> str:
    """Where a request comes from, behind the proxies that are trusted."""
    proxies = frozenset(console.settings.server.trusted_proxies)
    return client_address(request.scope, Headers(scope=request.scope), proxies)


def _form(
    console: Console, request: Request, *, next_: str, login: str = "", refusal: AccessRefused | None = None
) -> Response:
    known = form_token(request)
    token = known if known else new_door_token()
    response = console.bare(
        request,
        "login.html.jinja",
        status=200 if refusal is None else (429 if refusal.code == "locked" else 403),
        csrf=csrf_of(token),
        next=own_address(next_),
        login=login,
        refusal="" if refusal is None else refusal.code,
        first=not console.accounts.everybody(),
    )
    if not known:
        set_cookie(response, request, DOOR_COOKIE, token)
    return response
