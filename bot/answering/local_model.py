"""Writes drafts with a causal language model in this process: any Hugging Face model, the bundled one by default.

Decoding is greedy and our own loop, for three reasons. It is an iterator, so it stops between two tokens as soon as
its reader goes away or its time is up, without a thread. It starts from the kept key/value cache of the prompt's
fixed part *and* checks several guessed tokens a step; `transformers.generate` cannot do both (with a guessing
strategy it runs the whole prompt again on top of a cache that it is given). And it guesses from the passages, not
from the worked examples that stand before them.
"""

from __future__ import annotations

import copy
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch
from transformers import Cache, DynamicCache

from bot.answering.decoding import PieceJoiner, copied_guess, is_looping
from bot.answering.generator import Prompt
from bot.answering.lease import Lease
from bot.answering.model_loading import LoadedModel, Precision, load_model
from bot.answering.prompt import PromptPassage, render
from bot.answering.turn_markers import in_markers, markers_for
from bot.conversation import Language
from bot.errors import GenerationError

_KEPT_PREFIXES = 4  # two languages, of two prompt versions or shapes
_PREFILL_STEP = 256  # prompt tokens between two looks at the clock
_GUESSED = 10  # tokens a step; benchmarks/drafts.py compares
_WARM_UP_SECONDS = 600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Prefix:
    """The key/value cache of a prompt's fixed part."""

    tokens: list[int]
    cache: Cache


class LocalModel:
    """A `Generator` on torch. Safe to call from several threads; one writes at a time."""

    def __init__(
        self,
        source: str | Path,
        *,
        label: str | None = None,
        revision: str | None = None,
        adapter: Path | None = None,
        device: str = "auto",
        threads: int | None = None,
        precision: Precision = "auto",
        guessed: int = _GUESSED,
        keep_prefixes: bool = True,
    ) -> None:
        """Load a model; see `bot.answering.model_loading.load_model` for what is not explained here.

        Args:
            source: a Hugging Face folder, or a hub name.
            label: name to store with each turn, and to compare with an adapter's base.
            revision: of a hub model.
            adapter: a peft folder.
            device: `auto` or a torch device.
            threads: CPU threads of one draft, from 1; default: all cores but one, because a draft that shares its
                last core with anything else is slower than one that leaves it alone.
            precision: `auto` or an arithmetic.
            guessed: most tokens to guess a step; 0 guesses none.
            keep_prefixes: whether to keep the cache of the prompt's fixed part.

        Raises:
            GenerationError: something is missing, cannot be loaded, or does not fit.
        """
        self._threads = threads if threads is not None else max(1, _cores() - 1)
        with _threads(self._threads):
            loaded = load_model(
                source, label=label, revision=revision, adapter=adapter, device=device, precision=precision
            )
        self._loaded = loaded
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._markers = markers_for(loaded.tokenizer)
        self._guessed = guessed
        self._keep_prefixes = keep_prefixes
        self._prefixes: OrderedDict[str, _Prefix] = OrderedDict()
        self._lease = Lease()
        self._ends = _end_tokens(loaded)
        # A base model has never seen turns: what it writes after its first line is made up.
        self._stops = (self._markers.end, "\n\n" if self.tuned else "\n")

    @property
    def name(self) -> str:
        """Which weights write, and in which arithmetic."""
        return self._loaded.name

    @property
    def adapter(self) -> str | None:
        """Which adapter is merged into them, if any."""
        return self._loaded.adapter

    @property
    def tuned(self) -> bool:
        """Whether it was taught to answer: it has an adapter, or a chat template. A base model only goes on writing."""
        return self._loaded.adapter is not None or self._tokenizer.chat_template is not None

    def warm_up(self) -> None:
        """Compute the fixed part of the prompt for each language, and write a few tokens.

        Raises:
            GenerationError: the model failed.
        """
        started = time.monotonic()
        for language in (Language.ZH, Language.EN):
            prompt = render(language, [PromptPassage(1, "?", "?")], (), "?")
            pieces = self.stream(prompt, max_new_tokens=2, deadline=started + _WARM_UP_SECONDS)
            try:
                "".join(pieces)
            except _Unfinished:
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
                yield from self._write(prompt, max_new_tokens, deadline)
            except (
                RuntimeError,
                IndexError,
                ValueError,
            ) as error:  # torch: out of memory, too long, bad numbers
                reason = str(error).strip().partition("\n")[0]
                raise GenerationError(
                    f"Language model {self.name} failed: {reason} See the log; try again."
                ) from error

    def close(self) -> None:
        """Forget the kept caches; the weights go with the last reference to this object."""
        self._prefixes.clear()

    def _write(self, prompt: Prompt, max_new_tokens: int, deadline: float) -> Iterator[str]:
        tokens, cache = self._begin(prompt, deadline)
        begin = len(tokens)
        answer_from = self._variable_from(prompt, begin)
        joiner = PieceJoiner(self._decode, self._stops)
        can_guess = self._guessed > 0 and cache.is_croppable
        if can_guess:
            cache.activate_past_recording()  # type: ignore[no-untyped-call]  # without it, a sliding window cannot be rolled back
        pending = tokens[-1:]  # not in the cache yet
        while True:
            _check_time(deadline, len(tokens) - begin)
            room = max_new_tokens - (len(tokens) - begin)
            guess = copied_guess(tokens, answer_from, min(self._guessed, room - 1)) if can_guess else []
            chosen = self._step(pending + guess, cache, len(guess) + 1)
            right = _agreeing(guess, chosen)
            if can_guess:
                cache.crop(right - len(guess))  # also trims sliding windows, so always called
            for token in chosen[: right + 1]:
                tokens.append(token)
                if token in self._ends:
                    yield joiner.rest()
                    return
                piece = joiner.add(token)
                if piece:
                    yield piece
                if joiner.stopped:
                    return
                if is_looping(tokens[begin:]):
                    raise _Unfinished(
                        f"Language model {self.name} began to repeat itself. An adapter would help."
                    )
            if len(tokens) - begin >= max_new_tokens:
                raise _Unfinished(
                    f"Language model {self.name} was not finished after {max_new_tokens} tokens. "
                    "Raise `model.max_new_tokens` if its answers should be longer."
                )
            pending = tokens[-1:]

    def _begin(self, prompt: Prompt, deadline: float) -> tuple[list[int], Cache]:
        """Tokens of the prompt, and a cache that holds all of them but the last."""
        tokens = self._encode(prompt.fixed + prompt.variable)
        cache: Cache = DynamicCache(config=self._model.config)
        if self._keep_prefixes:
            prefix = self._prefix(prompt.fixed, deadline)
            if tokens[: len(prefix.tokens)] == prefix.tokens and len(prefix.tokens) < len(tokens):
                cache = copy.deepcopy(prefix.cache)
        self._read(tokens[cache.get_seq_length() : -1], cache, deadline)
        return tokens, cache

    def _prefix(self, fixed: str, deadline: float) -> _Prefix:
        kept = self._prefixes.get(fixed)
        if kept is None:
            tokens = self._encode(fixed)
            cache = DynamicCache(config=self._model.config)
            self._read(tokens, cache, deadline)
            kept = self._prefixes[fixed] = _Prefix(tokens, cache)
            while len(self._prefixes) > _KEPT_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(fixed)
        return kept

    def _read(self, tokens: Sequence[int], cache: Cache, deadline: float) -> None:
        for start in range(0, len(tokens), _PREFILL_STEP):
            _check_time(deadline, 0)
            self._step(tokens[start : start + _PREFILL_STEP], cache, 1)

    def _step(self, tokens: Sequence[int], cache: Cache, keep: int) -> list[int]:
        """Run the model over `tokens`, on top of `cache`; the most likely next token after each of the last `keep`."""
        with torch.inference_mode(), _threads(self._threads):
            ids = torch.tensor([list(tokens)], device=self._loaded.device)
            logits = self._model(
                input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=keep
            ).logits
            best: list[int] = logits[0].argmax(-1).tolist()
        return best

    def _variable_from(self, prompt: Prompt, length: int) -> int:
        """Where the variable part's tokens begin (about: it is only where to look for something to copy)."""
        kept = self._prefixes.get(prompt.fixed)
        return 0 if kept is None or len(kept.tokens) >= length else len(kept.tokens)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(in_markers(text, self._markers))["input_ids"]
        return ids

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)


class _Unfinished(GenerationError):
    """The model did not come to an end."""


def _agreeing(guess: Sequence[int], chosen: Sequence[int]) -> int:
    """How many guessed tokens the model would have chosen itself, before the first that it would not."""
    for count, token in enumerate(guess):
        if token != chosen[count]:
            return count
    return len(guess)


def _check_time(deadline: float, written: int) -> None:
    if time.monotonic() >= deadline:
        raise GenerationError(
            f"The language model ran out of time after {written} tokens. "
            "Raise `model.deadline_seconds`, or choose a smaller or faster model."
        )


def _end_tokens(loaded: LoadedModel) -> frozenset[int]:
    """Tokens after which a model writes nothing more that belongs to the answer."""
    configured: object = getattr(loaded.model.generation_config, "eos_token_id", None)
    end = loaded.tokenizer.get_vocab().get(markers_for(loaded.tokenizer).end)
    candidates = [
        loaded.tokenizer.eos_token_id,
        end,
        *(configured if isinstance(configured, list) else [configured]),
    ]
    return frozenset(token for token in candidates if isinstance(token, int))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, and leave the setting as it was for whoever else uses torch in this thread."""
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
