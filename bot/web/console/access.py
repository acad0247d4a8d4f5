"""What a page's handler asks for: the console, and somebody who is signed in and may do this.

def articles(console: ConsoleHere, signed: AsEditor) -> HTMLResponse: ...
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from bot.errors import AccessRefused
from bot.memory.staff import Role
from bot.web.console.console import Console
from bot.web.console.session import (
    CSRF_FIELD,
    CSRF_HEADER,
    SESSION_COOKIE,
    Signed,
    csrf_of,
    form_token,
)

BY_ITSELF_HEADER = "x-kefu-by-itself"  # of requests that the page makes without anybody's doing
_FETCHED_FROM = "sec-fetch-site"  # says the browser itself, of each request


def console_of(request: Request) -> Console:
    """The console that this server has."""
    console: Console = request.app.state.console
    return console


ConsoleHere = Annotated[Console, Depends(console_of)]


def signed_in(request: Request, console: ConsoleHere) -> Signed:
    """Who sent this request.

    Raises:
        AccessRefused: `sign_in`: nobody who is signed in.
    """
    token = request.cookies.get(SESSION_COOKIE, "")
    stream = request.headers.get("accept", "").startswith(
        "text/event-stream"
    )  # browsers reconnect by themselves
    in_use = not stream and BY_ITSELF_HEADER not in request.headers
    staff = console.accounts.staff_of(token, in_use=in_use) if token else None
    if staff is None:
        raise AccessRefused("sign_in", "Nobody is signed in. Sign in at /console/login.")
    return Signed(staff, token)


def require(role: Role) -> Callable[[Signed], Signed]:
    """A dependency that lets through who has this role or a higher one.

    Raises:
        AccessRefused: `role`.
    """

    def allowed(signed: Annotated[Signed, Depends(signed_in)]) -> Signed:
        if signed.staff.role < role:
            raise AccessRefused("role", f"This needs the role {role.name.lower()}. Ask an admin for it.")
        return signed

    return allowed


AsAgent = Annotated[Signed, Depends(signed_in)]
AsEditor = Annotated[Signed, Depends(require(Role.EDITOR))]
AsAdmin = Annotated[Signed, Depends(require(Role.ADMIN))]


async def own_form(request: Request) -> None:
    """Let a POST through only if it comes from one of our own pages, in the session that the page was made for.

    Raises:
        AccessRefused: `form`.
    """
    if request.method in {"GET", "HEAD"}:
        return
    token = form_token(request)
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        field = (await request.form()).get(CSRF_FIELD)
        sent = field if isinstance(field, str) else ""
    foreign = request.headers.get(_FETCHED_FROM, "same-origin") not in {"same-origin", "none"}
    if foreign or not token or not hmac.compare_digest(sent.encode(), csrf_of(token).encode()):
        raise AccessRefused("form", "This form is out of date. Load the page again.")
