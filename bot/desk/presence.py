"""Who of the team is there: whose console is open, and when each talk last heard a word from them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.conversation import ConversationId
from bot.memory.calls import Call
from bot.memory.staff import StaffId

_HERE = timedelta(seconds=60)  # somebody whose console was heard of so lately is there


class Presence:
    """What consoles say of the people in front of them; in memory, because a restart ends it. Safe to share."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[StaffId, datetime] = {}
        self._last_word: dict[ConversationId, datetime] = {}

    def attend(self, staff: StaffId, *, available: bool) -> None:
        """Note that somebody's console is open, and whether they take talks now."""
        with self._lock:
            if available:
                self._seen[staff] = self._now()
            else:
                self._seen.pop(staff, None)

    def speak(self, conversation: ConversationId, staff: StaffId) -> None:
        """Note that somebody did something in a talk."""
        with self._lock:
            self._last_word[conversation] = self._now()
            if staff in self._seen:
                self._seen[staff] = self._now()

    def leave(self, conversation: ConversationId) -> None:
        """Forget a talk that has ended."""
        with self._lock:
            self._last_word.pop(conversation, None)

    def somebody(self) -> bool:
        """Whether anybody is there who takes talks."""
        with self._lock:
            return any(self._now() - seen < _HERE for seen in self._seen.values())

    def gone(self, call: Call, idle: timedelta) -> bool:
        """Whether the person who has a talk has said nothing for `idle` and their console is closed."""
        with self._lock:
            spoke = self._last_word.get(call.conversation_id, call.taken_at or call.called_at)
            seen = None if call.agent is None else self._seen.get(call.agent)
            here = seen is not None and self._now() - seen < _HERE
            return not here and self._now() - spoke > idle
