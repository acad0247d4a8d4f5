"""What the web asks of the assistant behind it: the one door between pages and endpoints and the rest of `bot`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from bot.conversation import ConversationId, Delta, Language, Reply, Turn, TurnId, VisitorId
from retrieval.documents import Article, Hit


class Assistant(Protocol):
    """A wired assistant. Every method may be called from several threads at once."""

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        """Start a conversation of `visitor`. `channel` is "page" or "api". The id must not be guessable."""
        ...

    def answer(
        self, conversation_id: ConversationId, text: str, *, visitor: VisitorId | None
    ) -> Iterator[Delta | Reply]:
        """Answer `text`: the parts as they become ready, then the whole, whose turn is on disk by then.

        `visitor` None means a program that holds the conversation's id as its key; it reaches only conversations
        that were opened without a browser (channel "api").

        Raises:
            InputRefused: the text is empty, too long or unreadable.
            ConversationUnknown: there is no such conversation, or it is another visitor's.
        """
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
        """Keep a customer's judgement of a turn, +1 or -1; a second one of the same turn replaces the first.

        Raises:
            ConversationUnknown: there is no such conversation, or it is another visitor's.
            TurnUnknown: the conversation has no such turn.
        """
        ...

    def history(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Sequence[Turn]:
        """All turns of a conversation, oldest first.

        Raises:
            ConversationUnknown: there is no such conversation, or it is another visitor's.
        """
        ...

    def search(self, question: str, *, top_k: int) -> Sequence[Hit]:
        """The passages that fit `question` best, best first."""
        ...

    def article(self, language: str, article_id: str) -> Article | None:
        """One article in the language that it is written in ("zh" or "en"); None if there is none."""
        ...

    def wording(self, language: Language) -> Mapping[str, Any]:
        """The support team's wording, ready to be shown in `language` (for `zh-Hant` already converted)."""
        ...

    def ready(self) -> Mapping[str, bool]:
        """Each part by name, and whether it can work now."""
        ...
