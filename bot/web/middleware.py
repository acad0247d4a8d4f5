"""How much a request may carry and how often one may come, as plain ASGI: Gradio leaves both to the app.

Frameworks' middleware counts only their own routes and misses the mounted Gradio app; these see every byte.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.visitors import visitor_of_scope

_log = structlog.get_logger(__name__)

_LENGTH = re.compile(r"[0-9]{1,18}")


class BodyLimit:
    """Refuses a body over the limit (413), by what it announces and by what arrives; passes the rest on whole."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        """`larger`: beginnings of paths whose bodies may have more bytes; the first that fits counts."""
        self._app = app
        self._max_bytes = max_bytes
        self._larger = {} if larger is None else larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if not _LENGTH.fullmatch(announced) or int(announced) > most:
            await refuse(send, 413, f"The request is larger than {most} bytes. Send less.")
            return
        body = await self._read(receive, most)
        if body is None:
            await refuse(send, 413, f"The request is larger than {most} bytes. Send less.")
            return
        await self._app({**scope, "kefu.body": body}, _replay(body, receive), send)

    def _most(self, path: str) -> int:
        longer = (most for start, most in self._larger.items() if path.startswith(start))
        return next(longer, self._max_bytes)

    async def _read(self, receive: Receive, most: int) -> bytes | None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":  # the client left
                return body
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                return None
        return body


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


class RateLimit:
    """Refuses (429) who sends more events a minute than allowed, counted per visitor and per address."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        per_minute: int,
        trusted_proxies: Iterable[str],
        is_counted: Callable[[Scope], bool],
        wording: Callable[[Scope], str],
    ) -> None:
        self._app = app
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._trusted_proxies = frozenset(trusted_proxies)
        self._is_counted = is_counted
        self._wording = wording

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429 with Retry-After."""
        if scope["type"] == "http" and self._is_counted(scope):
            for who in self._names(scope):
                if not self._limiter.hit(self._limit, who):
                    wait = self._limiter.get_window_stats(self._limit, who).reset_time - time.time()
                    await refuse(
                        send, 429, self._wording(scope), {"retry-after": str(max(1, math.ceil(wait)))}
                    )
                    return
        await self._app(scope, receive, send)

    def _names(self, scope: Scope) -> list[str]:
        headers = Headers(scope=scope)
        visitor = visitor_of_scope(scope)
        address = client_address(scope, headers, self._trusted_proxies)
        return [f"address {address}"] if visitor is None else [f"address {address}", f"visitor {visitor}"]


def client_address(scope: Scope, headers: Headers, trusted_proxies: frozenset[str]) -> str:
    """Who is at the other end: the last address in X-Forwarded-For that no trusted proxy has, if one forwarded it."""
    address = str(scope["client"][0]) if scope.get("client") else "unknown"
    forwarded = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    while address in trusted_proxies and forwarded:
        address = forwarded.pop()
    return address


class LastResort:
    """Answers with a plain 500 when something inside breaks: the log gets the reason, the client a reference to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 if that raises before anything was sent."""
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            reference = secrets.token_hex(4)
            _log.exception(
                "request_failed", reference=reference, path=scope["path"], error=type(error).__name__
            )
            await refuse(send, 500, f"Something went wrong here. Reference: {reference}")


async def refuse(send: Send, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
    """Answer a request with an error that a person can read, without looking any further at it."""
    body = json.dumps({"detail": message}, ensure_ascii=False).encode()
    raw = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in raw.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
