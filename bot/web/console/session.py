"""The console's cookies: the session's token, and the proof that a form was one of ours.

The token is in a cookie that scripts cannot read and other sites' requests do not carry. The proof is derived from it,
stands in every form and in the header that htmx sends, and must come back with every POST.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from bot.memory.staff import Staff

SESSION_COOKIE = "kefu_staff"
DOOR_COOKIE = "kefu_door"  # before anybody is signed in
CSRF_HEADER = "x-kefu-csrf"
CSRF_FIELD = "csrf"
_PATH = "/console"


@dataclass(frozen=True)
class Signed:
    """Somebody who is signed in."""

    staff: Staff
    token: str = field(repr=False)

    @property
    def csrf(self) -> str:
        """What their forms carry."""
        return csrf_of(self.token)


def csrf_of(token: str) -> str:
    """The proof that belongs to a cookie's token; does not tell the token."""
    return hmac.new(token.encode(), b"kefu console form", hashlib.sha256).hexdigest()


def form_token(request: Request) -> str:
    """The token that this browser's forms belong to; "" for a browser without any."""
    return request.cookies.get(SESSION_COOKIE) or request.cookies.get(DOOR_COOKIE, "")


def new_door_token() -> str:
    """A token for the forms of a browser that nobody has signed in with."""
    return secrets.token_urlsafe(24)


def set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    """Give the browser a cookie that only this console's own pages send back. It ends with the browser."""
    response.set_cookie(
        name, value, path=_PATH, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path=_PATH, httponly=True, samesite="strict")
