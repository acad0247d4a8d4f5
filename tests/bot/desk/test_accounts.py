"""Accounts: signing in and being locked out, sessions, passwords, and the last admin."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.desk.accounts import Accounts
from bot.desk.passwords import Passwords, check_password
from bot.errors import AccessRefused
from bot.memory.shared_log import SharedLog
from bot.memory.staff import Role, Staff, StaffId
from tests.console_people import PASSWORD, QUICK

HERE = "192.0.2.7"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SharedLog]:
    log = SharedLog(tmp_path / "kefu.db")
    yield log
    log.close()


@pytest.fixture
def accounts(log: SharedLog, clock: Clock) -> Accounts:
    return Accounts(log, session=timedelta(hours=12), passwords=QUICK, now=clock)


@pytest.fixture
def li(accounts: Accounts) -> Staff:
    accounts.add("admin", "王敏", Role.ADMIN, PASSWORD)
    return accounts.add("li", "小李", Role.AGENT, PASSWORD)


def refused(accounts: Accounts, login: str, password: str, address: str = HERE) -> str:
    """The code that an attempt to sign in is refused with."""
    with pytest.raises(AccessRefused) as refusal:
        accounts.sign_in(login, password, address=address)
    return refusal.value.code


def test_who_knows_the_password_gets_a_session(accounts: Accounts, li: Staff) -> None:
    person, token = accounts.sign_in("LI", PASSWORD, address=HERE)
    assert person == accounts.staff_of(token) == li


def test_a_full_width_password_of_an_input_method_is_the_same(accounts: Accounts, li: Staff) -> None:
    accounts.set_password(li.id, "密码很长ＡＢＣ１２３很长")
    assert accounts.sign_in("ｌｉ", "密码很长ABC123很长", address=HERE)[0] == li


def test_neither_password_nor_token_is_in_the_log(accounts: Accounts, li: Staff, tmp_path: Path) -> None:
    _, token = accounts.sign_in("li", PASSWORD, address=HERE)
    with closing(sqlite3.connect(tmp_path / "kefu.db")) as log:
        everything = "\n".join(log.iterdump())
    assert li.login in everything
    assert PASSWORD not in everything
    assert token not in everything


def test_every_way_to_be_wrong_says_the_same(accounts: Accounts, li: Staff) -> None:
    accounts.add("closed", "Former", Role.AGENT, PASSWORD)
    accounts.disable(accounts.of_login("closed").id)
    assert refused(accounts, "li", "wrong password") == "wrong"
    assert refused(accounts, "nobody", PASSWORD) == "wrong"
    assert refused(accounts, "closed", PASSWORD) == "wrong"


def test_an_unknown_login_costs_a_hash_too(log: SharedLog, li: Staff, clock: Clock) -> None:
    compared: list[bool] = []

    class Counting(Passwords):
        def fits(self, password_hash: str | None, password: str) -> bool:
            compared.append(password_hash is None)
            return QUICK.fits(password_hash, password)

    accounts = Accounts(log, session=timedelta(hours=1), passwords=Counting(), now=clock)
    refused(accounts, "nobody", PASSWORD)
    assert compared == [True]


def test_after_five_failures_the_right_password_does_not_get_in(
    accounts: Accounts, li: Staff, clock: Clock
) -> None:
    assert [refused(accounts, "li", "wrong password", f"198.51.100.{i}") for i in range(5)] == ["wrong"] * 5
    assert refused(accounts, "Li", PASSWORD) == "locked"
    clock.pass_(minutes=15, seconds=1)
    assert accounts.sign_in("li", PASSWORD, address=HERE)[0] == li


def test_an_unknown_login_is_locked_like_a_known_one(accounts: Accounts, li: Staff) -> None:
    for _ in range(5):
        refused(accounts, "nobody", "wrong password")
    assert refused(accounts, "nobody", "wrong password") == "locked"


def test_twenty_failures_from_one_address_lock_it_for_every_login(accounts: Accounts, li: Staff) -> None:
    for i in range(20):
        refused(accounts, f"guess-{i}", "wrong password")
    assert refused(accounts, "li", PASSWORD) == "locked"
    assert accounts.sign_in("li", PASSWORD, address="203.0.113.1")[0] == li


def test_a_right_password_forgets_the_failures_before_it(accounts: Accounts, li: Staff) -> None:
    for _ in range(3):
        for _ in range(4):
            refused(accounts, "li", "wrong password")
        accounts.sign_in("li", PASSWORD, address=HERE)


def test_thirty_guesses_at_once_are_no_more_than_five(accounts: Accounts, li: Staff) -> None:
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda: codes.append(refused(accounts, "li", "wrong password")))
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["locked"] * 25 + ["wrong"] * 5


def test_a_session_ends_without_use_and_lasts_with_it(accounts: Accounts, li: Staff, clock: Clock) -> None:
    _, token = accounts.sign_in("li", PASSWORD, address=HERE)
    for _ in range(3):
        clock.pass_(hours=11)
        assert accounts.staff_of(token) == li
    clock.pass_(hours=12, seconds=1)
    assert accounts.staff_of(token) is None


def test_what_a_page_asks_by_itself_does_not_prolong_a_session(
    accounts: Accounts, li: Staff, clock: Clock
) -> None:
    _, token = accounts.sign_in("li", PASSWORD, address=HERE)
    clock.pass_(hours=11)
    assert accounts.staff_of(token, in_use=False) == li
    clock.pass_(hours=2)
    assert accounts.staff_of(token) is None


def test_signing_out_ends_the_session(accounts: Accounts, li: Staff) -> None:
    _, token = accounts.sign_in("li", PASSWORD, address=HERE)
    accounts.sign_out(token)
    assert accounts.staff_of(token) is None


def test_closing_an_account_ends_its_sessions_at_once(accounts: Accounts, li: Staff) -> None:
    _, token = accounts.sign_in("li", PASSWORD, address=HERE)
    accounts.disable(li.id)
    assert accounts.staff_of(token) is None
    accounts.enable(li.id)
    assert accounts.staff_of(token) is None
    accounts.sign_in("li", PASSWORD, address=HERE)


def test_changing_ones_own_password_ends_every_other_session(accounts: Accounts, li: Staff) -> None:
    _, elsewhere = accounts.sign_in("li", PASSWORD, address=HERE)
    token = accounts.change_own_password(li, PASSWORD, "another long one", address=HERE)
    assert accounts.staff_of(elsewhere) is None
    assert accounts.staff_of(token) == li
    assert refused(accounts, "li", PASSWORD) == "wrong"


def test_ones_own_password_is_changed_only_with_the_old_one(accounts: Accounts, li: Staff) -> None:
    with pytest.raises(AccessRefused) as refusal:
        accounts.change_own_password(li, "not the old one", "another long one", address=HERE)
    assert refusal.value.code == "wrong"
    accounts.sign_in("li", PASSWORD, address=HERE)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short one", "password_short"),
        ("九个字的密码不够长", "password_short"),
        ("x" * 201, "password_long"),
        ("aaaaaaaaaaaa", "password_easy"),
        ("Somebody@Shop", "password_easy"),
    ],
)
def test_a_password_is_long_and_not_the_login(password: str, code: str) -> None:
    with pytest.raises(AccessRefused) as refusal:
        check_password(password, "somebody@shop")
    assert refusal.value.code == code


@pytest.mark.parametrize("password", ["long enough", "一句十个字以上的短话就好", "1234567890"])
def test_nothing_else_is_asked_of_a_password(password: str) -> None:
    check_password(password, "li")


@pytest.mark.parametrize("login", ["a", "with blank", "x" * 65, "bell\a!", ""])
def test_a_login_that_nobody_could_type_is_refused(accounts: Accounts, login: str) -> None:
    with pytest.raises(AccessRefused) as refusal:
        accounts.add(login, "Name", Role.AGENT, PASSWORD)
    assert refusal.value.code == "login_rule"


def test_two_people_cannot_have_one_login(accounts: Accounts, li: Staff) -> None:
    with pytest.raises(AccessRefused) as refusal:
        accounts.add("LI", "Other", Role.AGENT, PASSWORD)
    assert refusal.value.code == "login_taken"


def _demote(accounts: Accounts, admin: StaffId) -> None:
    accounts.change(admin, role=Role.EDITOR)


def _close(accounts: Accounts, admin: StaffId) -> None:
    accounts.disable(admin)


@pytest.mark.parametrize("remove", [_demote, _close])
def test_the_last_admin_stays(
    accounts: Accounts, li: Staff, remove: Callable[[Accounts, StaffId], None]
) -> None:
    admin = accounts.of_login("admin")
    with pytest.raises(AccessRefused) as refusal:
        remove(accounts, admin.id)
    assert refusal.value.code == "last_admin"
    assert accounts.of_login("admin") == admin
    accounts.change(li.id, role=Role.ADMIN)
    assert accounts.disable(admin.id).disabled_at is not None


def test_what_matters_is_on_record_and_no_typed_password_is(accounts: Accounts, li: Staff) -> None:
    refused(accounts, PASSWORD, PASSWORD)  # typed into the wrong field
    for _ in range(5):
        refused(accounts, "li", "wrong password")
    accounts.set_password(li.id, "another long one", by=accounts.of_login("admin"))
    entries = accounts.audit_page()
    assert [(each.action, each.subject) for each in entries[:3]] == [
        ("set_password", "li"),
        ("sign_in_locked", "li"),
        ("sign_in_refused", "li"),
    ]
    assert entries[0].staff_name == "王敏"
    assert {each.detail for each in entries[1:3]} == {HERE}
    assert all(PASSWORD not in (each.subject, each.detail) for each in entries)
