"""Transcripts: text files of talks, a message a line, as chat programs and people write them down.

    2026-11-03 10:02:11 客服小美：您好
    买家：退货要多久
    Customer (10:02): how long does it take
    小美(客服) 2026-11-03 10:02        and its text on the lines below

Lines that name nobody continue the message above. Talks are set apart by === or ---, or by a line such as
「会话ID：1024」 or "Conversation 1024"; a file without these, by empty lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.safety.folding import fold
from finetune.errors import ImportFailed
from finetune.importers.reading import Message, Reading, Role, Talk
from finetune.importers.roles import speaker
from finetune.importers.values import clean, read_time

_DATE = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?: ?[AaPp][Mm])?"
_WHEN = rf"[\[(【]?(?:{_DATE}(?:[ T]+{_CLOCK})?|{_CLOCK})(?:Z|[+-]\d\d:?\d\d)?[\])】]?"
_LINE = re.compile(
    rf"^(?P<before>{_WHEN})?[ \-|]*(?P<label>[^:\n]{{1,40}}?)[ ]?(?P<after>{_WHEN})?[ ]?:[ ]?(?P<text>.*)$"
)
_HEADER = re.compile(
    rf"^(?:(?P<before>{_WHEN})[ \-|]+(?P<label>[^:\n]{{1,40}}?)|(?P<label2>[^:\n]{{1,40}}?)[ ]+(?P<after>{_WHEN}))$"
)
_RULE = re.compile(r"^[=\-—*#_~]{3,}(?P<title>[^=\-—*#_~].*?)?[=\-—*#_~]*$")
_TITLE = re.compile(
    r"^(?:会话|会話|對話|对话|聊天|咨询|Conversation|Chat|Ticket|Session)(?: ?(?:ID|编号|記錄|记录|No\.?|number))?[ :#]*(?P<key>[\w-]*\d[\w-]*)$",
    re.IGNORECASE,
)
_ONLY_DATE = re.compile(rf"^[\[(【]?{_DATE}[\])】]?$")
_BRACKETS = "[]()【】 "
_LONGEST_RULE = 200


@dataclass(frozen=True)
class _Said:
    """A line that names who speaks."""

    label: str
    when: str
    text: str
    line: int
    alone: bool = False  # name and time only; the text is on the lines below


@dataclass(frozen=True)
class _Style:
    """How a file is written: whether every message has a time, and who heads messages with a line of its own."""

    timed: bool
    names: frozenset[str]

    def begins(self, said: _Said | None) -> bool:
        """Whether a line begins a message. Without a time, a name that is no role's may be anything: 「注意：…」."""
        if said is None or (self.timed and not said.when):
            return False
        if speaker(said.label) is not None:
            return True
        return self.timed and (not said.alone or said.label in self.names)


@dataclass
class _Block:
    """The lines of one talk, numbered."""

    key: str = ""
    lines: list[tuple[int, str]] = field(default_factory=list)


def read_transcript(reading: Reading) -> Iterator[Talk]:
    """The talks of a text file.

    Raises:
        ImportFailed: no line names a customer or an agent.
    """
    lines = list(enumerate((clean(line) for line in reading.text.split("\n")), start=1))
    style = _style(lines)
    if style is None:
        raise ImportFailed(
            f"{reading.path} is no transcript: no line begins with 客户：, 客服：, Customer: or Agent:. "
            "Write who speaks before each message, or give --format."
        )
    for block in _blocks(lines, style):
        yield from _talk(reading, block, style)


def looks_like_transcript(text: str) -> bool:
    """Whether lines of the text say who speaks."""
    return _style(list(enumerate(text.split("\n")[:500], start=1))) is not None


def _style(lines: Sequence[tuple[int, str]]) -> _Style | None:
    """None if no line names a customer or an agent."""
    said = [found for line in lines if (found := _said(line)) is not None]
    times = [bool(found.when) for found in said if speaker(found.label) is not None]
    if not times:
        return None
    heads = Counter(found.label for found in said if found.alone)
    return _Style(2 * sum(times) > len(times), frozenset(name for name, count in heads.items() if count > 1))


def _said(line: tuple[int, str]) -> _Said | None:
    number, text = line
    plain = fold(text)
    head = _HEADER.match(plain)
    if head is not None:
        name = "label" if head["label"] is not None else "label2"
        when = head["before"] if head["before"] is not None else head["after"]
        return _Said(text[slice(*head.span(name))].strip(), when, "", number, alone=True)
    found = _LINE.match(plain)
    if found is None:
        return None
    when = found["before"] if found["before"] is not None else found["after"]
    label = text[slice(*found.span("label"))].strip()
    return _Said(label, "" if when is None else when, text[found.start("text") :], number)


def _blocks(lines: Sequence[tuple[int, str]], style: _Style) -> list[_Block]:
    if any(_opens(text) is not None for _, text in lines):
        return _split_at_rules(lines)
    blocks = _split_at_blanks(lines, style)
    # Where most paragraphs hold one side only, empty lines stand between messages, not between talks.
    whole = sum(_has_both_sides(block) for block in blocks)
    return blocks if 2 * whole >= len(blocks) else [_Block(lines=list(lines))]


def _opens(text: str) -> str | None:
    """The key in a line that opens a new talk, perhaps ""; None if it does not."""
    if len(text) > _LONGEST_RULE:
        return None
    plain = fold(text)
    title = _TITLE.match(plain)
    if title is not None:
        return title["key"]
    rule = _RULE.match(plain)
    if rule is None:
        return None
    inside = _TITLE.match((rule["title"] or "").strip())
    return inside["key"] if inside else ""


def _split_at_rules(lines: Sequence[tuple[int, str]]) -> list[_Block]:
    blocks = [_Block()]
    for number, text in lines:
        key = _opens(text)
        if key is None:
            blocks[-1].lines.append((number, text))
        elif any(line for _, line in blocks[-1].lines):
            blocks.append(_Block(key))
        elif key:
            blocks[-1].key = key
    return [block for block in blocks if any(text for _, text in block.lines)]


def _split_at_blanks(lines: Sequence[tuple[int, str]], style: _Style) -> list[_Block]:
    blocks: list[_Block] = []
    fresh = True
    for number, text in lines:
        if not text:
            fresh = True
            continue
        # A paragraph that begins with nobody's name goes on with the message above it.
        if not blocks or (fresh and (_ONLY_DATE.match(fold(text)) or style.begins(_said((number, text))))):
            blocks.append(_Block())
        blocks[-1].lines.append((number, text))
        fresh = False
    return blocks


def _has_both_sides(block: _Block) -> bool:
    roles = {
        found[0]
        for line in block.lines
        if (said := _said(line)) is not None and (found := speaker(said.label)) is not None
    }
    return "customer" in roles and len(roles) > 1


def _talk(reading: Reading, block: _Block, style: _Style) -> Iterator[Talk]:
    said, day = _messages(reading, block, style)
    place = reading.place(block.lines[0][0])
    roles = _roles(said)
    messages, people = [], set()
    for each in said:
        role = roles.get(each.label)
        if role is None:
            reading.problem(reading.place(each.line), f"who is {each.label!r:.40}, the customer or the shop?")
            continue
        messages.append(Message(role, each.text, _time(reading, each, day)))
        found = speaker(each.label)
        people.add(found[1] if found is not None else each.label)
    if messages:
        customer = next((_name(label) for label, role in roles.items() if role == "customer"), "")
        key = reading.key(block.key if block.key else block.lines[0][0])
        yield Talk(key, place, tuple(messages), customer if customer else None, people=frozenset(people))


def _messages(reading: Reading, block: _Block, style: _Style) -> tuple[list[_Said], str]:
    """The block's messages with the lines that continue them, and the day that a line of its own names."""
    said: list[_Said] = []
    day = ""
    for number, text in block.lines:
        if not text:
            continue
        if _ONLY_DATE.match(fold(text)):
            day = text.strip(_BRACKETS)
            continue
        found = _said((number, text))
        if found is not None and style.begins(found):
            said.append(found)
        elif said:
            joined = f"{said[-1].text}\n{text}" if said[-1].text else text
            said[-1] = replace(said[-1], text=joined)
        else:
            reading.problem(
                reading.place(number), "the line says nobody's name, and no message stands above it"
            )
    return said, day


def _roles(said: Sequence[_Said]) -> dict[str, Role | None]:
    """Who is who in one talk: by what a label says, and, of two people, by who the other one is."""
    roles: dict[str, Role | None] = {}
    for each in said:
        found = speaker(each.label)
        roles[each.label] = None if found is None else found[0]
    unknown = [label for label, role in roles.items() if role is None]
    sides = {role for role in roles.values() if role in ("customer", "agent", "bot")}
    if len(unknown) == 1 and sides:
        roles[unknown[0]] = "agent" if "customer" in sides else "customer"
        if {"customer", "agent"} <= sides:  # a third one in the talk: nobody can tell
            roles[unknown[0]] = None
    return roles


def _name(label: str) -> str:
    found = speaker(label)
    return label if found is None else found[1]


def _time(reading: Reading, each: _Said, day: str) -> datetime | None:
    when = each.when.strip(_BRACKETS)
    if re.fullmatch(_CLOCK, when):
        if not day:
            return None  # a clock without a day is no moment
        when = f"{day} {when}"
    try:
        return read_time(when, reading.zone)
    except ValueError as error:
        reading.problem(
            reading.place(each.line), f"time not understood ({error}); the message is read without it"
        )
        return None
