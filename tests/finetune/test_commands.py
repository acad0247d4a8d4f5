"""`kefu import` and `kefu curate`, as a person runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.conversation import Correction, Route, TurnId, VisitorId
from bot.memory.store import Store
from finetune.commands import curate_set, import_files
from finetune.curation.dataset import load_dataset_folder
from finetune.errors import NothingToLearn
from tests.example_talks import unlike
from tests.example_turns import example_turn
from tests.small_shop import write_knowledge_base
from tests.talk_files import CHATWOOT, TRANSCRIPT_ZH, write_gbk_csv, write_json, write_lines

cli = typer.Typer()  # as app.py does it, without the chat
cli.command("import")(import_files)
cli.command("curate")(curate_set)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the small shop's content."""
    write_knowledge_base(tmp_path / "knowledge_base")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def _run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def _table(path: Path, count: int = 60) -> Path:
    rows = [f"{unlike(n)},{'请看第' if n % 2 else 'See page '}{n}" for n in range(count)]
    path.write_text("question,answer\n" + "\n".join(rows), "utf-8")
    return path


def _log(path: Path) -> None:
    with Store(path) as store:
        for number in range(1, 4):
            conversation = store.open_conversation(VisitorId(f"visitor{number}"), channel="web")
            store.append_turn(
                example_turn(
                    conversation,
                    number,
                    customer_text=unlike(number * 2 + 501),
                    answer="不知道",
                    route=Route.GROUNDED,
                )
            )
            store.add_correction(
                Correction(TurnId(f"turn-{conversation}-{number}"), "请看说明书第一页。", "li")
            )


def test_files_of_several_formats_are_imported_in_one_go(here: Path) -> None:
    (here / "talks.txt").write_text(TRANSCRIPT_ZH, "utf-8")
    files = [write_gbk_csv(here / "表格.csv"), here / "talks.txt", write_json(here / "cw.json", CHATWOOT)]
    done = _run("import", *map(str, files), "--source", "old-shop")
    assert done.exit_code == 0, done.output
    for seen in (
        "表格.csv",
        "transcript",
        "chatwoot",
        "old-shop",
        "private notes",
        "the row has no answer",
        "1 PHONE",
    ):
        assert seen in done.output
    again = _run("import", str(files[0]))
    assert again.exit_code == 0
    assert "imported before" in again.output


def test_a_file_that_cannot_be_read_does_not_stop_the_others(here: Path) -> None:
    write_lines(here / "[bad].jsonl", ["{", "{"])
    write_gbk_csv(here / "good.csv")
    done = _run("import", str(here / "[bad].jsonl"), str(here / "none.csv"), str(here / "good.csv"))
    assert done.exit_code == 1
    assert "[bad].jsonl" in done.output
    assert "none.csv" in done.output
    assert len(list((here / "var" / "imports").glob("*.manifest.json"))) == 1


def test_an_unknown_format_names_those_there_are(here: Path) -> None:
    done = _run("import", str(write_gbk_csv(here / "a.csv")), "--format", "parquet")
    assert done.exit_code == 1
    assert "'parquet'" in done.output
    assert "chatwoot" in done.output


def test_only_the_first_problems_are_shown_and_all_are_kept(here: Path) -> None:
    (here / "a.csv").write_text("question,answer\n" + "q,\n" * 50 + "how,so\n", "utf-8")
    done = _run("import", str(here / "a.csv"))
    assert done.output.count("the row has no answer") == 20
    assert "30 more" in done.output
    (problems,) = (here / "var" / "imports").glob("*.problems.jsonl")
    assert len(problems.read_text("utf-8").splitlines()) == 50


def test_log_and_imports_become_a_training_set(here: Path) -> None:
    (here / "var").mkdir()
    _log(here / "var" / "kefu.db")
    assert _run("import", str(_table(here / "qa.csv"))).exit_code == 0
    done = _run("curate", "--seed", "7", "--augmented", "0.2")
    assert done.exit_code == 0, done.output
    assert "validation" in done.output
    dataset = load_dataset_folder(here / "var" / "datasets")
    assert [entry["name"].partition("-")[0] for entry in dataset.manifest["inputs"]] == ["kefu", "qa"]
    assert dataset.manifest["seed"] == 7
    customers = {talk.customer for talk in (*dataset.train, *dataset.validation, *dataset.test)} - {None}
    assert len({customer for customer in customers if not customer.startswith("canary-")}) == 3
    assert dataset.manifest["canaries"]


def test_too_little_says_what_to_do_and_writes_nothing(here: Path) -> None:
    with pytest.raises(NothingToLearn, match="Import more conversations"):
        CliRunner().invoke(cli, ["curate"], catch_exceptions=False)
    assert not (here / "var" / "datasets").exists()
