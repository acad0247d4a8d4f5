"""Whether what a trained model writes is better than quoting the passage that it names.

Reading is learned before writing: a small model soon knows which passage answers, while its own sentences are still
beside the point. So both answers are held against the references of questions that it was not trained on. Unless the
model's words are nearer beyond noise, it reads when it serves, and customers get the article's own sentences: these may
be long, but leave less out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from bot.answering.adapters import read_adapter, write_manifest
from bot.answering.compose import compose
from bot.answering.local_model import LocalModel
from bot.answering.prompt import render, split_source
from bot.errors import GenerationError
from finetune.curation.likeness import word_f1
from finetune.examples.example import Example, as_hits
from retrieval.encoder import Encoder

_MOST_QUESTIONS = 90  # each costs a whole answer
_FEWEST_QUESTIONS = 9
_MOST_TOKENS = 120
_SECONDS = 120.0  # for one answer, however slow the machine


@dataclass(frozen=True)
class Writing:
    """Mean word F1 (0 to 1) with the references: of what the model wrote, and of what the passages say that it named."""

    drafted: float
    quoted: float
    questions: int
    error: float  # standard error of the mean difference

    @property
    def better(self) -> bool:
        """Whether the model's own words are nearer by more than two standard errors: at most one time in forty by chance."""
        return self.drafted - self.quoted > 2 * self.error


def compare_writing(model: LocalModel, encoder: Encoder, examples: Sequence[Example]) -> Writing | None:
    """Let the model answer, and quote what it names; questions that it declines do not count.

    Args:
        model: with the adapter.
        encoder: chooses what to quote, as serving does.
        examples: that were not trained on; those without an answer are passed over.

    Returns:
        None if too few questions are left to tell.
    """
    drafted, quoted = [], []
    asked = {example.question: example for example in examples if example.source}
    for example in list(asked.values())[:_MOST_QUESTIONS]:
        source, text = split_source(_written(model, example))
        if source is None or not 0 < source <= len(example.passages):
            continue
        named = replace(example, passages=(example.passages[source - 1],))
        drafted.append(word_f1(text, example.answer))
        quotes = compose(example.question, as_hits(named), encoder)
        quoted.append(word_f1("\n".join(quote.text for quote in quotes), example.answer))
    if len(drafted) < _FEWEST_QUESTIONS:
        return None
    differences = [mine - theirs for mine, theirs in zip(drafted, quoted, strict=True)]
    return Writing(fmean(drafted), fmean(quoted), len(drafted), stdev(differences) / math.sqrt(len(drafted)))


def write_verdict(adapter: Path, writing: Writing) -> None:
    """Put into an adapter's certificate whether it writes, and the figures."""
    manifest = read_adapter(adapter)
    metrics = {
        **manifest.metrics,
        "drafted_similarity": round(writing.drafted, 4),
        "quoted_similarity": round(writing.quoted, 4),
        "similarity_error": round(writing.error, 4),
        "written_questions": writing.questions,
    }
    write_manifest(adapter, replace(manifest, writes=writing.better, metrics=metrics))


def _written(model: LocalModel, example: Example) -> str:
    """All that it writes; a draft that does not come to an end counts as far as it went."""
    prompt = render(example.language, example.passages, example.history, example.question, shape=model.shape)
    text = ""
    try:
        for piece in model.stream(prompt, max_new_tokens=_MOST_TOKENS, deadline=time.monotonic() + _SECONDS):
            text += piece
    except GenerationError:
        pass
    return text
