"""Turns beside Gradio's queue: so many at a time, so many in line, each step in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from bot.errors import TooBusy

_T = TypeVar("_T")


class TurnThreads:
    """Runs turns for routes that are not Gradio's."""

    def __init__(self, *, workers: int, queue: int) -> None:
        """Let `workers` turns run at a time and `queue` more wait."""
        self._most = workers + queue
        self._inside = 0
        self._places = asyncio.Semaphore(workers)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place among the turns.

        Raises:
            TooBusy: there is none.
        """
        if self._inside >= self._most:
            raise TooBusy(f"{self._inside} turns are under way or in line already. Try again in a moment.")
        self._inside += 1
        try:
            async with self._places:
                yield
        finally:
            self._inside -= 1

    async def run(self, work: Callable[[], _T]) -> _T:
        """Run something short in a thread."""
        return await anyio.to_thread.run_sync(work)

    async def each(self, parts: Iterator[_T]) -> AsyncIterator[_T]:
        """What a generator yields, each step in a thread; it is closed when nobody wants more."""
        end = object()
        try:
            while True:
                part = await anyio.to_thread.run_sync(lambda: next(parts, end))
                if part is end:
                    return
                yield part  # type: ignore[misc]
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                with anyio.CancelScope(shield=True):  # the client left; what it had seen is still stored
                    await anyio.to_thread.run_sync(close)
