"""What customers and programs do with a conversation beside asking: open it, read it, rate it, call a person into it.

Each method that names a conversation lets through only whose it is. `visitor` None means a program that holds the
conversation's id as its key; it reaches only conversations that were opened by programs (`Store.check_owner`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.conversation import ConversationId, Language, Rating, Turn, TurnId, VisitorId
from bot.desk.desk import Desk
from bot.desk.webhooks import Announce, WebhookEvent, announce_nothing
from bot.memory.calls import Call, CallReason, DeskEvent
from bot.memory.store import Store
from bot.memory.visits import Customer
from bot.safety.guard import check_message
from bot.turns import Redact

_LONGEST_CONTACT = 300  # characters


class Conversations:
    """The conversations in the log, and the desk beside it. Safe to share between threads."""

    def __init__(
        self, store: Store, desk: Desk, redact: Redact, announce: Announce = announce_nothing
    ) -> None:
        """Stand between the log and the desk; `announce` tells other programs of new talks and of votes."""
        self._store = store
        self._desk = desk
        self._redact = redact
        self._announce = announce

    @property
    def desk(self) -> Desk:
        """Where people of the team take talks over."""
        return self._desk

    @property
    def store(self) -> Store:
        """The log of all turns."""
        return self._store

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        """Begin a conversation of `visitor`; `channel` is "page", "api" or another way in. Its id cannot be guessed."""
        conversation = self._store.open_conversation(visitor, channel=channel)
        self._announce(WebhookEvent.OPENED, {"conversation_id": conversation, "channel": channel})
        return conversation

    def rate(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        value: int,
        reason: str,
        *,
        visitor: VisitorId | None,
    ) -> None:
        """Store a vote (+1 or -1) on a turn of the conversation; a second one of the same turn replaces the first.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
            TurnUnknown: it has no such turn.
        """
        self._store.check_owner(conversation_id, visitor)
        self._store.add_rating(conversation_id, Rating(turn_id, value, self._redact(reason).text))
        rated = {"conversation_id": conversation_id, "turn_id": turn_id, "rating": value}
        self._announce(WebhookEvent.RATED, rated)

    def history(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Sequence[Turn]:
        """The conversation's turns, oldest first.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        self._store.check_owner(conversation_id, visitor)
        return self._store.turns(conversation_id)

    def last_ratings(
        self, conversation_id: ConversationId, *, visitor: VisitorId | None
    ) -> Mapping[TurnId, int]:
        """The last vote, +1 or -1, on each turn of the conversation that has one.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        self._store.check_owner(conversation_id, visitor)
        ratings = [self._store.rating(turn.id) for turn in self._store.turns(conversation_id)]
        return {rating.turn_id: rating.value for rating in ratings if rating is not None}

    def call_person(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Call:
        """Call a person into the conversation; if one was called already, that call.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
            StoreError: the call cannot be noted.
        """
        self._store.check_owner(conversation_id, visitor)
        return self._desk.call(conversation_id, CallReason.ASKED, language=self._language_of(conversation_id))

    def leave_contact(
        self, conversation_id: ConversationId, contact: str, *, visitor: VisitorId | None
    ) -> Call:
        """Note how the customer wants to be reached, for the person who reads the talk later.

        Raises:
            InputRefused: it is empty or too long.
            ConversationUnknown: the conversation does not exist or is another visitor's.
            StoreError: it cannot be noted.
        """
        message = check_message(contact, max_characters=_LONGEST_CONTACT)
        self._store.check_owner(conversation_id, visitor)
        return self._desk.leave_contact(conversation_id, message, language=self._language_of(conversation_id))

    def events(
        self, conversation_id: ConversationId, after: int, *, visitor: VisitorId | None
    ) -> Sequence[DeskEvent]:
        """What people said and did in the conversation after the event of that number, oldest first.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        self._store.check_owner(conversation_id, visitor)
        return self._desk.events(conversation_id, after)

    def note_page(
        self, conversation_id: ConversationId, page: str, title: str, *, visitor: VisitorId | None
    ) -> None:
        """Note where the customer is, for the person who takes the talk; an address that is none is left out.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        self._store.check_owner(conversation_id, visitor)
        self._desk.note_page(conversation_id, page, title)

    def identify(
        self, conversation_id: ConversationId, customer: Customer, *, visitor: VisitorId | None
    ) -> None:
        """Note whose conversation it is; the caller has checked that the site vouches for it.

        Raises:
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        self._store.check_owner(conversation_id, visitor)
        self._desk.identify(conversation_id, customer)

    def conversations_of(self, customer_id: str) -> Sequence[ConversationId]:
        """The conversations of a user that a site vouches for, the latest first."""
        return self._desk.conversations_of(customer_id)

    def _language_of(self, conversation: ConversationId) -> Language:
        turns = self._store.turns(conversation, last=1)
        return turns[-1].language if turns else Language.ZH
