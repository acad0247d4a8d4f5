"""Who works here, in the log: accounts, sessions, refused logins, and who did what.

A password is kept as its hash, a session as the hash of its token: whoever reads the log can become nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NewType

from sqlite_utils import Database

from bot.memory.records import Row, stamp

StaffId = NewType("StaffId", str)


class Role(IntEnum):
    """What somebody may do; each may do all that the one before may."""

    AGENT = 1  # take over talks
    EDITOR = 2  # and edit articles and templates
    ADMIN = 3  # and settings, accounts, adapters


@dataclass(frozen=True)
class Staff:
    """Somebody who works here. `name` is what customers see."""

    id: StaffId
    login: str
    name: str
    role: Role
    created_at: datetime  # UTC
    disabled_at: datetime | None  # UTC; None for who may log in


@dataclass(frozen=True)
class AuditEntry:
    """Something that somebody did."""

    number: int
    done_at: datetime  # UTC
    staff_id: StaffId | None
    staff_name: str | None
    action: str  # a short fixed name, e.g. "take", "edit_article"
    subject: str  # what it was done to, e.g. a conversation's id
    detail: str


def all_staff(log: Database) -> list[Staff]:
    """Everybody who has or had an account, by name."""
    return [_staff(row) for row in log.query("SELECT * FROM staff ORDER BY name COLLATE NOCASE, id")]


def staff_by_id(log: Database, staff: StaffId) -> Staff | None:
    """One account, or None."""
    row = next(log.query("SELECT * FROM staff WHERE id = ?", [staff]), None)
    return None if row is None else _staff(row)


def staff_with_hash(log: Database, login: str) -> tuple[Staff, str] | None:
    """An account and its password's hash by login name, upper and lower case alike; None if there is none."""
    row = next(log.query("SELECT * FROM staff WHERE login = ?", [login]), None)
    return None if row is None else (_staff(row), row["password_hash"])


def add_staff(log: Database, staff: Staff, password_hash: str) -> None:
    """Add an account.

    Raises:
        sqlite3.IntegrityError: the login is taken.
    """
    log.conn.execute(
        "INSERT INTO staff (id, login, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        [staff.id, staff.login, staff.name, staff.role.name.lower(), password_hash, stamp(staff.created_at)],
    )


def change_staff(log: Database, staff: Staff) -> None:
    """Write name, role and whether the account is open."""
    disabled = None if staff.disabled_at is None else stamp(staff.disabled_at)
    log.conn.execute(
        "UPDATE staff SET name = ?, role = ?, disabled_at = ? WHERE id = ?",
        [staff.name, staff.role.name.lower(), disabled, staff.id],
    )


def set_password_hash(log: Database, staff: StaffId, password_hash: str) -> None:
    """Replace a password; what was open with the old one is closed by `end_sessions`."""
    log.conn.execute("UPDATE staff SET password_hash = ? WHERE id = ?", [password_hash, staff])


def token_sha256(token: str) -> str:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(log: Database, token: str, staff: StaffId, *, at: datetime) -> None:
    """Note that somebody is logged in."""
    log.conn.execute(
        "INSERT INTO staff_sessions (token_sha256, staff_id, opened_at, seen_at) VALUES (?, ?, ?, ?)",
        [token_sha256(token), staff, stamp(at), stamp(at)],
    )


def session_staff(log: Database, token: str, *, seen_after: datetime) -> Staff | None:
    """Whose open session this is; None if it was ended, or not seen since `seen_after`, or its account is closed."""
    sql = (
        "SELECT s.* FROM staff_sessions AS o JOIN staff AS s ON s.id = o.staff_id"
        " WHERE o.token_sha256 = ? AND o.ended_at IS NULL AND o.seen_at >= ? AND s.disabled_at IS NULL"
    )
    row = next(log.query(sql, [token_sha256(token), stamp(seen_after)]), None)
    return None if row is None else _staff(row)


def touch_session(log: Database, token: str, *, at: datetime) -> None:
    """Note that a session is in use."""
    log.conn.execute(
        "UPDATE staff_sessions SET seen_at = ? WHERE token_sha256 = ?", [stamp(at), token_sha256(token)]
    )


def end_session(log: Database, token: str, *, at: datetime) -> None:
    """Log out."""
    log.conn.execute(
        "UPDATE staff_sessions SET ended_at = ? WHERE token_sha256 = ? AND ended_at IS NULL",
        [stamp(at), token_sha256(token)],
    )


def end_sessions(log: Database, staff: StaffId, *, at: datetime) -> None:
    """Log somebody out everywhere."""
    log.conn.execute(
        "UPDATE staff_sessions SET ended_at = ? WHERE staff_id = ? AND ended_at IS NULL", [stamp(at), staff]
    )


def add_failure(log: Database, login: str, address: str, *, at: datetime) -> None:
    """Note a refused login."""
    log.conn.execute(
        "INSERT INTO login_failures (login, address, failed_at) VALUES (?, ?, ?)", [login, address, stamp(at)]
    )


def failures_since(log: Database, login: str, since: datetime) -> list[datetime]:
    """When logins with this name were refused, oldest first."""
    sql = "SELECT failed_at FROM login_failures WHERE login = ? AND failed_at >= ? ORDER BY failed_at"
    return [datetime.fromisoformat(row["failed_at"]) for row in log.query(sql, [login, stamp(since)])]


def failures_from(log: Database, address: str, since: datetime) -> int:
    """How many logins from this address were refused."""
    sql = "SELECT count(*) AS n FROM login_failures WHERE address = ? AND failed_at >= ?"
    return int(next(log.query(sql, [address, stamp(since)]))["n"])


def forget_failures_before(log: Database, moment: datetime) -> None:
    """Forget refused logins that are too old to count."""
    log.conn.execute("DELETE FROM login_failures WHERE failed_at < ?", [stamp(moment)])


def forget_failures(log: Database, login: str) -> None:
    """Forget refused logins: the right password came."""
    log.conn.execute("DELETE FROM login_failures WHERE login = ?", [login])


def note(
    log: Database, staff: StaffId | None, action: str, subject: str, detail: str, *, at: datetime
) -> None:
    """Add to the record of who did what."""
    log.conn.execute(
        "INSERT INTO audit (done_at, staff_id, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
        [stamp(at), staff, action, subject, detail],
    )


def audit_page(log: Database, *, before: int | None = None, size: int = 100) -> list[AuditEntry]:
    """The last things that were done, the latest first; `before` continues after the last number of a page."""
    sql = (
        "SELECT a.*, s.name AS staff_name FROM audit AS a LEFT JOIN staff AS s ON s.id = a.staff_id"
        " WHERE ? IS NULL OR a.number < ? ORDER BY a.number DESC LIMIT ?"
    )
    return [
        AuditEntry(
            number=row["number"],
            done_at=datetime.fromisoformat(row["done_at"]),
            staff_id=None if row["staff_id"] is None else StaffId(row["staff_id"]),
            staff_name=row["staff_name"],
            action=row["action"],
            subject=row["subject"],
            detail=row["detail"],
        )
        for row in log.query(sql, [before, before, size])
    ]


def _staff(row: Row) -> Staff:
    disabled_at: str | None = row["disabled_at"]
    return Staff(
        id=StaffId(row["id"]),
        login=row["login"],
        name=row["name"],
        role=Role[row["role"].upper()],
        created_at=datetime.fromisoformat(row["created_at"]),
        disabled_at=None if disabled_at is None else datetime.fromisoformat(disabled_at),
    )
