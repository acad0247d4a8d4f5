"""Writes drafts with a causal language model on torch: any Hugging Face model, the bundled one by default."""

from __future__ import annotations

from pathlib import Path

from bot.answering.drafting import GUESSED, DraftingModel
from bot.answering.model_loading import Precision, load_model
from bot.answering.torch_engine import TorchEngine
from bot.answering.torch_threads import drafting_threads
from bot.answering.torch_threads import threads as torch_threads


class LocalModel(DraftingModel):
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
        guessed: int = GUESSED,
        keep_prefixes: bool = True,
    ) -> None:
        """Load a model; see `bot.answering.model_loading.load_model` for what is not explained here.

        Args:
            source: a Hugging Face folder, or a hub name.
            label: name to store with each turn, and to compare with an adapter's base.
            revision: of a hub model.
            adapter: a folder as `bot.answering.adapters` describes it.
            device: `auto` or a torch device.
            threads: CPU threads of one draft, from 1; default: all cores but one, because a draft that shares its
                last core with anything else is slower than one that leaves it alone.
            precision: `auto` or an arithmetic.
            guessed: most tokens to guess a step; 0 guesses none.
            keep_prefixes: whether to keep the cache of the prompt's fixed part.

        Raises:
            GenerationError: something is missing, cannot be loaded, or does not fit.
        """
        count = drafting_threads(threads)
        with torch_threads(count):
            loaded = load_model(
                source, label=label, revision=revision, adapter=adapter, device=device, precision=precision
            )
        self._loaded = loaded
        super().__init__(TorchEngine(loaded, count), guessed=guessed, keep_prefixes=keep_prefixes)
