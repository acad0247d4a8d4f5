"""When a trained model should decline: the threshold on its own probability that no passage answers.

Left to choose the likeliest passage number, a small model declines too often or too rarely, as its training happened to
be mixed. What a team cares about is a rate, "of the questions that the passages leave open, at least nine in ten are
declined", so the threshold is the quantile of held-out questions that keeps it (split conformal prediction: Vovk et al.
2005; for one class of errors: Angelopoulos and Bates 2021, arXiv 2107.07511, section 4.1).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.answering.adapters import read_adapter, write_manifest
from bot.answering.local_model import LocalModel
from bot.answering.prompt import render
from finetune.examples.example import Example

LEAST_RIGHT_REFUSALS = 0.9
_SECONDS = 120.0  # for one question, however slow the machine


@dataclass(frozen=True)
class Declining:
    """A threshold, and what it does on the questions that it was chosen on (rates 0 to 1)."""

    threshold: float
    right_refusals: float
    false_refusals: float
    open_questions: int
    answered_questions: int


def source_odds(model: LocalModel, examples: Iterable[Example]) -> list[tuple[float, bool]]:
    """For each example, the model's probability that no passage answers, and whether indeed none does."""
    found = []
    for example in examples:
        prompt = render(
            example.language, example.passages, example.history, example.question, shape=model.shape
        )
        odds = model.source_odds(prompt, deadline=time.monotonic() + _SECONDS)
        found.append((odds[0], example.source == 0))
    return found


def calibrate(odds: Sequence[tuple[float, bool]], least: float = LEAST_RIGHT_REFUSALS) -> Declining | None:
    """The highest threshold that still declines the wanted share of open questions, with a margin for chance.

    Args:
        odds: from `source_odds`, on questions that were not trained on.
        least: share of open questions to be declined, 0 to 1.

    Returns:
        None if there are too few open questions to promise that share (with 0.9: fewer than 9).
    """
    open_ones = sorted(probability for probability, is_open in odds if is_open)
    answered = [probability for probability, is_open in odds if not is_open]
    allowed = math.floor((1 - least) * (len(open_ones) + 1))  # conformal: the next one counts too
    if allowed < 1:
        return None
    threshold = open_ones[allowed - 1]
    return Declining(
        threshold=threshold,
        right_refusals=sum(probability >= threshold for probability in open_ones) / len(open_ones),
        false_refusals=sum(probability >= threshold for probability in answered) / max(len(answered), 1),
        open_questions=len(open_ones),
        answered_questions=len(answered),
    )


def write_threshold(adapter: Path, declining: Declining) -> None:
    """Put the threshold into an adapter's certificate."""
    manifest = read_adapter(adapter)
    metrics = {
        **manifest.metrics,
        "right_refusals": round(declining.right_refusals, 4),
        "false_refusals": round(declining.false_refusals, 4),
        "open_questions": declining.open_questions,
        "answered_questions": declining.answered_questions,
    }
    write_manifest(adapter, replace(manifest, declines_at=declining.threshold, metrics=metrics))
