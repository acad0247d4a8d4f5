"""Merges an adapter into its base for good: an ordinary Hugging Face folder, which is served without merging again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bot.answering.adapters import AdapterManifest, check_fits, read_adapter
from bot.answering.exports import MERGED, describe
from bot.answering.model_loading import base_sha256, label_of, load_base, merged
from bot.errors import GenerationError
from finetune.errors import CompressionError
from finetune.training.methods import MERGEABLE
from retrieval.publish import publish


@dataclass(frozen=True)
class Whole:
    """Base and adapter in one, in float32: what every export is made of."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    base: str  # label of the base
    base_sha256: str | None
    adapter: AdapterManifest

    def describe(self, form: str, **facts: Any) -> dict[str, Any]:
        """What the manifest of an export says."""
        return describe(form, self.base, self.base_sha256, self.adapter, **facts)


def merge(adapter: Path, source: str | Path, *, label: str | None = None) -> Whole:
    """Load a base and an adapter, and add the one to the other in float32.

    Args:
        adapter: a folder as `bot.answering.adapters` describes it.
        source: the base: a Hugging Face folder, or a hub name.
        label: what the base is called; default: what its folder or the hub says.

    Raises:
        CompressionError: one of them cannot be loaded, they do not fit, or the method cannot be merged.
    """
    name = label if label is not None else label_of(source)
    try:
        certificate = read_adapter(adapter)
        check_fits(certificate, name, base_sha256(source))
        _check_method(certificate)
        model, tokenizer = load_base(source, None, torch.float32)
        whole = merged(model, adapter)
    except GenerationError as error:
        raise CompressionError(f"Adapter {adapter.name!r} cannot be merged into {name!r}. {error}") from error
    whole.requires_grad_(requires_grad=False).train(mode=False)
    return Whole(whole, tokenizer, name, base_sha256(source), certificate)


def write_merged(whole: Whole, into: Path) -> Path:
    """Write the merged model in bfloat16, as safetensors; a new generation under `into`.

    The weights are rounded once, as they would be each time that the adapter is merged while serving: answers are the
    same. `whole` stays in float32.

    Raises:
        PublishError: it cannot be written; what was there before stays.
    """
    return publish(into, lambda folder: _fill(whole, folder))


def _fill(whole: Whole, folder: Path) -> Mapping[str, Any]:
    weights = {name: value.to(torch.bfloat16) for name, value in whole.model.state_dict().items()}
    whole.model.config.dtype, before = torch.bfloat16, whole.model.config.dtype
    try:
        whole.model.save_pretrained(str(folder), state_dict=weights)
    finally:
        whole.model.config.dtype = before
    whole.tokenizer.save_pretrained(str(folder))
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors lets nobody else read it
    return whole.describe(MERGED)


def _check_method(certificate: AdapterManifest) -> None:
    if certificate.method not in MERGEABLE:
        raise CompressionError(
            f"Adapter {certificate.id!r} was trained as {certificate.method!r}, which cannot be merged. Train it with "
            f"one of {', '.join(sorted(MERGEABLE))}."
        )
