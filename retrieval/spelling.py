"""English words that a misspelt one may stand for: `refudn` finds what `refund` finds.

Two words within a few slips of each other (a letter too many, too few, another, or two swapped) become equal when as
few letters are struck from either. So every known word is filed under what is left of it, and a misspelt one is only
compared with those that it meets there (the idea of SymSpell, Garbe 2012), never with all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import combinations
from math import sqrt
from pathlib import Path

from retrieval.errors import IndexMismatch
from retrieval.keywords import is_function_word, spelled
from retrieval.publish import write_atomically

_SHORTEST = 4  # letters of a word that may be misspelt; of shorter ones too many are alike
_LONG = 8  # letters from which a word may hold two slips
_HEAD = 7  # letters that a word is filed by
_DOUBT = 2.0  # certainty that is lost when each letter is a slip
_FIRST_LETTER = 0.6  # what is left of the certainty where the first letter is another: few slip there
_MOST = 3  # words that one may stand for
_LEAST = 0.15  # certainty below which it does not


class Spelling:
    """The words of the shop's texts as they are written, and how often. Never changes."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = dict(words)
        self._filed: dict[str, list[str]] = {}
        for word in self._words:
            # A word of six letters may be what eight misspelt ones stand for.
            for left in _struck(word[:_HEAD], 2 if len(word) >= _LONG - 2 else 1):
                self._filed.setdefault(left, []).append(word)
        self._known = lru_cache(maxsize=4096)(self._find)

    @classmethod
    def learn(cls, texts: Iterable[str]) -> Spelling:
        """The English words of texts."""
        return cls(Counter(word for text in texts for word in spelled(text) if may_be_misspelt(word)))

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def meant(self, word: str) -> Mapping[str, float]:
        """Known words that an unknown one may stand for, with the certainty (0 to 1) of each; the surest first.

        Args:
            word: in lower case, not stemmed. One that is known or too short, or that holds anything but English
                letters, stands for itself alone, and nothing is found.
        """
        return self._known(word)

    def _find(self, word: str) -> Mapping[str, float]:
        if word in self._words or not may_be_misspelt(word):
            return {}
        most = 2 if len(word) >= _LONG else 1
        candidates = {known for left in _struck(word[:_HEAD], most) for known in self._filed.get(left, ())}
        near = {known: _nearness(word, known, most) for known in sorted(candidates)}
        # Of words as near, the frequent one is likelier, though not by as much as it is more frequent.
        worth = {
            known: near_by**4 * sqrt(self._words[known]) for known, near_by in near.items() if near_by > 0
        }
        total = sum(worth.values())
        ranked = sorted(worth, key=lambda known: -worth[known])[:_MOST]
        sure = {known: round(near[known] * worth[known] / total, 4) for known in ranked}
        return {known: certainty for known, certainty in sure.items() if certainty >= _LEAST}

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_atomically(path, json.dumps(self._words).encode())

    @classmethod
    def load(cls, path: Path) -> Spelling:
        """Read it.

        Raises:
            IndexMismatch: it is damaged.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls({word: int(count) for word, count in stored.items()})
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error


def may_be_misspelt(word: str) -> bool:
    """Whether a word is English, long enough, and one that says something."""
    return len(word) >= _SHORTEST and word.isascii() and word.isalpha() and not is_function_word(word)


def slips(one: str, other: str, most: int) -> int | None:
    """Letters too many, too few, others or swapped between two words, None if more than `most`.

    The optimal string alignment distance: Damerau's, with no slip inside another.
    """
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def _nearness(word: str, known: str, most: int) -> float:
    """Certainty (0 to 1) that a word stands for a known one, were there no other; 0.0 for one too far."""
    count = slips(word, known, most)
    if count is None or (len(word) == _SHORTEST == len(known) and sorted(word) != sorted(known)):
        return 0.0  # four letters with another one among them are too often another word: `line`, `like`
    near = 1.0 - _DOUBT * count / len(word)
    return near if word[0] == known[0] else near * _FIRST_LETTER


def _struck(word: str, most: int) -> Iterator[str]:
    """What is left of a word when none to `most` of its letters are struck, each once."""
    left = {
        "".join(letter for place, letter in enumerate(word) if place not in gone)
        for count in range(most + 1)
        for gone in combinations(range(len(word)), count)
    }
    yield from left
