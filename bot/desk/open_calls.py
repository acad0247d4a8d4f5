"""The calls that are open, in memory: the bot asks for them before each part of an answer."""

from __future__ import annotations

import threading

from bot.conversation import ConversationId
from bot.memory import calls
from bot.memory.calls import Call
from bot.memory.shared_log import SharedLog


class OpenCalls:
    """What the log holds of open calls, read at the first need and kept up by the desk. Safe to share."""

    def __init__(self, log: SharedLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._open: dict[ConversationId, Call] | None = None

    def all(self) -> list[Call]:
        """Every open call.

        Raises:
            StoreError: the log cannot be read.
        """
        return list(self._known().values())

    def of(self, conversation: ConversationId) -> Call | None:
        """The conversation's open call, or None.

        Raises:
            StoreError: the log cannot be read.
        """
        return self._known().get(conversation)

    def keep(self, call: Call) -> None:
        """A call was made or has changed."""
        self._known()
        with self._lock:
            if self._open is not None:
                self._open[call.conversation_id] = call

    def drop(self, conversation: ConversationId) -> None:
        """A conversation's call has ended."""
        with self._lock:
            if self._open is not None:
                self._open.pop(conversation, None)

    def _known(self) -> dict[ConversationId, Call]:
        with self._lock:
            if self._open is not None:
                return dict(self._open)
        with self._log.reading() as log:
            found = {call.conversation_id: call for call in calls.open_calls(log)}
        with self._lock:
            if self._open is None:
                self._open = found
            return dict(self._open)
