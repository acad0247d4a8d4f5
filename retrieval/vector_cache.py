"""Encoders that remember: a text that was seen before is not encoded again, after a restart or within the hour."""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import structlog
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from retrieval.encoder import Encoder, Vectors
from retrieval.publish import write_atomically

QUERY = b"query\0"
PASSAGE = b"passage\0"

log = structlog.get_logger(__name__)


class RememberingEncoder(ABC):
    """Wraps an encoder (and is one). What is remembered, and for how long, is the subclass's matter."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        """Of the wrapped encoder."""
        return self._encoder.name

    @property
    def dimension(self) -> int:
        """Of the wrapped encoder."""
        return self._encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what customers ask, shape (len(texts), dimension)."""
        return self._encode(texts, QUERY, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched, shape (len(texts), dimension)."""
        return self._encode(texts, PASSAGE, self._encoder.encode_passages)

    @abstractmethod
    def _encode(
        self, texts: Sequence[str], kind: bytes, encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        """Vectors of `texts`: remembered ones, and the others by `encode`. One text is two things as QUERY and PASSAGE."""


class CachedEncoder(RememberingEncoder):
    """Remembers everything, and in a file what was asked for last. Safe to call from several threads.

    What is kept is text hash → vector for one encoder; vectors of another encoder, and a damaged file, are ignored.
    """

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        """Start with the vectors in `path`, if there is such a file."""
        super().__init__(encoder)
        self._path = path
        self._vectors = {} if path is None else load_vectors(path, encoder)
        self._used: dict[bytes, None] = {}
        self._lock = threading.Lock()
        self.encoded = 0
        self.reused = 0

    def save(self, path: Path | None = None) -> None:
        """Write the vectors that were asked for since this cache was made; others are dropped from the file.

        Args:
            path: where; default: where it was read from. With neither, nothing is written.
        """
        target = self._path if path is None else path
        if target is None:
            return
        with self._lock:
            vectors = {key: self._vectors[key] for key in self._used}
        save_vectors(target, vectors, self._encoder)

    def _encode(
        self, texts: Sequence[str], kind: bytes, encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        keys = [text_key(kind, text) for text in texts]
        with self._lock:
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        fresh = encode(list(missing.values())) if missing else ()
        with self._lock:
            self._vectors.update(zip(missing, fresh, strict=True))
            self._used.update(dict.fromkeys(keys))
            self.encoded += len(missing)
            self.reused += len(keys) - len(missing)
            rows = [self._vectors[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)


class RecentTexts(RememberingEncoder):
    """Remembers what was encoded not long ago, whatever it was.

    A turn encodes its question several times, and the sentences of a passage come back with every question about it.
    Safe to call from several threads. Keeps the vectors of the last `size` texts, in memory only.
    """

    def __init__(self, encoder: Encoder, size: int = 8192) -> None:
        super().__init__(encoder)
        self._size = size
        self._vectors: OrderedDict[tuple[bytes, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def _encode(
        self, texts: Sequence[str], kind: bytes, encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        if len(texts) > self._size:  # a whole index: remembering it would only push out what is needed
            return encode(texts)
        with self._lock:
            known = {text: self._vectors[kind, text] for text in texts if (kind, text) in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= dict(zip(missing, encode(missing), strict=True))
        with self._lock:
            for text in known:
                self._vectors[kind, text] = known[text]
                self._vectors.move_to_end((kind, text))
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return (
            np.stack([known[text] for text in texts])
            if texts
            else np.zeros((0, self.dimension), dtype=np.float32)
        )


def text_key(kind: bytes, text: str) -> bytes:
    """What stands for a text in a file of vectors: the SHA-256 of the text and of what it is encoded as."""
    return hashlib.sha256(kind + text.encode("utf-8", "surrogatepass")).digest()


def load_vectors(path: Path, encoder: Encoder) -> dict[bytes, Vectors]:
    """Vectors by `text_key` from a file; none from one that is missing, damaged or of another encoder."""
    try:
        with safe_open(path, framework="numpy") as file:
            if (file.metadata() or {}).get("encoder") != encoder.name:
                return {}
            hashes, vectors = file.get_tensor("hashes"), file.get_tensor("vectors")
    except FileNotFoundError:
        return {}
    except (OSError, SafetensorError) as error:
        log.warning("vector_cache_ignored", path=path.name, error=type(error).__name__)
        return {}
    if vectors.shape != (len(hashes), encoder.dimension) or hashes.shape[1:] != (32,):
        log.warning("vector_cache_ignored", path=path.name, shape=vectors.shape)
        return {}
    return {key.tobytes(): vector for key, vector in zip(hashes, vectors.astype(np.float32), strict=True)}


def save_vectors(path: Path, vectors: Mapping[bytes, Vectors], encoder: Encoder) -> None:
    """Write vectors by `text_key` for `load_vectors`; the file holds the old ones or the new, never half.

    Raises:
        OSError: it cannot be written.
    """
    hashes = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(-1, 32)
    rows = np.zeros((len(vectors), encoder.dimension), dtype=np.float32)
    for row, vector in zip(rows, vectors.values(), strict=True):
        row[:] = vector
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save({"hashes": hashes, "vectors": rows}, metadata={"encoder": encoder.name}))
