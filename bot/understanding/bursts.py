"""Several short messages in a row, read as one question.

A customer who types "hi" ⏎ "my parcel" ⏎ "hasn't come" asks one thing. While nothing of an answer has been shown, a
newer message takes the older one over: the older turn ends as `Route.MERGED`, and the newer is read with its words.
(Fragments that had already been answered with a question back are joined later, from the log: see `reader`.)
"""

from __future__ import annotations

import threading

from bot.conversation import ConversationId


class Pending:
    """A message that is being answered. `before` are the words of the messages that it took over, oldest first."""

    def __init__(self, text: str, before: tuple[str, ...]) -> None:
        self.text = text
        self.before = before
        self.taken_over = False
        self.shown = False


class Bursts:
    """Keeps the messages that are being answered, one a conversation. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[ConversationId, Pending] = {}

    def begin(self, conversation: ConversationId, text: str) -> Pending:
        """Register a message; takes over the one before it unless that one's answer is already being shown."""
        with self._lock:
            older = self._pending.get(conversation)
            before: tuple[str, ...] = ()
            if older is not None and not older.shown:
                older.taken_over = True
                before = (*older.before, older.text)
            pending = Pending(text, before)
            self._pending[conversation] = pending
            return pending

    def show(self, pending: Pending) -> bool:
        """Say that the answer is about to be shown; False if a newer message has taken this one over."""
        with self._lock:
            if pending.taken_over:
                return False
            pending.shown = True
            return True

    def end(self, conversation: ConversationId, pending: Pending) -> None:
        """Forget a message whose turn is over."""
        with self._lock:
            if self._pending.get(conversation) is pending:
                del self._pending[conversation]
