"""`/v1/chat/completions` and `/v1/models`: what speaks to OpenAI's servers can speak to Kefu unchanged.

Such clients keep no conversation: they send all of it each time. Kefu has its own, with a person's desk and a log behind
it, so a request is led back to it: by the header `X-Conversation`, else by what was said before, word for word, under the
same key and `user`. A conversation can be gone on with in one way only: who sends the same past twice opens a new one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import ValidationError

from bot.conversation import ConversationId, Delta, Language, Reply, Route
from bot.errors import BotError, ConversationUnknown, InputRefused, TooBusy
from bot.understanding.language import detect
from bot.web.assistant import Assistant
from bot.web.openai_types import MODEL, Completion, Message, Usage, chunk, error, kefu_info, usage, whole
from bot.web.page_text import page_text, refusal_text
from bot.web.threads import TurnThreads
from bot.web.visitors import new_visitor

_log = structlog.get_logger(__name__)
_CONVERSATION = "x-conversation"
_SAID = frozenset({"user", "assistant"})  # roles that are a part of the conversation; instructions are not
_INVALID = "invalid_request_error"


class Refused(BotError):
    """A request that cannot be answered, with the answer that says why."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        kind = _INVALID if status < 500 else "server_error"
        self.response = JSONResponse(error(message, kind, code=code, param=param), status)


class Past:
    """Which conversation stands where, by what was said in it. In memory: after a restart clients open new ones."""

    def __init__(self, most: int = 10_000) -> None:
        self._known: OrderedDict[str, deque[ConversationId]] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def take(self, said: str) -> ConversationId | None:
        """A conversation in which exactly this was said, and which nobody has gone on with since."""
        with self._lock:
            found = self._known.pop(said, None)
            if found is None:
                return None
            conversation = found.pop()
            if found:
                self._known[said] = found
            return conversation

    def keep(self, said: str, conversation: ConversationId) -> None:
        """Note what was said in a conversation up to now."""
        with self._lock:
            self._known.setdefault(said, deque(maxlen=100)).append(conversation)
            self._known.move_to_end(said)
            if len(self._known) > self._most:
                self._known.popitem(last=False)


class OpenAIApi:
    """The routes' functions."""

    def __init__(self, assistant: Assistant, keys: Sequence[str], threads: TurnThreads) -> None:
        """Answer for who holds one of `keys`; without any, the routes are shut."""
        self._assistant = assistant
        self._keys = [_digest(key) for key in keys]
        self._threads = threads
        self._past = Past()

    async def models(self, request: Request) -> Response:
        """Kefu as the one model there is."""
        try:
            self._key(request)
        except Refused as refused:
            return refused.response
        return JSONResponse({"object": "list", "data": [_MODEL_INFO]})

    async def completions(self, request: Request) -> Response:
        """Answer the last message of the user."""
        try:
            key = self._key(request)
            asked = _parsed(await request.body())
            question = _question(asked)
            past = _said(key, asked.user, asked.messages[:-1])
            conversation = await self._threads.run(lambda: self._conversation(request, past))
        except Refused as refused:
            return refused.response
        said = _said(key, asked.user, asked.messages)
        server = str(request.base_url).rstrip("/")
        answer = _Answer(
            self._assistant, self._threads, self._past, asked, question, conversation, said, server
        )
        if asked.stream:
            headers = {"cache-control": "no-store", "x-accel-buffering": "no", _CONVERSATION: conversation}
            return StreamingResponse(answer.events(), media_type="text/event-stream", headers=headers)
        return await answer.response()

    def _conversation(self, request: Request, past: str) -> ConversationId:
        named = request.headers.get(_CONVERSATION)
        if named is not None:
            try:
                self._assistant.events(ConversationId(named), 0, visitor=None)
            except ConversationUnknown as unknown:
                raise Refused(
                    404,
                    "X-Conversation names no conversation. Leave it out to open one.",
                    code="conversation_not_found",
                ) from unknown
            return ConversationId(named)
        found = self._past.take(past)
        return found or self._assistant.open_conversation(new_visitor(), channel="openai")

    def _key(self, request: Request) -> str:
        """The digest of the key that came with the request."""
        if not self._keys:
            raise Refused(
                404,
                "This endpoint is shut, because no key is set for it. Set openai.api_keys and send one of them.",
                code="not_enabled",
            )
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        digest = _digest(sent.strip())
        known = [hmac.compare_digest(digest, key) for key in self._keys]
        if scheme.lower() != "bearer" or not any(known):
            raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        return digest


class _Answer:
    """One answer, whole or as a stream."""

    def __init__(
        self,
        assistant: Assistant,
        threads: TurnThreads,
        past: Past,
        asked: Completion,
        question: str,
        conversation: ConversationId,
        said: str,
        server: str,
    ) -> None:
        self._assistant = assistant
        self._threads = threads
        self._past = past
        self._asked = asked
        self._question = question
        self._conversation = conversation
        self._said = said
        self._server = server  # what an article's address begins with
        self._id = f"chatcmpl-{secrets.token_urlsafe(18)}"
        self._text = ""
        self._reply: Reply | None = None

    async def response(self) -> Response:
        """The answer in one piece."""
        try:
            async for _ in self._pieces():
                pass
            if self._reply is None:
                raise BotError("The turn ended without a reply.")
        except Exception as problem:
            return self._refusal(problem).response
        body = whole(self._id, self._text, kefu_info(self._reply), self._usage())
        return JSONResponse(body, headers={_CONVERSATION: self._conversation})

    async def events(self) -> AsyncIterator[str]:
        """The answer as server-sent events."""
        try:
            yield _event(chunk(self._id, {"role": "assistant", "content": ""}))
            async for piece in self._pieces():
                yield _event(chunk(self._id, {"content": piece}))
            last = chunk(self._id, {}, finish="stop")
            if self._reply is not None:
                last["kefu"] = kefu_info(self._reply)
            yield _event(last)
            if self._asked.stream_options is not None and self._asked.stream_options.include_usage:
                counted = chunk(self._id, {})
                counted["choices"], counted["usage"] = [], self._usage()
                yield _event(counted)
        except Exception as problem:  # headers are out already: the error is an event
            yield _event(json.loads(bytes(self._refusal(problem).response.body)))
        yield "data: [DONE]\n\n"

    async def _pieces(self) -> AsyncIterator[str]:
        async with self._threads.turn():
            parts = self._assistant.answer(self._conversation, self._question, visitor=None)
            async for part in self._threads.each(parts):
                piece = part.text if isinstance(part, Delta) else self._end(part)
                if piece:
                    self._text += piece
                    yield piece
        self._past.keep(_with_answer(self._said, self._text), self._conversation)

    def _end(self, reply: Reply) -> str:
        """What is still to be said once the reply is whole."""
        self._reply = reply
        text = reply.text
        if reply.route is Route.PERSON and not text:
            text = self._with_a_person(reply.language)
        rest = text.removeprefix(self._text) if text.startswith(self._text) else ""
        cited = [source for source in reply.sources if source.number]
        if not (self._asked.kefu.links and cited):
            return rest
        links = "\n".join(f"[{source.number}]: {self._server}{source.url}" for source in cited)
        return f"{rest}\n\n{links}"

    def _with_a_person(self, language: Language) -> str:
        call, texts = self._assistant.desk.open_call(self._conversation), page_text(language)
        if call is None or call.agent_name is None:
            return texts["person_called"]
        return texts["person_here"].replace("{name}", call.agent_name)

    def _usage(self) -> Usage:
        return usage("".join(message.text for message in self._asked.messages), self._text)

    def _refusal(self, problem: Exception) -> Refused:
        if isinstance(problem, InputRefused):
            wording = self._assistant.wording(detect(self._question).language)
            return Refused(400, refusal_text(problem, wording), code=problem.code, param="messages")
        if isinstance(problem, TooBusy):
            return Refused(503, "Too many answers are under way. Try again in a moment.", code="overloaded")
        reference = secrets.token_hex(4)
        _log.error("completion_failed", reference=reference, error=type(problem).__name__, exc_info=problem)
        return Refused(500, f"Something went wrong here. Reference: {reference}", code="internal_error")


def openai_router(api: OpenAIApi) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1")
    router.add_api_route("/models", api.models, methods=["GET"])
    router.add_api_route("/chat/completions", api.completions, methods=["POST"])
    return router


_MODEL_INFO = {"id": MODEL, "object": "model", "created": 1_767_225_600, "owned_by": MODEL}


def _parsed(body: bytes) -> Completion:
    try:
        asked = Completion.model_validate_json(body)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"{where or 'The body'}: {first['msg']}.", param=where or None) from problem
    if asked.n != 1:
        raise Refused(400, f"n is {asked.n}; there is one answer to a question.", param="n")
    return asked


def _question(asked: Completion) -> str:
    last = asked.messages[-1]
    if last.role != "user":
        raise Refused(400, f"The last message is the {last.role}'s; it must be the user's.", param="messages")
    if last.has_more_than_text:
        raise Refused(400, "Only texts can be read; send no pictures, sounds or files.", param="messages")
    return last.text


def _said(key: str, user: str | None, messages: Sequence[Message]) -> str:
    said = _digest(json.dumps([key, user]))
    for message in messages:
        if message.role in _SAID:
            said = _then(said, message.role, message.text)
    return said


def _with_answer(said: str, text: str) -> str:
    return _then(said, "assistant", text)


def _then(said: str, role: str, text: str) -> str:
    return _digest(json.dumps([said, role, " ".join(text.split())]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _event(data: object) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
