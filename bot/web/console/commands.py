"""The command `kefu staff`: who may use the console. Works while a server runs; passwords are never shown or taken as options."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.desk.accounts import Accounts
from bot.logs import configure_logs
from bot.memory.shared_log import SharedLog
from bot.memory.staff import Role
from bot.settings import Settings, load_settings

staff = typer.Typer(no_args_is_help=True, help="Who may use the team's console (/console).")
_screen = Console(stderr=True)
_Login = Annotated[str, typer.Argument(help="What they sign in with")]


class RoleName(StrEnum):
    """A role as it is typed."""

    AGENT = "agent"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        """The role itself."""
        return Role[self.name]


@staff.command()
def add(
    login: _Login,
    name: Annotated[str | None, typer.Option(help="What customers see; default: the login")] = None,
    role: Annotated[RoleName, typer.Option(help="What they may do")] = RoleName.AGENT,
) -> None:
    """Open an account; asks for a password."""
    with _accounts() as accounts:
        person = accounts.add(login, login if name is None else name, role.role, _password())
    _screen.print(f"{person.name} ({person.login}, {role}) can sign in at /console.", markup=False)


@staff.command("list")
def list_() -> None:
    """List everybody who has or had an account."""
    with _accounts() as accounts:
        everybody = accounts.everybody()
    table = Table()
    for column in ("Login", "Name", "Role", "Since", ""):
        table.add_column(column)
    for person in everybody:
        state = "closed" if person.disabled_at is not None else ""
        table.add_row(
            person.login, person.name, person.role.name.lower(), f"{person.created_at:%Y-%m-%d}", state
        )
    Console().print(table)


@staff.command()
def disable(login: _Login) -> None:
    """Close an account: they are signed out everywhere and cannot sign in."""
    with _accounts() as accounts:
        person = accounts.disable(accounts.of_login(login).id)
    _screen.print(f"The account {person.login} is closed.", markup=False)


@staff.command()
def enable(login: _Login) -> None:
    """Open a closed account again."""
    with _accounts() as accounts:
        person = accounts.enable(accounts.of_login(login).id)
    _screen.print(f"The account {person.login} is open again.", markup=False)


@staff.command()
def password(login: _Login) -> None:
    """Set a new password; also lifts a lock after too many refused sign-ins."""
    with _accounts() as accounts:
        person = accounts.of_login(login)
        accounts.set_password(person.id, _password())
    _screen.print(f"{person.login} has a new password and is signed out everywhere.", markup=False)


def say_how_to_begin(log: SharedLog, settings: Settings) -> None:
    """As long as nobody has an account, say how the first is made."""
    if not _accounts_of(log, settings).everybody():
        _screen.print(
            "The team's console is at /console. Nobody has an account yet; make the first with\n"
            "  kefu staff add LOGIN --role admin --name NAME",
            markup=False,
            highlight=False,
        )


@contextmanager
def _accounts() -> Iterator[Accounts]:
    settings = load_settings()
    configure_logs(settings.log_level)
    log = SharedLog(settings.log_path)
    try:
        yield _accounts_of(log, settings)
    finally:
        log.close()


def _accounts_of(log: SharedLog, settings: Settings) -> Accounts:
    return Accounts(log, session=timedelta(hours=settings.desk.session_hours))


def _password() -> str:
    """Asked for twice without echo; the first line of the input where no terminal is."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
