"""The command `kefu forget`: it says how much, asks, and deletes what was asked for and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import app
from bot.errors import CallRefused
from tests.forgotten_shop import LONG_AGO, NOW, ForgetfulShop

RUNNER = CliRunner(env={"COLUMNS": "120"})


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForgetfulShop]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_VAR", str(tmp_path))
    shop = ForgetfulShop(tmp_path)
    yield shop
    shop.close()


def run(*words: str, typed: str = "") -> Result:
    result = RUNNER.invoke(app.cli, ["forget", *words], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_says_how_much_would_go_and_what_is_out_of_reach_and_a_no_deletes_nothing(
    shop: ForgetfulShop,
) -> None:
    guest = shop.visit("anna", LONG_AGO)
    refused = run("--customer", "anna-id", typed="n\n")
    assert refused.exit_code == 1
    for said in ("Turns", "Pictures and files", "for ever?", "kefu export"):
        assert said in refused.output
    assert "turns" in shop.traces_of(guest)


def test_a_yes_deletes_the_customer_and_nobody_else(shop: ForgetfulShop) -> None:
    anna, bob = shop.visit("安娜", LONG_AGO), shop.visit("bob", LONG_AGO)
    assert "Deleted." in run("--customer", "安娜-id", typed="y\n").output
    assert shop.traces_of(anna) == set()
    assert "turns" in shop.traces_of(bob)
    assert "Deleted." in run("--conversation", bob.conversation, "--yes").output
    assert shop.traces_of(bob) == set()
    assert "holds nothing" in run("--conversation", bob.conversation, "--yes").output


def test_what_was_said_before_a_day_goes(shop: ForgetfulShop) -> None:
    old, new = shop.visit("alt", LONG_AGO), shop.visit("neu", NOW)
    assert "Deleted." in run("--before", "2026-06-01", "--yes").output
    assert shop.traces_of(old) == set()
    assert "turns" in shop.traces_of(new)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "one of --before"),
        (["--before", "2026-01-01", "--customer", "a"], "one of --before"),
        (["--before", "2999-01-01"], "not over yet"),
        (["--before", "someday"], "no time"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop: ForgetfulShop, words: list[str], why: str) -> None:
    shop.visit("anna", LONG_AGO)
    result = run(*words)
    assert result.exit_code == 2
    assert why in " ".join(result.output.replace("│", " ").split())


def test_a_talk_with_a_person_must_end_first(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO, ended=False)
    with pytest.raises(CallRefused, match="Close them in the console"):
        run("--customer", "anna-id", "--yes")


def test_turns_that_wait_beside_the_log_are_named(shop: ForgetfulShop, tmp_path: Path) -> None:
    shop.visit("anna", LONG_AGO)
    (tmp_path / "kefu.db.spill-00.rejected").write_text("{}", "utf-8")
    assert ".rejected" in run("--customer", "anna-id", "--yes").output


def test_without_a_log_there_is_nothing_to_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_VAR", str(tmp_path / "empty"))
    assert "no log yet" in run("--customer", "a", "--yes").output
