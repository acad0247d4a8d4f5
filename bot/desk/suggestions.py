"""Replies that a person may send as they are or change: the approved wording, and what the articles say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.answering.answerer import Said
from bot.conversation import Route, Source, Turn

LEAST = 0.2  # probability from which an intent's wording, or an article, is worth a look


@dataclass(frozen=True)
class SuggestedReply:
    """A reply in the customer's language, Markdown, and on what it rests. `intent` is set for approved wording."""

    text: str
    sources: tuple[Source, ...]
    intent: str | None = None


def turn_in_question(turns: Sequence[Turn], calls_for_person: Collection[str]) -> Turn | None:
    """The customer's last turn that says what they want; None if all only asked for a person, or there is none."""
    for turn in reversed(turns):
        best = turn.intents[0] if turn.intents else None
        only_a_call = best is not None and best.intent in calls_for_person and best.score >= LEAST
        if turn.route is not Route.MERGED and turn.intent not in calls_for_person and not only_a_call:
            return turn
    return None


def likely_intent(turn: Turn, known: Collection[str], calls_for_person: Collection[str]) -> str | None:
    """The intent whose wording may answer a turn, likely or not so likely; None if none comes near."""
    for scored in turn.intents:
        if scored.score < LEAST:
            return None
        if scored.intent in known and scored.intent not in calls_for_person:
            return scored.intent
    return None


def suggested(approved: Said | None, intent: str | None, quoted: Said | None) -> tuple[SuggestedReply, ...]:
    """Up to two different replies, the approved wording first."""
    found = []
    if approved is not None:
        found.append(SuggestedReply(approved.text, approved.sources, intent))
    if quoted is not None and (approved is None or quoted.text != approved.text):
        found.append(SuggestedReply(quoted.text, quoted.sources))
    return tuple(found)
