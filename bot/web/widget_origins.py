"""Which sites may use the widget and the endpoints: this server's own pages, and those that the settings list.

CORS alone keeps a foreign page from reading answers, not from asking. Programs send no Origin and are not concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.web.middleware import refuse


class OriginPolicy:
    """Refuses (403) what a page of a site that is not listed asks of the guarded paths."""

    def __init__(
        self, app: ASGIApp, *, allowed_sites: Iterable[str], is_guarded: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._allowed = frozenset(allowed_sites)
        self._is_guarded = is_guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 and name the setting."""
        if scope["type"] == "http" and self._is_guarded(scope):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and not self._may_ask(origin, headers):
                message = (
                    f"Pages of {origin[:200]} may not use this server. If they should, add that origin to "
                    "allowed_sites in the [server] section of kefu.toml."
                )
                await refuse(send, 403, message, {"vary": "origin"})
                return
        await self._app(scope, receive, send)

    def _may_ask(self, origin: str, headers: Headers) -> bool:
        # A page cannot forge Sec-Fetch-Site. It knows our own pages even behind a proxy that changes Host.
        if origin in self._allowed or headers.get("sec-fetch-site") == "same-origin":
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:  # e.g. http://[
            return False
