"""`/channels/{name}`: the doors of messengers, each answered in the few seconds that it waits.

A messenger asks again if it hears nothing, under the same message id; that is the same turn, so it is asked once. If the
answer is not there in time, "we have it" is, and the answer is sent when it is ready.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from bot.channels.protocol import Challenge, Channel, ChannelRequest, ChannelResponse, InboundMessage
from bot.errors import ChannelRefused, ChannelUnreachable, StoreError, TooBusy
from bot.memory.channel_talks import ForUser, for_users, last_number
from bot.web.assistant import Assistant
from bot.web.channel_talks import ChannelTalks
from bot.web.threads import TurnThreads

_log = structlog.get_logger(__name__)
_MOST_REMEMBERED = 10_000
_PAUSES = (0.0, 1.0, 5.0)  # seconds before each try to send a message
_LOOK_SECONDS = 30.0


@dataclass
class _Turn:
    """One message's turn."""

    messages: asyncio.Task[list[str]]
    sent: bool = False  # by the API, or about to be


class ChannelDoors:
    """The messengers' requests. Runs in one event loop; turns run in threads."""

    def __init__(
        self, assistant: Assistant, channels: Sequence[Channel], talks: ChannelTalks, threads: TurnThreads
    ) -> None:
        """Open a door for each of `channels`."""
        self._assistant = assistant
        self._channels = {channel.name: channel for channel in channels}
        self._talks = talks
        self._threads = threads
        self._turns: OrderedDict[tuple[str, str], _Turn] = OrderedDict()
        self._sending: set[asyncio.Task[None]] = set()
        self._lines: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def receive(self, name: str, request: Request) -> Response:
        """Answer a messenger's request; 404 for one that the settings do not open, 403 for what is not its own."""
        channel = self._channels.get(name)
        if channel is None:
            return JSONResponse({"detail": "There is nothing here."}, 404)
        headers = {key.lower(): value for key, value in request.headers.items()}
        sent = ChannelRequest(request.method, dict(request.query_params), headers, await request.body())
        try:
            parsed = channel.parse(sent)
        except ChannelRefused as refused:
            _log.warning("channel_request_refused", channel=name, reason=str(refused))
            return JSONResponse({"detail": "This request cannot be trusted."}, 403)
        if isinstance(parsed, Challenge):
            return _response(parsed.response)
        return _response(await self._answer(channel, parsed))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what people say at the desk, as long as the block lasts; then close the messengers."""
        follower = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            for task in (follower, *self._sending):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for channel in self._channels.values():
                channel.close()

    async def _answer(self, channel: Channel, message: InboundMessage) -> ChannelResponse:
        turn = self._turn(channel, message)
        if not turn.sent and channel.patience_seconds > 0:
            await asyncio.wait({turn.messages}, timeout=channel.patience_seconds)
        if turn.sent:  # a request that came again while its answer is on its way
            return channel.answer(message, "")
        if turn.messages.done():
            first, *rest = turn.messages.result() or [""]
            if channel.can_send and rest:
                turn.sent = True
                self._send_later(channel, message.user, rest, message.reply_to)
            return channel.answer(message, first)
        if channel.can_send:
            turn.sent = True
            self._send_when_ready(channel, message, turn)
        return channel.answer(message, "")

    def _turn(self, channel: Channel, message: InboundMessage) -> _Turn:
        key = (channel.name, message.id or secrets.token_hex(8))
        known = self._turns.get(key)
        if known is None:
            known = self._turns[key] = _Turn(asyncio.create_task(self._messages(channel, message)))
            if len(self._turns) > _MOST_REMEMBERED:
                self._turns.popitem(last=False)
        return known

    async def _messages(self, channel: Channel, message: InboundMessage) -> list[str]:
        try:
            async with self._threads.turn():
                return await self._threads.run(lambda: self._talks.answer(channel, message))
        except TooBusy:
            _log.warning("channel_too_busy", channel=channel.name)
            return self._talks.apology(channel, message)

    def _send_when_ready(self, channel: Channel, message: InboundMessage, turn: _Turn) -> None:
        async def send() -> None:
            await self._send(channel, message.user, await turn.messages, message.reply_to)

        self._keep(asyncio.create_task(send()))

    def _send_later(self, channel: Channel, user: str, messages: Sequence[str], reply_to: str) -> None:
        self._keep(asyncio.create_task(self._send(channel, user, messages, reply_to)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, channel: Channel, user: str, messages: Sequence[str], reply_to: str) -> None:
        """Send a user messages, after those that are on their way to them."""
        line = self._lines.setdefault((channel.name, user), asyncio.Lock())
        async with line:
            await self._send_in_order(channel, user, messages, reply_to)

    async def _send_in_order(
        self, channel: Channel, user: str, messages: Sequence[str], reply_to: str
    ) -> None:
        for text in messages:
            for pause in _PAUSES:
                await asyncio.sleep(pause)
                # Where the talk's own address has run out, the user's own is left.
                way = reply_to if pause < _PAUSES[-1] else ""
                try:
                    await asyncio.to_thread(channel.send, user, text, way)
                    break
                except ChannelUnreachable as error:
                    _log.warning("channel_message_not_sent", channel=channel.name, reason=str(error))
            else:
                _log.error("channel_message_lost", channel=channel.name)
                return  # the next ones would come without their beginning

    async def _follow(self) -> None:
        after: int | None = None
        with self._assistant.desk.bell.listening() as listener:
            while True:
                try:
                    after = await self._send_news(after)
                except StoreError as error:
                    _log.error("channels_cannot_follow_the_desk", error=str(error))
                await listener.wait(_LOOK_SECONDS)

    async def _send_news(self, after: int | None) -> int:
        """Send what happened since; the number of the last event that was looked at."""

        def read() -> tuple[int, list[ForUser]]:
            with self._assistant.desk.log.reading() as log:
                if after is None:  # what happened before the start was sent then
                    return last_number(log), []
                return after, list(for_users(log, self._channels, after))

        number, news = await asyncio.to_thread(read)
        for what in news:
            channel = self._channels[what.channel]
            user, messages, reply_to = self._talks.said_at_the_desk(channel, what)
            self._send_later(channel, user, messages, reply_to)
            number = what.event.number
        return number


def channel_router(doors: ChannelDoors) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/channels")
    router.add_api_route("/{name}", doors.receive, methods=["GET", "POST"])
    return router


def _response(answer: ChannelResponse) -> Response:
    return Response(answer.body, media_type=answer.media_type)
