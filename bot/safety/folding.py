"""Reads full-width, styled and typographic characters as plain ones, position by position."""

from __future__ import annotations

import unicodedata

_DASHES = frozenset("‐‑‒–—―−﹣－ー")


class _Folding(dict[int, int]):
    """Code point → plain code point; grows as characters are met. One character always stays one character."""

    def __missing__(self, code: int) -> int:
        self[code] = plain = ord(_plain(chr(code)))
        return plain


def _plain(character: str) -> str:
    if character in _DASHES:
        return "-"
    if character.isdecimal():  # any script's digits
        return str(unicodedata.decimal(character))
    if character.isspace() and character not in "\n\r":
        return " "
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


_FOLDING = _Folding()


def fold(text: str) -> str:
    """The text with １３８ as 138, ＠ as @, — as -; as long as it was, so that positions stay true."""
    return text if text.isascii() else text.translate(_FOLDING)
