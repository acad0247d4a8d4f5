"""Tells those who wait that something happened in a talk: threads ring, coroutines wait.

A ring carries nothing. Who hears it reads the log for what is new, so nothing is lost if several rings come at once,
if one comes while the listener is busy, or if the listener is slow.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ANY = ""  # listens to every talk


class Listener:
    """One who waits, in an event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the one who waits; from any thread."""
        with suppress(RuntimeError):  # its loop has closed: nobody is there any more
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; whether it rang. What happened is to be read after this."""
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Bell:
    """All who wait, by what they wait for."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._lock = threading.Lock()

    def ring(self, name: str) -> None:
        """Tell who listens to `name`, and who listens to everything."""
        with self._lock:
            called = [*self._listeners.get(name, ()), *self._listeners.get(ANY, ())]
        for listener in called:
            listener.ring()

    @contextmanager
    def listening(self, name: str = ANY) -> Iterator[Listener]:
        """Listen to `name` as long as the block lasts. Must run in an event loop."""
        listener = Listener()
        with self._lock:
            self._listeners[name].add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners[name].discard(listener)
                if not self._listeners[name]:
                    del self._listeners[name]
