"""The people who work here: an admin adds them, changes what they may do, and closes accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.desk.passwords import LEAST_PASSWORD
from bot.errors import AccessRefused
from bot.memory.staff import Role, StaffId
from bot.web.console.access import AsAdmin, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed

router = APIRouter()
_ROLES = {role.name.lower(): role for role in Role}


@router.get("/staff")
def everybody(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """Everybody who has or had an account."""
    return _page(console, request, signed)


@router.post("/staff")
def add(
    request: Request,
    console: ConsoleHere,
    signed: AsAdmin,
    login: Annotated[str, Form()],
    name: Annotated[str, Form()],
    role: Annotated[str, Form()],
    password: Annotated[str, Form()],
) -> Response:
    """Open an account."""
    try:
        console.accounts.add(login, name, _role(role), password, by=signed.staff)
    except AccessRefused as refusal:
        typed = {"login": login, "name": name, "role": role}
        return _page(console, request, signed, refusal=refusal.code, typed=typed)
    return _done("added")


@router.post("/staff/{person}/change")
def change(
    request: Request,
    console: ConsoleHere,
    signed: AsAdmin,
    person: str,
    name: Annotated[str, Form()],
    role: Annotated[str, Form()],
) -> Response:
    """Change what somebody is called, or may do."""
    try:
        console.accounts.change(StaffId(person), name=name, role=_role(role), by=signed.staff)
    except AccessRefused as refusal:
        return _page(console, request, signed, refusal=refusal.code)
    return _done("saved")


@router.post("/staff/{person}/password")
def set_password(
    request: Request, console: ConsoleHere, signed: AsAdmin, person: str, password: Annotated[str, Form()]
) -> Response:
    """Give somebody a new password."""
    try:
        console.accounts.set_password(StaffId(person), password, by=signed.staff)
    except AccessRefused as refusal:
        return _page(console, request, signed, refusal=refusal.code)
    return _done("password")


@router.post("/staff/{person}/disable")
def disable(request: Request, console: ConsoleHere, signed: AsAdmin, person: str) -> Response:
    """Close an account."""
    try:
        console.accounts.disable(StaffId(person), by=signed.staff)
    except AccessRefused as refusal:
        return _page(console, request, signed, refusal=refusal.code)
    return _done("disabled")


@router.post("/staff/{person}/enable")
def enable(console: ConsoleHere, signed: AsAdmin, person: str) -> Response:
    """Open a closed account again."""
    console.accounts.enable(StaffId(person), by=signed.staff)
    return _done("enabled")


def _role(name: str) -> Role:
    if name not in _ROLES:
        raise AccessRefused("role_unknown", f"There is no role {name!r}. Choose agent, editor or admin.")
    return _ROLES[name]


def _done(what: str) -> Response:
    return RedirectResponse(f"/console/staff?done={what}", 303)


def _page(
    console: Console,
    request: Request,
    signed: Signed,
    *,
    refusal: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    return console.page(
        request,
        signed,
        "staff.html.jinja",
        status=409 if refusal else 200,
        everybody=console.accounts.everybody(),
        roles=_ROLES,
        least=LEAST_PASSWORD,
        refusal=refusal,
        typed={"login": "", "name": "", "role": "agent"} if typed is None else typed,
    )
