"""What is compared: a model with an adapter, the bare model, or no model at all, each answering as it would serve.

A draft is written once, to its end, and then shown to the same writer that serves, which checks it sentence by
sentence. So both are known: what the model wrote, and what a customer would have got, with the times that it would
have taken. A model that reads better than it writes names a passage and no more, as it does when serving: its own words
reach nobody, and are not judged. Deadlines do not count here: whether a draft is good must not depend on what else this
machine is doing.
"""

from __future__ import annotations

import time
from collections.abc import Generator as Generating
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bot.answering.adapters import WEIGHTS, read_adapter
from bot.answering.generator import Generator, Prompt, PromptShape
from bot.answering.grounded import GroundedAnswer, GroundedWriter
from bot.answering.local_model import LocalModel
from bot.answering.prompt import split_source
from bot.answering.registry import NONE, AdapterRegistry
from bot.errors import GenerationError
from bot.models import draft_limits, load_local, local_source
from bot.settings import Settings
from bot.thresholds import ThresholdTable, threshold_table
from finetune.evaluation.cases import Case
from finetune.evaluation.judging import Draft
from finetune.examples.real_turns import without_marks
from retrieval.encoder import Encoder
from retrieval.vector_cache import RecentTexts

BASE = "base"  # the bare model


@dataclass(frozen=True)
class Answered:
    """What came of a case.

    `text` is what a customer would have read; empty if the answer is that there is none. `cited` are positions of hits,
    the first citation first. `draft` is what the model wrote, or, of one that only names a passage, what was quoted; None
    if it was not asked.
    """

    text: str
    cited: tuple[int, ...]
    generation: str  # as `GroundedAnswer`'s
    draft: Draft | None
    seconds_to_first: float
    seconds: float

    @property
    def declined(self) -> bool:
        """Whether the customer was told that there is no answer."""
        return not self.text


@dataclass(frozen=True)
class Contender:
    """One of the two that are compared."""

    name: str  # an adapter's id, "none" or "base"
    generator: Generator | None
    writer: GroundedWriter
    recording: Recording | None
    thresholds: ThresholdTable  # below `grounded_score` of the best hit, no answer is tried

    def answer(self, case: Case) -> Answered:
        """Answer a case as it would be answered when serving, template and slots aside."""
        if not case.hits or case.hits[0].score < self.thresholds.of(case.language).grounded_score:
            return Answered("", (), "not tried", None, 0.0, 0.0)
        if self.recording is not None:
            self.recording.forget()
        started = time.monotonic()
        first: float | None = None
        parts = self.writer.write(case.question, case.language, case.hits, case.history)
        while True:
            try:
                next(parts)
            except StopIteration as finished:
                answer: GroundedAnswer = finished.value
                break
            first = self._since(started) if first is None else first
        seconds = self._since(started)
        text = without_marks(answer.text)
        return Answered(
            text=text,
            cited=answer.sources,
            generation=answer.generation,
            draft=None if self.recording is None else self.recording.judged(text),
            seconds_to_first=seconds if first is None else first,
            seconds=seconds,
        )

    def close(self) -> None:
        """Give the model's memory back."""
        if self.generator is not None:
            self.generator.close()

    def _since(self, started: float) -> float:
        """Seconds that a customer would have waited: without the time for the part of a draft that nobody reads."""
        ahead = 0.0 if self.recording is None else self.recording.ahead
        return max(0.0, time.monotonic() - started - ahead)


class Recording:
    """A `Generator` that remembers what it writes.

    Where its words are shown, each draft is written to its end before the first piece is given out. Where it only names a
    passage, nothing is written that is not asked for.
    """

    def __init__(self, generator: Generator, *, shown: bool) -> None:
        self._generator = generator
        self._shown = shown
        self._draft: Draft | None = None
        self.ahead = (
            0.0  # seconds that have passed here, but would not have for who reads the pieces as they come
        )

    @property
    def name(self) -> str:
        """Of the model."""
        return self._generator.name

    @property
    def adapter(self) -> str | None:
        """Of the model."""
        return self._generator.adapter

    @property
    def tuned(self) -> bool:
        """Of the model."""
        return self._generator.tuned

    @property
    def writes(self) -> bool:
        """Of the model."""
        return self._generator.writes

    @property
    def shape(self) -> PromptShape:
        """Of the model."""
        return self._generator.shape

    def warm_up(self) -> None:
        """Warm the model up.

        Raises:
            GenerationError: it failed.
        """
        self._generator.warm_up()

    def forget(self) -> None:
        """Forget the last draft."""
        self._draft, self.ahead = None, 0.0

    def judged(self, read: str) -> Draft | None:
        """What to judge, of an answer that a customer reads: the draft, or `read` where no draft is shown."""
        if self._draft is None or self._shown:
            return self._draft
        return replace(self._draft, text=read)

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        """Write the whole draft, then give it out piece by piece; or each piece at once, where no draft is shown.

        Raises:
            GenerationError: as the model does, after the pieces that it wrote before.
        """
        stream = self._generator.stream(prompt, max_new_tokens=max_new_tokens, deadline=deadline)
        with closing(self._timed(stream)) as pieces:
            yield from self._whole(pieces) if self._shown else (piece for piece, _ in pieces)

    def _whole(self, pieces: Iterator[tuple[str, float]]) -> Iterator[str]:
        written: list[tuple[str, float]] = []
        failure: GenerationError | None = None
        started = time.monotonic()
        try:
            for timed in pieces:
                written.append(timed)  # what came before a failure counts
        except GenerationError as error:
            failure = error
        whole = time.monotonic() - started
        for piece, moment in written:
            self.ahead = whole - moment
            yield piece
        self.ahead = 0.0
        if failure is not None:
            raise failure

    def _timed(self, pieces: Iterator[str]) -> Generating[tuple[str, float], None, None]:
        """Each piece with the seconds it took till then; when no more are wanted, they become the draft."""
        started = time.monotonic()
        seen: list[tuple[str, float]] = []
        failure: GenerationError | None = None
        try:
            for piece in pieces:
                seen.append((piece, time.monotonic() - started))
                yield seen[-1]
        except GenerationError as error:
            failure = error
            raise
        finally:
            self._draft = self._as_draft(seen, time.monotonic() - started, failure)

    def close(self) -> None:
        """Close the model."""
        self._generator.close()

    def _as_draft(
        self, pieces: list[tuple[str, float]], whole: float, failure: GenerationError | None
    ) -> Draft:
        source, text = split_source("".join(piece for piece, _ in pieces))
        if source == 0 and not self.tuned:  # an untuned model's 0 says nothing
            source = None
        first = pieces[0][1] if pieces else whole
        return Draft(text.strip(), source, first, whole, "" if failure is None else str(failure))


def load_contender(name: str, settings: Settings, registry: AdapterRegistry, encoder: Encoder) -> Contender:
    """Load what is to be compared, and warm it up.

    Args:
        name: "none", "base", "default", an adapter's id, or the path of a folder, with a separator in it.
        settings: which model, and how it serves.
        registry: where adapters are.
        encoder: for composing; what is remembered of texts is not shared between contenders, to keep times fair.

    Raises:
        AdapterRefused: the adapter is not there or does not fit.
        GenerationError: the model cannot be loaded.
    """
    generator = _model(name, settings, registry)
    if generator is not None:
        generator.warm_up()
    return contender(name, generator, settings, encoder)


def contender(name: str, generator: Generator | None, settings: Settings, encoder: Encoder) -> Contender:
    """A contender of a model that is loaded already; None composes."""
    limits = draft_limits(settings.patient(), generator)
    recording = None if generator is None else Recording(generator, shown=limits.drafts)
    reads = generator is not None and generator.tuned
    return Contender(
        name=name,
        generator=generator,
        writer=GroundedWriter(RecentTexts(encoder), recording, limits),
        recording=recording,
        thresholds=threshold_table(settings, reads=reads),
    )


def adapter_of(name: str, registry: AdapterRegistry) -> Path | None:
    """The adapter's folder that a contender's name means; None for "none" and "base".

    Raises:
        AdapterRefused: the adapter is not there or does not fit.
    """
    if name in (NONE, BASE):
        return None
    return Path(name) if len(Path(name).parts) > 1 else registry.find(name)


def weights_of(name: str, registry: AdapterRegistry) -> str | None:
    """SHA-256 of a contender's adapter; None for "none" and "base".

    Raises:
        AdapterRefused: the adapter is not there or does not fit.
    """
    folder = adapter_of(name, registry)
    return None if folder is None else read_adapter(folder).files[WEIGHTS]


def _model(name: str, settings: Settings, registry: AdapterRegistry) -> LocalModel | None:
    if name == NONE:
        return None
    adapter = adapter_of(name, registry)
    source, label = local_source(settings, _silent)
    return load_local(settings, source, label, adapter)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""
