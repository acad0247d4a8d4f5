"""An encoder that has done its work before it is asked: texts that will be needed are encoded beside the serving."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import structlog

from retrieval.encoder import Encoder, Vectors
from retrieval.vector_cache import PASSAGE, RememberingEncoder, load_vectors, save_vectors, text_key

_BATCH = 4  # texts; a question that comes meanwhile waits for no more
_SAVE_EVERY = 512  # texts; so many are lost at most when the process is killed
_QUIET_SECONDS = 2.0  # after the last text of a customer's, who may still wait for the rest of an answer
_MOST_PASSED = 50_000  # texts; about 75 MB until the next `prepare`
_LONGEST_WAIT_SECONDS = 4.0  # but under a load that never rests there is progress, too

log = structlog.get_logger(__name__)


class PreparedTexts(RememberingEncoder):
    """Remembers the passages' texts that `prepare` was given, also after a restart; others only until it is called again.

    Safe to call from several threads. Customers go first: `prepare` works only while nobody else encodes, a few texts
    at a time, and rests as long as it worked. (A lower priority for its thread would do the opposite: while it holds
    the encoder, it would be slow, and whoever needs the encoder would wait.)
    """

    def __init__(self, encoder: Encoder, path: Path) -> None:
        """Start with the vectors in `path`, if there is such a file for this encoder."""
        super().__init__(encoder)
        self._path = path
        self._vectors = load_vectors(path, encoder)
        self._passed: dict[bytes, Vectors] = {}  # encoded for somebody since the last `prepare`
        self._preparing = threading.Lock()
        self._wanted = threading.Event()  # set to end the `prepare` that runs
        self._turn = threading.Condition()
        self._asking = 0  # calls of customers under way
        self._asked_at = -math.inf

    def prepare(self, texts: Sequence[str]) -> int:
        """Encode those of `texts` that are neither known nor were asked for since last time, and forget all others. Takes minutes: run it in a thread.

        What is done by then is kept when a later call of `prepare`, or `close`, ends this one early.

        Returns:
            How many texts were encoded.
        """
        ended = threading.Event()
        with self._turn:
            self._wanted.set()  # ends the one before, which prepares what is out of date now
            self._wanted = ended
        with self._preparing:
            keys = {text_key(PASSAGE, text): text for text in texts}
            with self._turn:
                passed, self._passed = self._passed, {}
            taken = {key: passed[key] for key in keys if key in passed}
            self._vectors = {**self._vectors, **taken}
            missing = {key: text for key, text in keys.items() if key not in self._vectors}
            done = 0
            for batch in _batches(missing):
                if not self._wait_for_quiet(ended):
                    break
                self._encode_batch(batch, ended)
                done += len(batch)
                if done % _SAVE_EVERY < len(batch):
                    self._save()
            else:
                self._vectors = {key: self._vectors[key] for key in keys}
            if done or taken:
                self._save()
        log.info("texts_prepared", encoded=done, of=len(missing), known=len(self._vectors))
        return done

    def close(self) -> None:
        """End a `prepare` that runs, and wait until it has written what it has."""
        with self._turn:
            self._wanted.set()
        with self._preparing:
            pass

    def _encode(
        self, texts: Sequence[str], kind: bytes, encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        if kind != PASSAGE:
            with self._customer():
                return encode(texts)
        keys = [text_key(kind, text) for text in texts]
        known = self._vectors
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        fresh: Mapping[bytes, Vectors] = {}
        if missing:
            with self._customer():
                fresh = dict(zip(missing, encode(list(missing.values())), strict=True))
            self._keep(fresh)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, key in zip(vectors, keys, strict=True):
            row[:] = fresh[key] if key in fresh else known[key]
        return vectors

    def _keep(self, fresh: Mapping[bytes, Vectors]) -> None:
        """For the next `prepare`: an index that is built asks for many of the texts that will be wanted."""
        with self._turn:
            if len(self._passed) < _MOST_PASSED:
                self._passed.update(fresh)

    @contextmanager
    def _customer(self) -> Iterator[None]:
        with self._turn:
            self._asking += 1
        try:
            yield
        finally:
            with self._turn:
                self._asking -= 1
                self._asked_at = time.monotonic()

    def _wait_for_quiet(self, ended: threading.Event) -> bool:
        """Wait until no customer needs the encoder; whether to go on at all."""
        latest = time.monotonic() + _LONGEST_WAIT_SECONDS
        while not ended.is_set():
            now = time.monotonic()
            quiet_at = now + _QUIET_SECONDS if self._asking else self._asked_at + _QUIET_SECONDS
            if now >= min(quiet_at, latest):
                return True
            ended.wait(min(quiet_at, latest) - now)
        return False

    def _encode_batch(self, batch: dict[bytes, str], ended: threading.Event) -> None:
        began = time.monotonic()
        vectors = self._encoder.encode_passages(list(batch.values()))
        # A new dict, so that a reader needs no lock; the copy is of references and takes a fraction of a millisecond.
        self._vectors = {**self._vectors, **dict(zip(batch, vectors, strict=True))}
        ended.wait(time.monotonic() - began)

    def _save(self) -> None:
        try:
            save_vectors(self._path, self._vectors, self._encoder)
        except OSError as error:  # they serve from memory; the next start encodes them again
            log.warning("prepared_texts_not_saved", error=error.strerror or type(error).__name__)


def _batches(texts: dict[bytes, str]) -> Iterator[dict[bytes, str]]:
    """A few texts of about the same length at a time, so that little is padded."""
    ordered = sorted(texts.items(), key=lambda item: len(item[1]))
    for start in range(0, len(ordered), _BATCH):
        yield dict(ordered[start : start + _BATCH])
