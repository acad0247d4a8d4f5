"""`kefu unanswered` and what comes under it, with a fake encoder and without a language model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.content import load_content
from bot.errors import ContentError
from bot.factory import rebuild
from bot.memory.store import Store
from bot.settings import load_settings
from bot.upkeep.gaps import commands
from tests.bot.upkeep.gaps.gap_shop import BilingualEncoder, ask
from tests.small_shop import write_knowledge_base

Run = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: the small shop, published, and four turns without an answer in its log."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_LOG_LEVEL", "error")
    monkeypatch.setenv("COLUMNS", "200")
    encoder = BilingualEncoder()
    monkeypatch.setattr(commands, "make_encoder", lambda *_: encoder)
    write_knowledge_base(tmp_path / "knowledge_base")
    settings = load_settings()
    rebuild(settings, encoder, lambda *_: None)
    with Store(settings.log_path) as store:
        for text in ("学生优惠", "student discount", "学生优惠吗", "能[刻字]吗"):
            ask(store, text)
        ask(store, "保修多久", reason="error: ValueError")
    return tmp_path


@pytest.fixture
def run(here: Path) -> Run:
    """Runs the command as `kefu` would, and gives what it printed."""
    assert here
    cli = typer.Typer()
    cli.add_typer(commands.unanswered, name="unanswered")

    def run_command(*words: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(cli, ["unanswered", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


def test_the_list_shows_what_was_asked_most_with_languages_reasons_and_technical_problems_apart(
    run: Run,
) -> None:
    said = run()
    assert said.index("学生优惠") < said.index("能[刻字]吗")
    assert "zh 2, en 1" in said
    assert "no answer 3" in said
    assert "Technical problems, not listed: 1 turns" in said
    assert "error: ValueError" in said


def test_the_json_is_one_object_with_ids_that_stay(run: Run) -> None:
    first, second = json.loads(run("--json")), json.loads(run("--json"))
    assert [gap["count"] for gap in first["gaps"]] == [3, 1]
    assert [gap["id"] for gap in first["gaps"]] == [gap["id"] for gap in second["gaps"]]
    assert first["technical_problems"]["kinds"] == {"error: ValueError": 1}


def test_a_gap_is_shown_with_its_talks_and_a_draft_that_can_be_worked_on(run: Run, here: Path) -> None:
    run()
    said = run("show", "1", "--as-intent", "--write", str(here / "draft.yaml"))
    assert "▶ student discount" in said
    assert "Draft of intents/student-discount.yaml" in said
    draft = (here / "draft.yaml").read_text("utf-8")
    with pytest.raises(ContentError, match="TODO"):
        run("accept", "1", "--file", str(here / "draft.yaml"))
    lines = [line for line in draft.splitlines() if "TODO:" not in line and not line.lstrip().startswith("#")]
    answers = ["  zh: 学生减 5 元。", "  en: Students get 5 yuan off."]
    place = lines.index("answer:") + 1
    (here / "draft.yaml").write_text("\n".join([*lines[:place], *answers, *lines[place:]]), "utf-8")
    assert "Gap 1 is accepted" in run("accept", "1", "--file", str(here / "draft.yaml"))
    assert "student-discount" in load_content(here / "knowledge_base").intents


def test_a_gap_is_accepted_with_answers_typed_in_one_line(run: Run, here: Path) -> None:
    run()
    words = ["--as-intent", "--answer-zh", "学生减 5 元。", "--answer-en", "Students get 5 yuan off."]
    said = run("accept", "1", *words, "--question-en", "is there a student price", "--id", "student")
    assert "intents/student.yaml" in said
    intent = load_content(here / "knowledge_base").intents["student"]
    assert intent.examples.en[0] == "is there a student price"
    assert json.loads(run("--json"))["not_listed"]["accepted"] == 1


def test_a_gap_goes_into_an_intent(run: Run, here: Path) -> None:
    run()
    assert "Added to" in run("accept", "1", "--into-intent", "postage")
    assert "学生优惠" in load_content(here / "knowledge_base").intents["postage"].examples.zh


def test_dismiss_reopen_and_merge(run: Run) -> None:
    run()
    assert "Gap 1 is dismissed (不做)" in run("dismiss", "1", "--reason", "不做")
    assert "0 accepted, 1 dismissed" in run()
    assert "不做" in run("--all")
    assert "open again" in run("reopen", "1")
    assert "part of gap 1" in run("merge", "1", "2")
    assert [gap["count"] for gap in json.loads(run("--json"))["gaps"]] == [4]


def test_one_way_at_a_time_and_a_time_that_is_none_are_refused(run: Run) -> None:
    assert "choose one" in run("accept", "1", "--as-intent", "--as-article", exit_code=2)
    assert "is no time" in run("--since", "soon", exit_code=2)


def test_vectors_are_kept_so_that_nothing_is_encoded_twice(run: Run, here: Path) -> None:
    run()
    assert (here / "var" / commands.VECTORS).exists()
    kept = (here / "var" / commands.VECTORS).stat().st_mtime_ns
    run()
    assert (here / "var" / commands.VECTORS).stat().st_mtime_ns == kept


def test_a_log_without_a_gap_says_so(run: Run) -> None:
    assert "Nothing is open of 0 turns" in run("--since", "2999-01-01")
