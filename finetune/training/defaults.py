"""Settings that suit a training set and a machine, so that nobody has to know them; each with its reason.

Sources: "LoRA Without Regret" (Schulman et al., Thinking Machines 2025) for rank and learning rate; "Reducing Activation
Recomputation in Large Transformer Models" (Korthikanti et al. 2022, arXiv 2205.05198) for the memory of activations.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedConfig

from bot.answering.model_loading import arithmetic_of, base_sha256, label_of, load_base
from finetune.examples.example import Example
from finetune.training.methods import Method, shares_sheets
from finetune.training.rows import tokenized
from finetune.training.sheets import MOST_TOKENS, apart, can_share, sheets
from finetune.training.train_settings import Base, TrainSettings

_STEPS = 60  # a training of fewer learns in leaps, and has nothing to choose a checkpoint from
_MOST_SHEETS = 8  # in a step; what more would average away, small data cannot spare
_MEMORY_FOR_ACTIVATIONS = 0.5  # share of the free memory; the rest is weights, gradients, and the unknown


def load_for_training(
    source: str | Path,
    *,
    label: str | None = None,
    revision: str | None = None,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
) -> Base:
    """Load a model as a base to train adapters on.

    Args:
        source: a Hugging Face folder, or a hub name.
        label: for the certificate; default: what the folder's manifest says, else its name, or the hub name.
        revision: of a hub model.
        precision: `auto` takes bfloat16 where the processor computes in it: 1.4 times as fast as float32, and half
            the memory. The adapter is float32 in any case.

    Raises:
        GenerationError: the model is missing or cannot be loaded.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if arithmetic_of(precision, device) == "bfloat16" else torch.float32
    model, tokenizer = load_base(source, revision, dtype)
    return Base(model, tokenizer, label if label is not None else label_of(source), base_sha256(source))


def suggested(
    base: Base,
    examples: Sequence[Example],
    *,
    method: Method = "lora",
    processes: int = 1,
    memory: int | None = None,
) -> TrainSettings:
    """Settings for a model and its training examples.

    Args:
        base: the model.
        examples: to train on, without those for validation.
        method: of adapting.
        processes: that will share each step.
        memory: bytes that a training may fill; default: what the GPU has free, else the machine's.
    """
    blank = TrainSettings(method=method)
    rows = tokenized(base.tokenizer, examples, blank.shape).rows
    shared = sheets(rows) if shares_sheets(method) and can_share(base.model.config) else apart(rows)
    count = len(rows)
    parameters = sum(value.numel() for value in base.model.parameters())
    epochs = _epochs(count)
    rank = _rank(count)
    longest = max((sheet.tokens for sheet in shared), default=MOST_TOKENS)
    room = free_memory() if memory is None else memory
    needed = activation_bytes(base.model.config, longest, base.model.dtype.itemsize)
    return replace(
        blank,
        rank=rank,
        alpha=2.0 * rank,  # so that the rate below suits every rank
        dropout=0.1 if count < 1000 else 0.05 if count < 5000 else 0.0,  # little data is learned by heart
        learning_rate=_learning_rate(parameters),
        epochs=epochs,
        sheets=_sheets(len(shared), epochs, processes),
        checkpointing=needed > _MEMORY_FOR_ACTIVATIONS * room,
    )


def activation_bytes(config: PreTrainedConfig, tokens: int, width: int) -> int:
    """About how many bytes of activations a step keeps for one sheet.

    Per layer 17 numbers for each token and hidden unit, and 2.5 for each pair of tokens and head (equation 2 of
    Korthikanti et al., which counts 16-bit numbers).

    Args:
        config: of the model.
        tokens: of the sheet.
        width: bytes of a number.
    """
    text = config.get_text_config()
    linear = 17 * tokens * text.hidden_size
    pairs = 2.5 * text.num_attention_heads * tokens * tokens
    return int(text.num_hidden_layers * (linear + pairs) * width)


def free_memory() -> int:
    """Bytes that are free on the GPU, or all that the machine has where there is none; 8 GiB where nobody can say."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8 * 1024**3


def _epochs(count: int) -> float:
    """A handful of examples must be seen several times; thousands say the same thing often enough by themselves."""
    for most, epochs in ((200, 4.0), (1000, 3.0), (5000, 2.0)):
        if count < most:
            return epochs
    return 1.0


def _rank(count: int) -> int:
    """An adapter must have room for what it learns, about a number trained for each token of an answer; more costs time."""
    for most, rank in ((300, 8), (3000, 16), (30_000, 32)):
        if count < most:
            return rank
    return 64


def _learning_rate(parameters: int) -> float:
    """About ten times what training all weights would take; it falls slowly as models grow."""
    for most, rate in ((1e9, 4e-4), (7e9, 2e-4)):
        if parameters < most:
            return rate
    return 1e-4


def _sheets(count: int, epochs: float, processes: int) -> int:
    """As many in a step as leave enough steps, a multiple of the processes."""
    fitting = min(_MOST_SHEETS, max(1, int(count * epochs / _STEPS)))
    return processes * math.ceil(fitting / processes)
