"""The door: what a customer's message must be before anything reads it."""

from __future__ import annotations

import re
import unicodedata

from bot.errors import InputRefused

# Characters that show nothing or turn the reading direction around, and so can hide words from a reader or a filter:
# control, unassigned formatting (zero-width, bidi, tags), private use, halves of surrogate pairs.
_REMOVED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs"})
_KEPT_CONTROLS = frozenset("\n\t")
_JOINER = "\u200d"
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u20e3\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
)
_JOINS_EMOJI = re.compile(f"(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])")
# A flag of England or Wales is a black flag followed by invisible tag letters and a cancel tag.
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


class _Visible(dict[int, str | None]):
    """Code point → itself, or None when it must not pass; grows as characters are met."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        passes = character in _KEPT_CONTROLS or unicodedata.category(character) not in _REMOVED_CATEGORIES
        self[code] = character if passes and not _is_noncharacter(code) else None
        return self[code]


_VISIBLE = _Visible()


def check_message(text: str, *, max_characters: int) -> str:
    """The message as the rest of Kefu may read it: NFC, nothing invisible, trimmed. Emoji survive whole.

    Args:
        text: what came in.
        max_characters: the longest message, counted after cleaning.

    Raises:
        InputRefused: `empty_message` when nothing visible is left, `too_long` (with `limit` and `length`).
    """
    clean = clean_text(text)
    if not clean:
        raise InputRefused(
            "empty_message", "The message has no visible character. Type a question.", length=len(text)
        )
    if len(clean) > max_characters:
        raise InputRefused(
            "too_long",
            f"The message has {len(clean)} characters, and {max_characters} is the limit. Shorten it or send it in parts.",
            limit=max_characters,
            length=len(clean),
        )
    return clean


def clean_text(text: str) -> str:
    """Text without what cannot be seen: one kind of line end, NFC, trimmed."""
    text = _LINE_ENDS.sub("\n", text)
    parts, end = [], 0
    for kept in _invisible_parts_of_emoji(text):
        parts += [text[end : kept.start()].translate(_VISIBLE), kept.group()]
        end = kept.end()
    parts.append(text[end:].translate(_VISIBLE))
    return unicodedata.normalize("NFC", "".join(parts)).strip()


def _invisible_parts_of_emoji(text: str) -> list[re.Match[str]]:
    if text.isascii():
        return []
    joiners = list(_JOINS_EMOJI.finditer(text)) if _JOINER in text else []
    return sorted([*joiners, *_FLAG.finditer(text)], key=lambda match: match.start())


def _is_noncharacter(code: int) -> bool:
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
