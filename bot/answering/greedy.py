"""Greedy decoding from a kept prompt prefix, several guessed tokens a step.

Decoding is our own loop, for three reasons. It is an iterator, so it stops between two tokens as soon as its reader goes
away or its time is up, without a thread. It starts from the kept key/value cache of the prompt's fixed part *and* checks
several guessed tokens a step; `transformers.generate` cannot do both (with a guessing strategy it runs the whole prompt
again on top of a cache that it is given). And it guesses from the passages, not from the worked examples before them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.decoding import PieceJoiner, agreeing, copied_guess, is_looping
from bot.answering.engine import Engine, Memory
from bot.answering.generator import Prompt
from bot.answering.reading import named_passage
from bot.answering.turn_markers import in_markers, markers_for
from bot.errors import GenerationError

_KEPT_PREFIXES = 4  # two languages, of two prompt versions or shapes
_PREFILL_STEP = 256  # prompt tokens between two looks at the clock


class Unfinished(GenerationError):
    """Raised when the model does not come to an end: it repeats itself, or was given too few tokens."""


@dataclass(frozen=True)
class _Prefix:
    """A prompt's fixed part, read."""

    tokens: list[int]
    memory: Memory


class GreedyDecoder:
    """Writes the most likely answer of one model. Not safe between threads: whoever calls holds a lock."""

    def __init__(self, engine: Engine, *, guessed: int, keep_prefixes: bool, tuned: bool) -> None:
        """Take a loaded model; the other arguments are those of `DraftingModel`."""
        self._engine = engine
        self._tokenizer = engine.tokenizer
        self._markers = markers_for(engine.tokenizer)
        self._guessed = guessed
        self._keep_prefixes = keep_prefixes
        self._prefixes: OrderedDict[str, _Prefix] = OrderedDict()
        # A base model has never seen turns: what it writes after its first line is made up.
        self._stops = (self._markers.end, "\n\n" if tuned else "\n")
        self._declines_at = None if engine.adapter is None else engine.adapter.declines_at

    def forget(self) -> None:
        """Forget the kept caches."""
        self._prefixes.clear()

    def write(self, prompt: Prompt, max_new_tokens: int, deadline: float) -> Iterator[str]:
        """Yield the answer piece by piece.

        Raises:
            GenerationError: it ran out of time.
            Unfinished: it did not come to an end.
        """
        tokens, memory = self._begin(prompt, deadline)
        begin = len(tokens)
        joiner = PieceJoiner(self._decode, self._stops)
        if self._declines_at is not None and self.knows_numbers(prompt):
            odds = self._read_source(tokens[-1], memory, prompt)
            source = named_passage(odds, prompt.chances, self._declines_at)
            if source == 0:
                yield "[0]"
                return
            opening = self._encode_answer(f"{prompt.answer_gap}[{source}")
            tokens += opening
            yield "".join(joiner.add(token) for token in opening)
        yield from self._go_on(tokens, begin, memory, joiner, prompt, begin + max_new_tokens, deadline)

    def source_odds(self, prompt: Prompt, deadline: float) -> tuple[float, ...]:
        """How likely the model is to name each passage as the one that answers; the first is that none does."""
        tokens, memory = self._begin(prompt, deadline)
        return self._read_source(tokens[-1], memory, prompt)

    def knows_numbers(self, prompt: Prompt) -> bool:
        """Whether an answer's opening is a bracket and a number as tokens of their own, whatever follows."""
        bracket = self._encode_answer(f"{prompt.answer_gap}[")
        for number in range(prompt.passages + 1):
            opening = self._encode_answer(f"{prompt.answer_gap}[{number}")
            whole = self._encode_answer(f"{prompt.answer_gap}[{number}] x")
            if opening[:-1] != bracket or whole[: len(opening)] != opening:
                return False
        return prompt.passages > 0

    def _go_on(
        self,
        tokens: list[int],
        begin: int,
        memory: Memory,
        joiner: PieceJoiner,
        prompt: Prompt,
        most: int,
        deadline: float,
    ) -> Iterator[str]:
        answer_from = self._variable_from(prompt, begin)
        can_guess = self._guessed > 0 and memory.forgets
        if can_guess:
            memory.expect_to_forget()
        while len(tokens) < most:
            _check_time(deadline, len(tokens) - begin)
            room = most - len(tokens)
            guess = copied_guess(tokens, answer_from, min(self._guessed, room - 1)) if can_guess else []
            chosen = self._step(tokens[-1:] + guess, memory, len(guess) + 1)
            right = agreeing(guess, chosen)
            if can_guess:
                memory.forget(len(guess) - right)
            for token in chosen[: right + 1]:
                tokens.append(token)
                if token in self._engine.ends:
                    yield joiner.rest()
                    return
                piece = joiner.add(token)
                if piece:
                    yield piece
                if joiner.stopped:
                    return
                if is_looping(tokens[begin:]):
                    raise Unfinished(
                        f"Language model {self._engine.name} began to repeat itself. An adapter would help."
                    )
        raise Unfinished(
            f"Language model {self._engine.name} was not finished after {most - begin} tokens. "
            "Raise `model.max_new_tokens` if its answers should be longer."
        )

    def _read_source(self, last: int, memory: Memory, prompt: Prompt) -> tuple[float, ...]:
        """Probabilities of the passage numbers, 0 first, as the next ones after the answer's bracket; they are read on."""
        bracket = self._encode_answer(f"{prompt.answer_gap}[")
        numbers = [self._encode_answer(f"{prompt.answer_gap}[{n}")[-1] for n in range(prompt.passages + 1)]
        return tuple(memory.odds([last, *bracket], numbers))

    def _begin(self, prompt: Prompt, deadline: float) -> tuple[list[int], Memory]:
        """Tokens of the prompt, and a memory of all of them but the last."""
        tokens = self._encode(prompt.fixed + prompt.variable)
        memory = self._engine.begin()
        if self._keep_prefixes:
            prefix = self._prefix(prompt.fixed, deadline)
            if tokens[: len(prefix.tokens)] == prefix.tokens and len(prefix.tokens) < len(tokens):
                memory = prefix.memory.copy()
        self._read(tokens[memory.length : -1], memory, deadline)
        return tokens, memory

    def _prefix(self, fixed: str, deadline: float) -> _Prefix:
        kept = self._prefixes.get(fixed)
        if kept is None:
            tokens = self._encode(fixed)
            memory = self._engine.begin()
            self._read(tokens, memory, deadline)
            kept = self._prefixes[fixed] = _Prefix(tokens, memory)
            while len(self._prefixes) > _KEPT_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(fixed)
        return kept

    def _read(self, tokens: Sequence[int], memory: Memory, deadline: float) -> None:
        for start in range(0, len(tokens), _PREFILL_STEP):
            _check_time(deadline, 0)
            memory.read(tokens[start : start + _PREFILL_STEP])

    def _step(self, tokens: Sequence[int], memory: Memory, keep: int) -> list[int]:
        """Read `tokens` on top of `memory`; the most likely next token after each of the last `keep`."""
        return memory.choose(tokens, keep)

    def _variable_from(self, prompt: Prompt, length: int) -> int:
        """Where the variable part's tokens begin (about: it is only where to look for something to copy)."""
        kept = self._prefixes.get(prompt.fixed)
        return 0 if kept is None or len(kept.tokens) >= length else len(kept.tokens)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(in_markers(text, self._markers))["input_ids"]
        return ids

    def _encode_answer(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)


def _check_time(deadline: float, written: int) -> None:
    if time.monotonic() >= deadline:
        raise GenerationError(
            f"The language model ran out of time after {written} tokens. "
            "Raise `model.deadline_seconds`, or choose a smaller or faster model."
        )
