"""Training examples: what a model reads for one question, and what it should write."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.answering.generator import PromptShape
from bot.answering.prompt import PromptMessage, PromptPassage, Rendered, render_training
from bot.answering.turn_markers import CANONICAL, TurnMarkers
from bot.conversation import Language
from retrieval.chunking import width
from retrieval.documents import Hit, Passage


@dataclass(frozen=True)
class Example:
    """One question in its conversation. `source` is the number of the passage that answers, 0 if none does."""

    id: str
    language: Language
    passages: tuple[PromptPassage, ...]  # best first, numbered from 1
    history: tuple[PromptMessage, ...]
    question: str
    source: int
    answer: str  # empty if and only if `source` is 0
    topic: str = ""  # what is held out together

    def rendered(self, shape: PromptShape, markers: TurnMarkers = CANONICAL) -> Rendered:
        """The training text, by the renderer that serving uses.

        Raises:
            ValueError: the passage that answers does not fit into the prompt.
        """
        return render_training(
            self.language,
            self.passages,
            self.history,
            self.question,
            self.answer,
            self.source,
            markers=markers,
            shape=shape,
        )


@dataclass(frozen=True)
class Found:
    """A passage that a search found for a question, and whether it answers it."""

    title: str
    text: str
    answers: bool


def as_hits(example: Example) -> list[Hit]:
    """The example's passages as a search would find them, each as sure as the others."""
    return [
        Hit(
            Passage(str(p.number), str(p.number), example.language, p.title, (), p.text, 0, ""),
            1.0,
            0.0,
            0.0,
        )
        for p in example.passages
    ]


def with_passages(example: Example, found: Sequence[Found], shape: PromptShape) -> Example | None:
    """`example` with passages as a search would show them, and the number of the first one that answers.

    Args:
        example: its passages and source are replaced; with a source of 0 no passage may answer.
        found: ranked, best first.
        shape: which decides how many fit.

    Returns:
        None if an answer is expected and no passage that answers would be shown.
    """
    room = shape.width - width(example.question)
    passages: list[PromptPassage] = []
    source = 0
    for number, each in enumerate(found[: shape.passages], start=1):
        room -= width(each.title + each.text)
        if room < 0:
            break
        passages.append(PromptPassage(number, each.title, each.text))
        if each.answers and source == 0:
            source = number
    if not passages or (source == 0) != (not example.answer):
        return None
    return replace(example, passages=tuple(passages), source=source)


def shuffled(examples: Iterable[Example], seed: int) -> list[Example]:
    """The examples in an order that only `seed` decides."""
    ordered = sorted(examples, key=lambda example: example.id)
    random.Random(seed).shuffle(ordered)  # noqa: S311 — an order, no secret
    return ordered
