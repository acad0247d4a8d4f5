"""A training set as a folder: the sides, what was dropped and why, and a manifest that says how it was made.

    var/datasets/20261124-101500-3f2a9c/
      train.jsonl, validation.jsonl, test.jsonl   one conversation a line
      disliked.jsonl                              answers that were voted down, for preference training only
      dropped.jsonl                               what is not in it, each with the step and the reason
      manifest.json                               inputs, settings, counts, versions, SHA-256 of every file

Loaded elsewhere: `datasets.load_dataset("json", data_files={"train": ".../train.jsonl", …})`.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from finetune.curation.curate import Curated, CurationSettings
from finetune.curation.sources import Input
from finetune.errors import DatasetDamaged, RecordError
from finetune.lines import json_lines, read_lines
from finetune.records import Conversation, from_json, to_json
from retrieval.errors import FilesDamaged
from retrieval.publish import current, publish, verify

SCHEMA = 1  # of the lines and the manifest; a reader refuses a newer one
KIND = "kefu-dataset"
Side = Literal["train", "validation", "test", "disliked"]
SIDES: tuple[Side, ...] = ("train", "validation", "test", "disliked")


@dataclass(frozen=True)
class Dataset:
    """A training set, read and checked."""

    id: str
    folder: Path
    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    test: tuple[Conversation, ...]
    disliked: tuple[Conversation, ...]
    manifest: Mapping[str, Any]

    def side(self, name: Side) -> tuple[Conversation, ...]:
        """The conversations of one side."""
        sides = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "disliked": self.disliked,
        }
        return sides[name]


def write_dataset(
    root: Path,
    curated: Curated,
    settings: CurationSettings,
    inputs: Sequence[Input],
    *,
    canaries: Sequence[Mapping[str, str]] = (),
) -> Path:
    """Publish a curated set below `root`, whole or not at all; older sets stay.

    Args:
        root: folder of all sets; made if missing.
        curated: what `curate` returned.
        settings: that it was made with.
        inputs: that it was made of.
        canaries: invented customers' data that was planted among them, each with `prompt` and `secret`.

    Returns:
        The set's folder.

    Raises:
        PublishError: the disk is full or read-only, or another set is being written.
    """

    def fill(folder: Path) -> Mapping[str, Any]:
        for name, conversations in _sides(curated).items():
            (folder / f"{name}.jsonl").write_bytes(json_lines(map(to_json, conversations)))
        (folder / "dropped.jsonl").write_bytes(json_lines(map(asdict, curated.drops)))
        return {**_manifest(curated, settings, inputs), "canaries": list(canaries)}

    return publish(root, fill, keep_all=True)


def load_dataset_folder(folder: Path) -> Dataset:
    """Read a training set and check it against its manifest.

    Args:
        folder: of the set, or of all sets: then the latest is taken.

    Raises:
        DatasetDamaged: it is missing, changed, no training set, or was written by a newer Kefu.
    """
    latest = current(folder)
    folder = folder if latest is None else latest
    try:
        manifest = verify(folder)
    except FilesDamaged as error:
        raise DatasetDamaged(
            f"{folder} is no whole training set: {error} Run `kefu curate` again."
        ) from error
    schema = manifest.get("schema")
    if manifest.get("kind") != KIND or not isinstance(schema, int):
        raise DatasetDamaged(
            f"{folder} is {manifest.get('kind')!r}, no {KIND!r}. Give the folder of a training set."
        )
    if schema > SCHEMA:
        raise DatasetDamaged(
            f"{folder} is written in version {schema}; this Kefu reads up to {SCHEMA}. Update Kefu, or curate anew."
        )
    train, validation, test, disliked = (_read(folder / f"{name}.jsonl") for name in SIDES)
    return Dataset(folder.name, folder, train, validation, test, disliked, manifest)


def _sides(curated: Curated) -> Mapping[Side, Sequence[Conversation]]:
    splits = curated.splits
    return {
        "train": splits.train,
        "validation": splits.validation,
        "test": splits.test,
        "disliked": curated.disliked,
    }


def _read(path: Path) -> tuple[Conversation, ...]:
    try:
        return tuple(from_json(row) for _, row in read_lines(path.read_text(encoding="utf-8"), path.name))
    except (OSError, UnicodeDecodeError, RecordError) as error:
        raise DatasetDamaged(f"{path} cannot be read: {error} Run `kefu curate` again.") from error


def _manifest(curated: Curated, settings: CurationSettings, inputs: Sequence[Input]) -> Mapping[str, Any]:
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "seed": settings.seed,
        "settings": asdict(settings),
        "inputs": [asdict(each) for each in inputs],
        "steps": [asdict(step) for step in curated.steps],
        "dropped": [
            {"step": step, "reason": reason, "count": count}
            for (step, reason), count in Counter((drop.step, drop.reason) for drop in curated.drops).items()
        ],
        "counts": {name: _counts(side) for name, side in _sides(curated).items()},
        "augmented": curated.augmented,
        "masked_again": dict(curated.masked_again),
        "versions": {
            "kefu": version("kefu"),
            "python": platform.python_version(),
            "datasketch": version("datasketch"),
            "opencc": version("opencc"),
        },
    }


def _counts(conversations: Sequence[Conversation]) -> Mapping[str, Any]:
    exchanges = [exchange for conversation in conversations for exchange in conversation.selected]
    times = [conversation.started_at for conversation in conversations if conversation.started_at is not None]
    return {
        "conversations": len(conversations),
        "exchanges": len(exchanges),
        "context": sum(len(conversation.exchanges) for conversation in conversations) - len(exchanges),
        "corrected": sum(exchange.corrected for exchange in exchanges),
        "variants": sum("variant" in exchange.metadata for exchange in exchanges),
        "by_language": _tally(exchange.language.value for exchange in exchanges),
        "by_source": _tally(conversation.source for conversation in conversations),
        "by_author": _tally(exchange.author for exchange in exchanges),
        "by_intent": _tally("none" if e.intent is None else e.intent for e in exchanges),
        "first": min(times).isoformat() if times else None,
        "last": max(times).isoformat() if times else None,
    }


def _tally(values: Iterable[str]) -> Mapping[str, int]:
    return dict(Counter(values).most_common())
