"""People with an account and a password that is known, for tests of the console."""

from __future__ import annotations

from datetime import timedelta

from argon2 import PasswordHasher
from fastapi import FastAPI

from bot.desk.accounts import Accounts
from bot.desk.desk import Desk
from bot.desk.passwords import Passwords
from bot.memory.staff import Role, Staff

PASSWORD = "correct horse battery"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def employ(desk: Desk, login: str, name: str, role: Role = Role.AGENT) -> Staff:
    """Open an account."""
    accounts = Accounts(desk.log, session=timedelta(hours=1), passwords=QUICK)
    return accounts.add(login, name, role, PASSWORD)


def admit(app: FastAPI, desk: Desk) -> None:
    """Let an agent, an editor and an admin sign in at the console of `app`, without the price of a real hash."""
    app.state.console.accounts._passwords = QUICK
    employ(desk, "li", "小李", Role.AGENT)
    employ(desk, "mary", "Mary", Role.EDITOR)
    employ(desk, "admin", "王敏", Role.ADMIN)
