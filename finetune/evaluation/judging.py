"""How good a drafted answer is, told without a person: does it stay with the passages, and does it answer.

A set to judge by is a list of `Example`s that were not trained on: each knows its passages, whether they answer, and a
reference. What cannot be told this way (tone, tact) is for the side-by-side list that a person reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.answering.facts import facts
from bot.answering.generator import Generator
from bot.answering.prompt import render, split_source
from bot.answering.support import check
from bot.conversation import Language
from bot.errors import GenerationError
from bot.understanding.language import detect
from finetune.curation.likeness import word_f1
from finetune.examples.example import Example
from retrieval.sentences import sentences

MOST_TOKENS = 160
_DEADLINE_SECONDS = 60.0


@dataclass(frozen=True)
class Draft:
    """What was written for an example. `source` is the passage named (0: none answers; None: no number was given)."""

    text: str
    source: int | None
    seconds_to_first: float = 0.0
    seconds: float = 0.0
    failure: str = ""

    @property
    def declined(self) -> bool:
        """Whether it says that nothing answers."""
        return self.source == 0


@dataclass(frozen=True)
class Judged:
    """A draft held against its example. Shares and `similarity` are 0 to 1; None where there is nothing to judge."""

    example: Example
    draft: Draft
    supported: float | None  # share of its sentences that a passage supports
    numbers_exact: bool | None  # whether every number, date and name stands in the passages
    right_passage: bool | None  # whether it names the passage that answers
    right_refusal: bool | None  # None where the passages answer
    false_refusal: bool | None  # None where they do not
    similarity: float | None  # F1 of words with the reference
    right_language: bool | None
    repeats: bool


Writer = Callable[[Example], Draft]


def model_writer(generator: Generator) -> Writer:
    """Drafts by a language model, prompted as it is when serving."""

    def write(example: Example) -> Draft:
        prompt = render(
            example.language, example.passages, example.history, example.question, shape=generator.shape
        )
        started = time.monotonic()
        first: float | None = None
        pieces: list[str] = []
        failure = ""
        try:
            for piece in generator.stream(
                prompt, max_new_tokens=MOST_TOKENS, deadline=started + _DEADLINE_SECONDS
            ):
                first = time.monotonic() - started if first is None else first
                pieces.append(piece)
        except GenerationError as error:
            failure = str(error)
        source, text = split_source("".join(pieces))
        taken = time.monotonic() - started
        return Draft(text.strip(), source, taken if first is None else first, taken, failure)

    return write


def judge(example: Example, draft: Draft) -> Judged:
    """Hold a draft against its example."""
    said = [] if draft.declined else [sentence for sentence in sentences(draft.text) if sentence.strip()]
    texts = [f"{passage.title}\n\n{passage.text}" for passage in example.passages]
    answerable = example.source > 0
    supported = [check(sentence, texts).supported for sentence in said]
    stated = facts("\n".join(texts))
    return Judged(
        example=example,
        draft=draft,
        supported=sum(supported) / len(said) if said else None,
        numbers_exact=not facts(draft.text).missing_from(stated) if said else None,
        right_passage=draft.source == example.source if answerable and not draft.declined else None,
        right_refusal=None if answerable else draft.declined,
        false_refusal=draft.declined if answerable else None,
        similarity=word_f1(draft.text, example.answer) if answerable and example.answer else None,
        right_language=same_language(draft.text, example.language) if said else None,
        repeats=len(said) > len(set(said)) or "repeat" in draft.failure,
    )


def judge_all(writer: Writer, examples: Sequence[Example]) -> Iterator[Judged]:
    """Each example's draft, judged."""
    for example in examples:
        yield judge(example, writer(example))


def same_language(text: str, language: Language) -> bool:
    """Whether a text is written in a language, or in its other script."""
    return detect(text).language.content is language.content
