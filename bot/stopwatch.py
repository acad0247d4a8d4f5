"""Times the steps of a turn, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._steps[name] = _ms(time.perf_counter() - began)

    def mark(self, name: str) -> None:
        """Note the time since the start, the first time only."""
        self._steps.setdefault(name, _ms(time.perf_counter() - self._started))

    def read(self) -> dict[str, float]:
        """All steps and marks so far, and `total`."""
        return {**self._steps, "total": _ms(time.perf_counter() - self._started)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
