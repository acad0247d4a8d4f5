"""How a turn becomes its record: everything that decided it, with personal data masked, and the reply beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.answering import presentation
from bot.answering.answerer import Question, Said
from bot.answering.prompt import PromptMessage
from bot.content import Intent
from bot.conversation import (
    ConversationId,
    Decision,
    Language,
    Option,
    Provenance,
    Reply,
    Route,
    Source,
    Turn,
    TurnId,
    Understanding,
)
from bot.memory.calls import CallReason
from bot.policy import DialogState, Thresholds, calling_word, word_flags
from bot.safety.injection import suspicious
from bot.safety.redact import Redacted
from bot.understanding.language import detect, to_traditional
from bot.understanding.slots import values
from retrieval.documents import Hit

Redact = Callable[[str], Redacted]  # masks personal data

ABANDONED = "abandoned"  # flag of a turn whose customer left before the answer was complete
TAKEN_OVER = "taken_over"  # flag of a turn during whose answer a person took the talk
_HISTORY_TURNS = 2  # what the model reads of the conversation
_BROKE = "error: "  # how the reason of a turn that failed begins


@dataclass(frozen=True)
class Asked:
    """The first half of a turn: what came in, what was found for it, and what was decided."""

    conversation: ConversationId
    at: datetime  # UTC
    text: str  # as the customer wrote it
    understanding: Understanding
    hits: tuple[Hit, ...]
    decision: Decision
    state: DialogState
    slots: Mapping[str, str]
    history: tuple[PromptMessage, ...] = ()
    serving: Mapping[str, Intent] = field(default_factory=dict)  # the intents whose answers hold that day

    def as_question(self) -> Question:
        """What the answerer needs of it."""
        return Question(
            text=self.understanding.question,
            language=self.understanding.language,
            hits=self.hits,
            score=self.understanding.score,
            slots=self.slots,
            history=self.history,
        )


def merged(asked: Asked) -> Asked:
    """The same message, to be answered together with the one that followed it."""
    return replace(asked, decision=Decision(Route.MERGED, "a newer message took it over"), hits=())


def left_to_person(asked: Asked) -> Asked:
    """The same message, left to the person who has the talk."""
    return replace(asked, decision=Decision(Route.PERSON, "a person has the talk"))


def call_reason(turn: Turn, asking: Collection[str]) -> CallReason:
    """Why a turn calls a person: a word, too many turns without an answer, an intent that asks for one, or a rule."""
    if calling_word(turn) is not None:
        return CallReason.WORD
    if turn.intent is None:
        return CallReason.FAILURES
    return CallReason.ASKED if turn.intent in asking else CallReason.RULE


def broken(asked: Asked | None, conversation: ConversationId, text: str, error: Exception) -> Asked:
    """The same message as a turn that failed; `asked` is None if it failed before it was understood."""
    decision = Decision(Route.NO_ANSWER, f"{_BROKE}{type(error).__name__}", offer_person=True)
    if asked is not None:
        return replace(asked, decision=decision)
    detected = detect(text)
    nothing = Understanding(
        question=text, language=detected.language, mixed=detected.mixed, intents=(), in_scope=0.0
    )
    return Asked(conversation, datetime.now(UTC), text, nothing, (), decision, DialogState(), {})


def failed(turn: Turn) -> bool:
    """Whether something broke in this turn, so that the customer got an apology instead of an answer."""
    return turn.reason.startswith(_BROKE)


def prompt_history(past: Sequence[Turn]) -> tuple[PromptMessage, ...]:
    """The last answered turns as the model reads them, oldest first."""
    answered = [turn for turn in past if turn.route in (Route.TEMPLATE, Route.GROUNDED)]
    return tuple(
        message
        for turn in answered[-_HISTORY_TURNS:]
        for message in (PromptMessage("user", turn.customer_text), PromptMessage("assistant", turn.answer))
    )


def turn_of(
    asked: Asked,
    said: Said,
    redact: Redact,
    provenance: Provenance,
    thresholds: Thresholds,
    timings_ms: Mapping[str, float],
    flags: tuple[str, ...] = (),
) -> Turn:
    """The record of a turn. Personal data is masked here, before anything is stored."""
    understanding, decision, language = asked.understanding, asked.decision, asked.understanding.language
    customer = redact(asked.text)
    slots = {name: redact(value).text for name, value in values(understanding.slots).items()}
    return Turn(
        id=TurnId(secrets.token_urlsafe(16)),
        conversation_id=asked.conversation,
        asked_at=asked.at,
        customer_text=customer.text,
        question=redact(understanding.question).text,
        answer=in_script(redact(said.text).text, language),
        language=language,
        mixed=understanding.mixed,
        route=decision.route,
        reason=decision.reason,
        intent=decision.intent,
        score=understanding.score,
        margin=understanding.margin,
        in_scope=understanding.in_scope,
        thresholds=thresholds.as_mapping(),
        intents=understanding.intents,
        slots=slots,
        missing_slot=decision.missing_slot,
        options=tuple(
            Option(in_script(o.label, language), in_script(o.text, language)) for o in said.options
        ),
        actions=presentation.actions(decision),
        passages=presentation.passages_used(asked.hits, said.cited),
        sources=tuple(_source_in_script(source, language) for source in said.sources),
        provenance=provenance,
        timings_ms=timings_ms,
        generation=said.generation,
        masked=customer.found,
        flags=(*flags, *word_flags(decision), *(f"injection:{name}" for name in suspicious(asked.text))),
    )


def reply_of(turn: Turn, text: str) -> Reply:
    """What the customer gets: the record's public half with `text` as it was written, unmasked."""
    return Reply(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        text=text,
        language=turn.language,
        route=turn.route,
        intent=turn.intent,
        score=turn.score,
        margin=turn.margin,
        sources=turn.sources,
        options=turn.options,
        actions=turn.actions,
        timings_ms=turn.timings_ms,
    )


def in_script(text: str, language: Language) -> str:
    """`text` in the script that the customer reads: content is written in simplified Chinese and in English."""
    return to_traditional(text) if language is Language.ZH_HANT else text


def _source_in_script(source: Source, language: Language) -> Source:
    if language is not Language.ZH_HANT or source.language is not Language.ZH:
        return source
    return replace(source, title=to_traditional(source.title), language=Language.ZH_HANT)
