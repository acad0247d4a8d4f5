"""Who may use the console: accounts, sessions, lock-out, and the record of who did what.

A password is kept as its hash and a session as the digest of its token. Each attempt to sign in is counted before the
password is looked at, so that a hundred attempts at once are a hundred failures and not one.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlite_utils import Database

from bot.desk.desk import Clock, utc_now
from bot.desk.passwords import Passwords, check_password, checked_login, checked_name, plain_login
from bot.errors import AccessRefused
from bot.memory import staff as people
from bot.memory.shared_log import SharedLog
from bot.memory.staff import AuditEntry, Role, Staff, StaffId

_LOCK = timedelta(minutes=15)
_FAILURES_OF_LOGIN, _FAILURES_OF_ADDRESS = 5, 20
_TOKEN_BYTES = 32
_TOUCH = timedelta(minutes=1)  # a session's last use is written no more often than this


class Accounts:
    """The accounts of one Kefu. Safe to share between threads; what it changed is on disk when a method returns."""

    def __init__(
        self,
        log: SharedLog,
        *,
        session: timedelta,
        passwords: Passwords | None = None,
        now: Clock = utc_now,
    ) -> None:
        """Nothing is read yet.

        Args:
            log: the log.
            session: how long a login lasts without use.
            passwords: hashes and compares passwords.
            now: the clock.
        """
        self._log = log
        self._session = session
        self._passwords = Passwords() if passwords is None else passwords
        self._now = now

    # -- signing in and out

    def sign_in(self, login: str, password: str, *, address: str) -> tuple[Staff, str]:
        """Check a password; returns whose it is and the token of a new session.

        Raises:
            AccessRefused: `locked` after too many failures of this login or address, else `wrong`, whatever is wrong.
            StoreError: the log cannot be used.
        """
        person = self._check(login, password, address)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._log.writing() as log:
            people.open_session(log, token, person.id, at=self._now())
            people.note(log, person.id, "sign_in", person.login, address, at=self._now())
        return person, token

    def staff_of(self, token: str, *, in_use: bool = True) -> Staff | None:
        """Whose open session this is, or None.

        Args:
            token: as `sign_in` gave it.
            in_use: whether somebody is there just now, so that the session lasts on; False for what runs by itself.
        """
        now = self._now()
        with self._log.reading() as log:
            found = people.session_staff(log, token, seen_after=now - self._session)
            stale = in_use and people.session_staff(log, token, seen_after=now - _TOUCH) is None
        if found is not None and stale:
            with self._log.writing() as log:
                people.touch_session(log, token, at=now)
        return found

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._log.writing() as log:
            found = people.session_staff(log, token, seen_after=self._now() - self._session)
            people.end_session(log, token, at=self._now())
            if found is not None:
                people.note(log, found.id, "sign_out", found.login, "", at=self._now())

    # -- accounts

    def everybody(self) -> list[Staff]:
        """Everybody who has or had an account, by name."""
        with self._log.reading() as log:
            return people.all_staff(log)

    def of_login(self, login: str) -> Staff:
        """The account with this login.

        Raises:
            AccessRefused: `unknown`: there is none.
        """
        with self._log.reading() as log:
            found = people.staff_with_hash(log, plain_login(login))
        if found is None:
            raise _unknown(login)
        return found[0]

    def add(self, login: str, name: str, role: Role, password: str, *, by: Staff | None = None) -> Staff:
        """Open an account.

        Args:
            login: what they sign in with, 2 to 64 characters without blanks.
            name: what customers see, up to 40 characters.
            role: what they may do.
            password: see `bot.desk.passwords.check_password`.
            by: who adds it; None for the command line.

        Raises:
            AccessRefused: `login_taken`, `login_rule`, `name_rule`, or what `check_password` says.
        """
        login, name = checked_login(login), checked_name(name)
        check_password(password, login)
        person = Staff(StaffId(secrets.token_urlsafe(12)), login, name, role, self._now(), None)
        password_hash = self._passwords.hash(password)
        with self._log.writing() as log:
            try:
                people.add_staff(log, person, password_hash)
            except sqlite3.IntegrityError as error:
                raise AccessRefused(
                    "login_taken", f"Somebody has the login {login!r} already. Choose another one."
                ) from error
            people.note(log, _id(by), "add_account", login, role.name.lower(), at=self._now())
        return person

    def change(
        self, person: StaffId, *, name: str | None = None, role: Role | None = None, by: Staff | None = None
    ) -> Staff:
        """Change what somebody is called or may do; a new role holds from their next click on.

        Raises:
            AccessRefused: `unknown`, `name_rule`, or `last_admin`: nobody could manage accounts any more.
        """

        def changed(before: Staff) -> Staff:
            return replace(
                before,
                name=before.name if name is None else checked_name(name),
                role=before.role if role is None else role,
            )

        return self._change(person, changed, "change_account", by)

    def disable(self, person: StaffId, *, by: Staff | None = None) -> Staff:
        """Close an account: they are signed out everywhere and cannot sign in. What they did stays theirs.

        Raises:
            AccessRefused: `unknown` or `last_admin`.
        """
        return self._change(
            person, lambda before: replace(before, disabled_at=self._now()), "disable_account", by
        )

    def enable(self, person: StaffId, *, by: Staff | None = None) -> Staff:
        """Open a closed account again, with the password it had.

        Raises:
            AccessRefused: `unknown`.
        """
        return self._change(person, lambda before: replace(before, disabled_at=None), "enable_account", by)

    def set_password(self, person: StaffId, password: str, *, by: Staff | None = None) -> None:
        """Give somebody a new password; they are signed out everywhere, and a lock of their login is lifted.

        Raises:
            AccessRefused: `unknown`, or what `bot.desk.passwords.check_password` says.
        """
        with self._log.reading() as log:
            found = people.staff_by_id(log, person)
        if found is None:
            raise _unknown(person)
        check_password(password, found.login)
        password_hash = self._passwords.hash(password)
        with self._log.writing() as log:
            people.set_password_hash(log, person, password_hash)
            people.end_sessions(log, person, at=self._now())
            people.forget_failures(log, found.login)
            people.note(log, _id(by), "set_password", found.login, "", at=self._now())

    def change_own_password(self, person: Staff, old: str, new: str, *, address: str) -> str:
        """Change one's own password. Signs out everywhere; returns the token of a new session.

        Raises:
            AccessRefused: `wrong` or `locked` for the old one, else what `check_password` says of the new one.
        """
        check_password(new, person.login)
        self._check(person.login, old, address)
        self.set_password(person.id, new, by=person)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._log.writing() as log:
            people.open_session(log, token, person.id, at=self._now())
        return token

    # -- who did what

    def note(self, person: Staff | None, action: str, subject: str, detail: str = "") -> None:
        """Add to the record. `action` is a short fixed name in snake_case, worded in the console's locale."""
        with self._log.writing() as log:
            people.note(log, _id(person), action, subject, detail, at=self._now())

    def audit_page(self, *, before: int | None = None, size: int = 100) -> list[AuditEntry]:
        """The last things that were done, the latest first; `before` continues after the last number of a page."""
        with self._log.reading() as log:
            return people.audit_page(log, before=before, size=size)

    # -- how

    def _check(self, login: str, password: str, address: str) -> Staff:
        """Whose password this is; every way to be wrong takes the same time and says the same."""
        login = plain_login(login)
        with self._log.writing() as log:
            self._count_attempt(log, login, address)
            found = people.staff_with_hash(log, login)
        person, password_hash = (None, None) if found is None else found
        right = self._passwords.fits(password_hash, password)  # takes a while: no lock is held
        if person is None or password_hash is None or not right or person.disabled_at is not None:
            self._note_refusal(login, person, address)
            raise AccessRefused("wrong", "The login or the password is wrong, or the account is closed.")
        with self._log.writing() as log:
            people.forget_failures(log, login)
            if self._passwords.is_dated(password_hash):
                people.set_password_hash(log, person.id, self._passwords.hash(password))
        return person

    def _count_attempt(self, log: Database, login: str, address: str) -> None:
        since = self._now() - _LOCK
        if (
            len(people.failures_since(log, login, since)) >= _FAILURES_OF_LOGIN
            or people.failures_from(log, address, since) >= _FAILURES_OF_ADDRESS
        ):
            raise AccessRefused("locked", "Too many sign-ins were refused. Wait 15 minutes, then try again.")
        people.forget_failures_before(log, since)
        people.add_failure(log, login, address, at=self._now())

    def _note_refusal(self, login: str, person: Staff | None, address: str) -> None:
        now = self._now()
        # What was typed as a login that does not exist may be a password: it is not kept in the record.
        subject = "" if person is None else person.login
        with self._log.writing() as log:
            people.note(log, None, "sign_in_refused", subject, address, at=now)
            if len(people.failures_since(log, login, now - _LOCK)) == _FAILURES_OF_LOGIN:
                people.note(log, None, "sign_in_locked", subject, address, at=now)

    def _change(
        self, person: StaffId, changed: Callable[[Staff], Staff], action: str, by: Staff | None
    ) -> Staff:
        with self._log.writing() as log:
            before = people.staff_by_id(log, person)
            if before is None:
                raise _unknown(person)
            after = changed(before)
            people.change_staff(log, after)
            if _manages(before) and not any(map(_manages, people.all_staff(log))):
                raise AccessRefused(  # inside the transaction: nothing is changed
                    "last_admin", f"{before.name} is the last admin. Make somebody else an admin first."
                )
            if after.disabled_at is not None:
                people.end_sessions(log, person, at=self._now())
            detail = f"{after.name}, {after.role.name.lower()}"
            people.note(log, _id(by), action, after.login, detail, at=self._now())
        return after


def _manages(person: Staff) -> bool:
    return person.role is Role.ADMIN and person.disabled_at is None


def _id(person: Staff | None) -> StaffId | None:
    return None if person is None else person.id


def _unknown(login: str) -> AccessRefused:
    return AccessRefused("unknown", f"There is no account {login!r}. `kefu staff list` names them.")
