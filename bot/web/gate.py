"""Which of Gradio's doors are open. It has some sixty routes; a chat needs a dozen, and the rest answers 404.

It also ties each session to the visitor who opened it: Gradio streams a session's messages to anyone who can name its
hash, which the page makes with the browser's weak randomness.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.conversation import VisitorId
from bot.web.calls import CALL, JOIN, Callables
from bot.web.middleware import refuse
from bot.web.visitors import visitor_of_scope

_OPEN = {
    "GET": re.compile(
        r"/|/articles/.*|/page/events|/healthz|/readyz|/favicon\.ico|/robots\.txt|/theme\.css|/gradio_api/theme\.css"
        r"|/assets/.*|/static/.*|/svelte/.*"
        r"|/config/?|/gradio_api/(?:info|startup-events|queue/data|app_id)/?|/gradio_api/heartbeat/[^/]+"
        r"|/widget\.js|/widget/.+|/demo(?:/demo\.(?:css|js))?"
        r"|/gradio_api/call/(?:v2/)?([a-z]+)/[^/]+"
    ),
    "POST": re.compile(
        r"/widget/upload|/gradio_api/(?:queue/join|cancel|reset)/?|/gradio_api/call/(?:v2/)?([a-z]+)/?"
    ),
}
_UPLOAD = "/widget/upload"  # its body is a file, not JSON
_FOR_SITES = re.compile(r"/widget/.*|/gradio_api/call/(?:v2/)?[a-z]+(?:/.*)?")
_CONSOLE = re.compile(r"/console(?:/.*)?")
# Doors with a lock of their own (a key, a signature), which answer in the words of who knocks there.
_LOCKED = {
    "GET": re.compile(r"/v1/models|/channels/[a-z]+"),
    "POST": re.compile(r"/v1/chat/completions|/channels/[a-z]+"),
}
_MCP = re.compile(r"/gradio_api/mcp/?")
_SIGN_IN = "/console/login"
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)")


def is_event(scope: Scope) -> bool:
    """Whether a request asks the server to run something; those are counted by the rate limit."""
    path = scope["path"]
    return scope["method"] == "POST" and (
        JOIN.fullmatch(path) is not None
        or CALL.fullmatch(path) is not None
        or _MCP.fullmatch(path) is not None
        or path in {_SIGN_IN, _UPLOAD}
    )


def is_for_sites(scope: Scope) -> bool:
    """Whether a request is one that pages of other sites make, if they are allowed to."""
    return _FOR_SITES.fullmatch(scope["path"]) is not None


class Gate:
    """Lets through what the chat needs; 404 for the rest, as if it were not there."""

    def __init__(
        self, app: ASGIApp, *, callables: Callables, mcp: bool = False, most_sessions: int = 10_000
    ) -> None:
        self._app = app
        self._mcp = mcp  # whether Gradio's MCP server is open
        self._callables = callables
        self._owners: OrderedDict[str, VisitorId | None] = OrderedDict()
        self._most_sessions = most_sessions
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 404 (400 for a body that is no JSON object)."""
        if scope["type"] == "websocket":
            return  # nothing here speaks it
        if scope["type"] == "http":
            problem = self._problem(scope)
            if problem is not None:
                await refuse(send, *problem)
                return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        method: str = "GET" if scope["method"] == "HEAD" else scope["method"]
        # The CORS policy answers a preflight; some doors have a lock of their own.
        if method == "OPTIONS" or _has_own_lock(method, scope["path"]) or self._is_mcp(scope["path"]):
            return None
        if not self._is_open(method, scope["path"]):
            return 404, "There is nothing here."
        body: dict[str, Any] = {}
        if method == "POST" and scope["path"] != _UPLOAD:
            parsed = _parse(scope.get("kefu.body", b""))
            if parsed is None:
                return 400, "The request is not a JSON object."
            body = parsed
            misshapen = self._callables.problem(scope["path"], body)
            if misshapen is not None:
                return 400, misshapen
        session = _session_of(scope, body)
        if session is not None and not self._belongs(session, visitor_of_scope(scope)):
            return 404, "There is no such session."
        return None

    def _is_mcp(self, path: str) -> bool:
        return self._mcp and _MCP.fullmatch(path) is not None

    def _is_open(self, method: str, path: str) -> bool:
        door = _OPEN[method].fullmatch(path) if method in _OPEN else None
        return door is not None and (door.group(1) is None or door.group(1) in self._callables.endpoints)

    def _belongs(self, session: str, visitor: VisitorId | None) -> bool:
        """Whether the session is this visitor's; whoever names it first owns it."""
        with self._lock:
            owner = self._owners.setdefault(session, visitor)
            self._owners.move_to_end(session)
            if len(self._owners) > self._most_sessions:
                self._owners.popitem(last=False)
            return owner == visitor


def _has_own_lock(method: str, path: str) -> bool:
    return _CONSOLE.fullmatch(path) is not None or (
        method in _LOCKED and _LOCKED[method].fullmatch(path) is not None
    )


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _session_of(scope: Scope, body: dict[str, Any]) -> str | None:
    heartbeat = _HEARTBEAT.fullmatch(scope["path"])
    if heartbeat:
        return heartbeat.group(1)
    named = body.get("session_hash")
    if named is None:
        values = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash")
        named = values[0] if values else None
    return named if isinstance(named, str) else None
