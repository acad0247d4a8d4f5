"""A team's word list: which of its words a text holds, in Chinese, in English and in sentences that mix both.

Compared are folded texts: full width as half width, traditional characters as simplified ones, capitals as small letters.
Chinese has no edges between words, so 投诉 is found wherever it stands. A word of letters or digits must stand alone: "sue"
is not in "issue", "won" not in "won't", and 12315 not in the number 20261103-12315.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.safety.folding import fold

_SPACED = r"[^\W_\u2e80-\U0003ffff]"  # a letter or digit of a script that puts spaces between words
_TOKEN = re.compile(rf"(\s*)({_SPACED}+|\S)")
# What stands before and after a word that stands alone: anything, no letter, or no letter and no rest of a number.
_ANYTHING = re.compile("")
_ALONE_BEFORE = rf"(?<!{_SPACED})(?<!{_SPACED}')"
_ALONE_AFTER = rf"(?!{_SPACED})(?!'(?!s(?!{_SPACED})){_SPACED})"  # lawyer's is a lawyer, won't is not won
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = re.compile(_ALONE_BEFORE), re.compile(_ALONE_AFTER)
_NO_NUMBER_BEFORE = re.compile(_ALONE_BEFORE + r"(?<!\d[.,/-])")
_NO_NUMBER_AFTER = re.compile(_ALONE_AFTER + r"(?![.,/-]\d)")


class _Plain(dict[int, str]):
    """Code point → what is compared in its place; grows as characters are met."""

    def __init__(self, simplified: Callable[[str], str]) -> None:
        super().__init__()
        self._simplified = simplified

    def __missing__(self, code: int) -> str:
        self[code] = plain = self._plain(fold(chr(code)))
        return plain

    def _plain(self, character: str) -> str:
        if unicodedata.category(character) in ("Cf", "Cs"):  # shows nothing, or is half a character
            return ""
        return "'" if character in "‘’" else self._simplified(character).lower()


@dataclass(frozen=True)
class _Entry:
    """A word of a list, and what finds it in folded text."""

    word: str
    pattern: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]

    def is_in(self, plain: str) -> bool:
        """Whether the word stands in a folded text, and stands there alone where it must."""
        found = self.pattern.search(plain)
        while found is not None:
            if self.before.match(plain, found.start()) and self.after.match(plain, found.end()):
                return True
            found = self.pattern.search(plain, found.start() + 1)
        return False


class WordList:
    """Words, each of which may be several ("small claims court"). Safe to share between threads."""

    def __init__(self, words: Sequence[str], simplified: Callable[[str], str]) -> None:
        """Prepare the list.

        Args:
            words: as the team writes them; one in which nothing can be seen is left out.
            simplified: gives a traditional character as the simplified one, and any other as it is.
        """
        self._plain = _Plain(simplified)
        tokens = [(word, _TOKEN.findall(self._as_compared(word))) for word in words]
        self._entries = [_entry(word, found) for word, found in tokens if found]

    def find(self, text: str) -> tuple[str, ...]:
        """The words of the list that `text` holds, as the team writes them and in the list's order."""
        if not self._entries:
            return ()
        plain = self._as_compared(text)
        return tuple(entry.word for entry in self._entries if entry.is_in(plain))

    def _as_compared(self, text: str) -> str:
        return unicodedata.normalize("NFC", text).translate(self._plain)


NO_WORDS = WordList((), str)


def _entry(word: str, found: Sequence[tuple[str, str]]) -> _Entry:
    """The entry of a word's tokens, each with the white space before it.

    Between Chinese characters, and where Chinese meets another script, a space is optional.
    """
    tokens = [token for _, token in found]
    pattern = re.escape(tokens[0])
    for before, (space, token) in zip(tokens, found[1:], strict=False):
        both_spaced = _is_spaced(before[-1]) and _is_spaced(token[0])
        pattern += ((r"\s+" if space else "") if both_spaced else " ?") + re.escape(token)
    first, last = tokens[0][0], tokens[-1][-1]
    return _Entry(
        word,
        re.compile(pattern),
        _edge(first, _NO_LETTER_BEFORE, _NO_NUMBER_BEFORE),
        _edge(last, _NO_LETTER_AFTER, _NO_NUMBER_AFTER),
    )


def _edge(character: str, no_letter: re.Pattern[str], no_number: re.Pattern[str]) -> re.Pattern[str]:
    """What must stand beside a word that begins or ends with `character`."""
    if not (_is_spaced(character) and character.isalnum()):
        return _ANYTHING
    return no_number if character.isdecimal() else no_letter


def _is_spaced(character: str) -> bool:
    """Whether a space beside it means something: letters, digits and signs such as "-" or "&", but no Chinese."""
    return character < "\u2e80"
