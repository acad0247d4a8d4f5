"""Turns beside Gradio's queue: no more than the settings allow, and none runs on when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from bot.errors import TooBusy
from bot.web.threads import TurnThreads


def test_more_turns_than_there_is_room_for_are_refused_and_a_place_is_free_again_afterwards() -> None:
    async def go() -> None:
        threads = TurnThreads(workers=2, queue=1)
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(threads.turn())
            waiting = asyncio.create_task(stack.enter_async_context(threads.turn()))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            with pytest.raises(TooBusy):
                async with threads.turn():
                    pass
            waiting.cancel()
        async with threads.turn():
            pass

    asyncio.run(go())


def test_a_turn_that_nobody_listens_to_any_more_is_closed() -> None:
    closed = []

    def parts() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    async def go() -> list[int]:
        seen = []
        stream = TurnThreads(workers=1, queue=1).each(parts())
        async for part in stream:
            seen.append(part)
            if part == 2:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return seen

    assert asyncio.run(go()) == [0, 1, 2]
    assert closed == [True]
