"""One's own account: name and role to be seen, and the password to be changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.desk.passwords import LEAST_PASSWORD
from bot.errors import AccessRefused
from bot.web.console.access import AsAgent, ConsoleHere
from bot.web.console.login import address_of
from bot.web.console.session import SESSION_COOKIE, set_cookie

router = APIRouter()


@router.get("/account")
def account(request: Request, console: ConsoleHere, signed: AsAgent) -> Response:
    """One's own account."""
    return console.page(request, signed, "account.html.jinja", least=LEAST_PASSWORD, refusal="")


@router.post("/account/password")
def change_password(
    request: Request,
    console: ConsoleHere,
    signed: AsAgent,
    old: Annotated[str, Form()],
    new: Annotated[str, Form()],
) -> Response:
    """Change one's own password; every other session of one's own ends."""
    try:
        token = console.accounts.change_own_password(
            signed.staff, old, new, address=address_of(request, console)
        )
    except AccessRefused as refusal:
        values = {"least": LEAST_PASSWORD, "refusal": refusal.code}
        return console.page(request, signed, "account.html.jinja", status=403, **values)
    response = RedirectResponse("/console/account?done=password", 303)
    set_cookie(response, request, SESSION_COOKIE, token)
    return response
