"""`kefu train`, `evaluate`, `promote`, `rollback`, `adapters` and `cycle`, as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import app
from bot.answering.torch_threads import threads
from bot.errors import AdapterRefused, RegistryError, SettingsError
from bot.models import adapter_registry
from finetune import adapter_commands, cycle
from finetune.adapter_commands import FAILED, REFUSED
from finetune.curation.curate import CurationSettings
from finetune.errors import CompressionError, DatasetDamaged
from finetune.evaluation.contenders import weights_of
from finetune.evaluation.evaluate import Evaluation, evaluate
from finetune.evaluation.gate import Gate
from finetune.training import dataset_training
from finetune.training.train_settings import TrainSettings
from finetune.training_set import make_training_set
from tests.fakes import WordEncoder
from tests.tiny_adapters import write_adapter, write_hollow_adapter
from tests.tuned_shop import hollow_training, write_import, write_tuned_shop


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """More threads than a tiny model needs only wait for each other."""
    with threads(1):
        yield


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the small shop, its index, and the tiny model."""
    write_tuned_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("KEFU_MODEL__MODEL", "tiny")
    monkeypatch.setenv("KEFU_MODEL__MAX_NEW_TOKENS", "4")
    monkeypatch.setattr(adapter_commands, "make_encoder", lambda *_: WordEncoder())
    monkeypatch.setattr(
        dataset_training, "suggested", lambda *_: TrainSettings(rank=2, alpha=4.0, epochs=0.5, sheets=8)
    )
    monkeypatch.setattr(dataset_training, "trades", lambda _root: [])
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app.cli, list(words))


def adapter(here: Path, name: str, created_at: str = "2026-11-24T00:00:00+00:00") -> None:
    write_hollow_adapter(here / "var" / "adapters" / name, created_at=created_at)


def test_an_adapters_life_from_the_import_to_the_rollback(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import", str(write_import(here, 30))).exit_code == 0
    assert run("curate", "--least", "5", "--augmented", "0").exit_code == 0
    trained = run("train")
    assert trained.exit_code == 0, trained.output
    assert "kefu evaluate lora-" in trained.output
    assert "trained on exactly this before" in run("train").output
    (name,) = [path.name for path in (here / "var" / "adapters").iterdir() if path.name.startswith("lora-")]
    evaluated = run("evaluate", "--limit", "2", "--html", "page.html", "--json", "figures.json")
    assert evaluated.exit_code in (0, REFUSED), evaluated.output
    assert name in (here / "page.html").read_text("utf-8")
    assert json.loads((here / "figures.json").read_text("utf-8"))["current"] == "none"
    assert (here / "var" / "evaluations" / f"{name}--none.html").exists()
    forced = run("promote", "--force", "to see it")
    assert forced.exit_code == 0, forced.output
    assert "by force" in forced.output
    assert "serves" in run("adapters").output
    assert list((here / "var" / "exports" / name / "merged").iterdir())
    compressed = run("compress", "--kind", "merged")
    assert compressed.exit_code == 0, compressed.output
    assert str(Path("var") / "exports" / name / "merged") in compressed.output
    not_written = run("compress", "--kind", "gguf", "--kind", "merged")
    assert not_written.exit_code == FAILED
    assert "no Gemma 3 as llama.cpp knows it" in not_written.output
    assert "none serves again" in run("rollback").output


def test_an_adapter_that_was_not_compared_is_refused_with_exit_code_3(here: Path) -> None:
    adapter(here, "one")
    refused = run("promote", "one")
    assert refused.exit_code == REFUSED
    assert "never compared with 'none'" in refused.output
    assert "kefu evaluate one" in refused.output


def test_there_is_nothing_to_compress_where_none_serves_and_no_kind_that_is_unknown(here: Path) -> None:
    assert isinstance(run("compress").exception, AdapterRefused)
    write_adapter(here / "var" / "adapters" / "one", here / "tiny")
    unknown = run("compress", "one", "--kind", "zip")
    assert isinstance(unknown.exception, CompressionError)
    assert "Choose from merged, gguf" in str(unknown.exception)


def test_an_evaluation_without_a_gain_ends_with_exit_code_3(here: Path) -> None:
    write_adapter(here / "var" / "adapters" / "one", here / "tiny")
    refused = run("evaluate", "one", "--against", "one", "--limit", "1")
    assert refused.exit_code == REFUSED
    assert "Candidate and current are the same: one." in refused.output


def test_the_newest_adapter_is_meant_where_none_is_named(here: Path) -> None:
    adapter(here, "old", "2026-11-01T00:00:00+00:00")
    adapter(here, "new", "2026-11-23T00:00:00+00:00")
    adapter(here, "newest", "2026-11-24T00:00:00+00:00")
    (here / "var" / "adapters" / "newest" / "adapter_model.safetensors").write_bytes(b"damaged")
    assert "new serves from now on" in run("promote", "--force", "x").output


def test_the_list_says_why_an_adapter_cannot_serve(here: Path) -> None:
    adapter(here, "one")
    write_hollow_adapter(here / "var" / "adapters" / "foreign", label="another")
    listed = run("adapters")
    assert listed.exit_code == 0
    assert "none serves" in listed.output
    assert "was trained on 'another'" in listed.output.replace("\n", " ").replace("  ", " ")


def test_without_an_adapter_or_a_set_each_command_says_what_to_do(here: Path) -> None:
    for words, kind, said in (
        (("promote",), AdapterRefused, "kefu train"),
        (("evaluate",), AdapterRefused, "kefu train"),
        (("rollback",), RegistryError, "nothing to roll back"),
        (("train",), DatasetDamaged, "kefu curate"),
    ):
        done = run(*words)
        assert isinstance(done.exception, kind), words
        assert said in str(done.exception)


def test_without_a_local_model_there_are_no_adapters(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_MODEL__MODEL", "none")
    for command in ("adapters", "rollback", "train", "evaluate", "promote", "cycle"):
        assert isinstance(run(command).exception, (SettingsError, DatasetDamaged)), command


def test_a_cycle_ends_with_a_summary_and_a_code_that_says_what_came_of_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import", str(write_import(here, 30))).exit_code == 0

    def passed(candidate: str, current: str, *words: Any, **more: Any) -> Evaluation:
        found = evaluate("none", "none", *words, **{**more, "dataset": None})
        known = adapter_registry(words[0])
        weights = {"candidate": weights_of(candidate, known), "current": weights_of(current, known)}
        return replace(found, candidate=candidate, current=current, weights=weights, gate=Gate((), ()))

    monkeypatch.setattr(cycle, "run_training", hollow_training)
    monkeypatch.setattr(cycle, "evaluate", passed)
    promoted = run("cycle", "--limit", "1")
    assert promoted.exit_code == 0, promoted.output
    assert "promoted" in promoted.output
    assert "better choice" not in promoted.output
    refused = run("cycle", "--limit", "1", "--encoder")
    assert refused.exit_code == REFUSED
    assert "encoder" in refused.output
    assert "better choice" in refused.output.replace("\n", " ")
    assert "Nothing new to learn" in refused.output


def test_a_cycle_with_too_little_to_learn_from_is_no_error(here: Path) -> None:
    assert run("import", str(write_import(here, 5))).exit_code == 0
    done = run("cycle")
    assert done.exit_code == REFUSED
    assert "are needed" in done.output


def test_a_named_set_is_trained_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("import", str(write_import(here, 30))).exit_code == 0
    folder = make_training_set(
        adapter_commands.load_settings(), CurationSettings(least=5, augmented=0.0)
    ).folder
    monkeypatch.setattr(adapter_commands, "run_training", hollow_training)
    assert run("train", str(folder)).exit_code == 0
    assert isinstance(run("train", "nowhere").exception, DatasetDamaged)
