"""Loads a causal language model with its tokenizer and, if there is one, its adapter, in the arithmetic that suits."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog
import torch
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from bot.answering.adapters import AdapterManifest, check_fits, read_adapter
from bot.answering.exports import read_export
from bot.answering.int8_linear import to_int8
from bot.errors import AdapterRefused, GenerationError
from retrieval.errors import FilesDamaged
from retrieval.processor import computes_in_bfloat16
from retrieval.publish import read_manifest

Precision = Literal["auto", "float32", "bfloat16", "int8"]

_LOADING = (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError)

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
log = structlog.get_logger(__name__)
# While transformers loads a model it exchanges functions of torch for others. Two loads at once leave those in place: every
# later model of the process then lies on no device, or has lost the tie of its embeddings.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to compute, and what it is made of."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str  # label and arithmetic, e.g. "gemma-3-270m/int8"
    adapter: AdapterManifest | None
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
        adapter: a folder as `bot.answering.adapters` describes it; its weights are merged into the model's.
        device: `auto` (the first GPU, else the CPU) or a torch device.
        precision: `auto` takes bfloat16 where the processor computes in it, else 8-bit integers.

    Raises:
        GenerationError: something is missing, cannot be loaded, or does not fit.
    """
    name = label if label is not None else label_of(source)
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    arithmetic = arithmetic_of(precision, target)
    manifest = _carried(source)
    if adapter is not None:
        if manifest is not None:
            raise AdapterRefused(
                f"{source} holds the adapter {manifest.id!r} already, so {adapter.name!r} cannot go on top. Choose the "
                "model that the adapter was trained on."
            )
        manifest = read_adapter(adapter)
        check_fits(manifest, name, base_sha256(source))
    rounded = arithmetic == "bfloat16"
    if adapter is not None:
        dtype = None if rounded else torch.float32
    else:
        dtype = torch.float32 if arithmetic == "float32" else torch.bfloat16
    model, tokenizer = load_base(source, revision, dtype)
    if adapter is not None:
        _widen(model)
        model = merged(model, adapter)
    network: nn.Module = model
    if rounded:
        network.to(dtype=torch.bfloat16)
    elif arithmetic == "int8":
        to_int8(network)
    head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    head.register_forward_pre_hook(_rows_laid_out)
    network.to(device=target).requires_grad_(requires_grad=False).eval()
    log.info(
        "model_loaded",
        model=name,
        arithmetic=arithmetic,
        device=target,
        adapter=None if manifest is None else manifest.id,
    )
    return LoadedModel(model, tokenizer, f"{name}/{arithmetic}", manifest, target)


def has_gpu() -> bool:
    """Whether torch would compute on a GPU."""
    return torch.cuda.is_available()


def base_sha256(source: str | Path) -> str | None:
    """What is known of a model's weights: the hash of the file that its folder was unpacked from; None for others."""
    if not Path(source).is_dir():
        return None
    try:
        known = read_manifest(Path(source)).get("source_sha256")
    except FilesDamaged:  # an ordinary Hugging Face folder has no manifest
        return None
    return known if isinstance(known, str) else None


def _carried(source: str | Path) -> AdapterManifest | None:
    """The certificate of the adapter that is merged into the model in `source` already; None for ordinary models."""
    export = read_export(Path(source)) if Path(source).is_dir() else None
    return None if export is None else export.adapter


def label_of(source: str | Path) -> str:
    """What a model is called: as its folder's manifest says, else as the folder or the hub does."""
    folder = Path(source)
    if not folder.is_dir():
        return str(source)
    try:
        name = read_manifest(folder).get("name")
    except FilesDamaged:  # an ordinary Hugging Face folder has no manifest
        name = None
    return name if isinstance(name, str) and name else folder.name


def arithmetic_of(precision: Precision, device: str) -> str:
    """What `auto` means on a device: "bfloat16" where it computes in it, else "int8" (CPU) or "float32" (GPU)."""
    if precision != "auto":
        return precision
    if device != "cpu":
        return "bfloat16" if not device.startswith("cuda") or torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if computes_in_bfloat16() else "int8"


def load_base(
    source: str | Path, revision: str | None, dtype: torch.dtype | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model as it was published, on the CPU, and its tokenizer; see `load_model`. Without a `dtype`, in its own.

    Raises:
        GenerationError: something is missing or cannot be loaded.
    """
    offline = Path(source).is_dir()
    common: dict[str, Any] = {"revision": revision, "local_files_only": offline, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source), **common)
        with _one_at_a_time:
            model = AutoModelForCausalLM.from_pretrained(
                str(source), dtype="auto" if dtype is None else dtype, use_safetensors=True, **common
            )
    except _LOADING as error:
        reason = str(error).strip().partition("\n")[0]
        raise GenerationError(
            f"Language model {str(source)!r} cannot be loaded: {reason} "
            "Check `model.model` in kefu.toml: 'bundled', 'none', a Hugging Face folder, or a hub name."
        ) from error
    return model, tokenizer


def _widen(model: PreTrainedModel) -> None:
    """Put what an adapter changes into float32: its changes are small, and added there they are not lost to rounding.

    The vocabulary, two thirds of the bundled model, is not changed and stays as it is: a gigabyte less at the start.
    """
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    for module in model.modules():
        if isinstance(module, nn.Linear) and module is not head:
            module.float()


def _rows_laid_out(head: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The head's input with a layout of its own.

    To multiply a slice of a batch by the vocabulary, torch 2.13 would else copy the whole vocabulary first: 335 MB of
    the bundled model, 2 seconds of each first token.
    """
    del head
    return (inputs[0].clone(memory_format=torch.contiguous_format), *inputs[1:])


def merged(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    """The model with the adapter's changes added to its weights, so that the adapter costs nothing per token.

    Args:
        model: in float32; it is changed.
        adapter: folder of an adapter that was checked to fit.

    Raises:
        GenerationError: the adapter cannot be loaded, or not merged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers by an old name
            wrapped: Any = PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
            whole: nn.Module = wrapped.merge_and_unload(safe_merge=True)
    except (*_LOADING, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise GenerationError(
            f"Adapter {adapter} cannot be loaded: {reason} Train or fetch it again."
        ) from error
    if not isinstance(whole, PreTrainedModel):
        raise GenerationError(f"Adapter {adapter} cannot be merged into its model. Use a LoRA adapter.")
    return whole
