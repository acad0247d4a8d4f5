"""Tells an open chat page that a person of the team said or did something in its conversation.

The stream carries nothing but the number of the last event, at once, at each event and every quarter of a minute: a page
that shows less asks for the rest the usual way. So nothing is lost if a page sleeps, reconnects, or is told twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.conversation import ConversationId
from bot.errors import ConversationUnknown
from bot.web.assistant import Assistant
from bot.web.visitors import visitor_of

PATH = "/page/events"
_HEARTBEAT = 15.0  # seconds


async def page_events(request: Request, assistant: Assistant, conversation: str) -> Response:
    """The stream for a visitor's own conversation; 404 for any other."""
    visitor = visitor_of(request.cookies)
    talk = ConversationId(conversation)
    try:
        if visitor is None:
            raise ConversationUnknown("A page's conversation belongs to a visitor's cookie.")
        await asyncio.to_thread(assistant.events, talk, 0, visitor=visitor)
    except ConversationUnknown:
        return JSONResponse({"detail": "There is no such conversation of yours."}, 404)
    return StreamingResponse(
        _numbers(assistant, talk),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _numbers(assistant: Assistant, talk: ConversationId) -> AsyncIterator[str]:
    last = 0
    yield "retry: 2000\n\n"
    async for event in assistant.desk.follow(talk, heartbeat=_HEARTBEAT):
        last = last if event is None else event.number
        yield f"data: {last}\n\n"
