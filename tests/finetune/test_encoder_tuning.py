"""An encoder is tuned, and kept only if it is better; one that is refused, or killed on the way, leaves nothing that counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner, Result

import app
from bot.factory import load_knowledge, rebuild
from bot.models import make_encoder
from bot.settings import Settings
from finetune import encoder_tuning
from finetune.adapter_commands import REFUSED
from finetune.encoder_comparison import INTENTS
from finetune.encoder_plan import TuningPlan, plan_tuning
from finetune.encoder_tuning import FOLDER, Tuning, next_steps, run_tuning, told, tune_if_new
from finetune.errors import TrainingError
from finetune.evaluation.measures import Score
from finetune.training.encoder_training import EncoderSettings, train_encoder
from retrieval.errors import PublishError
from retrieval.publish import current, verify
from tests.encoder_shop import serving, write_encoder_shop
from tests.tuned_shop import write_import

HOW = EncoderSettings(rank=2, steps=2)

Compare = Callable[..., tuple[Score, ...]]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a shop in the working folder, so that the commands find it, too."""
    settings = write_encoder_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("KEFU_ENCODER__MODEL", settings.encoder.model)
    monkeypatch.setenv("KEFU_ENCODER__DEVICE", "cpu")
    return settings


@pytest.fixture
def better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is compared, the tuned encoder is better: a tiny one never is."""
    compare: Compare = encoder_tuning.compare_encoders

    def flattering(*words: Any) -> tuple[Score, ...]:
        return tuple(_flattered(score) for score in compare(*words))

    monkeypatch.setattr(encoder_tuning, "compare_encoders", flattering)


def _flattered(score: Score) -> Score:
    gain = 0.1 if score.metric == INTENTS else 0.0
    return replace(score, difference=replace(score.difference, mean=gain, low=gain, high=gain))


def plan_of(settings: Settings) -> TuningPlan:
    return plan_tuning(settings, serving(settings), how=HOW, least=2)


def tune(settings: Settings) -> Tuning:
    return run_tuning(plan_of(settings), serving(settings))


def left(settings: Settings) -> set[str]:
    root = settings.var / FOLDER
    return {path.name for path in root.iterdir()} - {".lock"} if root.exists() else set()


def last(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((settings.var / FOLDER / "last.json").read_text("utf-8"))
    return found


def test_what_is_not_better_is_refused_with_figures_and_nothing_of_it_is_kept(settings: Settings) -> None:
    done = tune(settings)
    assert done.folder is None
    assert any("not put right more often beyond noise" in reason for reason in done.reasons)
    assert {score.scope for score in done.scores} == {"all", "zh", "en"}
    assert left(settings) == {"last.json"}
    assert "It is not kept" in last(settings)["told"]
    assert last(settings)["folder"] is None


@pytest.mark.usefixtures("better")
def test_what_is_better_is_kept_with_its_certificate_and_serves_once_it_is_set(settings: Settings) -> None:
    done = tune(settings)
    assert done.folder == current(settings.var / FOLDER)
    assert done.folder is not None
    manifest = verify(done.folder)
    assert manifest["begun_from"] == {"model": settings.encoder.model, "revision": None}
    assert manifest["settings"]["steps"] == 2
    assert manifest["compared_with"] == serving(settings).name
    assert {"torch", "peft", "sentence-transformers"} == set(manifest["versions"])
    for words in (done.folder.as_posix(), "[encoder]", "kefu index", "restart the server", "To go back"):
        assert words in told(done)
    tuned = _set(settings, done.folder)
    encoder = make_encoder(tuned, lambda *_: None)
    assert encoder.name != serving(settings).name
    rebuild(tuned, encoder, lambda *_: None)
    assert load_knowledge(tuned, encoder, None).provenance.encoder == encoder.name


@pytest.mark.usefixtures("better")
def test_a_tuned_encoder_that_serves_is_tuned_anew_from_where_it_was_begun(settings: Settings) -> None:
    first = tune(settings).folder
    assert first is not None
    tuned = _set(settings, first)
    rebuild(tuned, serving(tuned), lambda *_: None)
    plan = plan_of(tuned)
    assert plan.origin.model == settings.encoder.model
    assert plan.base == serving(tuned).name
    second = run_tuning(plan, serving(tuned)).folder
    assert second is not None
    assert first.is_dir()  # it serves
    names = {
        make_encoder(_set(settings, each), lambda *_: None).name.partition("@")[2] for each in (first, second)
    }
    assert len(names) == 1  # the same encoder: begun from the same, on the same


@pytest.mark.usefixtures("better")
def test_one_that_was_killed_half_written_is_swept_away_by_the_next_and_was_never_in_use(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*words: Any, **more: Any) -> Path:
        folder = train_encoder(*words, **more)
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    root = settings.var / FOLDER
    with monkeypatch.context() as patched:
        patched.setattr(encoder_tuning, "train_encoder", killed)
        with pytest.raises(KeyboardInterrupt):
            tune(settings)
    assert left(settings) == set()
    for name in (".building-20261129-171500-3f2a9c", ".building-20261129-171500-3f2a9c.tmp"):  # by kill -9
        (root / name).mkdir()
        (root / name / "model.safetensors").write_bytes(b"half")
    assert current(root) is None
    done = tune(settings)
    assert done.folder is not None
    assert left(settings) == {"CURRENT", "last.json", done.folder.name}


def test_two_are_not_tuned_at_once(settings: Settings) -> None:
    root = settings.var / FOLDER
    root.mkdir(parents=True)
    with FileLock(root / ".lock"), pytest.raises(PublishError, match="Another process has been building"):
        tune(settings)


def test_a_night_without_news_says_what_was_found_before(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(settings)
    monkeypatch.setattr(encoder_tuning, "plan_tuning", lambda *_: plan)
    first = tune_if_new(settings, serving(settings))
    assert "It is not kept" in first
    at = last(settings)["at"]
    assert tune_if_new(settings, serving(settings)) == f"As at {at}: {first}"
    monkeypatch.setattr(encoder_tuning, "plan_tuning", lambda *_: replace(plan, identity="other"))
    assert tune_if_new(settings, serving(settings)) == first


@pytest.mark.usefixtures("better")
def test_while_a_better_one_waits_to_be_used_no_other_is_tuned(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(settings)
    monkeypatch.setattr(encoder_tuning, "plan_tuning", lambda *_: replace(plan, identity="other"))
    done = run_tuning(plan, serving(settings))
    assert done.folder is not None
    assert next_steps(done.folder) in tune_if_new(settings, serving(settings))
    assert left(settings) == {"CURRENT", "last.json", done.folder.name}


def test_too_little_to_tune_on_ends_no_night(settings: Settings) -> None:
    assert "is the better choice" in tune_if_new(settings, serving(settings))
    assert left(settings) == set()


def run(*words: str) -> Result:
    return CliRunner().invoke(app.cli, list(words))


def test_the_command_shows_both_side_by_side_and_refuses_with_exit_code_3(settings: Settings) -> None:
    del settings
    done = run("intents", "--encoder", "--least", "2", "--steps", "2", "--rank", "2")
    assert done.exit_code == REFUSED, done.output
    for seen in ("Now", "Tuned", "hit@3", "zh", "It is not kept", "loss", "2/2"):
        assert seen in done.output


@pytest.mark.usefixtures("better")
def test_the_command_says_exactly_what_to_do_next(settings: Settings) -> None:
    done = run("intents", "--encoder", "--least", "2", "--steps", "2")
    assert done.exit_code == 0, done.output
    folder = current(settings.var / FOLDER)
    assert folder is not None
    assert f'model = "var/encoders/{folder.name}"' in done.output
    assert "2. kefu index" in done.output


def test_too_few_labelled_questions_are_no_reason_not_to_tune(settings: Settings) -> None:
    assert run("import", str(write_import(settings.var.parent, 30))).exit_code == 0
    assert run("curate", "--least", "5", "--augmented", "0").exit_code == 0
    assert "10 are needed" in str(run("intents").exception)
    done = run("intents", "--encoder", "--least", "2", "--steps", "2")
    assert "10 are needed" in done.output
    assert "It is not kept" in done.output


def test_the_command_with_too_few_examples_says_that_the_frozen_encoder_is_better(settings: Settings) -> None:
    done = run("intents", "--encoder")
    assert isinstance(done.exception, TrainingError)
    assert "is the better choice" in str(done.exception)
    assert left(settings) == set()


def _set(settings: Settings, folder: Path) -> Settings:
    chosen = settings.encoder.model_copy(update={"model": str(folder)})
    return settings.model_copy(update={"encoder": chosen})
