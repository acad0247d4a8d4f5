"""Training examples as token rows, exactly as serving will tokenize them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from bot.answering.generator import PromptShape
from bot.answering.turn_markers import TurnMarkers, markers_for
from finetune.examples.example import Example
from finetune.training.sheets import Row, each_once


@dataclass(frozen=True)
class Tokenized:
    """Rows, and how many examples have none: their passage does not fit into a prompt, or they came twice."""

    rows: tuple[Row, ...]
    left_out: int


def tokenized(
    tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], shape: PromptShape
) -> Tokenized:
    """Each example once as a row; those whose answer's passage does not fit into a prompt are left out."""
    markers = markers_for(tokenizer)
    rows = []
    for example in examples:
        try:
            rows.append(row_of(tokenizer, example, shape, markers))
        except ValueError:
            continue
    unique = tuple(each_once(rows))
    return Tokenized(unique, len(examples) - len(unique))


def row_of(
    tokenizer: PreTrainedTokenizerBase, example: Example, shape: PromptShape, markers: TurnMarkers
) -> Row:
    """One example as a row. The prompt is cut into tokens by itself, as it will be when the answer is not there yet.

    Raises:
        ValueError: the passage that answers does not fit into the prompt.
    """
    rendered = example.rendered(shape, markers)
    ((start, end),) = rendered.loss_spans
    before: list[int] = tokenizer(rendered.text[:start])["input_ids"]
    answer: list[int] = tokenizer(rendered.text[start:end], add_special_tokens=False)["input_ids"]
    mark = rendered.text[start : rendered.text.index("]", start) + 1]
    marked = len(tokenizer(mark, add_special_tokens=False)["input_ids"])
    return Row((*before, *answer), len(before), marked)
