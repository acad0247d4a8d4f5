"""What every model that runs in this process is to the rest of Kefu: a `Generator` on top of an `Engine`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog

from bot.answering.engine import Engine
from bot.answering.generator import DEFAULT_SHAPE, Prompt, PromptShape
from bot.answering.greedy import GreedyDecoder, Unfinished
from bot.answering.lease import Lease
from bot.answering.prompt import PromptPassage, render
from bot.conversation import Language
from bot.errors import GenerationError

GUESSED = 10  # tokens a step; benchmarks/engines.py compares
_WARM_UP_SECONDS = 600.0

log = structlog.get_logger(__name__)


class DraftingModel:
    """A `Generator` on an engine. Safe to call from several threads; one writes at a time."""

    def __init__(self, engine: Engine, *, guessed: int = GUESSED, keep_prefixes: bool = True) -> None:
        """Take an engine.

        Args:
            engine: the loaded model.
            guessed: most tokens to guess a step; 0 guesses none.
            keep_prefixes: whether to keep what the engine computed for the prompt's fixed part.
        """
        self._engine = engine
        self._decoder = GreedyDecoder(engine, guessed=guessed, keep_prefixes=keep_prefixes, tuned=self.tuned)
        self._lease = Lease()

    @property
    def name(self) -> str:
        """Which weights write, and in which arithmetic."""
        return self._engine.name

    @property
    def adapter(self) -> str | None:
        """Which adapter is merged into them, if any."""
        return None if self._engine.adapter is None else self._engine.adapter.id

    @property
    def shape(self) -> PromptShape:
        """How prompts for it are built: as its adapter was trained, or with worked examples."""
        return DEFAULT_SHAPE if self._engine.adapter is None else self._engine.adapter.shape

    @property
    def tuned(self) -> bool:
        """Whether it was taught to answer: it has an adapter, or a chat template. A base model only goes on writing."""
        return self._engine.adapter is not None or self._engine.tokenizer.chat_template is not None

    @property
    def writes(self) -> bool:
        """As its adapter's certificate says."""
        return self._engine.adapter is None or self._engine.adapter.writes

    def warm_up(self) -> None:
        """Compute the fixed part of the prompt for each language, and write a few tokens.

        Raises:
            GenerationError: the model failed.
        """
        started = time.monotonic()
        for language in (Language.ZH, Language.EN):
            prompt = render(language, [PromptPassage(1, "?", "?")], (), "?", shape=self.shape)
            pieces = self.stream(prompt, max_new_tokens=2, deadline=started + _WARM_UP_SECONDS)
            try:
                "".join(pieces)
            except Unfinished:
                continue
        log.info("model_warm", model=self.name, seconds=round(time.monotonic() - started, 2))

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        """Yield the answer piece by piece; see `bot.answering.generator.Generator`.

        Raises:
            GenerationError: the model failed, was busy, ran out of time, or did not come to an end (it repeated
                itself, or `max_new_tokens` were not enough): then the last sentence is not whole.
        """
        with self._lease.held(deadline):
            try:
                yield from self._decoder.write(prompt, max_new_tokens, deadline)
            except (
                RuntimeError,
                IndexError,
                ValueError,
            ) as error:  # out of memory, too long, bad numbers
                reason = str(error).strip().partition("\n")[0]
                raise GenerationError(
                    f"Language model {self.name} failed: {reason} See the log; try again."
                ) from error

    def source_odds(self, prompt: Prompt, *, deadline: float) -> tuple[float, ...]:
        """How likely the model is to name each passage as the one that answers; the first is that none does.

        Raises:
            GenerationError: it ran out of time, or its tokenizer does not write numbers as tokens of their own.
        """
        if not self._decoder.knows_numbers(prompt):
            raise GenerationError(
                f"Language model {self.name} does not write [1] as tokens of its own, so its choice of a passage cannot be "
                "read off. Leave the adapter's `declines_at` empty."
            )
        with self._lease.held(deadline):
            return self._decoder.source_odds(prompt, deadline)

    def close(self) -> None:
        """Forget the kept caches; the weights go with the last reference to this object."""
        self._decoder.forget()
