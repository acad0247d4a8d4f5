"""What the web asks of the assistant behind it: the one door between pages and endpoints and the rest of `bot`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from bot.conversation import ConversationId, Delta, Language, Reply, Turn, TurnId, VisitorId
from bot.desk.desk import Desk
from bot.desk.suggestions import SuggestedReply
from bot.insight.recommend import Recommendation
from bot.memory.calls import Call, DeskEvent
from bot.memory.visits import Customer
from retrieval.documents import Article, Hit


class Assistant(Protocol):
    """A wired assistant: `bot.manager.Manager`, which says what each method takes, gives and raises, or a fake.

    Every method may be called from several threads at once.
    """

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        """Begin a conversation."""
        ...

    def answer(
        self, conversation_id: ConversationId, text: str, *, visitor: VisitorId | None
    ) -> Iterator[Delta | Reply]:
        """Answer a message, part by part."""
        ...

    def rate(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        value: int,
        reason: str,
        *,
        visitor: VisitorId | None,
    ) -> None:
        """Keep a vote on a turn."""
        ...

    def history(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Sequence[Turn]:
        """All turns of a conversation."""
        ...

    def last_ratings(
        self, conversation_id: ConversationId, *, visitor: VisitorId | None
    ) -> Mapping[TurnId, int]:
        """The votes on a conversation's turns."""
        ...

    @property
    def desk(self) -> Desk:
        """Where people of the team take talks over."""
        ...

    def call_person(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Call:
        """Call a person into a conversation."""
        ...

    def leave_contact(
        self, conversation_id: ConversationId, contact: str, *, visitor: VisitorId | None
    ) -> Call:
        """Note how the customer wants to be reached."""
        ...

    def events(
        self, conversation_id: ConversationId, after: int, *, visitor: VisitorId | None
    ) -> Sequence[DeskEvent]:
        """What people said and did in a conversation."""
        ...

    def note_page(
        self, conversation_id: ConversationId, page: str, title: str, *, visitor: VisitorId | None
    ) -> None:
        """Note on which page of a site the customer is."""
        ...

    def identify(
        self, conversation_id: ConversationId, customer: Customer, *, visitor: VisitorId | None
    ) -> None:
        """Note whose conversation it is."""
        ...

    def conversations_of(self, customer_id: str) -> Sequence[ConversationId]:
        """The conversations of a user that a site vouches for."""
        ...

    def search(self, question: str, *, top_k: int) -> Sequence[Hit]:
        """Passages that fit a question."""
        ...

    def recommend(
        self, conversation_id: ConversationId | None, text: str, *, visitor: VisitorId | None, top_k: int
    ) -> Sequence[Recommendation]:
        """What fits the customer's interest."""
        ...

    def article(self, language: str, article_id: str) -> Article | None:
        """One article in one language."""
        ...

    def wording(self, language: Language) -> Mapping[str, Any]:
        """The support team's messages."""
        ...

    def intent_title(self, intent: str, language: Language) -> str:
        """What an intent is called, for people."""
        ...

    def person_intents(self) -> frozenset[str]:
        """The intents by which a customer only asks for a person."""
        ...

    def suggestions(self, conversation_id: ConversationId) -> Sequence[SuggestedReply]:
        """Replies that a person who has the talk may send."""
        ...

    def template_like(self, answer: str, language: Language) -> str | None:
        """The intent whose approved wording says what `answer` says."""
        ...

    def ready(self) -> Mapping[str, bool]:
        """Which parts can work now."""
        ...
