"""The desk of one Kefu: who waits for a person, who has which talk, and what is said there.

The rule that customers of every chatbot ask for: from the moment that a person takes a talk until they return or close
it, the bot says nothing. `holds` is what the bot asks before each part of an answer, so it is read from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.conversation import ConversationId, Language, TurnId
from bot.desk.bell import Bell
from bot.desk.hours import Hours
from bot.desk.open_calls import OpenCalls
from bot.desk.presence import Presence
from bot.desk.webhooks import Announce, WebhookEvent, announce_nothing
from bot.errors import CallRefused, StoreError
from bot.memory import calls, visits
from bot.memory.calls import Call, CallReason, CallState, DeskEvent, DeskEventKind
from bot.memory.shared_log import SharedLog
from bot.memory.staff import Staff, StaffId
from bot.memory.visits import Customer

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Desk:
    """Calls for a person, in order. Safe to share between threads; every change is on disk when a method returns."""

    def __init__(
        self,
        path: Path,
        hours: Hours,
        mask: Callable[[str], str],
        *,
        learn: Callable[[Sequence[DeskEvent]], None] = lambda _: None,
        announce: Announce = announce_nothing,
        silent_while_waiting: bool = False,
        idle: timedelta = timedelta(minutes=30),
        forgotten: timedelta = timedelta(days=7),
        now: Clock = utc_now,
    ) -> None:
        """Open the desk on the log at `path`.

        Args:
            path: the log's file.
            hours: when people should be there.
            mask: masks personal data; what was said is masked by it when a call ends.
            learn: gets what was said in a call that has ended, masked.
            announce: tells other programs that a person was called.
            silent_while_waiting: whether the bot is silent as soon as a person was called, before one came.
            idle: after so long without a word from a person whose console is closed, the bot answers again.
            forgotten: a call for which nobody came for so long ends: what was said must not lie unmasked for ever.
            now: the clock.
        """
        self.hours = hours
        self.bell = Bell()
        self._shared = SharedLog(path)
        self.mask = mask
        self._learn = learn
        self._announce = announce
        self._silent_while_waiting = silent_while_waiting
        self._idle = idle
        self._now = now
        self._forgotten = forgotten
        self._open = OpenCalls(self._shared)
        self._presence = Presence(now)

    # -- what the bot asks and says

    def holds(self, conversation: ConversationId) -> bool:
        """Whether the bot must be silent in this conversation now."""
        try:
            call = self.open_call(conversation)
        except StoreError as error:  # a log that cannot be read must not keep a customer without an answer
            _log.error("desk_unreadable", error=str(error))
            return False
        if call is None:
            return False
        if call.state is CallState.WAITING:
            return self._silent_while_waiting
        if self._presence.gone(call, self._idle):
            self._end(call, CallState.RETURNED, outcome="")
            return False
        return True

    def call(
        self, conversation: ConversationId, reason: CallReason, *, detail: str = "", language: Language
    ) -> Call:
        """Call a person into a conversation; if one was called already, that call.

        Raises:
            StoreError: it cannot be noted.
        """
        now = self._now()
        self.queue()  # ends what was forgotten
        with self._shared.writing() as log:
            call = calls.begin_call(log, conversation, reason, detail=detail, language=language, at=now)
        self._keep(call)
        self._tell_of(call, now)
        return call

    def hear(self, conversation: ConversationId, text: str, turn_id: TurnId | None = None) -> None:
        """Note what the customer says while a call is open; the person reads it as it was written.

        Who looks at the talk hears of it, call or not.
        """
        call = self.open_call(conversation)
        if call is None:
            self.bell.ring(conversation)
            return
        with self._shared.writing() as log:
            calls.add_event(
                log, call, DeskEventKind.CUSTOMER, name="", text=text, at=self._now(), turn_id=turn_id
            )
        self.bell.ring(conversation)

    def leave_contact(self, conversation: ConversationId, contact: str, *, language: Language) -> Call:
        """Note how the customer can be reached, in the open call or a new one.

        Raises:
            StoreError: it cannot be noted.
        """
        now = self._now()
        with self._shared.writing() as log:
            call = calls.begin_call(
                log, conversation, CallReason.CONTACT, detail="", language=language, at=now
            )
            calls.keep_contact(log, call, contact)
        self._tell_of(call, now)
        return self._read_again(conversation) or call

    def note_page(self, conversation: ConversationId, page: str, title: str) -> None:
        """Note on which page of a site the customer is; an address that is none is left out."""
        address = visits.bare_page(page)
        if address:
            with self._shared.writing() as log:
                visits.note_visit(log, conversation, address, title, at=self._now())

    def identify(self, conversation: ConversationId, customer: Customer) -> None:
        """Note whose conversation it is."""
        with self._shared.writing() as log:
            visits.identify(log, conversation, customer, at=self._now())

    def conversations_of(self, customer_id: str) -> list[ConversationId]:
        """The conversations of a user that a site vouches for, the latest first."""
        with self._shared.reading() as log:
            return visits.conversations_of_customer(log, customer_id)

    # -- what people do

    def take(self, conversation: ConversationId, staff: Staff, *, language: Language = Language.ZH) -> Call:
        """Take a talk, whether a person was called or not; the bot is silent from now on.

        Raises:
            CallRefused: somebody else has it.
        """
        now = self._now()
        with self._shared.writing() as log:
            calls.begin_call(log, conversation, CallReason.AGENT, detail="", language=language, at=now)
            call = calls.give_to(log, conversation, staff, at=now)
        self._presence.speak(conversation, staff.id)
        self._keep(call)
        return call

    def reply(self, conversation: ConversationId, staff: Staff, text: str) -> DeskEvent:
        """Say something to the customer.

        Raises:
            CallRefused: this person does not have the talk.
        """
        with self._shared.writing() as log:
            call = calls.held_call(log, conversation, staff.id)
            event = calls.add_event(
                log, call, DeskEventKind.PERSON, name=staff.name, text=text, at=self._now()
            )
        self._presence.speak(conversation, staff.id)
        self.bell.ring(conversation)
        return event

    def give_back(self, conversation: ConversationId, staff: Staff) -> None:
        """Return a talk to the bot.

        Raises:
            CallRefused: this person does not have it.
        """
        self._end(self._held(conversation, staff), CallState.RETURNED, outcome="")

    def close_call(self, conversation: ConversationId, staff: Staff, outcome: str = "") -> None:
        """Close a talk: what the customer wanted is done. The bot answers what comes next.

        Raises:
            CallRefused: somebody else has it, or nobody called.
        """
        call = self.open_call(conversation)
        if call is None or (call.state is CallState.TAKEN and call.agent != staff.id):
            raise CallRefused("This talk is not yours to close: it has ended, or somebody else has it.")
        self._end(call, CallState.CLOSED, outcome=outcome)

    def attend(self, staff: StaffId, *, available: bool) -> None:
        """Note that somebody's console is open, and whether they take talks now."""
        self._presence.attend(staff, available=available)

    # -- what there is to see

    def open_call(self, conversation: ConversationId) -> Call | None:
        """The conversation's open call, or None."""
        call = self._open.of(conversation)
        return None if call is not None and self._ended_as_forgotten(call) else call

    def queue(self) -> list[Call]:
        """Every open call, the one that has waited longest first."""
        waiting = [call for call in self._open.all() if not self._ended_as_forgotten(call)]
        return sorted(waiting, key=lambda call: call.called_at)

    def events(self, conversation: ConversationId, after: int = 0) -> list[DeskEvent]:
        """What happened in a conversation's calls after the event of that number, oldest first."""
        with self._shared.reading() as log:
            return calls.events_after(log, conversation, after)

    async def follow(
        self, conversation: ConversationId, after: int = 0, *, heartbeat: float = 15.0
    ) -> AsyncIterator[DeskEvent | None]:
        """Each event after that number, as it happens; None when nothing did for `heartbeat` seconds. Never ends."""
        with self.bell.listening(conversation) as listener:
            while True:
                for event in await asyncio.to_thread(self.events, conversation, after):
                    after = event.number
                    yield event
                if not await listener.wait(heartbeat):
                    yield None

    def staffed(self) -> bool:
        """Whether somebody is there who takes talks: within opening hours, with an open console."""
        return self._presence.somebody() and self.hours.is_open(self._now())

    @property
    def log(self) -> SharedLog:
        """The log, for what reads more of it than the desk does."""
        return self._shared

    def close(self) -> None:
        """Close the desk's connection to the log."""
        self._shared.close()

    # -- how

    def _tell_of(self, call: Call, now: datetime) -> None:
        if call.called_at == now:  # an older one was told of when it was made
            data = {"conversation_id": call.conversation_id, "call_id": call.id, "reason": call.reason.value}
            self._announce(WebhookEvent.HANDOFF, {**data, "language": call.language.value})

    def _held(self, conversation: ConversationId, staff: Staff) -> Call:
        with self._shared.reading() as log:
            return calls.held_call(log, conversation, staff.id)

    def _end(self, call: Call, state: CallState, *, outcome: str) -> None:
        with self._shared.writing() as log:
            if calls.open_call(log, call.conversation_id) is None:
                return  # another thread ended it
            calls.end_call(log, call, state, outcome=outcome, at=self._now(), mask=self.mask)
            said = calls.events_of(log, call)
        self._open.drop(call.conversation_id)
        self._presence.leave(call.conversation_id)
        self.bell.ring(call.conversation_id)
        self._learn(said)

    def _ended_as_forgotten(self, call: Call) -> bool:
        if not self._presence.gone(call, self._forgotten):
            return False
        self._end(call, CallState.CLOSED, outcome="")
        return True

    def _keep(self, call: Call) -> None:
        self._open.keep(call)
        self.bell.ring(call.conversation_id)

    def _read_again(self, conversation: ConversationId) -> Call | None:
        with self._shared.reading() as log:
            call = calls.open_call(log, conversation)
        if call is not None:
            self._keep(call)
        return call
