"""What people said about intents, learned beside the team's own examples: customers' questions with the right intent.

They lie in a file of lines, which `kefu intents` and `kefu cycle` write if they help:

    {"text": "退货的运费谁出", "intent": "return-postage"}     an intent's id, "(knowledge)" or "(out-of-scope)"
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ContentError
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet, normalise


@dataclass(frozen=True)
class IntentCorrection:
    """What a customer asked, and the intent that a person says it belongs to."""

    text: str
    intent: str


def known(examples: TrainingSet, corrections: Sequence[IntentCorrection]) -> list[IntentCorrection]:
    """The corrections to intents that there are (still); of several for one question, the last one."""
    intents = {*examples.labels, KNOWLEDGE, OUT_OF_SCOPE}
    latest = {normalise(each.text): each for each in corrections}
    return [each for each in latest.values() if each.intent in intents]


def extended(examples: TrainingSet, corrections: Sequence[IntentCorrection]) -> TrainingSet:
    """The examples with the known corrections beside them. What was corrected is no example of another class any more."""
    right = {normalise(each.text): each for each in known(examples, corrections)}
    pairs = [
        (text, label)
        for text, label in zip(examples.texts, examples.labels, strict=True)
        if normalise(text) not in right
    ]
    pairs += [(each.text.strip(), each.intent) for each in right.values()]
    unique = dict.fromkeys(pairs)
    return TrainingSet(tuple(text for text, _ in unique), tuple(label for _, label in unique))


def read_corrections(path: Path) -> list[IntentCorrection]:
    """The corrections in a file; none if there is no file.

    Raises:
        ContentError: it cannot be read, or a line is no correction; names it.
    """
    try:
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(
            f"{path} cannot be read: {error}. Mend it, or delete it and run `kefu intents`."
        ) from error
    return [
        _read(line, f"{path.name}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    ]


def _read(line: str, place: str) -> IntentCorrection:
    try:
        row = json.loads(line)
        text, intent = row["text"], row["intent"]
    except (ValueError, KeyError, TypeError):
        text = intent = None
    if not (isinstance(text, str) and isinstance(intent, str) and text.strip() and intent):
        raise ContentError(
            f"{place} is no correction of an intent: it needs a `text` and an `intent`, but it is {line[:80]!r}. Mend or "
            "delete the line."
        )
    return IntentCorrection(text, intent)
