"""When a trained model should decline: the threshold on its own probability that no passage answers.

Left to choose the likeliest passage number, a small model declines too rarely: it was shown more questions with an
answer than without. The threshold is the one that tells held-out open questions best from answered ones: where right
refusals exceed false ones most (Youden 1950, "Index for rating diagnostic tests"). Near there the index is flat, so of
all thresholds within one standard error of the best the highest is taken, which keeps most answers (the rule is
Breiman's, "Classification and Regression Trees", 1984). An adapter that was trained on from another takes the one
nearest to its parent's instead: a night has two dozen open questions, whose standard error is wide, and the highest
within it declined fewer of the questions that must be declined.

Tried instead, and worse on the dev half of the golden questions: the quantile that declines nine in ten open questions
(split conformal prediction), which also declined half of the others, because those held out are near misses; and the
one that declines at most 15 % of the answered ones, which let twice as many wrong answers through.
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

_FEWEST = 9  # questions of either kind; fewer say nothing
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


def calibrate(odds: Sequence[tuple[float, bool]], usual: float | None = None) -> Declining | None:
    """The threshold where the share of right refusals exceeds that of false ones most; of about equal ones, see above.

    Args:
        odds: from `source_odds`, on questions that were not trained on.
        usual: the threshold of the adapter that it was trained on from; None if there is none.

    Returns:
        None if there are fewer than nine questions of either kind.
    """
    open_ones = [probability for probability, is_open in odds if is_open]
    answered = [probability for probability, is_open in odds if not is_open]
    if min(len(open_ones), len(answered)) < _FEWEST:
        return None
    found = [
        Declining(
            threshold=threshold,
            right_refusals=sum(probability >= threshold for probability in open_ones) / len(open_ones),
            false_refusals=sum(probability >= threshold for probability in answered) / len(answered),
            open_questions=len(open_ones),
            answered_questions=len(answered),
        )
        for threshold in sorted({*open_ones, *(() if usual is None else (usual,))})
    ]
    best = max(found, key=_index)
    about_equal = [each for each in found if _index(each) >= _index(best) - _standard_error(best)]
    if usual is None:
        return about_equal[-1]
    return min(about_equal, key=lambda each: abs(each.threshold - usual))


def _index(each: Declining) -> float:
    return each.right_refusals - each.false_refusals


def _standard_error(each: Declining) -> float:
    """Of the index: of the difference of two independent shares."""
    right, false = each.right_refusals, each.false_refusals
    return math.sqrt(
        right * (1 - right) / each.open_questions + false * (1 - false) / each.answered_questions
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
