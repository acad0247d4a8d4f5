"""Adapters on disk: a peft folder with a birth certificate, and the checks that it must pass before it is loaded.

    adapter_config.json         what peft needs to load it
    adapter_model.safetensors   the weights; nothing pickled
    manifest.json               base, prompt version and shape, method, data, settings, metrics, parent, hashes, when

peft loads an adapter onto any base whose shapes fit, and says nothing; an adapter that was trained on another renderer
answers in a form that nobody reads. Both are refused here, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.answering.generator import DEFAULT_SHAPE, PromptShape
from bot.answering.prompt import PROMPT_VERSION
from bot.errors import AdapterRefused
from retrieval.publish import sha256, write_atomically

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
MANIFEST = "manifest.json"
DEFAULT_ADAPTER = Path(__file__).parent / "default_adapter"  # comes with Kefu, for the bundled model
_VERSION = 1  # of the manifest


@dataclass(frozen=True)
class AdapterManifest:
    """An adapter's birth certificate."""

    id: str
    base: str  # label of the model it was trained on
    base_sha256: str | None  # of that model's weights, where they are known
    method: str  # lora, dora, …
    created_at: str  # ISO 8601, UTC
    prompt_version: int = PROMPT_VERSION
    shape: PromptShape = DEFAULT_SHAPE
    declines_at: float | None = (
        None  # probability (0 to 1) that no passage answers, from which the model declines
    )
    writes: bool = True  # whether its own words are better than those of the passage that it names
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the training
    data: Mapping[str, Any] = field(default_factory=dict)  # what it was trained on: hashes and counts
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)  # of the libraries
    parent: str | None = None  # the adapter that it was trained on from
    files: Mapping[str, str] = field(default_factory=dict)  # name → SHA-256


def write_manifest(folder: Path, manifest: AdapterManifest) -> None:
    """Write the certificate of the adapter in `folder`, with the hashes of its files as they are now."""
    files = {name: sha256(folder / name) for name in (CONFIG, WEIGHTS)}
    content = {"kind": "adapter", "version": _VERSION, **asdict(manifest), "files": files}
    write_atomically(
        folder / MANIFEST, json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
    )


def read_adapter(folder: Path) -> AdapterManifest:
    """The certificate of the adapter in `folder`, after its files were held against it.

    Raises:
        AdapterRefused: a file is missing, damaged, pickled, or from a newer Kefu.
    """
    manifest = read_manifest(folder)
    _check_files(folder, manifest)
    return manifest


def read_manifest(folder: Path) -> AdapterManifest:
    """The certificate alone; `read_adapter` is what a loader wants.

    Raises:
        AdapterRefused: it cannot be read, or a newer Kefu wrote it.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content.pop("version")
        kind = content.pop("kind")
        if kind != "adapter" or version > _VERSION:
            raise AdapterRefused(
                f"{path} is a {kind!r} of version {version}; this Kefu reads adapters up to version {_VERSION}. "
                "Update Kefu, or choose another adapter."
            )
        return AdapterManifest(**{**content, "shape": PromptShape(**content["shape"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdapterRefused(
            f"{path} cannot be read: {error}. An adapter needs the manifest that `kefu train` writes; train it again."
        ) from error


def check_fits(manifest: AdapterManifest, base: str, base_sha256: str | None) -> None:
    """Refuse an adapter that was trained on another model or for another prompt.

    Args:
        manifest: the adapter's.
        base: label of the model that it is to be loaded onto.
        base_sha256: of that model's weights; None if they are not known (then the label must do).

    Raises:
        AdapterRefused: it does not fit.
    """
    if Path(manifest.base).name != Path(base).name:
        raise AdapterRefused(
            f"Adapter {manifest.id!r} was trained on {manifest.base!r}, but the model is {base!r}. "
            "Choose an adapter of this model, or the model of this adapter."
        )
    if None not in (base_sha256, manifest.base_sha256) and base_sha256 != manifest.base_sha256:
        raise AdapterRefused(
            f"Adapter {manifest.id!r} was trained on other weights of {base!r} ({manifest.base_sha256}) than these "
            f"({base_sha256}). Train it again, or install the weights that it was trained on."
        )
    if manifest.prompt_version != PROMPT_VERSION:
        raise AdapterRefused(
            f"Adapter {manifest.id!r} was trained for prompt version {manifest.prompt_version}, but this Kefu writes "
            f"version {PROMPT_VERSION}. Train it again with `kefu train`, or run the Kefu that it was trained with."
        )


def _check_files(folder: Path, manifest: AdapterManifest) -> None:
    for name in (CONFIG, WEIGHTS):
        path = folder / name
        if not path.is_file():
            raise AdapterRefused(
                f"{path} is missing. Adapters are loaded from safetensors only; train it again."
            )
        if manifest.files.get(name) != sha256(path):
            raise AdapterRefused(
                f"{path} is not the file that its manifest was written for. Fetch or train it again."
            )
