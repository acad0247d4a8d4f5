"""Writes GGUF files for llama.cpp and what is built on it (Ollama, LM Studio): the merged model, and the adapter alone.

llama.cpp rotates the two halves of a head's queries and keys in another order than Hugging Face for the architecture
"llama", so there those rows are permuted, in the adapter as in the base: with a base permuted and an adapter not, text
looks right while log-probabilities are far off. Gemma 3 is stored as it is, but for its norms: llama.cpp multiplies by
what it reads, Hugging Face by that plus one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quantize
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers import PretrainedConfig

from bot.answering.adapters import CONFIG, WEIGHTS
from finetune.compression.gguf_vocabulary import add_vocabulary
from finetune.compression.merge import Whole
from finetune.errors import CompressionError
from retrieval.publish import publish

GGUF = "gguf"
ADAPTER = "adapter.gguf"
_TYPES = {
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
_WHOLE_MODEL = {"embed_tokens": "token_embd", "norm": "output_norm"}
_SHARED = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "input_layernorm": "attn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_PREFIX = "base_model.model."  # of peft's names


@dataclass(frozen=True)
class Architecture:
    """How llama.cpp stores a kind of model."""

    name: str
    layer: Mapping[str, str]  # Hugging Face's name inside a layer → llama.cpp's
    permuted: bool  # whether the halves of queries and keys are stored in turns
    norm_offset: float  # what llama.cpp wants added to each norm

    def tensor_name(self, name: str) -> str:
        """`model.layers.3.self_attn.q_proj.weight` → `blk.3.attn_q.weight`.

        Raises:
            CompressionError: the architecture has no such tensor.
        """
        match name.removesuffix(".weight").removeprefix("model.").split(".", 2):
            case ["layers", number, part] if part in self.layer:
                return f"blk.{int(number)}.{self.layer[part]}.weight"
            case ["lm_head"]:
                return "output.weight"
            case [part] if part in _WHOLE_MODEL:
                return f"{_WHOLE_MODEL[part]}.weight"
        raise CompressionError(
            f"GGUF's architecture {self.name!r} has no tensor {name!r}. Serve this model with torch."
        )


_GEMMA3 = Architecture(
    "gemma3",
    _SHARED
    | {
        "self_attn.q_norm": "attn_q_norm",
        "self_attn.k_norm": "attn_k_norm",
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
    },
    permuted=False,
    norm_offset=1.0,
)
_LLAMA = Architecture(
    "llama", _SHARED | {"post_attention_layernorm": "ffn_norm"}, permuted=True, norm_offset=0.0
)
ARCHITECTURES = {"gemma3_text": _GEMMA3, "llama": _LLAMA}


def write_gguf(whole: Whole, adapter: Path, into: Path, types: tuple[str, ...] = ("f16", "q8_0")) -> Path:
    """Write the merged model once for each of `types`, and the adapter alone, as a new generation under `into`.

    The files are `model-<type>.gguf` and, if the adapter is a plain LoRA, `adapter.gguf` for
    `llama-cli --model base.gguf --lora adapter.gguf`.

    Args:
        whole: the merged model.
        adapter: the adapter's folder.
        into: folder of the generations.
        types: some of f16, bf16, q8_0, q4_0; q4_0 keeps the vocabulary in 8 bits.

    Raises:
        CompressionError: llama.cpp stores no such model in a way that is known here, or a type is unknown.
        PublishError: it cannot be written; what was there before stays.
    """
    unknown = set(types) - set(_TYPES)
    if unknown:
        raise CompressionError(f"There are no types {sorted(unknown)}. Use some of {', '.join(_TYPES)}.")
    architecture = _architecture(whole)

    def fill(folder: Path) -> Mapping[str, Any]:
        for name in types:
            _write_model(whole, architecture, folder / f"model-{name}.gguf", name)
        if _is_plain_lora(adapter):
            _write_adapter(whole, architecture, adapter, folder / ADAPTER)
        return whole.describe(GGUF, types=list(types))

    return publish(into, fill)


def _architecture(whole: Whole) -> Architecture:
    known = ARCHITECTURES.get(whole.model.config.model_type)
    if known is None:
        raise CompressionError(
            f"Model {whole.base!r} is a {whole.model.config.model_type!r}; GGUF files are written for "
            f"{', '.join(ARCHITECTURES)}. Convert the merged folder with llama.cpp's own script."
        )
    if known is _GEMMA3:
        _check_gemma3(whole.model.config, whole.base)
    return known


def _check_gemma3(config: PretrainedConfig, base: str) -> None:
    """llama.cpp takes these for granted: they stand in no file."""
    granted = [
        "full_attention" if n % 6 == 5 else "sliding_attention" for n in range(config.num_hidden_layers)
    ]
    local = config.rope_parameters["sliding_attention"]["rope_theta"]
    if config.layer_types != granted or local != 10_000 or config.query_pre_attn_scalar != config.head_dim:
        raise CompressionError(
            f"Model {base!r} is no Gemma 3 as llama.cpp knows it: each sixth layer full, rotation by 10,000 in the "
            f"others, attention scaled by the head's size. Serve it with torch."
        )


def _write_model(whole: Whole, architecture: Architecture, path: Path, type_name: str) -> None:
    config = whole.model.config
    stored, file_type = _TYPES[type_name]
    writer = GGUFWriter(path, architecture.name)
    writer.add_type("model")
    writer.add_name(f"{whole.base}+{whole.adapter.id}")
    writer.add_file_type(file_type)
    _add_shape(writer, config, architecture)
    add_vocabulary(writer, whole.tokenizer, config.vocab_size)
    for name, tensor in whole.model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = architecture.tensor_name(name)
        values = _as_stored(tensor.float().numpy(), target, config, architecture)
        kind = GGMLQuantizationType.F32 if values.ndim == 1 else _kind(stored, target)
        data = quantize(values, kind)
        writer.add_tensor(target, data, raw_shape=data.shape, raw_dtype=kind)
    _finish(writer)


def _kind(stored: GGMLQuantizationType, target: str) -> GGMLQuantizationType:
    """The vocabulary suffers most from 4 bits: it is what every next token is chosen with."""
    is_vocabulary = target in ("token_embd.weight", "output.weight")
    if stored is GGMLQuantizationType.Q4_0 and is_vocabulary:
        return GGMLQuantizationType.Q8_0
    return stored


def _add_shape(writer: GGUFWriter, config: PretrainedConfig, architecture: Architecture) -> None:
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    ropes = config.rope_parameters
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if architecture is _LLAMA:
        writer.add_rope_dimension_count(size)
        writer.add_rope_freq_base(ropes["rope_theta"])
    else:
        writer.add_rope_freq_base(ropes["full_attention"]["rope_theta"])
        writer.add_sliding_window(config.sliding_window)


def _as_stored(
    values: NDArray[np.float32], target: str, config: PretrainedConfig, architecture: Architecture
) -> NDArray[np.float32]:
    if target.endswith("norm.weight"):
        return values + np.float32(architecture.norm_offset)
    return _permuted(values, target, config) if architecture.permuted else values


def _permuted(values: NDArray[np.float32], target: str, config: PretrainedConfig) -> NDArray[np.float32]:
    """Rows of queries and keys, (heads·size, in): from one half of a head after the other to both in turns."""
    if "attn_q." in target:
        heads = config.num_attention_heads
    elif "attn_k." in target:
        heads = config.num_key_value_heads
    else:
        return values
    halves = values.reshape(heads, 2, len(values) // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def _is_plain_lora(adapter: Path) -> bool:
    """Whether the adapter is what GGUF can hold: matrices A and B at one scale, and nothing else."""
    config = json.loads((adapter / CONFIG).read_text("utf-8"))
    special = ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save")
    return config["peft_type"] == "LORA" and not any(config.get(name) for name in special)


def _write_adapter(whole: Whole, architecture: Architecture, adapter: Path, path: Path) -> None:
    """A LoRA as llama.cpp reads it: it adds alpha/rank · B·A, and rank is what A has."""
    config = json.loads((adapter / CONFIG).read_text("utf-8"))
    rank, alpha = config["r"], config["lora_alpha"]
    scale = alpha * rank**0.5 if config.get("use_rslora") else alpha  # rsLoRA's is alpha/√rank
    writer = GGUFWriter(path, architecture.name)
    writer.add_type("adapter")
    writer.add_name(whole.adapter.id)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(scale))
    for name, tensor in load_file(adapter / WEIGHTS).items():
        module, _, half = name.removeprefix(_PREFIX).removesuffix(".weight").rpartition(".lora_")
        target = architecture.tensor_name(f"{module}.weight")
        values = tensor.float().numpy()
        if half == "B":
            values = _as_stored(values, target, whole.model.config, architecture)
        writer.add_tensor(f"{target}.lora_{half.lower()}", values.astype(np.float32))
    _finish(writer)


def _finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
