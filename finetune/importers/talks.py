"""From a talk as a file tells it to a conversation as it is stored: joined, masked, with pseudonyms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.conversation import Language
from bot.understanding.language import detect
from finetune.importers.reading import Message, Reading, Talk, readable
from finetune.importers.values import clean
from finetune.masking import Masking, masked_values, without_names
from finetune.pseudonyms import Pseudonyms
from finetune.records import Author, Conversation, Exchange


@dataclass(frozen=True)
class Storing:
    """What turns talks into conversations that may be stored."""

    source: str
    pseudonyms: Pseudonyms
    mask: Masking


@dataclass
class _Pair:
    """A question and its answer, while their messages are being read."""

    questions: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)


def conversation_of(talk: Talk, storing: Storing, reading: Reading) -> Conversation | None:
    """The talk as a conversation, masked; None, and a problem noted, if it holds no question with an answer.

    Messages of the customer in a row become one question, those of the agents in a row one answer; where both a bot
    and a person answered, the person's words count. Notices are left out and counted.
    """
    messages = list(_usable(talk, reading))
    pairs = _pairs(messages, reading)
    if not pairs:
        reading.problem(talk.place, "no question of a customer with an answer")
        return None
    id = storing.pseudonyms.conversation(storing.source, talk.key)  # noqa: A001 - the record's own word
    spoken = detect("\n".join(message.text for message in messages)).language
    exchanges: list[Exchange] = []
    for number, pair in enumerate(pairs, start=1):
        exchanges.append(_exchange(f"{id}-{number}", pair, talk, storing.mask, spoken))
        spoken = exchanges[-1].language
    everything = "\n".join(exchange.question for exchange in exchanges)
    return Conversation(
        id=id,
        source=storing.source,
        customer=_customer(talk, storing),
        language=detect(everything, default=spoken).language,
        started_at=next((message.at for message in messages if message.at is not None), None),
        channel=storing.mask(talk.channel, id),
        exchanges=tuple(exchanges),
    )


def in_order_of_time(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages by time if every one has one, else as they stand."""
    timed = [(message.at, message) for message in messages if message.at is not None]
    if len(timed) < len(messages):
        return tuple(messages)
    return tuple(message for _, message in sorted(timed, key=lambda pair: pair[0]))


def _usable(talk: Talk, reading: Reading) -> Iterator[Message]:
    for message in talk.messages:
        text = clean(message.text)
        if message.role == "system":
            reading.skip("system notices")
        elif not text:
            reading.skip("messages without text")
        elif not readable(text):
            reading.problem(talk.place, "a message with characters that cannot be decoded")
        else:
            yield replace(message, text=text)


def _pairs(messages: Sequence[Message], reading: Reading) -> list[_Pair]:
    pairs: list[_Pair] = []
    for message in messages:
        if message.role == "customer":
            if not pairs or pairs[-1].answers:
                pairs.append(_Pair())
            pairs[-1].questions.append(message)
        elif pairs:
            pairs[-1].answers.append(message)
        else:
            reading.skip("messages before the first question")
    unanswered = [pair for pair in pairs if not pair.answers]
    if unanswered:
        reading.skip("questions that nobody answered", len(unanswered))
    answered = [pair for pair in pairs if pair.answers]
    for pair in answered:
        _prefer_people(pair, reading)
    return answered


def _prefer_people(pair: _Pair, reading: Reading) -> None:
    people = [message for message in pair.answers if message.role == "agent"]
    if people and len(people) < len(pair.answers):
        reading.skip("a bot's messages beside a person's", len(pair.answers) - len(people))
        pair.answers = people


def _exchange(id_: str, pair: _Pair, talk: Talk, mask: Masking, spoken: Language) -> Exchange:
    def safe(text: str) -> str:
        return mask(without_names(text, talk.people), id_)

    messages = [*pair.questions, *pair.answers]
    question = "\n".join(message.text for message in pair.questions)
    author: Author = "agent" if any(message.role == "agent" for message in pair.answers) else "bot"
    rejected = _first(messages, "rejected")
    intent = _first(messages, "intent")
    vote = _first(messages, "rating")
    return Exchange(
        id=id_,
        question=safe(question),
        answer=safe("\n".join(message.text for message in pair.answers)),
        language=detect(question, default=spoken).language,
        author=author,
        at=_time_of(pair.questions),
        rating=talk.rating if vote is None else vote,
        rejected=safe(clean(rejected)) if clean(rejected) else None,
        intent=mask(clean(intent), id_) if clean(intent) else None,
        metadata=masked_values({"place": talk.place}, lambda text: mask(text, id_)),
    )


def _first(messages: Sequence[Message], name: str) -> Any:
    """The first value of a field that some message has, or None."""
    return next((value for message in messages if (value := getattr(message, name)) is not None), None)


def _time_of(messages: Sequence[Message]) -> datetime | None:
    return next((message.at for message in messages if message.at is not None), None)


def _customer(talk: Talk, storing: Storing) -> str | None:
    named = clean(talk.customer)
    return storing.pseudonyms.customer(storing.source, named) if named else None
