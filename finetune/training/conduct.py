"""How a trained adapter is to serve: from which probability on it declines, and whether it shows its own words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.answering.local_model import LocalModel
from finetune.examples.example import Example
from finetune.training.declining import calibrate, source_odds, write_threshold
from finetune.training.writing import compare_writing, write_verdict
from retrieval.encoder import Encoder


def settle_conduct(
    folder: Path, source: str | Path, label: str, held: Sequence[Example], encoder: Encoder
) -> None:
    """Measure both on questions that were not trained on, and put them into the adapter's certificate.

    What too few questions tell is left open. The writing is measured as it will serve: with the threshold for declining.

    Args:
        folder: the adapter.
        source: the model's files, or its name.
        label: the model's name.
        held: the questions.
        encoder: chooses what is quoted, when writing is compared with quoting.

    Raises:
        GenerationError: the model does not name passages by number.
    """
    with closing(LocalModel(source, label=label, adapter=folder)) as model:
        declining = calibrate(source_odds(model, held))
    if declining is not None:
        write_threshold(folder, declining)
    with closing(LocalModel(source, label=label, adapter=folder)) as model:
        writing = compare_writing(model, encoder, held)
    if writing is not None:
        write_verdict(folder, writing)
