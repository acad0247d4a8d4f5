"""Talks with users of messengers: which conversation is whose, one turn in it, and what a person at the desk says.

A user is a visitor who needs no cookie: the messenger vouches for them. Their conversation goes on until they were silent
for long; the log knows them by a hash as visitor and, so that a person's words find them, by the messenger's id.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bot.channels.plain_text import in_messages, plain_text, with_options, without_citations
from bot.channels.protocol import Channel, InboundMessage, Kind
from bot.conversation import ConversationId, Delta, Language, Reply, VisitorId
from bot.errors import InputRefused
from bot.memory.calls import DeskEventKind
from bot.memory.channel_talks import ForUser, last_talk
from bot.memory.visits import Customer
from bot.understanding.language import detect
from bot.web.assistant import Assistant
from bot.web.page_text import happened, page_text, refusal_text

_log = structlog.get_logger(__name__)
_MOST_REMEMBERED = 10_000


class ChannelTalks:
    """The talks on all messengers. Safe to share between threads."""

    def __init__(
        self,
        assistant: Assistant,
        *,
        idle: timedelta,
        per_minute: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Answer by `assistant`.

        Args:
            assistant: who answers.
            idle: after so long a silence a new conversation begins.
            per_minute: how many messages of one user are answered.
            now: the clock.
        """
        self._assistant = assistant
        self._idle = idle
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._now = now
        self._reply_to: OrderedDict[ConversationId, str] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, channel: Channel, message: InboundMessage) -> list[str]:
        """What to tell the user, in messages; nothing while a person has the talk."""
        language = detect(message.text).language if message.text else Language.ZH
        wording = self._assistant.wording(language)
        if message.kind is Kind.GREETING:
            return _fit(channel, str(wording["greeting"]))
        if message.kind is Kind.OTHER:
            return _fit(channel, page_text(language)["only_text"])
        if not self._limiter.hit(self._limit, f"{channel.name}:{message.user}"):
            return _fit(channel, str(wording["too_fast"]))
        try:
            return self._turn(channel, message)
        except InputRefused as refusal:
            return _fit(channel, refusal_text(refusal, wording))
        except Exception as error:  # the edge: a user never sees what broke
            reference = secrets.token_hex(4)
            _log.exception(
                "channel_turn_failed", channel=channel.name, reference=reference, error=type(error).__name__
            )
            return _fit(channel, f"{wording['technical_problem']} ({reference})")

    def apology(self, channel: Channel, message: InboundMessage) -> list[str]:
        """What to tell a user whose message cannot be answered now."""
        wording = self._assistant.wording(detect(message.text).language)
        return _fit(channel, str(wording["technical_problem"]))

    def said_at_the_desk(self, channel: Channel, what: ForUser) -> tuple[str, list[str], str]:
        """The user who is to hear of it, the messages, and what the messenger wants back with them."""
        event = what.event
        text = event.text if event.kind is DeskEventKind.PERSON else happened(event, what.language)
        with self._lock:
            reply_to = self._reply_to.get(event.conversation_id, "")
        return what.user_id.removeprefix(f"{channel.name}:"), _fit(channel, text), reply_to

    def _turn(self, channel: Channel, message: InboundMessage) -> list[str]:
        visitor = visitor_on(channel, message.user)
        conversation = self._conversation(channel, message.user, visitor)
        with self._lock:
            self._reply_to[conversation] = message.reply_to
            self._reply_to.move_to_end(conversation)
            if len(self._reply_to) > _MOST_REMEMBERED:
                self._reply_to.popitem(last=False)
        parts = self._assistant.answer(conversation, message.text, visitor=visitor)
        reply = _last(parts)
        return [] if reply is None or not reply.text else _fit(channel, reply.text, reply)

    def _conversation(self, channel: Channel, user: str, visitor: VisitorId) -> ConversationId:
        with self._assistant.desk.log.reading() as log:
            last = last_talk(log, visitor, channel.name)
        if last is not None and (
            self._now() - last.at < self._idle
            or self._assistant.desk.open_call(last.conversation_id) is not None
        ):
            return last.conversation_id
        conversation = self._assistant.open_conversation(visitor, channel=channel.name)
        customer = Customer(f"{channel.name}:{user}", "")
        self._assistant.identify(conversation, customer, visitor=visitor)
        return conversation


def visitor_on(channel: Channel, user: str) -> VisitorId:
    """The user as a visitor."""
    return VisitorId(hashlib.sha256(f"{channel.name}:{user}".encode()).hexdigest()[:32])


def _last(parts: Iterator[Delta | Reply]) -> Reply | None:
    found = None
    for part in parts:
        if isinstance(part, Reply):
            found = part
    return found


def _fit(channel: Channel, text: str, reply: Reply | None = None) -> list[str]:
    bare = without_citations(text)
    shown = bare if channel.reads_markdown else plain_text(bare)
    return in_messages(with_options(shown, () if reply is None else reply.options), channel.longest_bytes)
