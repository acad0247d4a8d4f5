"""The passport of a talk: what the person who takes it over must know, so that the customer says nothing twice.

Read from what was said alone, by rules that can be looked up: no model writes here, so nothing in it is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.answering.facts import facts
from bot.conversation import Route, Source, Turn
from bot.desk.timeline import Entry, WholeTalk, customer_words, timeline
from bot.memory.calls import DeskEventKind
from bot.policy import gave_up
from bot.safety.redact import redact
from retrieval.sentences import sentences

_MOST_WANTS, _MOST_STATEMENTS, _MOST_PROMISES = 3, 3, 6
_STATED = (Route.TEMPLATE, Route.GROUNDED)
_DEADLINE_UNITS = {"day", "hour", "minute", "week", "month", "yuan", "percent"}
_CITATION = re.compile(r"\s*\[\d{1,2}\]")
_MARKUP = re.compile(r"[*_`>#]+|^\s*(?:[-+•]|\d+[.)、])\s+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
# Words by which somebody binds themselves, and words that do so only where nothing is merely allowed ("can … within").
_BINDING = re.compile(
    r"(?<![机社协])会(?![员议])|将(?!军)|为[您你]|给[您你]|帮[您你]|保证|承诺|一定|预计|到账|送达"
    r"|(?<![A-Za-z])(?:will|shall|promise|guarantee|going to|arrives?|by the end of)(?![A-Za-z])|['’]ll(?![A-Za-z])",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"[之以]?内|[之以]?前[^面台往提 ]|(?<![A-Za-z])within(?![A-Za-z])", re.IGNORECASE)
_ALLOWED = re.compile(r"可以?|能|请|(?<![A-Za-z])(?:can|may|must|should|please)(?![A-Za-z])", re.IGNORECASE)
_CODE = re.compile(r"(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9-]{5,}")
_DATE_OR_CLOCK = re.compile(r"\d\d[:-]\d\d")
_TIME_OF_DAY = re.compile(
    r"\d\s*点|[今明后]天|今晚|[下本这]周|月底"
    r"|(?<![A-Za-z])(?:\d{1,2}\s?[ap]\.?m|today|tonight|tomorrow|next week|(?:mon|tues|wednes|thurs|fri|satur|sun)day)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Want:
    """Something that the customer wants: their words, and the intent that was understood, if any."""

    words: str
    intent: str | None
    at: datetime  # UTC


@dataclass(frozen=True)
class Fact:
    """Something that the customer has given already. `kind` is a slot's name or a kind of personal data."""

    kind: str  # e.g. "order_number", "phone"
    value: str


@dataclass(frozen=True)
class Statement:
    """What Kefu answered, shortened to its plain words, and on what it rests."""

    text: str
    sources: tuple[Source, ...]
    intent: str | None  # of a template


@dataclass(frozen=True)
class Promise:
    """A sentence with a time or an amount that somebody may hold us to. `by` is the person's name, "" for Kefu."""

    text: str
    by: str
    at: datetime  # UTC


@dataclass(frozen=True)
class Attempt:
    """A question that Kefu did not answer, or not well."""

    words: str
    route: Route
    voted_down: bool


@dataclass(frozen=True)
class Passport:
    """All of it; each part the latest first, except facts, which come in the order they were given."""

    wants: tuple[Want, ...]
    facts: tuple[Fact, ...]
    statements: tuple[Statement, ...]
    promises: tuple[Promise, ...]
    attempts: tuple[Attempt, ...]


def make_passport(whole: WholeTalk, *, calls_for_person: Sequence[str] = ()) -> Passport:
    """The passport of a talk as it stands.

    Args:
        whole: the talk.
        calls_for_person: intents that only ask for a person: they say nothing of what is wanted.
    """
    entries = timeline(whole)
    return Passport(
        wants=_wants(whole.turns, entries, calls_for_person),
        facts=_facts(whole.turns, entries),
        statements=_statements(whole.turns),
        promises=_promises(entries),
        attempts=_attempts(whole),
    )


def _wants(
    turns: Sequence[Turn], entries: Sequence[Entry], calls_for_person: Sequence[str]
) -> tuple[Want, ...]:
    intents = {turn.id: _understood(turn) for turn in turns}
    found: dict[str, Want] = {}
    for entry in reversed(entries):
        if entry.turn is None or entry.turn.route is Route.MERGED:
            continue
        intent = intents[entry.turn.id]
        if intent in calls_for_person or entry.text.strip() in found:
            continue
        found[entry.text.strip()] = Want(entry.text.strip(), intent, entry.at)
    return tuple(found.values())[:_MOST_WANTS]


def _understood(turn: Turn) -> str | None:
    """The intent that was answered, else the likeliest one."""
    if turn.intent is not None:
        return turn.intent
    return turn.intents[0].intent if turn.intents and turn.intents[0].score > 0.5 else None


def _facts(turns: Sequence[Turn], entries: Sequence[Entry]) -> tuple[Fact, ...]:
    found: dict[tuple[str, str], Fact] = {}
    for turn in turns:
        for kind, value in turn.slots.items():
            if not value.startswith("<"):  # masked: the words themselves say it, as long as they may be read
                found.setdefault((kind, value.casefold()), Fact(kind, value))
    for _, text in customer_words(entries):
        for span in redact(text).spans:
            value = text[span.start : span.end].strip()
            found.setdefault((span.kind, value.casefold()), Fact(span.kind.lower(), value))
        for code in sorted(facts(text).exact):
            told = any(code.casefold() in fact.value.casefold() for fact in found.values())
            if _CODE.fullmatch(code) and not told:
                found.setdefault(("code", code), Fact("code", code))
    return tuple(found.values())


def _statements(turns: Sequence[Turn]) -> tuple[Statement, ...]:
    answered = [turn for turn in turns if turn.route in _STATED and turn.answer and turn.missing_slot is None]
    return tuple(
        Statement(plain(turn.answer), turn.sources, turn.intent if turn.route is Route.TEMPLATE else None)
        for turn in answered[::-1][:_MOST_STATEMENTS]
    )


def _promises(entries: Sequence[Entry]) -> tuple[Promise, ...]:
    found: dict[str, Promise] = {}
    for entry in reversed(entries):
        by, said = "", ""
        if entry.event is not None and entry.event.kind is DeskEventKind.PERSON:
            by, said = entry.event.name, entry.text
        elif entry.turn is not None and entry.turn.route in _STATED:
            said = entry.turn.answer
        for sentence in sentences(said):
            text = plain(sentence)
            if is_promise(text):
                found.setdefault(text, Promise(text, by, entry.at))
    return tuple(found.values())[:_MOST_PROMISES]


def is_promise(sentence: str) -> bool:
    """Whether a sentence binds us: it says what will be, with a time or an amount. Chinese, English or both."""
    limited = _LIMIT.search(sentence) is not None and _ALLOWED.search(sentence) is None
    if not limited and _BINDING.search(sentence) is None:
        return False
    stated = facts(sentence)
    dated = any(_DATE_OR_CLOCK.fullmatch(exact) for exact in stated.exact)
    counted = any(unit in _DEADLINE_UNITS for _, unit in stated.quantities)
    return dated or counted or _TIME_OF_DAY.search(sentence) is not None


def _attempts(whole: WholeTalk) -> tuple[Attempt, ...]:
    found = []
    for turn in reversed(whole.turns):
        rating = whole.ratings.get(turn.id)
        voted_down = rating is not None and rating.value < 0
        unanswered = turn.route in (Route.NO_ANSWER, Route.CLARIFY) or gave_up(turn)
        if voted_down or unanswered:
            found.append(Attempt(turn.customer_text, turn.route, voted_down))
    return tuple(found)


def plain(markdown: str) -> str:
    """Markdown as plain words on as few lines as it has paragraphs."""
    text = _LINK.sub(r"\1", _CITATION.sub("", markdown))
    lines = (" ".join(_MARKUP.sub("", line).split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
