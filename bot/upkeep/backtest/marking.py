"""Marks what differs between two texts: words and numbers as a whole, Chinese character by character."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_PIECES = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|\d+(?:[.,:]\d+)*|\s+|.", re.DOTALL)
_SPECK = 2  # characters in common between two differences that only make them harder to read


@dataclass(frozen=True)
class Part:
    """A part of a text; `other` says that the other text has it not."""

    text: str
    other: bool


def marked(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both texts in parts, which joined are the texts again."""
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    left: list[Part] = []
    right: list[Part] = []
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (code, old_start, old_end, new_start, new_end) in enumerate(codes):
        common = "".join(old[old_start:old_end])
        inside = 0 < number < len(codes) - 1
        other = code != "equal" or (inside and len(common.strip()) <= _SPECK)
        _append(left, common, other)
        _append(right, "".join(new[new_start:new_end]), other)
    return tuple(left), tuple(right)


def _append(parts: list[Part], text: str, other: bool) -> None:
    if not text:
        return
    if parts and parts[-1].other is other:
        parts[-1] = Part(parts[-1].text + text, other)
    else:
        parts.append(Part(text, other))
