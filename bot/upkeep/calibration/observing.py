"""Asks the judged questions again of today's content, index and model, and notes what no threshold decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from collections.abc import Generator as Stream
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from bot.answering.answerer import Said
from bot.answering.grounded import DECLINED
from bot.conversation import ConversationId, Decision, Language, Route, Turn
from bot.knowledge import PAST_TURNS, Knowledge
from bot.policy import Thresholds, decide
from bot.safety.redact import Redacted
from bot.stopwatch import Stopwatch
from bot.turns import Asked, turn_of
from bot.understanding.intents import normalise
from bot.upkeep.calibration.evidence import Evidence

_NOBODY = ConversationId("calibration")
_A_MOMENT = timedelta(minutes=1)  # between a customer's messages

T = TypeVar("T")


@dataclass(frozen=True)
class Observed:
    """A judged question with what was understood and found, and which article would answer it if the route is grounded.

    `article` is None if nothing was found; `declined` says that the model found no answer in what was found.
    """

    evidence: Evidence
    asked: Asked
    article: str | None
    declined: bool

    @property
    def language(self) -> Language:
        """The language that it is answered in, zh or en."""
        return self.asked.understanding.language.content

    def decide(self, thresholds: Thresholds) -> Decision:
        """The decision under other thresholds; one that the model declines goes another way, as when it serves."""
        intents = self.asked.serving
        first = decide(self.asked.understanding, self.asked.hits, self.asked.state, intents, thresholds)
        if first.route is Route.GROUNDED and self.declined:
            return decide(self.asked.understanding, (), self.asked.state, intents, thresholds)
        return first


def observe(
    evidence: Sequence[Evidence],
    knowledge: Knowledge,
    *,
    day: date,
    top_k: int,
    lowest: float,
    learned: Collection[str] = (),
    tick: Callable[[int], None] = lambda _: None,
) -> list[Observed]:
    """Ask every question. One that was learned letter for letter is left out: it says nothing of what customers write.

    Args:
        evidence: the questions.
        knowledge: what answers are made from.
        day: of validity.
        top_k: how many articles a search returns.
        lowest: threshold of grounded answers that may come into question; only what reaches it is written.
        learned: questions that the search learned from, as they are searched; the intents' examples are known besides.
        tick: told how many are done.
    """
    known = {normalise(text) for text in (*knowledge.reader.head.texts, *learned)}
    observed = []
    for number, each in enumerate(evidence):
        tick(number)
        found = _observe(each, known, knowledge, day, top_k, lowest)
        if found is not None:
            observed.append(found)
    tick(len(evidence))
    return observed


def _observe(
    evidence: Evidence, known: Collection[str], knowledge: Knowledge, day: date, top_k: int, lowest: float
) -> Observed | None:
    if normalise(evidence.text) in known:
        return None
    past = list(evidence.past)
    for message in evidence.context:
        asked = _ask(message, past, knowledge, day, top_k)
        past.append(_turn(*_finished(knowledge.answer(asked)), knowledge))
    asked = _ask(evidence.text, past, knowledge, day, top_k)
    if normalise(asked.understanding.question) in known:
        return None
    found = asked.hits[0].passage.article_id if asked.hits else None
    present = knowledge.thresholds.of(asked.understanding.language)
    wide = replace(present, template_score=1.0, grounded_score=lowest)  # grounded as far as possible
    decision = decide(asked.understanding, asked.hits, asked.state, asked.serving, wide)
    if decision.route is not Route.GROUNDED:
        return Observed(evidence, asked, found, declined=False)
    said = _finished(knowledge.answerer.say(decision, asked.as_question()))
    if said.generation == DECLINED or not said.sources:
        return Observed(evidence, asked, found, declined=True)
    return Observed(evidence, asked, said.sources[0].article_id, declined=False)


def _ask(message: str, past: Sequence[Turn], knowledge: Knowledge, day: date, top_k: int) -> Asked:
    """In the moment after the last turn, so that it counts as context."""
    at = past[-1].asked_at + _A_MOMENT if past else datetime.now(UTC)
    return knowledge.consider(
        message,
        past[-PAST_TURNS:],
        conversation=_NOBODY,
        at=at,
        day=day,
        top_k=top_k,
        watch=Stopwatch(),
    )


def _turn(asked: Asked, said: Said, knowledge: Knowledge) -> Turn:
    """The turn as it would be stored; nobody stores it, so that nothing needs to be masked."""
    thresholds = knowledge.thresholds.of(asked.understanding.language)
    return turn_of(asked, said, _unmasked, knowledge.provenance, thresholds, {})


def _unmasked(text: str) -> Redacted:
    return Redacted(text, {}, ())


def _finished(parts: Stream[str, None, T]) -> T:
    """What a stream of parts returns in the end."""
    while True:
        try:
            next(parts)
        except StopIteration as finished:
            value: T = finished.value
            return value
