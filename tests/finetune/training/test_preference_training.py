"""Preferences: what people liked becomes likelier than what they did not, and a kill changes nothing here either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import nn

from bot.answering.adapters import read_adapter
from bot.answering.turn_markers import CANONICAL
from finetune.errors import TrainingError
from finetune.examples.example import Example
from finetune.training.adapting import peft_complaints_ignored
from finetune.training.callbacks import Progress
from finetune.training.preference_training import (
    Judged,
    Preference,
    PreferenceSettings,
    train_on_pairs,
    train_on_votes,
)
from finetune.training.rows import row_of
from finetune.training.supervised import train
from finetune.training.train_settings import TrainReport
from tests.tiny_training import SETTINGS, Killed, dies_at, same, tiny_base, tiny_examples, weights

SLOW = replace(SETTINGS, learning_rate=2e-2, dropout=0.0, epochs=4, sheets=4)
ANSWERED = [example for example in tiny_examples(12) if example.source]
PAIRS = [Preference(example, "", 0) for example in ANSWERED]  # to answer is better than to decline
VOTES = [
    judged for pair in PAIRS for judged in (Judged(pair.example, liked=True), Judged(pair.worse, liked=False))
]


def odds(example: Example, adapter: Path | None = None) -> float:
    """Log-likelihood of an answer."""
    base = tiny_base()
    model: Any = base.model
    if adapter is not None:
        with peft_complaints_ignored():
            model = PeftModel.from_pretrained(base.model, str(adapter))
    row = row_of(base.tokenizer, example, SLOW.shape, CANONICAL)
    tokens = torch.tensor([row.tokens])
    with torch.no_grad():
        logits = model.eval()(input_ids=tokens, use_cache=False).logits[0, row.answer_from - 1 : -1]
    return -float(nn.functional.cross_entropy(logits, tokens[0, row.answer_from :], reduction="sum"))


def preferred(adapter: Path | None = None) -> float:
    """By how much better answers are likelier than worse ones, on average."""
    return sum(odds(pair.example, adapter) - odds(pair.worse, adapter) for pair in PAIRS[:3]) / 3


def go(objective: str, folder: Path, **more: Any) -> TrainReport:
    if objective == "dpo":
        return train_on_pairs(tiny_base(), PAIRS, PAIRS[:2], folder, settings=SLOW, **more)
    return train_on_votes(tiny_base(), VOTES, VOTES[:4], folder, settings=SLOW, **more)


@pytest.fixture(scope="module")
def on_pairs(tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    """A training on pairs that nobody killed, for tests that only look at it."""
    return go("dpo", tmp_path_factory.mktemp("on-pairs") / "a")


def test_the_better_answer_of_a_pair_becomes_likelier_than_the_worse_one(on_pairs: TrainReport) -> None:
    assert preferred(on_pairs.folder) > preferred() + 1.0
    assert on_pairs.metrics["rewards_accuracies"] > 0.9
    assert sorted(path.name for path in on_pairs.folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
    ]


def test_answers_that_were_voted_up_become_likelier_than_those_voted_down(tmp_path: Path) -> None:
    train_on_votes(tiny_base(), VOTES, [], tmp_path / "a", settings=replace(SLOW, epochs=6))
    assert preferred(tmp_path / "a") > preferred() + 1.0


def test_the_certificate_names_objective_and_price(tmp_path: Path) -> None:
    chosen = PreferenceSettings(beta=0.3)
    train_on_votes(tiny_base(), VOTES[:9], [], tmp_path / "kto", settings=SLOW, preference=chosen)
    train_on_pairs(tiny_base(), PAIRS, [], tmp_path / "dpo", settings=SLOW, preference=chosen)
    for name in ("kto", "dpo"):
        manifest = read_adapter(tmp_path / name)
        assert (manifest.method, manifest.settings["objective"], manifest.settings["beta"]) == (
            "lora",
            name,
            0.3,
        )
        assert manifest.data["trained"]["examples"] == (9 if name == "kto" else len(PAIRS))
    assert read_adapter(tmp_path / "kto").settings["undesirable_weight"] == pytest.approx(5 / 4)


def test_a_parent_is_what_is_measured_against(tmp_path: Path) -> None:
    train(tiny_base(), tiny_examples(18), [], tmp_path / "parent", settings=replace(SETTINGS, dropout=0.0))
    told: list[Progress] = []
    train_on_pairs(
        tiny_base(), PAIRS, [], tmp_path / "a", settings=SLOW, parent=tmp_path / "parent", report=told.append
    )
    assert told[0].loss == pytest.approx(0.6931, abs=1e-3)  # ln 2: at its beginning, it is the parent
    assert preferred(tmp_path / "a") > preferred(tmp_path / "parent")
    assert read_adapter(tmp_path / "a").parent == "parent"


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_a_training_that_died_ends_as_one_that_did_not(
    objective: str, on_pairs: TrainReport, tmp_path: Path
) -> None:
    whole = on_pairs if objective == "dpo" else go(objective, tmp_path / "a")
    with pytest.raises(Killed):
        go(objective, tmp_path / "b", report=dies_at(5))
    go(objective, tmp_path / "b")
    assert same(weights(whole.folder), weights(tmp_path / "b"))


def test_votes_of_one_kind_prefer_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="All 3 votes are up"):
        train_on_votes(tiny_base(), [Judged(e, liked=True) for e in ANSWERED[:3]], [], tmp_path / "a")


def test_there_must_be_preferences(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no preference"):
        train_on_pairs(tiny_base(), [], [], tmp_path / "a")


def test_a_method_that_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="prefix"):
        train_on_pairs(tiny_base(), PAIRS, [], tmp_path / "a", settings=replace(SLOW, method="prefix"))


def test_a_price_of_nothing_is_refused() -> None:
    with pytest.raises(TrainingError, match="beta"):
        PreferenceSettings(beta=0.0)
