"""Tells an open widget what people of the team say and do, as it happens: server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from bot.conversation import ConversationId
from bot.desk.desk import Desk
from bot.desk.writing import Writing
from bot.memory.calls import CallState, DeskEvent, DeskEventKind
from bot.web.render import MarkdownRenderer

HEARTBEAT = 15.0  # seconds
_WHILE_WRITING = 2.0  # seconds between looks whether somebody still writes


class StreamLimit:
    """How many streams are open, in all and for one address. Safe to share between threads."""

    def __init__(self, *, in_all: int = 2000, per_address: int = 60) -> None:
        self._in_all = in_all
        self._per_address = per_address
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def has_room(self, address: str) -> bool:
        """Whether one more may be opened from this address."""
        with self._lock:
            return self._open[address] < self._per_address and self._open.total() < self._in_all

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """Count one stream as long as the block lasts."""
        with self._lock:
            self._open[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[address] -= 1
                if not self._open[address]:
                    del self._open[address]


async def widget_events(
    desk: Desk, writing: Writing, conversation: ConversationId, after: int, renderer: MarkdownRenderer
) -> AsyncIterator[str]:
    """Each event after that number as it happens, and where the call for a person stands, at first and when that changes."""
    yield "retry: 2000\n\n"
    told = ""
    with desk.bell.listening(conversation) as listener:
        while True:
            for event in await asyncio.to_thread(desk.events, conversation, after):
                after = event.number
                if event.kind is DeskEventKind.PERSON:
                    writing.stop(conversation)
                yield _event(event, renderer)
            state = await asyncio.to_thread(_state, desk, writing, conversation)
            if state != told:
                told = state
                yield state
            if not await listener.wait(_WHILE_WRITING if writing.is_on(conversation) else HEARTBEAT):
                yield ": here\n\n"


def _event(event: DeskEvent, renderer: MarkdownRenderer) -> str:
    # The customer's own words are turns that the widget has; only the event's number is of use.
    by_person = event.kind is DeskEventKind.PERSON
    data = {
        "number": event.number,
        "id": event.id,
        "kind": event.kind.value,
        "name": event.name,
        "html": renderer.html(event.text) if by_person else "",
        "sent_at": event.sent_at.isoformat(),
    }
    return f"event: said\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _state(desk: Desk, writing: Writing, conversation: ConversationId) -> str:
    call = desk.open_call(conversation)
    data = {
        "state": "none" if call is None else call.state.value,
        "name": (call.agent_name or "") if call is not None and call.state is CallState.TAKEN else "",
        "writing": writing.is_on(conversation),
        "staffed": desk.staffed(),
    }
    return f"event: state\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
