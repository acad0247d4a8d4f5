"""Who is asking: a random token in a cookie that only the browser and this server know.

What Gradio offers as an identity, the session hash, is made by the page and believed by the server; it is never used
as one here. The log keeps a digest of the token, so that nobody who reads the log can become the visitor.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.conversation import VisitorId

COOKIE = "kefu_visitor"
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in URL-safe base64
_SECONDS_PER_DAY = 86_400


def new_visitor() -> VisitorId:
    """A visitor without a browser: a program that will hold its conversation's id as the key."""
    return _visitor_of_token(secrets.token_urlsafe(_TOKEN_BYTES))


def visitor_of(cookies: Mapping[str, str]) -> VisitorId | None:
    """The visitor that a request's cookies name; None without a cookie of ours."""
    token = cookies.get(COOKIE, "")
    return _visitor_of_token(token) if _TOKEN.fullmatch(token) else None


def visitor_of_scope(scope: Scope) -> VisitorId | None:
    """The visitor of a raw request; None without a cookie of ours, or if the cookies cannot be read."""
    return visitor_of(_cookies(scope))


class VisitorCookie:
    """Gives a browser that opens the page its cookie, and makes a known visitor's last longer.

    Only the page does: a program that calls the endpoints is known by its conversation's id and gets no cookie.
    """

    def __init__(self, app: ASGIApp, *, days: int) -> None:
        self._app = app
        self._seconds = days * _SECONDS_PER_DAY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie if it asks for the page."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        token = _cookies(scope).get(COOKIE, "")
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(_TOKEN_BYTES)
        cookie = f"{COOKIE}={token}; Max-Age={self._seconds}; Path=/; HttpOnly; SameSite=Lax"
        if scope["scheme"] == "https":
            cookie += "; Secure"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _visitor_of_token(token: str) -> VisitorId:
    return VisitorId(hashlib.sha256(token.encode()).hexdigest()[:32])


def _cookies(scope: Scope) -> dict[str, str]:
    try:
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in cookies.items()}
