"""Calls for a person in the log: who asked for one, who took the talk, and what was said while a person had it.

A call begins when a customer needs a person and ends when that person returns the talk to Kefu or closes it. Of one
conversation at most one call is open; a unique index of the log holds that, so two agents cannot both take a talk.

What is said to a person is kept as it was written while the call is open, because a person cannot help someone whose
telephone number reads "<phone>"; when the call ends, every text of it is masked where it lies.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from sqlite_utils import Database

from bot.conversation import ConversationId, Language, TurnId
from bot.errors import CallRefused
from bot.memory.records import Row, stamp
from bot.memory.staff import Staff, StaffId

CallId = NewType("CallId", str)


class CallState(StrEnum):
    """Where a call stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    RETURNED = "returned"  # to Kefu, which answers again
    CLOSED = "closed"


class CallReason(StrEnum):
    """Why a person was called."""

    ASKED = "asked"  # the customer asked for one
    RULE = "rule"  # the intent says so
    WORD = "word"  # the customer wrote a word of the team's list
    FAILURES = "failures"  # several turns without an answer
    AGENT = "agent"  # a person took the talk unasked
    CONTACT = "contact"  # nobody was there; the customer left word


class DeskEventKind(StrEnum):
    """What happened in a talk that a person has."""

    CUSTOMER = "customer"  # the customer said something
    PERSON = "person"  # the person said something
    JOINED = "joined"  # a person took the talk
    LEFT = "left"  # Kefu answers again
    CLOSED = "closed"


@dataclass(frozen=True)
class Call:
    """A call for a person."""

    id: CallId
    conversation_id: ConversationId
    state: CallState
    reason: CallReason
    detail: str  # the intent or the word that calls a person
    language: Language
    called_at: datetime  # UTC
    taken_at: datetime | None
    agent: StaffId | None
    agent_name: str | None  # as customers see it
    ended_at: datetime | None
    contact: str  # how to reach the customer; empty once the call has ended
    outcome: str  # what the person wrote when closing

    @property
    def open(self) -> bool:
        """Whether it waits for a person or is in one's hands."""
        return self.state in (CallState.WAITING, CallState.TAKEN)


@dataclass(frozen=True)
class DeskEvent:
    """Something that happened in a talk. `number` grows from event to event: ask for what came after one."""

    number: int
    id: str
    conversation_id: ConversationId
    kind: DeskEventKind
    name: str  # of the person, as the customer sees it; "" for the customer
    text: str
    turn_id: TurnId | None
    sent_at: datetime  # UTC


_OPEN = "state IN ('waiting', 'taken')"
_CALLS = "SELECT c.*, s.name AS agent_name FROM calls AS c LEFT JOIN staff AS s ON s.id = c.agent"


def open_call(log: Database, conversation: ConversationId) -> Call | None:
    """The conversation's open call, or None."""
    row = next(log.query(f"{_CALLS} WHERE c.conversation_id = ? AND {_OPEN}", [conversation]), None)
    return None if row is None else _call(row)


def open_calls(log: Database) -> list[Call]:
    """Every open call, the one that has waited longest first."""
    return [_call(row) for row in log.query(f"{_CALLS} WHERE {_OPEN} ORDER BY c.called_at")]


def calls_between(log: Database, since: datetime, until: datetime) -> list[Call]:
    """Calls that were made from `since` up to `until`, oldest first."""
    sql = f"{_CALLS} WHERE c.called_at >= ? AND c.called_at < ? ORDER BY c.called_at"
    return [_call(row) for row in log.query(sql, [stamp(since), stamp(until)])]


def calls_of(log: Database, conversation: ConversationId) -> list[Call]:
    """All calls of a conversation, oldest first."""
    sql = f"{_CALLS} WHERE c.conversation_id = ? ORDER BY c.called_at"
    return [_call(row) for row in log.query(sql, [conversation])]


def begin_call(
    log: Database,
    conversation: ConversationId,
    reason: CallReason,
    *,
    detail: str,
    language: Language,
    at: datetime,
) -> Call:
    """The conversation's open call; a new one, waiting, if there is none."""
    found = open_call(log, conversation)
    if found is not None:
        return found
    log.conn.execute(
        "INSERT INTO calls (id, conversation_id, state, reason, detail, language, called_at, contact, outcome)"
        " VALUES (?, ?, 'waiting', ?, ?, ?, ?, '', '')",
        [secrets.token_urlsafe(12), conversation, reason.value, detail, language.value, stamp(at)],
    )
    return _opened(log, conversation)


def give_to(log: Database, conversation: ConversationId, staff: Staff, *, at: datetime) -> Call:
    """Put a waiting call into the hands of a member of staff.

    Raises:
        CallRefused: somebody else has it.
    """
    call = _opened(log, conversation)
    if call.state is CallState.TAKEN and call.agent != staff.id:
        raise CallRefused(f"{call.agent_name} has taken this talk already. Take another one, or ask them.")
    if call.state is CallState.WAITING:
        log.conn.execute(
            "UPDATE calls SET state = 'taken', agent = ?, taken_at = ? WHERE id = ?",
            [staff.id, stamp(at), call.id],
        )
        add_event(log, call, DeskEventKind.JOINED, name=staff.name, text="", at=at)
    return _opened(log, conversation)


def held_call(log: Database, conversation: ConversationId, staff: StaffId) -> Call:
    """The conversation's call, if this member of staff has it.

    Raises:
        CallRefused: they do not.
    """
    call = open_call(log, conversation)
    if call is None or call.state is not CallState.TAKEN:
        raise CallRefused("Nobody has taken this talk, or it has ended. Take it first.")
    if call.agent != staff:
        raise CallRefused(f"{call.agent_name} has this talk. Ask them to return it first.")
    return call


def end_call(
    log: Database, call: Call, state: CallState, *, outcome: str, at: datetime, mask: Callable[[str], str]
) -> None:
    """End an open call; every text of it is masked where it lies, and the contact goes."""
    kind = DeskEventKind.CLOSED if state is CallState.CLOSED else DeskEventKind.LEFT
    add_event(log, call, kind, name=call.agent_name or "", text="", at=at)
    texts = [
        (mask(row["text"]), row["number"])
        for row in log.query("SELECT number, text FROM call_events WHERE call_id = ?", [call.id])
    ]
    log.conn.executemany("UPDATE call_events SET text = ? WHERE number = ?", texts)
    log.conn.execute(
        "UPDATE calls SET state = ?, ended_at = ?, contact = '', outcome = ? WHERE id = ?",
        [state.value, stamp(at), mask(outcome), call.id],
    )


def keep_contact(log: Database, call: Call, contact: str) -> None:
    """Note how the customer of an open call can be reached."""
    log.conn.execute("UPDATE calls SET contact = ? WHERE id = ?", [contact, call.id])


def add_event(
    log: Database,
    call: Call,
    kind: DeskEventKind,
    *,
    name: str,
    text: str,
    at: datetime,
    turn_id: TurnId | None = None,
) -> DeskEvent:
    """Note what happened in a call."""
    event_id = secrets.token_urlsafe(12)
    cursor = log.conn.execute(
        "INSERT INTO call_events (id, call_id, conversation_id, kind, name, text, turn_id, sent_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [event_id, call.id, call.conversation_id, kind.value, name, text, turn_id, stamp(at)],
    )
    number = int(cursor.lastrowid or 0)
    return DeskEvent(number, event_id, call.conversation_id, kind, name, text, turn_id, at)


def events_after(log: Database, conversation: ConversationId, number: int) -> list[DeskEvent]:
    """What happened in a conversation's calls after the event `number`, oldest first."""
    sql = "SELECT * FROM call_events WHERE conversation_id = ? AND number > ? ORDER BY number"
    return [_event(row) for row in log.query(sql, [conversation, number])]


def events_of(log: Database, call: Call) -> list[DeskEvent]:
    """What happened in one call, oldest first."""
    return [
        _event(row)
        for row in log.query("SELECT * FROM call_events WHERE call_id = ? ORDER BY number", [call.id])
    ]


def _opened(log: Database, conversation: ConversationId) -> Call:
    call = open_call(log, conversation)
    if call is None:
        raise CallRefused("Nobody waits for a person in this talk, or it has ended meanwhile.")
    return call


def _call(row: Row) -> Call:
    return Call(
        id=CallId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        state=CallState(row["state"]),
        reason=CallReason(row["reason"]),
        detail=row["detail"],
        language=Language(row["language"]),
        called_at=datetime.fromisoformat(row["called_at"]),
        taken_at=_moment(row["taken_at"]),
        agent=None if row["agent"] is None else StaffId(row["agent"]),
        agent_name=row["agent_name"],
        ended_at=_moment(row["ended_at"]),
        contact=row["contact"],
        outcome=row["outcome"],
    )


def _event(row: Row) -> DeskEvent:
    return DeskEvent(
        number=row["number"],
        id=row["id"],
        conversation_id=ConversationId(row["conversation_id"]),
        kind=DeskEventKind(row["kind"]),
        name=row["name"],
        text=row["text"],
        turn_id=None if row["turn_id"] is None else TurnId(row["turn_id"]),
        sent_at=datetime.fromisoformat(row["sent_at"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
