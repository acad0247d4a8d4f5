"""GGUF files hold the model that was merged: read back by transformers, and put together as llama.cpp would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader, dequantize
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GgufConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from bot.answering.adapters import AdapterManifest, write_manifest
from finetune.compression.gguf_export import write_gguf
from finetune.compression.merge import Whole, merge
from finetune.errors import CompressionError
from finetune.training.adapting import peft_complaints_ignored
from tests.tiny_model import write_model

MOST_DISTANCE = {"f16": 0.001, "bf16": 0.005, "q8_0": 0.015, "q4_0": 0.12}  # of a log-probability, on average
IDS = torch.arange(5, 45)[None]
SHAPE: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "max_position_embeddings": 128}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(write_model(tmp_path_factory.mktemp("tiny")))


def gemma(size: int, **changed: Any) -> PreTrainedModel:
    chosen: dict[str, Any] = {
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "query_pre_attn_scalar": 256,
        "sliding_window": 16,
        **changed,
    }
    return Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=size, **SHAPE, **chosen))


def llama(size: int) -> PreTrainedModel:
    config = LlamaConfig(
        vocab_size=size,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        **SHAPE,
    )
    return LlamaForCausalLM(config)


@pytest.fixture(scope="module", params=["gemma", "llama"])
def made(
    request: pytest.FixtureRequest,
    tokenizer: PreTrainedTokenizerFast,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Whole, Path, Path]:
    """A merged model, its adapter's folder, and its base's."""
    root = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(2)
    model = {"gemma": gemma, "llama": llama}[request.param](len(tokenizer))
    for name, weight in model.named_parameters():
        if "norm" in name:  # as no fresh model has them: else a forgotten offset would not show
            weight.data += 0.3 * torch.randn_like(weight)
    model.save_pretrained(root / "base")
    tokenizer.save_pretrained(root / "base")
    adapter = lora(model, root / "tone-3")
    return merge(adapter, root / "base"), adapter, root / "base"


def lora(model: PreTrainedModel, folder: Path, **changed: Any) -> Path:
    settings = LoraConfig(r=4, lora_alpha=16, target_modules="all-linear", init_lora_weights=False, **changed)
    with peft_complaints_ignored():
        wrapped: Any = get_peft_model(model, settings)
        wrapped.save_pretrained(folder)
        wrapped.unload()
    write_manifest(folder, AdapterManifest(folder.name, "base", None, "lora", "2026-11-24T00:00:00+00:00"))
    return folder


def log_probabilities(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=IDS).logits[0].float().log_softmax(-1)
    return found


@pytest.mark.parametrize("kind", list(MOST_DISTANCE))
def test_the_merged_model_reads_back_within_the_stated_distance(
    made: tuple[Whole, Path, Path], kind: str, tmp_path: Path
) -> None:
    whole, adapter, base = made
    folder = write_gguf(whole, adapter, tmp_path, (kind,))
    read = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=f"model-{kind}.gguf",
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
    ).eval()
    expected = log_probabilities(whole.model)
    distance = (log_probabilities(read) - expected).abs().mean()
    assert distance < MOST_DISTANCE[kind]
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    assert (log_probabilities(plain) - expected).abs().mean() > 0.15, (
        "the adapter changes more than any rounding"
    )


def tensors(path: Path) -> dict[str, Any]:
    return {
        tensor.name: dequantize(tensor.data, tensor.tensor_type).reshape(
            tuple(reversed(tensor.shape.tolist()))
        )
        for tensor in GGUFReader(path).tensors
    }


def test_the_adapter_on_top_of_the_base_is_the_merged_model(
    made: tuple[Whole, Path, Path], tmp_path: Path
) -> None:
    whole, adapter, base = made
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    plain = Whole(model, whole.tokenizer, "base", None, whole.adapter)
    without = tensors(write_gguf(plain, adapter, tmp_path / "base", ("f16",)) / "model-f16.gguf")
    folder = write_gguf(whole, adapter, tmp_path / "whole", ("f16",))
    merged, halves = tensors(folder / "model-f16.gguf"), tensors(folder / "adapter.gguf")
    changed = {name.removesuffix(".lora_a") for name in halves if name.endswith(".lora_a")}
    assert {"blk.0.attn_q.weight", "blk.1.attn_k.weight", "blk.0.ffn_down.weight"} <= changed
    reader = GGUFReader(folder / "adapter.gguf")
    alpha = float(reader.fields["adapter.lora.alpha"].contents())
    assert reader.fields["adapter.type"].contents() == "lora"
    for name in changed:
        a, b = halves[f"{name}.lora_a"], halves[f"{name}.lora_b"]
        np.testing.assert_allclose(merged[name], without[name] + alpha / len(a) * b @ a, atol=2e-3)


def test_a_gguf_file_holds_the_tokenizer(made: tuple[Whole, Path, Path], tmp_path: Path) -> None:
    whole, adapter, _ = made
    folder = write_gguf(whole, adapter, tmp_path, ("f16",))
    fields = GGUFReader(folder / "model-f16.gguf").fields
    assert fields["tokenizer.ggml.model"].contents() == "gpt2"
    pieces = fields["tokenizer.ggml.tokens"].contents()
    assert len(pieces) == whole.model.config.vocab_size
    assert pieces[whole.tokenizer.convert_tokens_to_ids("<end_of_turn>")] == "<end_of_turn>"
    assert fields["tokenizer.ggml.eos_token_id"].contents() == whole.tokenizer.eos_token_id


def test_an_adapter_that_gguf_cannot_hold_is_left_out(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    model = llama(len(tokenizer))
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    adapter = lora(model, tmp_path / "dora", use_dora=True)
    folder = write_gguf(merge(adapter, tmp_path / "base"), adapter, tmp_path / "out", ("q8_0",))
    assert {path.name for path in folder.iterdir()} == {"model-q8_0.gguf", "manifest.json"}


def test_what_llama_cpp_would_misread_is_refused(made: tuple[Whole, Path, Path], tmp_path: Path) -> None:
    whole, adapter, _ = made
    with pytest.raises(CompressionError, match="no types"):
        write_gguf(whole, adapter, tmp_path, ("q2_x",))
    odd = gemma(len(whole.tokenizer), layer_types=["full_attention"] * 6)
    with pytest.raises(CompressionError, match="no Gemma 3 as llama"):
        write_gguf(Whole(odd, whole.tokenizer, "odd", None, whole.adapter), adapter, tmp_path)
    assert list(tmp_path.iterdir()) == []
