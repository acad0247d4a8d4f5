"""A talk as people read it: what the customer, Kefu and people said, in the order that it was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import ConversationId, Rating, Turn, TurnId
from bot.memory.calls import Call, DeskEvent, DeskEventKind, calls_of, events_after
from bot.memory.reading import last_rating, turns_of
from bot.memory.talks import Talk, talk
from bot.memory.uploads import Upload, uploads_of


@dataclass(frozen=True)
class Entry:
    """One thing that was said or happened.

    A turn of Kefu's has `turn`, what happened at the desk has `event`; the customer's words that a person was there to
    hear have both, and `text` is then as it was written while the call is open.
    """

    at: datetime  # UTC
    text: str  # of the customer or the person; "" for what happened without words
    turn: Turn | None = None
    event: DeskEvent | None = None
    rating: Rating | None = None

    @property
    def key(self) -> str:
        """Tells it from the others of the talk."""
        return self.turn.id if self.turn is not None else f"event-{self.event.number if self.event else ''}"


@dataclass(frozen=True)
class WholeTalk:
    """Everything that the log holds of a conversation, for people of the team."""

    talk: Talk
    turns: tuple[Turn, ...]
    events: tuple[DeskEvent, ...]
    calls: tuple[Call, ...]  # oldest first
    ratings: Mapping[TurnId, Rating]
    uploads: tuple[Upload, ...]  # files that the customer sent, oldest first


def read_talk(log: Database, conversation: ConversationId) -> WholeTalk | None:
    """A conversation with all that happened in it; None if there is none."""
    found = talk(log, conversation)
    if found is None:
        return None
    turns = tuple(turns_of(log, conversation, last=None))
    ratings = [rating for turn in turns if (rating := last_rating(log, turn.id)) is not None]
    return WholeTalk(
        talk=found,
        turns=turns,
        events=tuple(events_after(log, conversation, 0)),
        calls=tuple(calls_of(log, conversation)),
        ratings={rating.turn_id: rating for rating in ratings},
        uploads=tuple(uploads_of(log, conversation)),
    )


def timeline(whole: WholeTalk) -> tuple[Entry, ...]:
    """Turns and what happened at the desk, oldest first; the customer's words once, though both hold them."""
    heard = {
        event.turn_id: event
        for event in whole.events
        if event.kind is DeskEventKind.CUSTOMER and event.turn_id is not None
    }
    turns = [
        Entry(
            at=turn.asked_at,
            text=heard[turn.id].text if turn.id in heard else turn.customer_text,
            turn=turn,
            event=heard.get(turn.id),
            rating=whole.ratings.get(turn.id),
        )
        for turn in whole.turns
    ]
    known = {turn.id for turn in whole.turns}
    others = [
        Entry(at=event.sent_at, text=event.text, event=event)
        for event in whole.events
        if event.turn_id is None or event.turn_id not in known
    ]
    return tuple(sorted([*turns, *others], key=lambda entry: entry.at))


def customer_words(entries: Sequence[Entry]) -> list[tuple[datetime, str]]:
    """What the customer wrote and when, oldest first."""
    return [
        (entry.at, entry.text)
        for entry in entries
        if entry.turn is not None or (entry.event is not None and entry.event.kind is DeskEventKind.CUSTOMER)
    ]
