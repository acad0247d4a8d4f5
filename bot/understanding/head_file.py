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
from retrieval.encoder import Encoder, Vectors
from retrieval.errors import FilesDamaged
from retrieval.joined_encoder import parts_of
from retrieval.publish import current, publish, verify

FORMAT = 6  # of the files, and of what is learned; raise it when either changes
_ARRAYS = "head.safetensors"
_TEXTS = "examples.json"


def load_or_fit(root: Path, examples: TrainingSet, encoder: Encoder) -> IntentHead:
    """The head for `examples` and `encoder`: from `root` if it lies there, else fitted and published there.

    Args:
        root: folder of the head's generations (`var/intents`).
        examples: what to learn from.
        encoder: gives the query vectors of the examples that the head in `root` has none of, if one has to be fitted.

    Raises:
        PublishError: the disk is full or read-only.
    """
    fingerprint = _fingerprint(examples, encoder)
    last = _last(root, encoder)
    if last is not None and last[1] == fingerprint:
        return last[0]
    head = fit_head(
        examples, _vectors(examples, encoder, None if last is None else last[0]), parts_of(encoder)
    )

    def fill(target: Path) -> Mapping[str, Any]:
        _save(target, head)
        return {
            "kind": "intent head",
            "format": FORMAT,
            "fingerprint": fingerprint,
            "encoder": encoder.name,
            "classes": len(head.classes),
            "examples": len(head.texts),
            "mixes": [list(mix) for mix in head.mixes],
        }

    publish(root, fill)
    return head


def _last(root: Path, encoder: Encoder) -> tuple[IntentHead, str] | None:
    """The head in `root` and its fingerprint, if it is whole, of today's format and of this encoder."""
    folder = current(root)
    if folder is None:
        return None
    try:
        manifest = verify(folder)
        if manifest.get("format") != FORMAT or manifest.get("encoder") != encoder.name:
            return None
        return _load(folder), str(manifest.get("fingerprint"))
    except FilesDamaged:
        return None  # it is fitted anew


def _vectors(examples: TrainingSet, encoder: Encoder, last: IntentHead | None) -> Vectors:
    """The examples' query vectors, (n, d): most have one from the last time, and an edited intent waits for its own only."""
    known = {} if last is None else dict(zip(last.texts, last.vectors, strict=True))
    new = [text for text in dict.fromkeys(examples.texts) if text not in known]
    if new:
        known.update(zip(new, encoder.encode_queries(new), strict=True))
    return np.stack([known[text] for text in examples.texts])


def _fingerprint(examples: TrainingSet, encoder: Encoder) -> str:
    learned = json.dumps([FORMAT, encoder.name, examples.texts, examples.labels], ensure_ascii=False)
    return hashlib.sha256(learned.encode("utf-8", "surrogatepass")).hexdigest()


def _save(folder: Path, head: IntentHead) -> None:
    arrays = {
        "labels": head.labels,
        "vectors": head.vectors,
        "parts": np.array(head.parts),
        "mean": head.mean,
        "rarities": head.rarities,
        "weights": head.weights,
        "bias": head.bias,
        "word_weights": head.word_weights,
        "word_bias": head.word_bias,
        "mixes": np.array(head.mixes),
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
    return IntentHead(
        classes=tuple(texts["classes"]),
        texts=tuple(texts["texts"]),
        labels=arrays["labels"],
        vectors=arrays["vectors"],
        parts=tuple(map(int, arrays["parts"])),
        mean=arrays["mean"],
        rarities=arrays["rarities"],
        weights=arrays["weights"],
        bias=arrays["bias"],
        word_weights=arrays["word_weights"],
        word_bias=arrays["word_bias"],
        mixes=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in arrays["mixes"]),
    )
