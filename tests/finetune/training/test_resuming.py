"""A kill at any moment of a training changes nothing: it goes on where it was, and ends as one that nobody killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finetune.training.callbacks import Progress
from finetune.training.methods import Method
from finetune.training.supervised import train
from tests.tiny_training import (
    HELD,
    LEARNED,
    METHOD_SETTINGS,
    METHODS,
    SETTINGS,
    Killed,
    Trainings,
    dies_at,
    same,
    tiny_base,
    trained,
    weights,
)


@pytest.mark.parametrize("method", METHODS)
def test_a_training_that_died_ends_as_one_that_did_not(
    method: Method, undisturbed: Trainings, tmp_path: Path
) -> None:
    settings, whole = METHOD_SETTINGS[method], undisturbed(method)
    steps = whole.report.metrics["steps"]
    for step in (2, steps - 1, steps) if method in ("lora", "adalora") else (steps // 2,):
        with pytest.raises(Killed):
            trained(tmp_path / "b", settings, report=dies_at(step))
    resumed = trained(tmp_path / "b", settings)
    assert same(weights(whole.folder), weights(tmp_path / "b"))
    assert resumed.metrics == whole.report.metrics


def test_a_training_that_died_after_its_last_step_trains_no_step_more(
    undisturbed: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = undisturbed("lora")
    with monkeypatch.context() as patched:
        patched.setattr("finetune.training.supervised.finish", dies_instead)
        with pytest.raises(Killed):
            trained(tmp_path / "b")
    monkeypatch.setattr("finetune.training.trainer.SheetTrainer.compute_loss", dies_instead)
    resumed = trained(tmp_path / "b")
    assert same(weights(whole.folder), weights(tmp_path / "b"))
    assert resumed.metrics == whole.report.metrics


def dies_instead(*_args: object, **_more: object) -> None:
    raise Killed


def test_a_training_without_validation_goes_on_too(tmp_path: Path) -> None:
    for name in ("a", "b"):
        if name == "b":
            with pytest.raises(Killed):
                train(tiny_base(), LEARNED, [], tmp_path / name, settings=SETTINGS, report=dies_at(4))
        report = train(tiny_base(), LEARNED, [], tmp_path / name, settings=SETTINGS)
        assert report.metrics["validation_loss"] is None
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_a_checkpoint_that_was_not_written_to_its_end_is_not_taken(
    undisturbed: Trainings, tmp_path: Path
) -> None:
    whole = undisturbed("lora")
    with pytest.raises(Killed):
        trained(tmp_path / "b", report=dies_at(6))
    last = max((tmp_path / "b.work").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    (last / "complete").unlink()
    (last / "optimizer.pt").write_bytes(b"half of it")
    resumed = trained(tmp_path / "b")
    assert same(weights(whole.folder), weights(tmp_path / "b"))
    assert resumed.metrics == whole.report.metrics


@pytest.mark.parametrize("changed", ["data", "validation", "settings", "base"])
def test_other_data_settings_or_models_never_continue_an_old_training(changed: str, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        trained(tmp_path / "a", report=dies_at(4))
    settings = replace(SETTINGS, learning_rate=1e-3) if changed == "settings" else SETTINGS
    learned = LEARNED[:-1] if changed == "data" else LEARNED
    held = HELD[:-1] if changed == "validation" else HELD
    base = replace(tiny_base(), label="other") if changed == "base" else tiny_base()
    told: list[Progress] = []
    train(base, learned, held, tmp_path / "a", settings=settings, report=told.append)
    assert told[0].step == 1
