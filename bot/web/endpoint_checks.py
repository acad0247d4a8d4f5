"""What every named endpoint shares: who calls, whether what was sent has the right shape, and how to say what is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import gradio as gr
import structlog

from bot.conversation import ConversationId, Language, VisitorId
from bot.errors import ConversationUnknown, InputRefused, TurnUnknown
from bot.web.api_types import PastTurn
from bot.web.assistant import Assistant
from bot.web.page_text import preferred_language, refusal_text
from bot.web.past import past_turns
from bot.web.render import MarkdownRenderer
from bot.web.visitors import visitor_of

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class EndpointGroup:
    """Endpoints over an assistant; `renderer` makes the HTML beside each text."""

    def __init__(self, assistant: Assistant, renderer: MarkdownRenderer) -> None:
        self._assistant = assistant
        self._renderer = renderer

    def _past(self, conversation: ConversationId, visitor: VisitorId | None) -> list[PastTurn]:
        turns = self._assistant.history(conversation, visitor=visitor)
        events = self._assistant.events(conversation, 0, visitor=visitor)
        ratings = self._assistant.last_ratings(conversation, visitor=visitor)
        return past_turns(turns, events, ratings, self._renderer)

    @contextmanager
    def _errors_told(self, request: gr.Request | None) -> Iterator[None]:
        """Turn every failure into a message that may be shown: what to do about it, or a reference into the log."""
        wording = self._assistant.wording(callers_language(request))
        try:
            yield
        except InputRefused as refusal:
            raise refused(refusal_text(refusal, wording)) from refusal
        except ConversationUnknown as error:
            raise refused(
                "No conversation of yours has this id. Send an empty conversation_id to /chat to open one."
            ) from error
        except TurnUnknown as error:
            raise refused("This conversation has no turn with this id. /history lists its turns.") from error
        except gr.Error:
            raise
        except Exception as error:
            reference = secrets.token_hex(4)
            _log.exception("endpoint_failed", reference=reference, error=type(error).__name__)
            raise refused(f"{wording['technical_problem']} ({reference})") from error


def as_owner(visitor: VisitorId | None, act: Callable[[VisitorId | None], _T]) -> _T:
    """Do something with a conversation as its visitor, else as one who holds the id of a program's or a widget's.

    A browser on Kefu's own pages sends its cookie along with the widget's calls, and the widget's conversations are
    not that cookie's. The second try reaches no more than a caller without a cookie does.
    """
    try:
        return act(visitor)
    except ConversationUnknown:
        if visitor is None:
            raise
        return act(None)


def refused(message: str) -> gr.Error:
    """The error that tells a caller what was wrong."""
    return gr.Error(message, print_exception=False)


def as_caller(request: gr.Request | None, act: Callable[[VisitorId | None], _T]) -> _T:
    """The same, as whoever sent the request."""
    return as_owner(caller(request), act)


def caller(request: gr.Request | None) -> VisitorId | None:
    """The visitor whose cookie came with the request; None without one."""
    return None if request is None else visitor_of(request.cookies)


def callers_language(request: gr.Request | None) -> Language:
    """What the caller's browser says that it reads."""
    headers = {} if request is None else request.headers
    return preferred_language(headers.get("accept-language", ""))


def named_conversation(value: object) -> ConversationId:
    """The conversation_id that was sent."""
    return ConversationId(text_of(value, "conversation_id"))


def text_of(value: object, name: str) -> str:
    """A text that was sent; anything else is refused."""
    if not isinstance(value, str):
        raise refused(f"{name} is a {type(value).__name__}; it must be a text.")
    return value


def number_of(value: object, name: str, most: int) -> int:
    """A number from 1 to `most` that was sent; anything else is refused."""
    if type(value) is not int or not 1 <= value <= most:
        raise refused(f"{name} is {value!r:.40}; it must be a whole number from 1 to {most}.")
    return value
