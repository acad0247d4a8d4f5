"""Teaches the intent head what people corrected: questions that it had put to the wrong intent, with the right one.

The head is small and is fitted anew in a second, on the team's own examples and the corrections. Whether that helps is
measured on corrections that it has not seen, and on the team's own examples that it has not seen, so that what was
learned from customers does not cost what worked before. Only if neither got worse are the corrections worth keeping:
they are kept as a file of lines, and `extended` puts them beside the examples wherever the head is fitted.

    {"text": "退货的运费谁出", "intent": "return-postage"}     an intent's id, "(knowledge)" or "(out-of-scope)"
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bot.understanding.head_file import load_or_fit
from bot.understanding.intents import (
    KNOWLEDGE,
    OUT_OF_SCOPE,
    Classified,
    IntentHead,
    TrainingSet,
    fit_head,
    normalise,
)
from finetune.errors import RecordError, TrainingError
from finetune.lines import json_lines, read_lines
from retrieval.encoder import Encoder
from retrieval.publish import write_atomically

_HELD_OUT = 0.3  # of the corrections
_OWN_HELD_OUT = 0.2  # of the team's own examples
_FEWEST = 10  # corrections; fewer than that cannot be held out and learned from as well


@dataclass(frozen=True)
class IntentCorrection:
    """What a customer asked, and the intent that a person says it belongs to."""

    text: str
    intent: str


@dataclass(frozen=True)
class Accuracy:
    """Shares of unseen questions that were put right, 0 to 1: of the corrections, and of the team's own examples."""

    corrections: float
    own: float


@dataclass(frozen=True)
class IntentTraining:
    """What came of it. `unknown` are corrections to intents that there are not (any more)."""

    examples: TrainingSet
    learned: int
    unknown: tuple[IntentCorrection, ...]
    before: Accuracy
    after: Accuracy

    @property
    def better(self) -> bool:
        """Whether more corrections come out right, and no fewer of the team's own examples."""
        return self.after.corrections > self.before.corrections and self.after.own >= self.before.own


def train_intents(
    examples: TrainingSet, corrections: Sequence[IntentCorrection], encoder: Encoder, *, seed: int = 0
) -> IntentTraining:
    """Measure what the corrections teach; the same for the same seed. Nothing is written: see `publish_head`.

    Args:
        examples: the team's own (`bot.understanding.intents.training_set`).
        corrections: of customers' questions; of several for one question, the last one counts.
        encoder: the one that serves.
        seed: of what is held out.

    Raises:
        TrainingError: there are too few corrections to learn from and to measure with.
    """
    known = set(examples.labels) | {KNOWLEDGE, OUT_OF_SCOPE}
    latest = list({normalise(each.text): each for each in corrections}.values())
    usable = [each for each in latest if each.intent in known]
    if len(usable) < _FEWEST:
        raise TrainingError(
            f"{len(usable)} of {len(corrections)} corrections name an intent that there is; {_FEWEST} are needed to learn "
            "from some and to measure with others. Collect more, or add them to the intents' examples by hand."
        )
    chance = random.Random(seed)  # noqa: S311 — an order, no secret
    chance.shuffle(usable)
    count = max(3, round(_HELD_OUT * len(usable)))
    held, learned = usable[:count], usable[count:]
    unseen = _unseen(examples, chance)
    seen = TrainingSet(
        tuple(text for place, text in enumerate(examples.texts) if place not in unseen),
        tuple(label for place, label in enumerate(examples.labels) if place not in unseen),
    )
    own = [IntentCorrection(examples.texts[place], examples.labels[place]) for place in sorted(unseen)]
    before, after = (
        _accuracy(fit_head(some, encoder.encode_queries(some.texts)), held, own, encoder)
        for some in (seen, extended(seen, learned))
    )
    return IntentTraining(
        examples=extended(examples, usable),
        learned=len(usable),
        unknown=tuple(each for each in latest if each.intent not in known),
        before=before,
        after=after,
    )


def publish_head(training: IntentTraining, root: Path, encoder: Encoder) -> IntentHead:
    """Fit the head on everything and publish it below `root` (`var/intents`), where a bot with the same examples finds it.

    Raises:
        PublishError: the folder cannot be written.
    """
    return load_or_fit(root, training.examples, encoder)


def extended(examples: TrainingSet, corrections: Sequence[IntentCorrection]) -> TrainingSet:
    """The examples with the corrections beside them. What was corrected is no example of another class any more."""
    right = {normalise(each.text): each for each in corrections}
    pairs = [
        (text, label)
        for text, label in zip(examples.texts, examples.labels, strict=True)
        if normalise(text) not in right
    ]
    pairs += [(each.text.strip(), each.intent) for each in right.values()]
    unique = dict.fromkeys(pairs)
    return TrainingSet(tuple(text for text, _ in unique), tuple(label for _, label in unique))


def read_corrections(path: Path) -> list[IntentCorrection]:
    """The corrections in a file of lines; none if there is no file.

    Raises:
        RecordError: a line is no correction; names it.
    """
    if not path.exists():
        return []
    found = []
    for place, row in read_lines(path.read_text("utf-8"), path.name):
        text, intent = row.get("text"), row.get("intent")
        if not (isinstance(text, str) and isinstance(intent, str) and text.strip() and intent):
            raise RecordError(
                f"{place} is no correction of an intent: it needs a `text` and an `intent`. Mend it."
            )
        found.append(IntentCorrection(text, intent))
    return found


def write_corrections(path: Path, corrections: Sequence[IntentCorrection]) -> None:
    """Write a file that `read_corrections` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json_lines(asdict(each) for each in corrections))


def _unseen(examples: TrainingSet, chance: random.Random) -> Collection[int]:
    """Places of examples to be held out: a share of each class, and never more than leaves it two."""
    unseen: set[int] = set()
    for label in sorted(set(examples.labels)):
        places = [place for place, other in enumerate(examples.labels) if other == label]
        chance.shuffle(places)
        unseen.update(places[: min(round(_OWN_HELD_OUT * len(places)), max(0, len(places) - 2))])
    return unseen


def _accuracy(
    head: IntentHead, held: Sequence[IntentCorrection], own: Sequence[IntentCorrection], encoder: Encoder
) -> Accuracy:
    return Accuracy(_share_right(head, held, encoder), _share_right(head, own, encoder))


def _share_right(head: IntentHead, asked: Sequence[IntentCorrection], encoder: Encoder) -> float:
    if not asked:
        return 1.0
    vectors = encoder.encode_queries([each.text for each in asked])
    right = [
        _best(head.classify(each.text, vector)) == each.intent
        for each, vector in zip(asked, vectors, strict=True)
    ]
    return float(np.mean(right))


def _best(found: Classified) -> str:
    """The likeliest class, of the intents and the two other kinds."""
    kinds = {intent.intent: intent.score for intent in found.intents}
    kinds |= {KNOWLEDGE: found.knowledge, OUT_OF_SCOPE: found.out_of_scope}
    return max(kinds, key=lambda kind: kinds[kind])
