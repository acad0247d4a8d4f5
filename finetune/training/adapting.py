"""Puts an adapter onto a model, takes it off again, and writes it to a folder with its birth certificate."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from peft import PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import nn

from bot.answering.adapters import CONFIG, WEIGHTS, AdapterManifest, check_fits, read_adapter, write_manifest
from bot.errors import AdapterRefused
from finetune.errors import TrainingError
from finetune.training.methods import peft_config
from finetune.training.train_settings import Base, TrainSettings

_LIBRARIES = ("torch", "transformers", "peft", "trl", "kefu")


@contextmanager
def peft_complaints_ignored() -> Iterator[None]:
    """Within this, peft may ask transformers by names that will change (0.21 does)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def adapted(base: Base, settings: TrainSettings, steps: int, parent: Path | None) -> PeftModel:
    """`base` with an adapter to train: a fresh one, the same for the same seed, or the parent's.

    Args:
        base: its own weights will not change.
        settings: method, rank and so on.
        steps: of the whole training.
        parent: an adapter folder to train on from.

    Raises:
        TrainingError: the parent cannot be trained on from: it is damaged, of another model, method or size.
    """
    if parent is not None:
        _check_parent(read_parent(parent, base), settings, parent)
    model = base.model.requires_grad_(requires_grad=False).train()
    with peft_complaints_ignored():
        config = peft_config(
            settings.method,
            rank=settings.rank,
            alpha=settings.alpha,
            dropout=settings.dropout,
            steps=steps,
        )
        wrapped = cast("PeftModel", get_peft_model(model, config))
        if parent is not None:
            # Into a fresh adapter, as peft trains no loaded prefix on; the parent has its shape, as was checked above.
            set_peft_model_state_dict(wrapped, load_file(parent / WEIGHTS))
    wrapped.peft_config["default"].base_model_name_or_path = base.label  # peft takes the folder's path
    return wrapped


def bare(base: Base, wrapped: PeftModel | None) -> None:
    """Leave `base` as it was found, so that it can be trained on again."""
    if wrapped is not None and not wrapped.peft_config["default"].is_prompt_learning:
        wrapped.unload()
    base.model.__dict__.pop("forward", None)  # TRL's, which scores and reads at once
    base.model.__dict__.pop("peft_config", None)
    base.model.train(mode=False)


def read_parent(parent: Path, base: Base) -> AdapterManifest:
    """The certificate of an adapter that is to be trained on from.

    Raises:
        TrainingError: it is damaged, or was trained on another model or for another prompt.
    """
    try:
        manifest = read_adapter(parent)
        check_fits(manifest, base.label, base.sha256)
    except AdapterRefused as error:
        raise TrainingError(f"The parent cannot be trained on from. {error}") from error
    return manifest


def certificate(
    folder: Path,
    base: Base,
    settings: TrainSettings,
    *,
    method: str,
    data: Mapping[str, Any],
    metrics: Mapping[str, Any],
    parent: Path | None,
    more: Mapping[str, Any] | None = None,
) -> AdapterManifest:
    """An adapter's birth certificate, complete but for the hashes of its files.

    Args:
        folder: where it will lie; its name is the adapter's id.
        base: what it was trained on.
        settings: how.
        method: of adapting; a preference training's settings say `objective`, too.
        data: what it learned from: counts and hashes.
        metrics: what came of it.
        parent: what it was trained on from.
        more: settings that only this kind of training knows.
    """
    told = {**asdict(settings), "dtype": str(base.model.dtype).removeprefix("torch."), **(more or {})}
    return AdapterManifest(
        id=folder.name,
        base=base.label,
        base_sha256=base.sha256,
        method=method,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        shape=settings.shape,
        settings=json.loads(json.dumps(told)),  # as it will be read
        data=dict(data),
        metrics=dict(metrics),
        versions={name: version(name) for name in _LIBRARIES},
        parent=None if parent is None else parent.name,
    )


def publish(checkpoint: Path, folder: Path, manifest: AdapterManifest) -> None:
    """Make a checkpoint's adapter the adapter in `folder`: written beside with its certificate, and moved into place."""
    beside = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(checkpoint / name, beside / name)
    write_manifest(beside, manifest)
    beside.rename(folder)


def save_adapter(model: PeftModel, folder: Path, manifest: AdapterManifest) -> None:
    """Write the adapter that is on a model to `folder`, with its certificate, beside and then moved into place."""
    with TemporaryDirectory(prefix="kefu-adapter-") as name, peft_complaints_ignored():
        # The vocabulary is the base's: peft need not look for the base on a hub to find out.
        model.save_pretrained(name, save_embedding_layers=False)
        publish(Path(name), folder, manifest)


def trainable(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(value.numel() for value in model.parameters() if value.requires_grad)


def _check_parent(manifest: AdapterManifest, settings: TrainSettings, parent: Path) -> None:
    known = manifest.settings
    for name, before, now in (
        ("method", manifest.method, settings.method),
        ("rank", known.get("rank"), settings.rank),
        ("alpha", known.get("alpha"), settings.alpha),
    ):
        if before != now:
            raise TrainingError(
                f"Adapter {parent} has {name} {before!r}, but the training is to have {now!r}. "
                "Train with the parent's settings, or without a parent."
            )
    if settings.method == "adalora":
        raise TrainingError(
            f"Adapter {parent} is of method 'adalora', which plans its ranks over one training and cannot be trained "
            "on from. Train without a parent."
        )
