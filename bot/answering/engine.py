"""What computes a language model, as the decoder sees it: torch by default, OpenVINO where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from bot.answering.adapters import AdapterManifest
from bot.answering.turn_markers import markers_for


class Memory(Protocol):
    """What a model has read of one text so far: its keys and values. Grows by what is asked of it."""

    @property
    def length(self) -> int:
        """Tokens read."""

    @property
    def forgets(self) -> bool:
        """Whether `forget` can take tokens back."""

    def copy(self) -> Memory:
        """The same, to go on from in another direction."""

    def read(self, tokens: Sequence[int]) -> None:
        """Read on, without asking for anything."""

    def choose(self, tokens: Sequence[int], keep: int) -> list[int]:
        """Read on; the most likely next token after each of the last `keep` of `tokens`."""

    def odds(self, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Read on; the probabilities of the tokens `among` as the next one, if it must be one of them."""

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Read on; the logits after each of `tokens`, (tokens, vocabulary). For comparing engines."""

    def expect_to_forget(self) -> None:
        """Keep from now on what `forget` will need."""

    def forget(self, count: int) -> None:
        """Take the last `count` tokens back, 0 or more; to be called after each `choose`."""


class Engine(Protocol):
    """A loaded model. One thread at a time may use its memories."""

    @property
    def name(self) -> str:
        """Which weights, and in which arithmetic, e.g. "gemma-3-270m/int8"."""

    @property
    def adapter(self) -> AdapterManifest | None:
        """The certificate of the adapter that is merged into them, if any."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""

    @property
    def ends(self) -> frozenset[int]:
        """Tokens after which the model writes nothing more that belongs to the answer."""

    def begin(self) -> Memory:
        """An empty memory."""


def end_tokens(tokenizer: PreTrainedTokenizerBase, configured: object) -> frozenset[int]:
    """Tokens that end an answer.

    Args:
        tokenizer: the model's.
        configured: `eos_token_id` of the model's generation configuration: one token, a list of them, or None.
    """
    end = tokenizer.get_vocab().get(markers_for(tokenizer).end)
    candidates = [
        tokenizer.eos_token_id,
        end,
        *(configured if isinstance(configured, list) else [configured]),
    ]
    return frozenset(token for token in candidates if isinstance(token, int))
