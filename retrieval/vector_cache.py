"""An encoder that remembers: texts that it has seen before are not encoded again, also after a restart."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import structlog
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from retrieval.encoder import Encoder, Vectors
from retrieval.publish import write_atomically

_QUERY = b"query\0"
_PASSAGE = b"passage\0"

log = structlog.get_logger(__name__)


class CachedEncoder:
    """Wraps an encoder (and is one). Safe to call from several threads.

    What is kept is text hash → vector for one encoder; vectors of another encoder, and a damaged file, are ignored.
    """

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        """Start with the vectors in `path`, if there is such a file."""
        self._encoder = encoder
        self._path = path
        self._vectors = {} if path is None else _load(path, encoder)
        self._used: dict[bytes, None] = {}
        self._lock = threading.Lock()
        self.encoded = 0
        self.reused = 0

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
        return self._encode(texts, _QUERY, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched, shape (len(texts), dimension)."""
        return self._encode(texts, _PASSAGE, self._encoder.encode_passages)

    def save(self, path: Path | None = None) -> None:
        """Write the vectors that were asked for since this cache was made; others are dropped from the file.

        Args:
            path: where; default: where it was read from. With neither, nothing is written.
        """
        target = self._path if path is None else path
        if target is None:
            return
        with self._lock:
            keys = list(self._used)
            rows = [self._vectors[key] for key in keys]
        vectors = np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)
        hashes = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 32)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            target, save({"hashes": hashes, "vectors": vectors}, metadata={"encoder": self.name})
        )

    def _encode(
        self, texts: Sequence[str], kind: bytes, encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        keys = [hashlib.sha256(kind + text.encode("utf-8", "surrogatepass")).digest() for text in texts]
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


def _load(path: Path, encoder: Encoder) -> dict[bytes, Vectors]:
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


class RecentTexts:
    """Wraps an encoder (and is one): what was encoded not long ago is not encoded again, whatever it was.

    A turn encodes its question several times, and the sentences of a passage come back with every question about it.
    Safe to call from several threads. Keeps the vectors of the last `size` texts, in memory only.
    """

    def __init__(self, encoder: Encoder, size: int = 8192) -> None:
        self._encoder = encoder
        self._size = size
        self._vectors: OrderedDict[tuple[bytes, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()

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
        return self._encode(texts, _QUERY, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched, shape (len(texts), dimension)."""
        return self._encode(texts, _PASSAGE, self._encoder.encode_passages)

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
