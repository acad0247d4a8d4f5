"""Masks what is learned from: personal data by its pattern, and the people of a talk by their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.safety.redact import Redacted, redact
from finetune.errors import PersonalDataLeft
from finetune.records import Conversation, Exchange

Redactor = Callable[[str], Redacted]

_NAME = "<NAME>"
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}(?:·[\u4e00-\u9fff]{1,8})?")
_LATIN_NAME = re.compile(r"[^\W\d_][\w'’.-]+(?: [^\W\d_][\w'’.-]*)+")
_GREETING = r"(?:[Hh]i|[Hh]ello|[Dd]ear|[Hh]ey|[Tt]hanks|[Tt]hank you|[Rr]egards|[Tt]his is|I am|I['’]m)"


@dataclass
class Masking:
    """Masks text again and counts what it finds, by kind, and where."""

    allow: Collection[str] = ()
    found: Counter[str] = field(default_factory=Counter)
    turns: set[str] = field(default_factory=set)

    def __call__(self, text: str, place: str) -> str:
        """The text, masked; `place` (a turn's or exchange's id) is remembered if something was found."""
        redacted = redact(text, allow=self.allow)
        if redacted.found:
            self.found.update(redacted.found)
            self.turns.add(place)
        return redacted.text


def without_names(text: str, people: Iterable[str]) -> str:
    """`text` without the names of the people who talk in it.

    A Chinese name of 2 to 4 characters, or a name of two words and more, goes wherever it stands; a single given name
    only after a greeting or at a signature ("Hi Anna"), because it may be a word (Will, May, Price).
    """
    for name in sorted({person.strip() for person in people}, key=len, reverse=True):
        if _HAN_NAME.fullmatch(name):
            text = text.replace(name, _NAME)
        elif _LATIN_NAME.fullmatch(name):
            text = _replace_word(text, re.escape(name))
        for word in re.findall(r"[^\W\d_\u4e00-\u9fff]{3,}", name):
            text = re.sub(rf"({_GREETING},? ){word}(?!\w)", rf"\1{_NAME}", text)
    return text


def _replace_word(text: str, pattern: str) -> str:
    return re.sub(rf"(?<![A-Za-z]){pattern}(?![A-Za-z])", _NAME, text, flags=re.IGNORECASE)


def masked_texts(exchange: Exchange, mask: Callable[[str], str]) -> Exchange:
    """The exchange with everything that people wrote put through `mask`: question, answer, rejected answer."""
    return replace(
        exchange,
        question=mask(exchange.question),
        answer=mask(exchange.answer),
        rejected=None if exchange.rejected is None else mask(exchange.rejected),
    )


def masked_values(value: Any, mask: Callable[[str], str]) -> Any:
    """A JSON value with every text in it masked; keys stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked_values(part, mask) for key, part in value.items()}
    if isinstance(value, list):
        return [masked_values(part, mask) for part in value]
    return value


def check_masked(conversations: Iterable[Conversation], redactor: Redactor) -> None:
    """Hold masked conversations against the detectors once more.

    Raises:
        PersonalDataLeft: they find something; names exchanges and kinds, never the words.
    """
    left: dict[str, Counter[str]] = {}
    for conversation in conversations:
        for exchange in conversation.exchanges:
            for text in (exchange.question, exchange.answer, exchange.rejected):
                if text is not None and (found := redactor(text).found):
                    left.setdefault(exchange.id, Counter()).update(found)
    if left:
        places = ", ".join(
            f"{place} ({', '.join(sorted(kinds))})" for place, kinds in list(left.items())[:10]
        )
        raise PersonalDataLeft(
            f"Personal data stands in {len(left)} exchanges after masking: {places}. Nothing was written. Delete "
            "these exchanges from their import, or report the pattern as a mistake of the masking."
        )
