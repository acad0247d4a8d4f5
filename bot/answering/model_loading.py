"""Loads a causal language model with its tokenizer and, if there is one, its adapter, in the arithmetic that suits."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog
import torch
from peft import PeftModel
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from bot.answering.int8_linear import to_int8
from bot.errors import GenerationError
from retrieval.errors import FilesDamaged
from retrieval.publish import read_manifest

Precision = Literal["auto", "float32", "bfloat16", "int8"]

_NATIVE_BF16 = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16", "arm_bf16")
_LOADING = (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError)

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to compute, and what it is made of."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str  # label and arithmetic, e.g. "gemma-3-270m/int8"
    adapter: str | None
    device: str


def load_model(
    source: str | Path,
    *,
    label: str | None = None,
    revision: str | None = None,
    adapter: Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
) -> LoadedModel:
    """Load a model from a folder or a hub; a folder is loaded without any network.

    Args:
        source: a Hugging Face folder, or a hub name.
        label: name to show, to store with each turn and to compare with an adapter's base; default: what the
            folder's manifest says, else the folder's name, or the hub name.
        revision: of a hub model.
        adapter: a peft folder (`adapter_config.json`, safetensors weights); its weights are merged into the model's.
        device: `auto` (the first GPU, else the CPU) or a torch device.
        precision: `auto` takes bfloat16 where the processor computes in it, else 8-bit integers.

    Raises:
        GenerationError: something is missing, cannot be loaded, or does not fit.
    """
    name = label if label is not None else _label(source)
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    arithmetic = _arithmetic(precision, target)
    if adapter is not None:
        _check_base(adapter, name)
    # An adapter's changes are small: added in float32 before anything is rounded, they are not lost.
    dtype = torch.float32 if adapter is not None or arithmetic == "float32" else torch.bfloat16
    model, tokenizer = _load_base(source, revision, dtype)
    if adapter is not None:
        model = _merged(model, adapter)
    network: nn.Module = model
    if arithmetic == "bfloat16":
        network.to(dtype=torch.bfloat16)
    elif arithmetic == "int8":
        to_int8(network)
    network.to(device=target).requires_grad_(requires_grad=False).eval()
    log.info(
        "model_loaded",
        model=name,
        arithmetic=arithmetic,
        device=target,
        adapter=adapter.name if adapter else None,
    )
    return LoadedModel(model, tokenizer, f"{name}/{arithmetic}", adapter.name if adapter else None, target)


def _label(source: str | Path) -> str:
    folder = Path(source)
    if not folder.is_dir():
        return str(source)
    try:
        name = read_manifest(folder).get("name")
    except FilesDamaged:  # an ordinary Hugging Face folder has no manifest
        name = None
    return name if isinstance(name, str) and name else folder.name


def _arithmetic(precision: Precision, device: str) -> str:
    if precision != "auto":
        return precision
    if device != "cpu":
        return "bfloat16" if not device.startswith("cuda") or torch.cuda.is_bf16_supported() else "float32"
    features = torch.cpu.get_capabilities()
    return "bfloat16" if any(features.get(name, False) for name in _NATIVE_BF16) else "int8"


def _load_base(
    source: str | Path, revision: str | None, dtype: torch.dtype
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    offline = Path(source).is_dir()
    common: dict[str, Any] = {"revision": revision, "local_files_only": offline, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source), **common)
        model = AutoModelForCausalLM.from_pretrained(str(source), dtype=dtype, use_safetensors=True, **common)
    except _LOADING as error:
        reason = str(error).strip().partition("\n")[0]
        raise GenerationError(
            f"Language model {str(source)!r} cannot be loaded: {reason} "
            "Check `model.model` in kefu.toml: 'bundled', 'none', a Hugging Face folder, or a hub name."
        ) from error
    return model, tokenizer


def _check_base(adapter: Path, base: str) -> None:
    """Refuse an adapter that was trained on another model: peft would load it without a word if the shapes fit."""
    path = adapter / "adapter_config.json"
    try:
        trained_on = json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GenerationError(
            f"{path} cannot be read ({error!r}). Choose a folder that peft has written."
        ) from error
    if not isinstance(trained_on, str) or Path(trained_on).name != Path(base).name:
        raise GenerationError(
            f"Adapter {adapter.name!r} was trained on {trained_on!r}, but the model is {base!r}. "
            "Choose an adapter of this model, or the model of this adapter."
        )


def _merged(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    """The model with the adapter's changes added to its weights, so that the adapter costs nothing per token."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers by an old name
            wrapped: Any = PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
            merged: nn.Module = wrapped.merge_and_unload(safe_merge=True)
    except (*_LOADING, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise GenerationError(
            f"Adapter {adapter} cannot be loaded: {reason} Train or fetch it again."
        ) from error
    if not isinstance(merged, PreTrainedModel):
        raise GenerationError(f"Adapter {adapter} cannot be merged into its model. Use a LoRA adapter.")
    return merged
