"""The command `kefu staff`: accounts from a terminal, with a password that is neither shown nor an option."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
from bot.desk.accounts import Accounts
from bot.errors import AccessRefused
from bot.memory.shared_log import SharedLog
from bot.settings import Settings
from bot.web.console.commands import say_how_to_begin
from tests.console_people import PASSWORD, QUICK

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_VAR", str(tmp_path / "var"))


@pytest.fixture
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are not about the price of a hash; the last one pays it in full."""
    monkeypatch.setattr("bot.desk.accounts.Passwords", lambda: QUICK)


def run(*words: str, typed: str = "") -> str:
    result = RUNNER.invoke(app.cli, ["staff", *words], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def accounts(tmp_path: Path) -> Accounts:
    return Accounts(SharedLog(tmp_path / "var" / "kefu.db"), session=timedelta(hours=1))


@pytest.mark.usefixtures("_cheap_hashes")
def test_an_account_is_made_listed_closed_and_opened(tmp_path: Path) -> None:
    said = run("add", "admin", "--role", "admin", "--name", "王敏", typed=f"{PASSWORD}\n")
    assert "王敏 (admin, admin) can sign in" in said
    assert PASSWORD not in said
    run("add", "li", typed=f"{PASSWORD}\n")
    run("disable", "li")
    assert "closed" in run("list")
    with pytest.raises(AccessRefused):
        accounts(tmp_path).sign_in("li", PASSWORD, address="")
    run("enable", "li")
    run("password", "li", typed="another long one\n")
    assert accounts(tmp_path).sign_in("li", "another long one", address="")[0].name == "li"


@pytest.mark.usefixtures("_cheap_hashes")
@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (["add", "li"], "short\n", "10 or more"),
        (["add", "l i"], f"{PASSWORD}\n", "no blanks"),
        (["password", "nobody"], f"{PASSWORD}\n", "no account 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(words: list[str], typed: str, why: str) -> None:
    with pytest.raises(AccessRefused, match=why):
        run(*words, typed=typed)


def test_serving_says_how_the_first_account_is_made_until_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, settings = SharedLog(tmp_path / "var" / "kefu.db"), Settings()
    say_how_to_begin(log, settings)
    assert "kefu staff add LOGIN --role admin" in capsys.readouterr().err
    run("add", "admin", "--role", "admin", typed=f"{PASSWORD}\n")
    say_how_to_begin(log, settings)
    assert capsys.readouterr().err == ""
    log.close()
