"""What is happening, as it happens: a stream of server-sent events on which the pages fetch what changed.

An event carries no content. A page that hears one asks for its own pieces again, with its own rights. The open stream is
also what tells the desk that somebody is there: a browser slows the timers of a page in the background, not its streams.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response, StreamingResponse

from bot.web.console.access import AsAgent, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed

router = APIRouter()
_HEARTBEAT = 15.0  # seconds
_PAUSE = 0.4  # seconds between two events: a burst is one


@router.get("/events")
async def events(console: ConsoleHere, signed: AsAgent) -> StreamingResponse:
    """Tell the page that something happened at the desk. Ends when the session does."""
    return StreamingResponse(
        _changes(console, signed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@router.post("/presence")
def presence(console: ConsoleHere, signed: AsAgent, available: Annotated[bool, Form()]) -> Response:
    """Say whether one takes talks."""
    console.presence.switch(signed.staff.id, available=available)
    console.desk.bell.ring("presence")
    return Response(status_code=204)


async def _changes(console: Console, signed: Signed) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    with console.desk.bell.listening() as listener:
        checked = 0.0
        while True:
            if time.monotonic() - checked >= _HEARTBEAT:
                if await asyncio.to_thread(console.accounts.staff_of, signed.token, in_use=False) is None:
                    yield "event: signed-out\ndata:\n\n"
                    return
                console.presence.beat(signed.staff.id)
                checked = time.monotonic()
            if await listener.wait(_HEARTBEAT):
                yield "event: desk\ndata:\n\n"
                await asyncio.sleep(_PAUSE)
            else:
                yield ": here\n\n"
