"""What one open page shows, kept on the server: the page only ever gets finished HTML and is asked for nothing back."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.conversation import ConversationId, Language, TurnId, VisitorId
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.web.page_text import happened
from bot.web.view import AssistantMessage, View


class Transcript:
    """The messages of one conversation as the page shows them, in order.

    Several answers may stream into it at once, each from a thread of its own.
    """

    def __init__(self, view: View, language: Language, conversation_id: ConversationId | None = None) -> None:
        self.language = language  # of the last reply, to begin with the browser's
        self.conversation_id = conversation_id
        self.lock = threading.RLock()
        self._view = view
        self._shown: dict[str, str] = {}  # HTML by key, in the order of showing
        self._answers: dict[TurnId, tuple[str, AssistantMessage]] = {}
        self._count = 0
        self._shown_event = 0

    def html(self) -> list[str]:
        """Every message as HTML, oldest first."""
        with self.lock:
            followed = [] if self.conversation_id is None else [self._following(self.conversation_id)]
            return [*self._shown.values(), *followed]

    def add_greeting(self) -> None:
        """Begin with the assistant's first words."""
        self._shown["greeting"] = self._view.greeting(self.language)

    def add_customer(self, text: str, message_id: str = "") -> str:
        """Append the customer's words; returns the key to take them back with."""
        with self.lock:
            self._shown.pop("notice", None)
            key = self._new_key()
            self._shown[key] = self._view.customer_message(text, self.language, message_id)
            return key

    def add_assistant(self, message: AssistantMessage) -> str:
        """Append a bubble of the assistant; returns the key to change it with."""
        with self.lock:
            key = self._new_key()
            self.change_assistant(key, message)
            return key

    def change_assistant(self, key: str, message: AssistantMessage) -> None:
        """Show `message` where the bubble `key` stands."""
        with self.lock:
            self._shown[key] = self._view.assistant_message(message)
            if message.turn_id is not None:
                self._answers[message.turn_id] = (key, message)

    def add_events(self, events: Sequence[DeskEvent]) -> bool:
        """Append what people of the team said and did; events that are shown already change nothing."""
        with self.lock:
            new = [event for event in events if event.number > self._shown_event]
            for event in new:
                self._shown_event = event.number
                self._add_event(event)
            return bool(new)

    @property
    def shown_event(self) -> int:
        """The number of the last event that is shown."""
        return self._shown_event

    def remove(self, *keys: str) -> None:
        """Take messages back."""
        with self.lock:
            for key in keys:
                self._shown.pop(key, None)

    def refuse(self, text: str, *, restore: str) -> None:
        """Say why a message was not taken, and give its text back."""
        with self.lock:
            self._shown.pop("notice", None)
            self._shown["notice"] = self._view.notice(text, restore=restore, notice_id=self._new_key())

    def mark_rating(self, turn_id: TurnId, value: int) -> int | None:
        """Show a rating. Returns the one before, or None if the turn is not shown here or rated so already."""
        with self.lock:
            key, message = self._answers.get(turn_id, ("", None))
            if message is None or message.rating == value:
                return None
            self.change_assistant(key, replace(message, rating=value))
            return message.rating

    def _add_event(self, event: DeskEvent) -> None:
        if event.kind is DeskEventKind.PERSON:
            self._shown[self._new_key()] = self._view.person_message(event.text, event.name)
        elif line := happened(event, self.language):
            self._shown[self._new_key()] = self._view.happened(line)

    def _following(self, conversation: ConversationId) -> str:
        return self._view.conversation(conversation, self._shown_event)

    def _new_key(self) -> str:
        self._count += 1
        return str(self._count)


@dataclass
class Tab:
    """One open page: whose it is and what it shows."""

    visitor: VisitorId
    cookie: VisitorId | None  # None: the browser keeps no cookies, so `visitor` lasts as long as this page
    language: Language  # the browser's
    transcript: Transcript = field(repr=False)


class Tabs:
    """The open pages by session hash, least recently used first. A hash is believed only with its owner's cookie."""

    def __init__(self, limit: int = 2000) -> None:
        self._tabs: OrderedDict[str, Tab] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def find(self, session_hash: str | None, cookie: VisitorId | None) -> Tab | None:
        """The page of this session, if it is this visitor's."""
        with self._lock:
            tab = self._tabs.get(session_hash or "")
            if tab is None or tab.cookie != cookie:
                return None
            self._tabs.move_to_end(session_hash or "")
            return tab

    def keep(self, session_hash: str | None, tab: Tab) -> Tab:
        """Remember a page, unless its session hash is another's already; returns the page."""
        with self._lock:
            if session_hash and session_hash not in self._tabs:
                self._tabs[session_hash] = tab
                if len(self._tabs) > self._limit:
                    self._tabs.popitem(last=False)
        return tab
