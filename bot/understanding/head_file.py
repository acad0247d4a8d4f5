"""Keeps a fitted intent head on disk, with the fingerprint of what it was fitted on: same examples, same head, no wait."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from bot.understanding.intents import IntentHead, TrainingSet, fit_head
from retrieval.encoder import Encoder
from retrieval.errors import FilesDamaged
from retrieval.publish import current, publish, verify

FORMAT = 2  # of the files, and of what is learned; raise it when either changes
_ARRAYS = "head.safetensors"
_TEXTS = "examples.json"


def load_or_fit(root: Path, examples: TrainingSet, encoder: Encoder) -> IntentHead:
    """The head for `examples` and `encoder`: from `root` if it lies there, else fitted and published there.

    Args:
        root: folder of the head's generations (`var/intents`).
        examples: what to learn from.
        encoder: gives the examples' query vectors, if the head has to be fitted.

    Raises:
        PublishError: the disk is full or read-only.
    """
    fingerprint = _fingerprint(examples, encoder)
    folder = current(root)
    if folder is not None:
        try:
            if verify(folder).get("fingerprint") == fingerprint:
                return _load(folder)
        except FilesDamaged:
            pass  # it is fitted anew, below
    head = fit_head(examples, encoder.encode_queries(examples.texts))

    def fill(target: Path) -> Mapping[str, Any]:
        _save(target, head)
        return {
            "kind": "intent head",
            "format": FORMAT,
            "fingerprint": fingerprint,
            "encoder": encoder.name,
            "classes": len(head.classes),
            "examples": len(head.texts),
            "mix": list(head.mix),
        }

    publish(root, fill)
    return head


def _fingerprint(examples: TrainingSet, encoder: Encoder) -> str:
    learned = json.dumps([FORMAT, encoder.name, examples.texts, examples.labels], ensure_ascii=False)
    return hashlib.sha256(learned.encode("utf-8", "surrogatepass")).hexdigest()


def _save(folder: Path, head: IntentHead) -> None:
    arrays = {
        "labels": head.labels,
        "examples": head.examples,
        "mean": head.mean,
        "weights": head.weights,
        "bias": head.bias,
        "mix": np.array(head.mix),
    }
    # safetensors writes the bytes as they lie: an array in another order would come back scrambled.
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / _ARRAYS)
    texts = {"classes": head.classes, "texts": head.texts}
    (folder / _TEXTS).write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")


def _load(folder: Path) -> IntentHead:
    try:
        arrays = load_file(folder / _ARRAYS)
        texts = json.loads((folder / _TEXTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, SafetensorError) as error:
        raise FilesDamaged(
            f"The intent head in {folder} cannot be read: {error}. Run `kefu index`."
        ) from error
    a, b = arrays["mix"]
    return IntentHead(
        classes=tuple(texts["classes"]),
        texts=tuple(texts["texts"]),
        labels=arrays["labels"],
        examples=arrays["examples"],
        mean=arrays["mean"],
        weights=arrays["weights"],
        bias=arrays["bias"],
        mix=(float(a), float(b)),
    )
