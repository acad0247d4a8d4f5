"""The ways to adapt a model: each setting means what it says, and only matrices are decayed."""

from __future__ import annotations

from typing import get_args

import pytest
from peft import AdaLoraConfig, LoraConfig, OFTConfig, PrefixTuningConfig

from finetune.errors import TrainingError
from finetune.training.adapting import adapted, bare
from finetune.training.methods import MERGEABLE, Method, peft_config, shares_sheets
from finetune.training.train_settings import TrainSettings
from finetune.training.trainer import AdapterTrainer
from tests.tiny_training import tiny_base

METHODS = get_args(Method)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_trains_an_adapter_and_nothing_else(method: Method) -> None:
    model = adapted(tiny_base(), TrainSettings(method=method, rank=4), 100, None)
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trained
    assert all(any(part in name for part in ("lora", "ia3", "oft", "prompt_encoder")) for name in trained)
    assert not any("lm_head" in name or "embed_tokens" in name for name in trained)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_adapter_and_the_base_can_be_had_back(method: Method) -> None:
    base = tiny_base()
    names = list(base.model.state_dict())
    for _ in range(2):
        model = adapted(base, TrainSettings(method=method, rank=4), 100, None)
        bare(base, model)
        assert list(base.model.state_dict()) == names
        assert not base.model.training


def test_rank_and_alpha_reach_the_method() -> None:
    configs = {method: peft_config(method, rank=8, alpha=24, dropout=0.1, steps=200) for method in METHODS}
    for method in ("lora", "rslora", "dora"):
        config = configs[method]
        assert isinstance(config, LoraConfig)
        assert (config.r, config.lora_alpha, config.lora_dropout) == (8, 24, 0.1)
        assert (config.use_rslora, config.use_dora) == (method == "rslora", method == "dora")
    assert isinstance(configs["oft"], OFTConfig)
    assert configs["oft"].oft_block_size == 8
    assert isinstance(configs["prefix"], PrefixTuningConfig)
    assert configs["prefix"].num_virtual_tokens == 8


@pytest.mark.parametrize("steps", [1, 2, 5, 17, 1000])
def test_adalora_plans_its_ranks_within_the_training(steps: int) -> None:
    config = peft_config("adalora", rank=8, alpha=16, dropout=0.0, steps=steps)
    assert isinstance(config, AdaLoraConfig)
    assert config.total_step is not None
    assert config.tinit + config.tfinal < config.total_step
    assert config.init_r > config.target_r == 8


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(TrainingError, match=r"no method 'hypnosis'.*lora, rslora"):
        peft_config("hypnosis", rank=1, alpha=1, dropout=0, steps=1)  # type: ignore[arg-type]


def test_a_prefix_cannot_be_merged_and_reads_no_sheets() -> None:
    assert set(METHODS) - MERGEABLE == {"prefix"}
    assert [method for method in METHODS if not shares_sheets(method)] == ["prefix"]


@pytest.mark.parametrize(
    ("method", "decayed", "kept"),
    [
        ("lora", ("lora_A", "lora_B"), ()),
        ("dora", ("lora_A", "lora_B"), ("lora_magnitude_vector",)),
        ("adalora", ("lora_A", "lora_B"), ("lora_E",)),
        ("ia3", (), ("ia3_l",)),
        ("oft", ("oft_R",), ()),
        ("prefix", ("embedding",), ()),
    ],
)
def test_only_matrices_are_decayed(method: Method, decayed: tuple[str, ...], kept: tuple[str, ...]) -> None:
    model = adapted(tiny_base(), TrainSettings(method=method, rank=4), 100, None)
    chosen = set(AdapterTrainer.get_decay_parameter_names(object.__new__(AdapterTrainer), model))
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    for part in decayed:
        assert {name for name in trained if part in name} <= chosen
    for part in kept:
        assert not {name for name in trained if part in name} & chosen
    assert chosen <= trained
