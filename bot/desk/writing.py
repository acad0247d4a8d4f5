"""Which talks somebody of the team is writing in right now, so that the customer sees it; in memory, for seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bot.conversation import ConversationId
from bot.desk.bell import Bell

SECONDS = 6.0  # so long after the last key somebody still counts as writing


class Writing:
    """Who writes where. Safe to share between threads."""

    def __init__(self, bell: Bell, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`bell` is rung when somebody begins; `clock` counts seconds."""
        self._bell = bell
        self._clock = clock
        self._lock = threading.Lock()
        self._last_key: dict[ConversationId, float] = {}

    def note(self, conversation: ConversationId) -> None:
        """Note that a key was pressed in the field of this talk."""
        with self._lock:
            now = self._clock()
            self._last_key = {talk: at for talk, at in self._last_key.items() if now - at < SECONDS}
            began = conversation not in self._last_key
            self._last_key[conversation] = now
        if began:
            self._bell.ring(conversation)

    def stop(self, conversation: ConversationId) -> None:
        """Note that what was written has been sent."""
        with self._lock:
            self._last_key.pop(conversation, None)

    def is_on(self, conversation: ConversationId) -> bool:
        """Whether somebody is writing there now."""
        with self._lock:
            at = self._last_key.get(conversation)
            return at is not None and self._clock() - at < SECONDS
