"""What the web asks of the assistant behind it: the one door between pages and endpoints and the rest of `bot`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from bot.conversation import ConversationId, Delta, Language, Reply, Turn, TurnId, VisitorId
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

    def search(self, question: str, *, top_k: int) -> Sequence[Hit]:
        """Passages that fit a question."""
        ...

    def article(self, language: str, article_id: str) -> Article | None:
        """One article in one language."""
        ...

    def wording(self, language: Language) -> Mapping[str, Any]:
        """The support team's messages."""
        ...

    def ready(self) -> Mapping[str, bool]:
        """Which parts can work now."""
        ...
