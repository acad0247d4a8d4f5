"""What writes drafts, as the rest of Kefu sees it. Light on purpose: fakes need no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Prompt:
    """Model input in two parts, both in the canonical turn markers of `bot.answering.prompt`.

    `fixed` is the same for every question of a language and prompt version, so what the model computes for it can be
    kept; `variable` follows it and holds the passages, the conversation and the question. `answer_gap` is what stands
    between it and the answer's `[`; the model writes it. `passages` is how many are shown, numbered from 1, and
    `chances` how likely the search thinks each is to answer (0 to 1); empty where nothing is known.
    """

    fixed: str
    variable: str
    answer_gap: str = ""
    passages: int = 0
    chances: tuple[float, ...] = ()


@dataclass(frozen=True)
class PromptShape:
    """How a prompt is built. The default suits a model that was never trained on it: worked examples show what to do.

    An adapter is served with the shape that it was trained on; its manifest says which.
    """

    examples: int = 2  # worked examples, 0 to what the wording has
    width: int = 1400  # of the variable part, in width units (a Chinese character is 2)
    passages: int = 3  # most passages that a prompt shows
    best_last: bool = False  # whether the best passage stands nearest to the question
    flat: bool = True  # whether a passage stands on one line


DEFAULT_SHAPE = PromptShape()


class Generator(Protocol):
    """Writes the answer to a prompt, piece by piece."""

    @property
    def name(self) -> str:
        """Which weights write; stored with every turn."""

    @property
    def adapter(self) -> str | None:
        """Which adapter is on top of them, if any; stored with every turn."""

    @property
    def tuned(self) -> bool:
        """Whether it was taught to answer. An untuned base model goes on writing: its drafts are rarely worth a look."""

    @property
    def writes(self) -> bool:
        """Whether its own words are better than those of the passage that it names; measured when it was trained."""

    @property
    def shape(self) -> PromptShape:
        """How prompts for it are built."""

    def warm_up(self) -> None:
        """Do once what would make the first answer slow.

        Raises:
            GenerationError: the model is missing or failed.
        """

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        """Yield the answer in pieces of text; joined, they are the answer without turn markers.

        Closing the iterator stops the work; it may be closed at any time.

        Args:
            prompt: from `bot.answering.prompt.render`.
            max_new_tokens: longest answer, at least 1.
            deadline: moment of `time.monotonic` after which nothing more may be written.

        Raises:
            GenerationError: the model is missing, failed, was busy until the deadline, or ran out of time.
        """

    def close(self) -> None:
        """Give back memory and connections. Nothing may be asked of it afterwards."""
