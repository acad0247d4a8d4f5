"""Defaults: they follow the data and the machine, and what is loaded computes in what the processor is good at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finetune.training import defaults
from finetune.training.defaults import activation_bytes, load_for_training, suggested
from tests.tiny_training import tiny_base, tiny_examples


def test_few_examples_are_seen_more_often_by_a_smaller_adapter() -> None:
    few, many = suggested(tiny_base(), tiny_examples(30)), suggested(tiny_base(), tiny_examples(1100))
    assert few.epochs > many.epochs
    assert few.rank < many.rank
    assert few.dropout > many.dropout
    assert few.sheets <= many.sheets
    for settings in (few, many):
        assert settings.alpha == 2 * settings.rank


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_a_step_can_be_shared_by_the_processes(processes: int) -> None:
    for count in (3, 300):
        assert suggested(tiny_base(), tiny_examples(count), processes=processes).sheets % processes == 0


def test_activations_are_checkpointed_only_where_memory_is_short() -> None:
    examples = tiny_examples(9)
    assert not suggested(tiny_base(), examples, memory=10**9).checkpointing
    assert suggested(tiny_base(), examples, memory=10**5).checkpointing


def test_activations_grow_with_tokens_and_with_numbers_width() -> None:
    config = tiny_base().model.config
    assert activation_bytes(config, 100, 4) == 2 * activation_bytes(config, 100, 2)
    assert activation_bytes(config, 200, 4) > 2 * activation_bytes(config, 100, 4)


def test_a_larger_model_learns_more_slowly() -> None:
    assert [defaults._learning_rate(size) for size in (1e8, 3e9, 7e10)] == [4e-4, 2e-4, 1e-4]


def test_defaults_for_nothing_are_still_settings() -> None:
    assert suggested(tiny_base(), []).sheets == 1


@pytest.mark.parametrize(
    ("features", "precision", "dtype"),
    [
        ({"amx_bf16": True}, "auto", torch.bfloat16),
        ({}, "auto", torch.float32),
        ({}, "bfloat16", torch.bfloat16),
        ({"amx_bf16": True}, "float32", torch.float32),
    ],
)
def test_the_base_is_loaded_in_what_the_processor_computes_in(
    features: dict[str, bool],
    precision: str,
    dtype: torch.dtype,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = tiny_base()
    base.model.save_pretrained(tmp_path / "tiny")
    base.tokenizer.save_pretrained(tmp_path / "tiny")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    loaded = load_for_training(tmp_path / "tiny", precision=precision)  # type: ignore[arg-type]
    assert loaded.model.dtype == dtype
    assert (loaded.label, loaded.sha256) == ("tiny", None)


def test_free_memory_is_some() -> None:
    assert defaults.free_memory() > 10**8
