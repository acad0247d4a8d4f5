"""`kefu check`, as a person runs it on the small shop."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from bot.content import load_content
from bot.conversation import Route, TurnId
from bot.errors import BotError, ContentError, StoreError
from bot.factory import rebuild
from bot.memory.store import Store
from bot.settings import load_settings
from bot.upkeep.checks import commands
from bot.upkeep.checks.unused import ENOUGH
from retrieval.errors import DocumentError, IndexMismatch, IndexMissing
from tests.example_turns import example_turn
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, INTENTS, write_knowledge_base

cli = typer.Typer()  # as app.py does it, without the chat
cli.callback()(lambda: None)  # or the only command would have no name
cli.command("check")(commands.check)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> WordEncoder:
    made = WordEncoder()
    monkeypatch.setattr(commands, "make_encoder", lambda *_: made)
    return made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: WordEncoder) -> Path:
    """A folder to work in, with the small shop and its index."""
    write_knowledge_base(tmp_path / "knowledge_base")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    rebuild(load_settings(), encoder, lambda *_: None)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def refused(*words: str) -> BaseException | None:
    return CliRunner().invoke(cli, list(words)).exception


def change(here: Path, name: str, **fields: object) -> None:
    path = here / "knowledge_base" / "intents" / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"id": name, **INTENTS[name], **fields}, allow_unicode=True), "utf-8")


def log(here: Path, count: int, *, days_ago: int = 1) -> None:
    with Store(here / "var" / "kefu.db") as store:
        conversation = store.open_conversation(ANNA, channel="page")
        for number in range(count):
            at = datetime.now(UTC) - timedelta(days=days_ago)
            store.append_turn(
                example_turn(
                    conversation,
                    number,
                    id=TurnId(f"{days_ago}-{number}"),
                    asked_at=at,
                    route=Route.TEMPLATE,
                    intent="postage",
                )
            )


def test_a_shop_without_errors_passes_and_its_warnings_count_only_if_asked(here: Path) -> None:
    done = run("check", "--json", "found.json", "--html", "found.html")
    assert done.exit_code == 0, done.output
    assert "Ended on 2026-03-01" in done.output
    assert "articles/zh/spring.md:5" in done.output
    assert "0 errors, " in done.output
    assert json.loads((here / "found.json").read_text("utf-8"))["counts"]["error"] == 0
    assert "Ended on 2026-03-01" in (here / "found.html").read_text("utf-8")
    assert run("check", "--strict").exit_code == 1


def test_an_error_fails_the_build_and_names_both_sides(here: Path) -> None:
    english = here / "knowledge_base" / "articles" / "en" / "tracking.md"
    english.write_text(english.read_text("utf-8").replace("48 hours", "72 hours"), "utf-8")
    change(here, "postage", articles=["spring"])
    done = run("check")
    assert done.exit_code == 1
    for said in ("In Chinese it is 48 hours, in English 72 hours.", "Tell us if nothing moves for 72 hours.", "物流 48 小时没有更新", "Template without a valid article"):  # fmt: skip
        assert said in done.output


def test_only_what_the_index_does_not_hold_is_encoded(here: Path, encoder: WordEncoder) -> None:
    encoder.asked.clear()
    assert run("check").exit_code == 0
    intents = load_content(here / "knowledge_base").intents.values()
    known = {text for intent in intents if intent.articles for text in intent.examples.all()}
    assert known
    assert not known & set(encoder.asked)
    assert len(encoder.asked) == len(set(encoder.asked))


def test_the_log_is_read_as_far_back_as_asked(here: Path) -> None:
    assert "There is no log yet" in run("check").output
    log(here, ENOUGH, days_ago=40)
    log(here, 3)
    assert "3 turns since" in run("check").output
    far = run("check", "--since", "60d")
    assert "and 203 turns." in far.output
    assert "Template that nobody hit (3)" in far.output
    assert "Article that nobody found" in far.output


def test_soon_is_as_many_days_as_asked(here: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(days=45)).date()
    path = here / "knowledge_base" / "articles" / "zh" / "spring.md"
    path.write_text(path.read_text("utf-8").replace("2026-03-01", str(soon)), "utf-8")
    assert "Expires soon" not in run("check").output
    assert "Expires soon (1)" in run("check", "--soon", "60").output


def test_a_time_that_is_none_is_refused_with_what_can_be_written(here: Path) -> None:
    done = run("check", "--since", "letzte Woche")
    assert done.exit_code == 2
    assert "--since" in done.output


def test_nothing_is_written_but_what_was_asked_for(here: Path) -> None:
    before = {path for path in here.rglob("*") if path.is_file()}
    assert run("check").exit_code == 0
    assert {path for path in here.rglob("*") if path.is_file()} == before


def test_without_an_index_the_way_to_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: WordEncoder
) -> None:
    write_knowledge_base(tmp_path / "knowledge_base")
    monkeypatch.chdir(tmp_path)
    missing = refused("check")
    assert isinstance(missing, IndexMissing)
    assert "kefu index" in str(missing)


@pytest.mark.parametrize(
    ("damage", "error", "said"),
    [
        (lambda here: next((here / "var" / "index").glob("2*/articles.jsonl")).write_text("{"), IndexMismatch, "kefu index"),
        (lambda here: (here / "knowledge_base" / "messages.yaml").write_text("zh: ["), ContentError, "messages.yaml"),
        (lambda here: (here / "knowledge_base" / "articles" / "zh" / "x.md").write_text("---\nowner: [\n---\n"), DocumentError, "x.md"),
        (lambda here: (here / "var" / "kefu.db").write_bytes(b"no log" * 999), StoreError, "kefu.db"),
        (lambda here: (here / "var" / "intent-corrections.jsonl").write_text("{"), ContentError, "intent-corrections.jsonl:1"),
        (lambda here: (here / "found").write_text(""), BotError, "cannot be written"),
    ],
    ids=["index", "messages", "article", "log", "corrections", "report"],
)  # fmt: skip
def test_what_is_damaged_is_named(here: Path, damage: object, error: type[Exception], said: str) -> None:
    assert callable(damage)
    damage(here)
    seen = refused("check", "--json", "found/a.json") if said == "cannot be written" else refused("check")
    assert isinstance(seen, error), seen
    assert said in str(seen)
