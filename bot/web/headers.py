"""What this server's pages may do in a browser: almost nothing but show themselves and talk to this server."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.page_text import preferred_language

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
# Gradio's page introduces itself as Gradio, with a picture from GitHub, and links a manifest that the gate keeps shut.
_CONSOLE = re.compile(r"/console(?:/.*)?")
# The team's pages carry nothing inline, so that they can forbid it; nobody frames them.
_CONSOLE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
    ]
)
# The report card of a training is a file that another program wrote: it may show itself in the console and do nothing.
_REPORT = re.compile(r"/console/training/report/[^/]*")
_REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
_NOT_OURS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>|<link rel="manifest"[^>]*>')


class SecurityHeaders:
    """Adds the headers that tell a browser what this server's pages may do: almost nothing.

    Gradio's page carries inline scripts that change with its configuration. Each is allowed by its hash, so that no
    other inline script runs; 'unsafe-eval' stays because `gr.HTML` compiles its templates with `Function`.
    """

    def __init__(self, app: ASGIApp, *, allowed_sites: Iterable[str]) -> None:
        self._app = app
        self._frame_ancestors = " ".join(["'self'", *allowed_sites])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        held = b""

        async def send_dressed(message: Message) -> None:
            nonlocal start, held
            if message["type"] == "http.response.start":
                start = message
                if not _is_page(message):
                    self._add_headers(scope, message, b"")
                    await send(message)
                return
            if start is None or not _is_page(start):
                await send(message)
                return
            held += message.get("body", b"")
            if not message.get("more_body", False):
                body = _dress(held, scope)
                self._add_headers(scope, start, body)
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, send_dressed)

    def _add_headers(self, scope: Scope, start: Message, page: bytes) -> None:
        headers = MutableHeaders(scope=start)
        console = _CONSOLE.fullmatch(scope["path"]) is not None
        policy = _CONSOLE_POLICY if console else self._policy(page)
        headers["content-security-policy"] = _REPORT_POLICY if _REPORT.fullmatch(scope["path"]) else policy
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        headers["cross-origin-opener-policy"] = "same-origin"
        if page:
            headers.setdefault("cache-control", "no-cache")

    def _policy(self, page: bytes) -> str:
        scripts = " ".join(f"'sha256-{_hash(script)}'" for script in _INLINE_SCRIPT.findall(page))
        return "; ".join(
            [
                "default-src 'self'",
                f"script-src 'self' 'unsafe-eval' {scripts}".rstrip(),
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "media-src 'self'",
                "font-src 'self' data:",
                "connect-src 'self'",
                "form-action 'self'",
                "base-uri 'self'",
                "object-src 'none'",
                f"frame-ancestors {self._frame_ancestors}",
            ]
        )


def _is_page(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")


def _hash(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()


def _dress(page: bytes, scope: Scope) -> bytes:
    """Gradio's page as ours: in the visitor's language, and without what is not ours."""
    language = preferred_language(Headers(scope=scope).get("accept-language", ""))
    page = page.replace(b'<html\n\tlang="en"', f'<html lang="{language}"'.encode(), 1)
    return _NOT_OURS.sub(b"", page)
