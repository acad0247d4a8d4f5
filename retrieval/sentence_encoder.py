"""Encodes with any sentence-transformers model: the unpacked bundled one, a folder, or a name on a hub."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import structlog
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from retrieval.encoder import Vectors
from retrieval.errors import EncoderError
from retrieval.processor import computes_in_bfloat16

_BATCH = 32
_SAMPLE = 512  # values of each tensor that go into the fingerprint

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
log = structlog.get_logger(__name__)


class SentenceEncoder:
    """An `Encoder` on torch. Safe to call from several threads; one text after another is encoded, in a thread of its own.

    The thread is for the memory: torch keeps what it prepared for each number and length of texts, and its helpers, once for
    every thread that computes, and a server has dozens. `benchmarks/load.py --soak` shows it.
    """

    def __init__(
        self, model: SentenceTransformer, *, label: str, query_prompt: str = "", passage_prompt: str = ""
    ) -> None:
        self._model = model
        self._prompts = (query_prompt, passage_prompt)
        self._name = f"{label}@{_fingerprint(model, self._prompts)}"
        self._computing = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._dimension = int(self._encode([""], "").shape[1])

    @property
    def name(self) -> str:
        """The model's name and a fingerprint of its weights and prompts."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what customers ask, shape (len(texts), dimension)."""
        return self._encode(texts, self._prompts[0])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched, shape (len(texts), dimension)."""
        return self._encode(texts, self._prompts[1])

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        whole = [
            text.encode("utf-8", "ignore").decode() for text in texts
        ]  # tokenizers refuse half a surrogate pair
        vectors = self._computing.submit(  # the library sorts by length itself, so that little is padded
            self._model.encode,
            whole,
            prompt=prompt,
            batch_size=_BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
        ).result()
        # bf16 leaves lengths of 1 ± 0.002; cosines are read as plain products, so make them exact.
        exact = np.asarray(vectors, dtype=np.float32)
        return np.asarray(
            exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12), dtype=np.float32
        )


def load_encoder(
    model: str | Path,
    *,
    label: str | None = None,
    revision: str | None = None,
    query_prompt: str = "query: ",
    passage_prompt: str = "passage: ",
    device: str = "auto",
) -> SentenceEncoder:
    """Load a sentence-transformers model. A folder is loaded without any network.

    Args:
        model: a folder, or a hub name like `BAAI/bge-m3`.
        label: name to show and to store in the index; default: the folder's name or the hub name.
        revision: of a hub model.
        query_prompt: put before what customers ask.
        passage_prompt: put before what is searched.
        device: `auto` (the first GPU, else the CPU) or a torch device.

    Raises:
        EncoderError: it cannot be found or loaded.
    """
    is_folder = Path(model).is_dir()
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        loaded = SentenceTransformer(
            str(model),
            device=target,
            revision=revision,
            trust_remote_code=False,
            local_files_only=is_folder,
            model_kwargs={"dtype": torch.float32, "use_safetensors": True},
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"Encoder {str(model)!r} cannot be loaded: {reason} "
            "Check `encoder.model` in kefu.toml: 'bundled', a sentence-transformers folder, or a hub name."
        ) from error
    loaded.eval()
    encoder = SentenceEncoder(
        loaded,
        label=label if label is not None else (Path(model).name if is_folder else str(model)),
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
    )
    dtype = _dtype_on(target)
    loaded.to(dtype=dtype)
    log.info("encoder_loaded", encoder=encoder.name, device=target, dtype=str(dtype).removeprefix("torch."))
    return encoder


def _fingerprint(model: SentenceTransformer, prompts: tuple[str, str]) -> str:
    """12 hex digits that change with the weights, the modules or the prompts, whatever dtype serves them later."""
    digest = hashlib.sha256(repr((prompts, [type(module).__name__ for module in model])).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if ".pooler." in name:
            continue  # unused by mean pooling, and made up at random where the file has none
        flat = tensor.detach().reshape(-1)
        step = max(1, flat.numel() // _SAMPLE)
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(flat[::step].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def _dtype_on(device: str) -> torch.dtype:
    """bfloat16 where the device computes in it: a GPU, or a CPU with AMX, on which it is three times as fast."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if device == "cpu" and computes_in_bfloat16() else torch.float32
