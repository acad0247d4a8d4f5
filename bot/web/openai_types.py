"""The shapes of OpenAI's chat API, as far as Kefu speaks it (https://platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import re
import time
from typing import Any, Literal, NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from bot.conversation import Reply
from bot.web.api_types import OptionInfo, SourceInfo, option_infos, source_infos

MODEL = "kefu"
_COUNTED = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]{1,4}"
)


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore")  # temperature and the like: they change nothing here


class Part(_Given):
    """A part of a message; only texts are read."""

    type: str
    text: str = ""


class Message(_Given):
    """A message of the conversation so far."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""

    @property
    def has_more_than_text(self) -> bool:
        """Whether it carries a picture, a sound or a file."""
        return isinstance(self.content, list) and any(part.type != "text" for part in self.content)


class StreamOptions(_Given):
    """What a stream ends with."""

    include_usage: bool = False


class KefuOptions(_Given):
    """What only Kefu knows."""

    links: bool = Field(False, description="append the sources as Markdown link definitions")


class Completion(_Given):
    """A request for an answer."""

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = 1
    user: str | None = None
    kefu: KefuOptions = KefuOptions()


class KefuInfo(TypedDict):
    """What the answer's field `kefu` holds beside OpenAI's own."""

    conversation_id: str
    turn_id: str
    language: str
    route: str
    intent: str
    score: float
    sources: list[SourceInfo]
    options: list[OptionInfo]
    actions: list[str]


class Usage(TypedDict):
    """About how many tokens there were: a Chinese character counts as one, four others as one."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Chunk(TypedDict):
    """One event of a stream."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: NotRequired[Usage]
    kefu: NotRequired[KefuInfo]


def kefu_info(reply: Reply) -> KefuInfo:
    """A reply's public half."""
    return KefuInfo(
        conversation_id=reply.conversation_id,
        turn_id=reply.turn_id,
        language=reply.language.value,
        route=reply.route.value,
        intent=reply.intent or "",
        score=reply.score,
        sources=source_infos(reply.sources),
        options=option_infos(reply.options),
        actions=[action.value for action in reply.actions],
    )


def usage(asked: str, answered: str) -> Usage:
    """About how many tokens question and answer have."""
    prompt, completion = len(_COUNTED.findall(asked)), len(_COUNTED.findall(answered))
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def whole(completion_id: str, text: str, info: KefuInfo, counted: Usage) -> dict[str, Any]:
    """An answer in one piece."""
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": counted,
        "kefu": info,
    }


def chunk(completion_id: str, delta: dict[str, str], *, finish: str | None = None) -> Chunk:
    """An event of a stream that carries a piece of the answer."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return Chunk(
        id=completion_id,
        object="chat.completion.chunk",
        created=int(time.time()),
        model=MODEL,
        choices=[choice],
    )


def error(message: str, kind: str, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error, as OpenAI's clients read it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
