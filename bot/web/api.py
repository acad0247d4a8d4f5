"""The named endpoints: /chat (streams), /feedback, /history and /search, for `gradio_client`, `@gradio/client` and HTTP.

A conversation is named by its id alone. To open one, send an empty id and keep the one that comes back: whoever holds
it can go on with the conversation, so treat it like a password. A browser's visitor cookie is honoured when there is one.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import structlog
from gradio.events import api

from bot.conversation import ConversationId, Delta, TurnId, VisitorId
from bot.errors import ConversationUnknown, InputRefused, TurnUnknown
from bot.web.api_types import ChatAnswer, PastTurn, Recorded, SearchHit, answer_so_far, past_turn, search_hit
from bot.web.assistant import Assistant
from bot.web.calls import endpoint_of
from bot.web.chat import TURN_QUEUE
from bot.web.page_text import preferred_language, refusal_text
from bot.web.visitors import new_visitor, visitor_of

_log = structlog.get_logger(__name__)
_MOST_HITS = 20
_MOST_REASON = 1000


class Endpoints:
    """The functions behind the endpoints. Each checks what it was sent: Gradio passes any JSON through."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def chat(
        self, message: str, conversation_id: str = "", request: gr.Request | None = None
    ) -> Iterator[ChatAnswer]:
        """Answer a message, streamed: each event holds the whole answer so far, the last one everything about it.

        Args:
            message: What the customer says, in Chinese, English or both.
            conversation_id: The conversation to go on with; empty to open one.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            text, known = _checked(message, "message"), _checked(conversation_id, "conversation_id")
            visitor = _visitor(request)
            conversation = ConversationId(known) if known else self._open(visitor)
            so_far = ""
            for part in self._assistant.answer(conversation, text, visitor=visitor):
                if isinstance(part, Delta):
                    so_far += part.text
                    yield answer_so_far(conversation, so_far, None)
                else:
                    yield answer_so_far(conversation, part.text, part)

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
                raise _refused(f"rating is {rating!r:.40}; it must be 1 or -1.")
            self._assistant.rate(
                ConversationId(_checked(conversation_id, "conversation_id")),
                TurnId(_checked(turn_id, "turn_id")),
                rating,
                _checked(reason, "reason")[:_MOST_REASON],
                visitor=_visitor(request),
            )
            return Recorded(recorded=True)

    def history(self, conversation_id: str, request: gr.Request | None = None) -> list[PastTurn]:
        """List a conversation's turns, oldest first.

        Args:
            conversation_id: The conversation, as /chat named it.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            conversation = ConversationId(_checked(conversation_id, "conversation_id"))
            return [
                past_turn(turn) for turn in self._assistant.history(conversation, visitor=_visitor(request))
            ]

    def search(self, question: str, top_k: int = 5, request: gr.Request | None = None) -> list[SearchHit]:
        """Find passages of the knowledge base, best first.

        Args:
            question: What to look for, in Chinese, English or both.
            top_k: How many passages at most, 1 to 20.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            if type(top_k) is not int or not 1 <= top_k <= _MOST_HITS:
                raise _refused(f"top_k is {top_k!r:.40}; it must be a whole number from 1 to {_MOST_HITS}.")
            return [
                search_hit(hit) for hit in self._assistant.search(_checked(question, "question"), top_k=top_k)
            ]

    def _open(self, visitor: VisitorId | None) -> ConversationId:
        if visitor is None:
            return self._assistant.open_conversation(new_visitor(), channel="api")
        return self._assistant.open_conversation(visitor, channel="page")

    @contextmanager
    def _errors_told(self, request: gr.Request | None) -> Iterator[None]:
        """Turn every failure into a message that may be shown: what to do about it, or a reference into the log."""
        headers = {} if request is None else request.headers
        wording = self._assistant.wording(preferred_language(headers.get("accept-language", "")))
        try:
            yield
        except InputRefused as refusal:
            raise _refused(refusal_text(refusal, wording)) from refusal
        except ConversationUnknown as error:
            raise _refused(
                "No conversation of yours has this id. Send an empty conversation_id to /chat to open one."
            ) from error
        except TurnUnknown as error:
            raise _refused("This conversation has no turn with this id. /history lists its turns.") from error
        except gr.Error:
            raise
        except Exception as error:
            reference = secrets.token_hex(4)
            _log.exception("endpoint_failed", reference=reference, error=type(error).__name__)
            message = f"{wording['technical_problem']} ({reference})"
            raise _refused(message) from error


def add_endpoints(blocks: gr.Blocks, endpoints: Endpoints, *, workers: int) -> None:
    """Publish the endpoints in `blocks`; each takes its parameters by name, with the types given above."""
    with blocks:
        api(
            _publish(endpoints.chat, ChatAnswer),
            api_name="chat",
            concurrency_id=TURN_QUEUE,
            concurrency_limit=workers,
        )
        api(_publish(endpoints.feedback, Recorded), api_name="feedback", concurrency_limit=workers)
        api(_publish(endpoints.history, list[PastTurn]), api_name="history", concurrency_limit=workers)
        api(_publish(endpoints.search, list[SearchHit]), api_name="search", concurrency_limit=workers)


ENDPOINTS = {
    function.__name__: endpoint_of(function)
    for function in (Endpoints.chat, Endpoints.feedback, Endpoints.history, Endpoints.search)
}


def _publish(method: Callable[..., Any], returns: object) -> Callable[..., Any]:
    """The method as a function that shows Gradio its return type, evaluated, and for a stream that of one event."""
    if inspect.isgeneratorfunction(method):

        def published(*args: Any, **kwargs: Any) -> Any:
            yield from method(*args, **kwargs)
    else:

        def published(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

    published.__name__ = method.__name__
    published.__doc__ = method.__doc__
    hints = inspect.get_annotations(method, eval_str=True)
    signature = inspect.signature(method, eval_str=True)
    published.__signature__ = signature.replace(return_annotation=returns)  # type: ignore[attr-defined]
    published.__annotations__ = {**hints, "return": returns, "request": gr.Request}
    return published


def _visitor(request: gr.Request | None) -> VisitorId | None:
    return None if request is None else visitor_of(request.cookies)


def _checked(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _refused(f"{name} is a {type(value).__name__}; it must be a text.")
    return value


def _refused(message: str) -> gr.Error:
    return gr.Error(message, print_exception=False)
