"""`kefu replay` and `kefu diff`, with a fake encoder and without a language model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.errors import ContentError, StoreError
from bot.factory import assemble, rebuild
from bot.settings import load_settings
from bot.upkeep.backtest.commands import diff, replay
from bot.upkeep.backtest.scratch import Models
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, reply_to

Run = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, knowledge_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: the small shop, published, and four questions in its log, two of them rated."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEFU_MODEL__MODEL", "none")
    monkeypatch.setenv("KEFU_LOG_LEVEL", "error")
    monkeypatch.setenv("COLUMNS", "120")
    encoder = WordEncoder()
    monkeypatch.setattr(Models, "load", lambda *_: Models(encoder, None))
    settings = load_settings()
    rebuild(settings, encoder, lambda *_: None)
    kefu = assemble(settings, encoder, None)
    for text, vote in (("运费多少", 1), ("how much is postage", -1), ("转人工", None), ("包邮吗", None)):
        conversation = kefu.manager.open_conversation(ANNA, channel="test")
        reply = reply_to(kefu.manager.answer(conversation, text, visitor=ANNA))
        if vote is not None:
            kefu.manager.rate(conversation, reply.turn_id, vote, "", visitor=ANNA)
    kefu.close()
    assert knowledge_base == tmp_path / "knowledge_base"
    return tmp_path


@pytest.fixture
def run(here: Path) -> Run:
    """Runs a command and gives what it printed; fails if something in `var/` or the content has changed."""
    cli = typer.Typer()
    cli.command()(replay)
    cli.command()(diff)

    def run_command(*words: str, exit_code: int = 0) -> str:
        before = fingerprint(here)
        result = CliRunner().invoke(cli, words)
        assert fingerprint(here) == before
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


def fingerprint(here: Path) -> dict[str, str]:
    """Every file with its content, but for what SQLite makes beside a log that is read."""
    return {
        str(path.relative_to(here)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("var", "knowledge_base")
        for path in (here / folder).rglob("*")
        if path.is_file() and not path.name.endswith((".db-shm", ".db-wal"))
    }


def edit_template(here: Path, edit_yaml: Callable[..., None], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((here / "knowledge_base/intents/postage.yaml").read_bytes())
    edit_yaml(target, answer={"zh": "满 129 元包邮。", "en": "Postage is free from 129 yuan."})


def test_a_replay_of_unchanged_knowledge_says_that_nothing_changes(run: Run) -> None:
    assert "4 questions since" in (said := run("replay", "--since", "today"))
    assert "no answer changes" in said


def test_a_replay_shows_what_an_edit_did_and_writes_it_where_it_is_told(
    here: Path, run: Run, edit_yaml
) -> None:
    edit_template(here, edit_yaml, here / "knowledge_base/intents/postage.yaml")
    said = run("replay", "--json", "out/r.json", "--html", "r.html")
    assert "4 questions" in said
    assert "3 are answered differently, of which 1 rated good and 1 rated bad" in said
    assert "满 129 元包邮。" in said
    assert json.loads((here / "out/r.json").read_text("utf-8"))["changed"]["up"] == 1
    assert "<ins>129</ins>" in (here / "r.html").read_text("utf-8")
    assert "1 question since" in run("replay", "--rating", "-1", "--quick")
    assert "2 questions over the limit" in run("replay", "--limit", "2")
    assert "0 questions" in run("replay", "--until", "yesterday", "--since", "2d")


def test_a_diff_of_a_draft_says_what_it_would_change(here: Path, run: Run, edit_yaml) -> None:
    edit_template(here, edit_yaml, here / "drafts/free-postage.yaml")
    said = run("diff", "drafts/free-postage.yaml", "--json", "d.json")
    assert "drafts/free-postage.yaml → intents/postage.yaml" in said
    assert "Edited: intent postage" in said
    assert "1 the same, 3 are answered differently, of which 1 rated good and 1 rated bad" in said
    found = json.loads((here / "d.json").read_text("utf-8"))
    assert found["touched"]["intents"] == ["postage"]
    assert [change["question"] for change in found["changes"]] == [
        "运费多少",
        "how much is postage",
        "包邮吗",
    ]
    assert "1 question" in run("diff", "drafts/free-postage.yaml", "--limit", "1", "--since", "24h")


def test_a_diff_of_a_folder_and_of_a_named_place_say_the_same(here: Path, run: Run, edit_yaml) -> None:
    (here / "tree").mkdir()
    for path in (here / "knowledge_base").rglob("*.*"):
        copy = here / "tree/knowledge_base" / path.relative_to(here / "knowledge_base")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    edit_template(here, edit_yaml, here / "tree/knowledge_base/intents/postage.yaml")
    folder = run("diff", "tree")
    single = run("diff", "tree/knowledge_base/intents/postage.yaml", "--as", "intents/postage.yaml")
    assert "3 are answered differently" in folder
    assert "3 are answered differently" in single


def test_a_draft_of_something_new_is_called_new(here: Path, run: Run) -> None:
    article = here / "drafts/person.md"
    article.parent.mkdir()
    article.write_text("---\nid: person\ntitle: 转人工\nlanguage: zh\n---\n请拨打热线。\n", "utf-8")
    assert "drafts/person.md → articles/zh/person.md (new)" in run("diff", "drafts/person.md", "--quick")


def test_an_edit_that_touches_nothing_asks_nothing(here: Path, run: Run) -> None:
    assert "Nothing that answers are made from is different" in run("diff", "knowledge_base")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "--since", "last week"), "'last week' is no time"),
        (("replay", "--until", "soon"), "'soon' is no time"),
        (("replay", "--rating", "0"), "a rating is 1 or -1"),
        (("diff", "knowledge_base", "--limit", "0"), "--limit"),
        (("diff",), "Missing argument"),
    ],
)
def test_an_option_that_cannot_be_is_refused(words: tuple[str, ...], said: str, run: Run) -> None:
    assert said in run(*words, exit_code=2)


def test_a_draft_with_a_mistake_is_refused_and_names_it(here: Path, run: Run) -> None:
    (here / "broken.yaml").write_text("id: postage\n", "utf-8")
    with pytest.raises(ContentError, match=r"broken\.yaml: title: Field required"):
        run("diff", "broken.yaml")


def test_without_a_log_there_is_nothing_to_replay(here: Path, run: Run) -> None:
    (here / "var/kefu.db").unlink()
    with pytest.raises(StoreError, match="no log at"):
        run("replay")
