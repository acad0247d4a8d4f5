"""Writes drafts with OpenVINO on the CPU: the same answers as torch writes, in half the time or less.

The files come from `finetune.compression.openvino_export`. Their graph is told what was read before and hands back what it adds:

    ids, positions    (1, n)           tokens to read, and where they stand
    rows              (k,)             after which of them the next token is asked for; may be empty
    full, sliding     (1, 1, n, p+n)   which earlier tokens each token sees, in either kind of layer
    past              (p, 2·layers, heads, size)   keys and values of what was read
    → logits (k, vocabulary), new (n, 2·layers, heads, size)

So keys and values lie in an array of ours, one row a token: to forget is to count less, to keep a prefix is to copy rows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from transformers import AutoTokenizer, GenerationConfig, PreTrainedTokenizerBase

from bot.answering.adapters import AdapterManifest
from bot.answering.drafting import GUESSED, DraftingModel
from bot.answering.engine import end_tokens
from bot.answering.exports import OPENVINO_16BIT, Export, breaks_in_16_bit, read_export
from bot.answering.openvino_quietly import openvino
from bot.answering.torch_threads import drafting_threads
from bot.errors import GenerationError

GRAPH = "model.xml"
_ROOM = 1024  # tokens that a memory begins with; 38 MB of the bundled model, touched as they are used
_INPUTS = {"ids", "positions", "rows", "full", "sliding", "past"}

log = structlog.get_logger(__name__)


class OpenVinoModel(DraftingModel):
    """A `Generator` on OpenVINO. Safe to call from several threads; one writes at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        threads: int | None = None,
        guessed: int = GUESSED,
        keep_prefixes: bool = True,
    ) -> None:
        """Load an export.

        Args:
            folder: what `finetune.compression.openvino_export` wrote.
            threads: CPU threads of one draft, from 1; default: all cores but one.
            guessed: most tokens to guess a step; 0 guesses none.
            keep_prefixes: whether to keep the keys and values of the prompt's fixed part.

        Raises:
            GenerationError: the export is missing, damaged, or OpenVINO cannot compute it.
        """
        engine = OpenVinoEngine(folder, drafting_threads(threads))
        super().__init__(engine, guessed=guessed, keep_prefixes=keep_prefixes)


class OpenVinoEngine:
    """An `Engine` on OpenVINO."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the export in `folder`, to compute with so many threads.

        Raises:
            GenerationError: it is missing, damaged, or OpenVINO cannot compute it.
        """
        export = _export(folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            configured = GenerationConfig.from_pretrained(str(folder), local_files_only=True).eos_token_id
            how = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
            if export.form == OPENVINO_16BIT and breaks_in_16_bit(threads):
                how["INFERENCE_PRECISION_HINT"] = "f32"
            compiled = openvino.Core().compile_model(str(folder / GRAPH), "CPU", how)
            self._inputs = {each.any_name for each in compiled.inputs}
            self.shape_of_a_token = tuple(
                int(size.get_length()) for size in list(compiled.input("past").partial_shape)[1:]
            )
            self._request: Any = compiled.create_infer_request()
        except (RuntimeError, OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise GenerationError(
                f"OpenVINO cannot load {folder}: {reason} Promote the adapter again, or set model.engine to 'torch'."
            ) from error
        if not self._inputs <= _INPUTS:
            raise GenerationError(
                f"{folder / GRAPH} asks for {sorted(self._inputs)}, but this Kefu gives {sorted(_INPUTS)}. Promote the "
                "adapter again."
            )
        self._window: int | None = export.facts.get("sliding_window")
        self._computing = threading.Lock()
        self.name = f"{export.base}/{export.form}"
        self.adapter: AdapterManifest | None = export.adapter
        self.tokenizer: PreTrainedTokenizerBase = tokenizer
        self.ends = end_tokens(tokenizer, configured)
        log.info("model_loaded", model=self.name, threads=threads, adapter=export.adapter.id)

    def begin(self) -> OpenVinoMemory:
        """An empty memory."""
        return OpenVinoMemory(self, np.empty((_ROOM, *self.shape_of_a_token), np.float32), 0)

    def compute(
        self, tokens: Sequence[int], rows: Sequence[int], past: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Read `tokens` after `past`; (logits after `rows`, keys and values of the tokens), as the module says."""
        first, count = len(past), len(tokens)
        at = np.arange(first, first + count)
        seen = np.arange(first + count)[None, :]
        full = seen <= at[:, None]
        sliding = full if self._window is None else full & (seen > at[:, None] - self._window)
        values = {
            "ids": np.array([tokens], np.int64),
            "positions": at[None, :].astype(np.int64),
            "rows": np.array(rows, np.int64),
            "full": full[None, None],
            "sliding": sliding[None, None],
            "past": openvino.Tensor(past, shared_memory=True) if first else past,
        }
        with self._computing:  # whose time is up may still be in its last step when the next one begins
            self._request.infer({name: values[name] for name in self._inputs})
            outputs = [self._request.get_tensor(name).data.copy() for name in ("logits", "new")]
        return outputs[0], outputs[1]


class OpenVinoMemory:
    """A `Memory` that is an array of keys and values, (room, 2·layers, heads, size), and how much of it is used."""

    def __init__(self, engine: OpenVinoEngine, values: NDArray[np.float32], length: int) -> None:
        self._engine = engine
        self._values = values
        self.length = length

    @property
    def forgets(self) -> bool:
        """Always."""
        return True

    def copy(self) -> OpenVinoMemory:
        """The same in memory of its own."""
        values = np.empty((max(_ROOM, 2 * self.length), *self._values.shape[1:]), np.float32)
        values[: self.length] = self._values[: self.length]
        return OpenVinoMemory(self._engine, values, self.length)

    def read(self, tokens: Sequence[int]) -> None:
        """Read on."""
        self._run(tokens, ())

    def choose(self, tokens: Sequence[int], keep: int) -> list[int]:
        """Read on; the most likely next tokens."""
        best: list[int] = self._run(tokens, range(len(tokens) - keep, len(tokens))).argmax(-1).tolist()
        return best

    def odds(self, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Read on; probabilities of the tokens `among`."""
        logits = self._run(tokens, (len(tokens) - 1,))[0, list(among)]
        weights = np.exp(logits - logits.max())
        odds: list[float] = (weights / weights.sum()).tolist()
        return odds

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Read on; the logits after each of `tokens`."""
        return self._run(tokens, range(len(tokens)))

    def expect_to_forget(self) -> None:
        """Nothing to do: nothing falls out of this memory."""

    def forget(self, count: int) -> None:
        """Take tokens back."""
        self.length -= count

    def _run(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        logits, new = self._engine.compute(tokens, rows, self._values[: self.length])
        end = self.length + len(tokens)
        if end > len(self._values):
            grown = np.empty((2 * end, *self._values.shape[1:]), np.float32)
            grown[: self.length] = self._values[: self.length]
            self._values = grown
        self._values[self.length : end] = new
        self.length = end
        return logits


def _export(folder: Path) -> Export:
    export = read_export(folder)
    if export is None:
        raise GenerationError(
            f"{folder} is no export for OpenVINO. Promote the adapter again, or set model.engine to 'torch'."
        )
    return export
