"""The endpoints of a conversation and of the knowledge base: /chat, /feedback, /history, /search and /recommend."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
import structlog

from bot.conversation import ConversationId, Delta, Language, Reply, TurnId, VisitorId
from bot.errors import ConversationUnknown, StoreError
from bot.understanding.language import detect
from bot.web.api_types import (
    ChatAnswer,
    PastTurn,
    RecommendedItem,
    Recorded,
    SearchHit,
    answer_so_far,
    recommended_item,
    search_hit,
)
from bot.web.endpoint_checks import (
    EndpointGroup,
    as_caller,
    as_owner,
    caller,
    named_conversation,
    number_of,
    refused,
    text_of,
)
from bot.web.visitors import new_visitor

_log = structlog.get_logger(__name__)
_MOST_HITS = 20
_MOST_REASON = 1000


class Endpoints(EndpointGroup):
    """/chat, /feedback, /history, /search and /recommend."""

    def chat(
        self, message: str, conversation_id: str = "", page: str = "", request: gr.Request | None = None
    ) -> Iterator[ChatAnswer]:
        """Answer a message, streamed: each event holds the whole answer so far, the last one everything about it.

        Args:
            message: What the customer says, in Chinese, English or both.
            conversation_id: The conversation to go on with; empty to open one.
            page: The address of the page that the customer is on; for the widget, may be empty.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            text, known = text_of(message, "message"), text_of(conversation_id, "conversation_id")
            where, visitor = text_of(page, "page"), caller(request)
            conversation = ConversationId(known) if known else self._open(visitor, where)
            if where:
                self._note_page(conversation, where, visitor)
            so_far = ""
            for part in self._answer(conversation, text, visitor):
                if isinstance(part, Delta):
                    so_far += part.text
                    yield answer_so_far(conversation, so_far, None, self._renderer)
                else:
                    yield answer_so_far(conversation, part.text, part, self._renderer)

    def feedback(
        self,
        conversation_id: str,
        turn_id: str,
        rating: int,
        reason: str = "",
        request: gr.Request | None = None,
    ) -> Recorded:
        """Rate an answer. A second rating of the same turn replaces the first.

        Args:
            conversation_id: The conversation that the turn belongs to.
            turn_id: The turn, as /chat or /history named it.
            rating: 1 for helpful, -1 for not helpful.
            reason: Why, in the customer's own words; may be empty.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            if type(rating) is not int or rating not in (1, -1):
                raise refused(f"rating is {rating!r:.40}; it must be 1 or -1.")
            conversation = named_conversation(conversation_id)
            turn, why = TurnId(text_of(turn_id, "turn_id")), text_of(reason, "reason")[:_MOST_REASON]
            as_caller(request, lambda who: self._assistant.rate(conversation, turn, rating, why, visitor=who))
            return Recorded(recorded=True)

    def history(self, conversation_id: str, request: gr.Request | None = None) -> list[PastTurn]:
        """List what was said in a conversation, oldest first: by Kefu and by people of the team.

        Args:
            conversation_id: The conversation, as /chat named it.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            conversation = named_conversation(conversation_id)
            return as_caller(request, lambda who: self._past(conversation, who))

    def search(self, question: str, top_k: int = 5, request: gr.Request | None = None) -> list[SearchHit]:
        """Find passages of the knowledge base, best first.

        Args:
            question: What to look for, in Chinese, English or both.
            top_k: How many passages at most, 1 to 20.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            most = number_of(top_k, "top_k", _MOST_HITS)
            return [
                search_hit(hit) for hit in self._assistant.search(text_of(question, "question"), top_k=most)
            ]

    # -- how

    def recommend(
        self,
        conversation_id: str = "",
        text: str = "",
        language: str = "",
        top_k: int = 3,
        request: gr.Request | None = None,
    ) -> list[RecommendedItem]:
        """Recommend products, services and articles that fit a customer's interest, best first; none if none does.

        Args:
            conversation_id: The conversation that tells the interest; empty for `text` alone.
            text: What else they are interested in, e.g. the title of the page that they are on; may be empty.
            language: In which language to answer: zh, zh-Hant or en; empty for that of text or conversation.
            top_k: How many at most, 1 to 20.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            known, interest = text_of(conversation_id, "conversation_id"), text_of(text, "text")
            most, chosen = number_of(top_k, "top_k", _MOST_HITS), _language(language)
            conversation = ConversationId(known) if known else None

            def recommend(who: VisitorId | None) -> list[RecommendedItem]:
                found = self._assistant.recommend(conversation, interest, visitor=who, top_k=most)
                spoken = chosen or self._spoken(conversation, interest, who)
                return [recommended_item(item, spoken) for item in found]

            return as_caller(request, recommend)

    def _spoken(self, conversation: ConversationId | None, text: str, visitor: VisitorId | None) -> Language:
        if conversation is None or text.strip():
            return detect(text).language
        turns = self._assistant.history(conversation, visitor=visitor)
        return turns[-1].language if turns else Language.ZH

    def _open(self, visitor: VisitorId | None, page: str) -> ConversationId:
        """A widget's conversation is reached by its id even if the browser has a cookie: on other sites it has none."""
        if page:
            return self._assistant.open_conversation(new_visitor(), channel="widget")
        if visitor is None:
            return self._assistant.open_conversation(new_visitor(), channel="api")
        return self._assistant.open_conversation(visitor, channel="page")

    def _answer(
        self, conversation: ConversationId, text: str, visitor: VisitorId | None
    ) -> Iterator[Delta | Reply]:
        try:
            yield from self._assistant.answer(conversation, text, visitor=visitor)
        except ConversationUnknown:  # raised before anything is said
            if visitor is None:
                raise
            yield from self._assistant.answer(conversation, text, visitor=None)

    def _note_page(self, conversation: ConversationId, page: str, visitor: VisitorId | None) -> None:
        try:
            as_owner(visitor, lambda who: self._assistant.note_page(conversation, page, "", visitor=who))
        except StoreError as error:  # a customer gets an answer all the same
            _log.warning("page_not_noted", error=type(error).__name__)


def _language(value: object) -> Language | None:
    name = text_of(value, "language")
    if name and name not in set(Language):
        raise refused(f"language is {name!r:.40}; it must be one of {', '.join(Language)}, or empty.")
    return Language(name) if name else None
