"""Training: every method learns, leaves the base alone, and says what came of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import nn

from bot.answering.adapters import read_adapter
from bot.answering.prompt import PROMPT_VERSION
from finetune.errors import TrainingError
from finetune.training.adapting import peft_complaints_ignored
from finetune.training.callbacks import Progress
from finetune.training.methods import Method
from finetune.training.rows import tokenized
from finetune.training.supervised import train
from finetune.training.train_settings import Base, TrainSettings
from tests.tiny_training import (
    HELD,
    LEARNED,
    METHOD_SETTINGS,
    METHODS,
    SETTINGS,
    Trainings,
    same,
    tiny_base,
    tiny_examples,
    trained,
    weights,
)


def loss_on(base: Base, examples: list[Any], adapter: Path | None = None) -> float:
    """Weighted loss by token of the answers, each example by itself, without any of the code that trains."""
    model: Any = base.model
    if adapter is not None:
        with peft_complaints_ignored():
            model = PeftModel.from_pretrained(base.model, str(adapter))
    model.eval()
    total, count = 0.0, 0
    for row in tokenized(base.tokenizer, examples, SETTINGS.shape).rows:
        tokens, start = torch.tensor([row.tokens]), row.answer_from
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits[0, start - 1 : -1]
        losses = nn.functional.cross_entropy(logits, tokens[0, start:], reduction="none")
        losses[: row.marked] *= SETTINGS.decision_weight  # a checkpoint is chosen by what training minimises
        total += float(losses.sum())
        count += len(logits)
    return total / count


@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_leaves_the_base_as_it_was_and_can_be_loaded(method: Method, tmp_path: Path) -> None:
    base = tiny_base()
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    settings = replace(METHOD_SETTINGS[method], dropout=0.0, learning_rate=2e-2)
    report = trained(tmp_path / "a", settings, base=base)
    assert same(before, base.model.state_dict())
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    plain = loss_on(tiny_base(), HELD)
    assert loss_on(tiny_base(), HELD, tmp_path / "a") < plain
    assert loss_on(tiny_base(), HELD, tmp_path / "a") == pytest.approx(
        report.metrics["validation_loss"], rel=1e-4
    )
    assert loss_on(base, HELD) == pytest.approx(plain, rel=1e-6)


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    undisturbed: Trainings, tmp_path: Path
) -> None:
    assert SETTINGS.seed == 3
    losses = [[progress.loss for progress in undisturbed("lora").told]]
    for name, seed in (("b", 3), ("c", 4)):
        told: list[Progress] = []
        trained(tmp_path / name, replace(SETTINGS, seed=seed), report=told.append)
        losses.append([progress.loss for progress in told])
    assert losses[0] == losses[1] != losses[2]


def test_the_loss_curve_is_the_one_that_was_looked_at(tmp_path: Path) -> None:
    told: list[Progress] = []
    trained(
        tmp_path / "a",
        replace(SETTINGS, dropout=0.0, learning_rate=2e-2, decision_weight=1.0),
        report=told.append,
    )
    curve = {progress.step: progress.loss for progress in told}
    assert curve == pytest.approx(CURVE, abs=2e-3)


CURVE = {1: 5.8501, 2: 5.8658, 3: 5.7908, 4: 5.8342, 5: 5.802, 6: 5.7516, 7: 5.7435, 8: 5.7732}


def test_a_diverged_training_says_so_and_leaves_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"diverged.*[Ll]ower the learning rate"):
        trained(tmp_path / "a", replace(SETTINGS, learning_rate=1e30, warmup=0.0))
    assert not (tmp_path / "a").exists()


def test_there_must_be_something_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="None of 0 examples"):
        train(tiny_base(), [], HELD, tmp_path / "a", settings=SETTINGS)
    too_long = [replace(example, source=7) for example in tiny_examples(3) if example.source]
    with pytest.raises(TrainingError, match="None of 2 examples"):
        train(tiny_base(), too_long, HELD, tmp_path / "a", settings=SETTINGS)


def test_an_adapter_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(TrainingError, match="exists already"):
        trained(tmp_path / "a")


def test_a_training_stops_when_validation_gets_no_better(tmp_path: Path) -> None:
    told: list[Progress] = []
    settings = replace(SETTINGS, learning_rate=1e-12, epochs=40, patience=1, warmup=0.0)
    report = trained(tmp_path / "a", settings, report=told.append)
    assert report.metrics["steps"] == told[-1].step < told[-1].steps


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "oft", "prefix"])
def test_a_parent_is_trained_on_from(method: Method, undisturbed: Trainings, tmp_path: Path) -> None:
    settings, parent = METHOD_SETTINGS[method], undisturbed(method).folder
    report = trained(tmp_path / "child", replace(settings, epochs=1), parent=parent)
    assert report.manifest.parent == parent.name
    fresh = trained(tmp_path / "fresh", replace(settings, epochs=1))
    assert report.metrics["validation_loss"] < fresh.metrics["validation_loss"]
    assert not same(weights(tmp_path / "child"), weights(tmp_path / "fresh"))


def test_a_parent_that_does_not_fit_is_refused_with_the_reason(
    undisturbed: Trainings, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed("lora").folder, tmp_path / "parent")
    for settings, base, reason in (
        (replace(SETTINGS, rank=4), tiny_base(), "rank 2.*4"),
        (replace(SETTINGS, method="dora"), tiny_base(), "method 'lora'.*'dora'"),
        (SETTINGS, replace(tiny_base(), label="other"), "other"),
    ):
        with pytest.raises(TrainingError, match=reason):
            trained(tmp_path / "child", settings, base=base, parent=tmp_path / "parent")
    (tmp_path / "parent" / "adapter_model.safetensors").write_bytes(b"damaged")
    with pytest.raises(TrainingError, match="cannot be trained on from"):
        trained(tmp_path / "child", parent=tmp_path / "parent")


def test_an_adalora_adapter_is_no_parent(undisturbed: Trainings, tmp_path: Path) -> None:
    parent = undisturbed("adalora").folder
    with pytest.raises(TrainingError, match="plans its ranks"):
        trained(tmp_path / "child", METHOD_SETTINGS["adalora"], parent=parent)


def test_the_certificate_is_complete(tmp_path: Path) -> None:
    base = replace(tiny_base(), sha256="0" * 64)
    report = trained(tmp_path / "a", base=base, data={"log": "kefu.db"})
    manifest = read_adapter(tmp_path / "a")
    assert manifest.id == "a"
    assert (manifest.base, manifest.base_sha256) == ("tiny-gemma", "0" * 64)
    assert (manifest.method, manifest.prompt_version, manifest.parent) == ("lora", PROMPT_VERSION, None)
    assert manifest.shape == SETTINGS.shape
    assert manifest.settings["rank"] == 2
    assert manifest.settings["dtype"] == "float32"
    assert manifest.data["log"] == "kefu.db"
    assert manifest.data["trained"]["examples"] == len(LEARNED)
    assert manifest.data["trained"]["tokens"] < manifest.data["trained"]["unshared"]
    assert manifest.data["validated"]["examples"] == len(HELD)
    assert manifest.data["left_out"] == 0
    assert len(manifest.data["sha256"]) == 64
    assert manifest.metrics == report.metrics
    assert manifest.metrics["processes"] == 1
    assert set(manifest.versions) == {"torch", "transformers", "peft", "trl", "kefu"}
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "tiny-gemma"


def test_checkpointing_trains_the_same_adapter_with_less_memory(tmp_path: Path) -> None:
    settings = replace(SETTINGS, dropout=0.0)
    trained(tmp_path / "a", settings)
    trained(tmp_path / "b", replace(settings, checkpointing=True))
    for name, value in weights(tmp_path / "a").items():
        torch.testing.assert_close(weights(tmp_path / "b")[name], value, atol=1e-5, rtol=1e-4)


def test_a_base_in_bfloat16_gets_a_float32_adapter(tmp_path: Path) -> None:
    base = tiny_base()
    base = replace(base, model=base.model.to(torch.bfloat16))
    report = trained(tmp_path / "a", base=base)
    assert report.manifest.settings["dtype"] == "bfloat16"
    assert {value.dtype for value in weights(tmp_path / "a").values()} == {torch.float32}


def test_tensorboard_gets_the_losses_beside_the_adapter(tmp_path: Path) -> None:
    trained(tmp_path / "a", replace(SETTINGS, report_to=("tensorboard",)))
    (events,) = (tmp_path / "a.runs").iterdir()
    assert b"train/loss" in events.read_bytes()


def test_an_unknown_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no report to telegraph.*tensorboard"):
        trained(tmp_path / "a", replace(SETTINGS, report_to=("telegraph",)))


def test_a_report_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.training.arguments.is_wandb_available", lambda: False)
    with pytest.raises(TrainingError, match="pip install wandb"):
        trained(tmp_path / "a", replace(SETTINGS, report_to=("wandb",)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("rank", 0), ("epochs", 0.0), ("learning_rate", -1.0), ("sheets", 0), ("dropout", 1.0), ("warmup", 1.0)],
)
def test_a_setting_that_would_train_nothing_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(TrainingError, match=f"{name} cannot be {value!r}"):
        TrainSettings(**{name: value})
