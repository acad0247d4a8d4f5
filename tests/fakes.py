"""Scripted stand-ins with a history, for tests that need no real model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from bot.answering.generator import DEFAULT_SHAPE, Prompt
from bot.errors import GenerationError
from retrieval.encoder import Vectors
from retrieval.keywords import tokenize


class WordEncoder:
    """Vectors of which words a text holds: texts that share words are near, others are not. `asked` is its history."""

    name = "words@test"
    dimension = 256

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for token in tokenize(text):
                vectors[
                    row,
                    int(hashlib.md5(token.encode(), usedforsecurity=False).hexdigest(), 16) % self.dimension,
                ] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class ScriptedGenerator:
    """Says what it is told, piece by piece. `prompts` is its history; an exception in a script is raised."""

    name = "scripted"
    adapter = None
    tuned = True
    writes = True
    shape = DEFAULT_SHAPE

    def __init__(self, *scripts: str | Exception) -> None:
        self.scripts = list(scripts)
        self.prompts: list[Prompt] = []
        self.closed_early = 0

    def warm_up(self) -> None:
        """Nothing to do."""

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        del max_new_tokens, deadline
        self.prompts.append(prompt)
        script = self.scripts.pop(0) if self.scripts else GenerationError("the script has ended")
        if isinstance(script, Exception):
            raise script
        try:
            yield from (script[i : i + 3] for i in range(0, len(script), 3))
        except GeneratorExit:
            self.closed_early += 1
            raise

    def close(self) -> None:
        """Nothing to close."""
