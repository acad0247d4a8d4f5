"""How a trained adapter is to serve: from which probability on it declines, and whether it shows its own words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bot.answering.adapters import AdapterManifest, read_adapter, write_manifest
from bot.answering.local_model import LocalModel
from finetune.examples.example import Example
from finetune.training.declining import calibrate, source_odds, write_threshold
from finetune.training.writing import compare_writing, write_verdict
from retrieval.encoder import Encoder


def settle_conduct(
    folder: Path,
    source: str | Path,
    label: str,
    held: Sequence[Example],
    encoder: Encoder,
    *,
    parent: AdapterManifest | None = None,
) -> None:
    """Measure both on questions that were not trained on, and put them into the adapter's certificate.

    What too few questions tell is left open, but for the threshold for declining: then it is the parent's. The writing
    is measured as it will serve: with the threshold for declining.

    Args:
        folder: the adapter.
        source: the model's files, or its name.
        label: the model's name.
        held: the questions.
        encoder: chooses what is quoted, when writing is compared with quoting.
        parent: the certificate of the adapter that it was trained on from, whose threshold is kept within what is noise.

    Raises:
        GenerationError: the model does not name passages by number.
    """
    with closing(LocalModel(source, label=label, adapter=folder)) as model:
        declining = calibrate(source_odds(model, held), None if parent is None else parent.declines_at)
    if declining is not None:
        write_threshold(folder, declining)
    elif parent is not None:
        write_manifest(folder, replace(read_adapter(folder), declines_at=parent.declines_at))
    with closing(LocalModel(source, label=label, adapter=folder)) as model:
        writing = compare_writing(model, encoder, held)
    if writing is not None:
        write_verdict(folder, writing)
