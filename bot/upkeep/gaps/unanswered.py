"""Which turns of the log were not answered, and why: read once, in order of time, without a model.

A question back that led nowhere is one after which the customer pressed none of the buttons: they left, wrote something
else, or said that it was none of these. A fragment that the next message completed is read with that one, as the bot did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.answering.answerer import OFF_TOPIC
from bot.conversation import ConversationId, Language, Route, Turn, TurnId
from bot.memory.reading import LoggedTurn
from bot.policy import gave_up
from bot.turns import failed


class Why(StrEnum):
    """Why a turn counts as not answered; the value is what people read."""

    NO_ANSWER = "no answer"
    OFF_TOPIC = "off topic"
    LED_NOWHERE = "question back led nowhere"
    HANDED_OFF = "handed off after failures"
    VOTED_DOWN = "voted down"
    CORRECTED = "corrected"


_MAY_CLEAR_UP = (Why.NO_ANSWER, Why.OFF_TOPIC, Why.LED_NOWHERE)


@dataclass(frozen=True)
class UnansweredTurn:
    """A turn that was not answered, as far as it matters here. Texts are masked."""

    id: TurnId
    conversation: ConversationId
    asked_at: datetime  # UTC
    question: str  # as it was matched and searched
    language: Language
    why: Why
    answered_by: str | None = None  # "intent ID" or "article ID" that gave an answer nobody was content with
    correction: str | None = None  # the better answer that a person wrote


@dataclass(frozen=True)
class Failures:
    """Turns in which something broke, so that the customer got an apology: no gap in the knowledge."""

    turns: tuple[TurnId, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)  # what broke → how often
    last_at: datetime | None = None  # UTC


@dataclass(frozen=True)
class Unanswered:
    """What was not answered in a time, oldest first."""

    turns: tuple[UnansweredTurn, ...]
    failures: Failures


def read_unanswered(logged: Iterable[LoggedTurn], *, chosen: Collection[TurnId] = ()) -> Unanswered:
    """Choose the turns without an answer.

    Args:
        logged: turns in order of time, with what people said about them; read once, one at a time.
        chosen: turns that belong to a gap already. One that a person answered counts only if it is among them: somebody
            at the desk chose that answer.
    """
    broken: list[tuple[TurnId, str, datetime]] = []

    def whole() -> Iterator[LoggedTurn]:
        for each in logged:
            if failed(each.turn):
                broken.append((each.turn.id, each.turn.reason, each.turn.asked_at))
            elif each.turn.route is not Route.MERGED and (
                each.turn.route is not Route.PERSON or each.turn.id in chosen
            ):
                yield each

    turns = sorted(_chosen(whole()), key=lambda turn: turn.asked_at)
    return Unanswered(tuple(turns), _failures(broken))


def _chosen(logged: Iterable[LoggedTurn]) -> Iterator[UnansweredTurn]:
    """Unanswered turns; one that the next message may still clear up waits for it."""
    waiting: dict[ConversationId, UnansweredTurn] = {}
    asked_back: dict[ConversationId, Turn] = {}
    for each in logged:
        turn = each.turn
        before, buttons = waiting.pop(turn.conversation_id, None), asked_back.pop(turn.conversation_id, None)
        pressed = _pressed(buttons, turn)
        if before is not None and not _cleared_up(before, turn, pressed):
            yield before
        if pressed == "none" or (found := _read(each)) is None:
            continue
        if turn.route is Route.CLARIFY:
            asked_back[turn.conversation_id] = turn
        if found.why in _MAY_CLEAR_UP:
            waiting[turn.conversation_id] = found
        else:
            yield found
    yield from waiting.values()


def _pressed(buttons: Turn | None, turn: Turn) -> str | None:
    """Which button under a question back `turn` comes from: "one" of the intents, "none" of these, or no button."""
    if buttons is None or not buttons.options:
        return None
    *intents, none_of_these = (option.text for option in buttons.options)
    if turn.customer_text == none_of_these:
        return "none"
    return "one" if turn.customer_text in intents else None


def _cleared_up(before: UnansweredTurn, turn: Turn, pressed: str | None) -> bool:
    if pressed is not None:
        return pressed == "one"
    return before.question in turn.question and before.question not in turn.customer_text


def _read(each: LoggedTurn) -> UnansweredTurn | None:
    why = _why(each)
    if why is None:
        return None
    turn = each.turn
    return UnansweredTurn(
        id=turn.id,
        conversation=turn.conversation_id,
        asked_at=turn.asked_at,
        question=turn.question,
        language=turn.language,
        why=why,
        answered_by=_answered_by(turn),
        correction=None if each.correction is None else each.correction.text,
    )


def _why(each: LoggedTurn) -> Why | None:
    """What a person said counts before what the bot did."""
    turn = each.turn
    if each.correction is not None:
        return Why.CORRECTED
    if each.rating is not None and each.rating.value < 0:
        return Why.VOTED_DOWN
    if turn.route is Route.NO_ANSWER:
        return Why.OFF_TOPIC if turn.reason == OFF_TOPIC else Why.NO_ANSWER
    if turn.route is Route.CLARIFY:
        return Why.LED_NOWHERE
    if gave_up(turn):
        return Why.HANDED_OFF
    return None


def _answered_by(turn: Turn) -> str | None:
    if turn.route is Route.TEMPLATE and turn.intent is not None:
        return f"intent {turn.intent}"
    if turn.route is Route.GROUNDED and turn.sources:
        return f"article {turn.sources[0].article_id}"
    return None


def _failures(broken: Sequence[tuple[TurnId, str, datetime]]) -> Failures:
    return Failures(
        turns=tuple(turn for turn, _, _ in broken),
        kinds=dict(Counter(reason for _, reason, _ in broken)),
        last_at=max((at for _, _, at in broken), default=None),
    )
