"""Publishes the named endpoints (/chat, which streams, /feedback, /history, …) for `gradio_client`, `@gradio/client` and HTTP.

A conversation is named by its id alone. To open one, send an empty id and keep the one that comes back: whoever holds
it can go on with the conversation, so treat it like a password. A browser's visitor cookie is honoured when there is one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.events import api

from bot.web.api_types import (
    ChatAnswer,
    ConversationInfo,
    HandoffState,
    PastTurn,
    RecommendedItem,
    Recorded,
    SearchHit,
)
from bot.web.calls import endpoint_of
from bot.web.chat import TURN_QUEUE
from bot.web.endpoint_checks import EndpointGroup
from bot.web.endpoints import Endpoints
from bot.web.people_endpoints import PeopleEndpoints

# Each endpoint with what it answers; for a stream, one event.
_PUBLISHED: tuple[tuple[Callable[..., Any], object], ...] = (
    (Endpoints.chat, ChatAnswer),
    (Endpoints.feedback, Recorded),
    (Endpoints.history, list[PastTurn]),
    (Endpoints.search, list[SearchHit]),
    (Endpoints.recommend, list[RecommendedItem]),
    (PeopleEndpoints.handoff, HandoffState),
    (PeopleEndpoints.identify, Recorded),
    (PeopleEndpoints.conversations, list[ConversationInfo]),
)
ENDPOINTS = {function.__name__: endpoint_of(function) for function, _ in _PUBLISHED}


def add_endpoints(blocks: gr.Blocks, groups: Sequence[EndpointGroup], *, workers: int) -> None:
    """Publish every endpoint in `blocks`; each takes its parameters by name, with the types that its function gives.

    Args:
        blocks: the page, which must have its own events by now.
        groups: one of each class that has endpoints.
        workers: how many calls of one endpoint run at a time.
    """
    with blocks:
        for function, answer in _PUBLISHED:
            name = function.__name__
            (group,) = (group for group in groups if hasattr(group, name))
            line = {"concurrency_id": TURN_QUEUE} if inspect.isgeneratorfunction(function) else {}
            api(_publish(getattr(group, name), answer), api_name=name, concurrency_limit=workers, **line)


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
