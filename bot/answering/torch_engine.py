"""Computes a language model with torch, on any device that torch knows."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedTokenizerBase

from bot.answering.adapters import AdapterManifest
from bot.answering.engine import end_tokens
from bot.answering.model_loading import LoadedModel
from bot.answering.torch_threads import threads as torch_threads


class TorchEngine:
    """An `Engine` on torch."""

    def __init__(self, loaded: LoadedModel, threads: int) -> None:
        """Take a loaded model; `threads` are the CPU threads to compute with."""
        self._loaded = loaded
        self._threads = threads
        self.ends = end_tokens(
            loaded.tokenizer, getattr(loaded.model.generation_config, "eos_token_id", None)
        )

    @property
    def name(self) -> str:
        """Which weights, and in which arithmetic."""
        return self._loaded.name

    @property
    def adapter(self) -> AdapterManifest | None:
        """The merged adapter's certificate."""
        return self._loaded.adapter

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""
        return self._loaded.tokenizer

    def begin(self) -> TorchMemory:
        """An empty memory."""
        return TorchMemory(self._loaded, self._threads, DynamicCache(config=self._loaded.model.config))


class TorchMemory:
    """A `Memory` that is a cache of transformers."""

    def __init__(self, loaded: LoadedModel, threads: int, cache: Cache) -> None:
        self._loaded = loaded
        self._threads = threads
        self._cache = cache

    @property
    def length(self) -> int:
        """Tokens read."""
        return int(self._cache.get_seq_length())

    @property
    def forgets(self) -> bool:
        """Whether this model's cache can be cropped."""
        return bool(self._cache.is_croppable)

    def copy(self) -> TorchMemory:
        """The same in memory of its own: 3 ms for the rules of the default prompt."""
        return TorchMemory(self._loaded, self._threads, copy.deepcopy(self._cache))

    def read(self, tokens: Sequence[int]) -> None:
        """Read on. The vocabulary's matrix, the largest of a small model, is left out."""
        self._run(self._loaded.model.base_model, tokens)

    def choose(self, tokens: Sequence[int], keep: int) -> list[int]:
        """Read on; the most likely next tokens."""
        best: list[int] = self._logits(tokens, keep).argmax(-1).tolist()
        return best

    def odds(self, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Read on; probabilities of the tokens `among`."""
        odds: list[float] = torch.softmax(self._logits(tokens, 1)[0, list(among)].float(), 0).tolist()
        return odds

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Read on; the logits after each of `tokens`."""
        found: NDArray[np.float32] = self._logits(tokens, len(tokens)).float().cpu().numpy()
        return found

    def expect_to_forget(self) -> None:
        """Let sliding windows keep what falls out of them until the next `forget`."""
        self._cache.activate_past_recording()  # type: ignore[no-untyped-call]

    def forget(self, count: int) -> None:
        """Take tokens back; also trims sliding windows, so to be called with 0 as well."""
        self._cache.crop(-count)

    def _logits(self, tokens: Sequence[int], keep: int) -> Tensor:
        """The logits after each of the last `keep` tokens, (keep, vocabulary)."""
        logits: Tensor = self._run(self._loaded.model, tokens, logits_to_keep=keep).logits[0]
        return logits

    def _run(self, network: Any, tokens: Sequence[int], **more: int) -> Any:
        with torch.inference_mode(), torch_threads(self._threads):
            ids = torch.tensor([list(tokens)], device=self._loaded.device)
            return network(input_ids=ids, past_key_values=self._cache, use_cache=True, **more)
