"""A person's answer as a candidate for an approved one: a gap with that answer, as `kefu unanswered` lists and accepts it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.answering.facts import facts
from bot.conversation import Correction, Turn
from bot.desk.passport import plain
from bot.desk.suggestions import turn_in_question
from bot.desk.timeline import WholeTalk
from bot.errors import CallRefused
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.memory.gaps import StoredGap, choose_turn
from bot.memory.reading import title_of
from bot.memory.records import correction_record
from bot.memory.replay import insert_once
from retrieval.keywords import tokenize

_SAME = 0.6  # share of an answer's words that a template must have to say the same


@dataclass(frozen=True)
class Candidate:
    """A person's answer and the customer's turn that it answers."""

    turn: Turn
    event: DeskEvent


def candidate_of(whole: WholeTalk, number: int, calls_for_person: Collection[str]) -> Candidate:
    """What a person said under this number, with the last question before it.

    Raises:
        CallRefused: there is no such message, or nothing was asked before it.
    """
    event = next((each for each in whole.events if each.number == number), None)
    if event is None or event.kind is not DeskEventKind.PERSON:
        raise CallRefused(f"No person said anything under the number {number} in this talk. Load it again.")
    before = [turn for turn in whole.turns if turn.asked_at <= event.sent_at]
    turn = turn_in_question(before, calls_for_person)
    if turn is None:
        raise CallRefused("The customer asked for a person only, so there is no question that this answers.")
    return Candidate(turn, event)


def keep_candidate(log: Database, candidate: Candidate, answer: str, *, at: datetime) -> StoredGap:
    """Keep an answer as the correction of its turn, and the turn as a gap; in the caller's transaction.

    Args:
        log: the log, in a transaction.
        candidate: what is kept.
        answer: its text, masked.
        at: this moment, UTC.
    """
    insert_once(log, correction_record(Correction(candidate.turn.id, answer, candidate.event.name)))
    return choose_turn(log, candidate.turn.id, title_of(candidate.turn.question), at=at)


def said_already(answer: str, templates: Mapping[str, str]) -> str | None:
    """The intent whose template says what `answer` says: most of its words, and none of its numbers missing."""
    words, stated = set(tokenize(plain(answer))), facts(answer)
    if not words:
        return None
    shares = {
        intent: len(words.intersection(tokenize(plain(text)))) / len(words)
        for intent, text in templates.items()
        if not stated.missing_from(facts(text))
    }
    best = max(shares, key=lambda intent: shares[intent], default=None)
    return best if best is not None and shares[best] >= _SAME else None


def kept_candidates(log: Database, whole: WholeTalk, mask: Callable[[str], str]) -> dict[int, int]:
    """The numbers of messages that are candidates already, each with the number of its gap."""
    sql = (
        "SELECT c.text, g.gap FROM corrections AS c JOIN gap_turns AS g ON g.turn_id = c.turn_id"
        " JOIN turns AS t ON t.id = c.turn_id WHERE t.conversation_id = ?"
    )
    gaps = {row["text"]: int(row["gap"]) for row in log.query(sql, [whole.talk.id])}
    said = [event for event in whole.events if event.kind is DeskEventKind.PERSON]
    return {event.number: gaps[mask(event.text)] for event in said if mask(event.text) in gaps}
