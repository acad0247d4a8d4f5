"""Chinese by its sound: what a customer typed in pinyin (`tui huo`, `tuihuo`), or with a wrong character of that sound.

From the shop's texts it is learned which Chinese words there are, how often, and which follows which. A stretch of
sounds is then read as the likeliest row of such words (Chen and Lee, 2000, "A New Statistical Approach to Chinese
Pinyin Input"): a search for the best path over all ways to cut it. Sounds that many speakers do not tell apart
(zh/z, ch/c, sh/s, l/n, -ng/-n) count as one, at a price.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import rjieba
from pypinyin import lazy_pinyin

from retrieval.errors import IndexMismatch
from retrieval.keywords import chinese_runs
from retrieval.publish import write_atomically

_LONGEST_SYLLABLE = 6  # letters: zhuang
_LONGEST_WORD = 6  # syllables
_SYLLABLE = re.compile(r"[bpmfdtnlgkhjqxrzcsyw]?h?[aeiouv]+(?:ng|n|r)?")
_FOLLOWS = 0.6  # share of a word's probability that comes from the word before it
_CHARACTER = 0.1  # how often a character counts as a word, where it is only seen within words
_SLIP = math.log(0.1)  # that a syllable was typed as one that sounds nearly alike
_UNREAD = math.log(1e-9)  # that a syllable stands for a character that the shop never wrote
_BEAM = 12  # last words that are kept at each place

Bounds = frozenset[int]


@dataclass(frozen=True)
class SoundedWord:
    """A word that was heard in a stretch of sounds; `word` is None for a syllable that no known word has."""

    word: str | None
    syllables: tuple[str, ...]  # as typed
    slips: int  # syllables that are typed as one that sounds nearly alike


@dataclass(frozen=True)
class _Path:
    """The best way to hear the sounds up to a place, with a certain last word."""

    cost: float  # the log of its probability
    heard: SoundedWord | None = None  # last
    before: _Path | None = None

    @property
    def words(self) -> tuple[SoundedWord, ...]:
        """All that was heard, in order."""
        found, path = [], self
        while path.heard is not None and path.before is not None:
            found.append(path.heard)
            path = path.before
        return tuple(reversed(found))


class Pinyin:
    """The Chinese words of the shop's texts, their sounds, and which follows which. Never changes."""

    def __init__(self, counts: Mapping[str, float], follows: Mapping[str, Mapping[str, int]]) -> None:
        self._counts = dict(counts)
        self._follows = {word: dict(others) for word, others in follows.items()}
        self._total = sum(self._counts.values()) + 1.0
        self._leads = {word: sum(others.values()) for word, others in self._follows.items()}
        self._words: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = {}
        self._begun: set[tuple[str, ...]] = set()
        for word in self._counts:
            sounds = sounds_of(word)
            keys = tuple(map(_alike, sounds))
            self._words.setdefault(keys, []).append((word, sounds))
            self._begun.update(keys[:end] for end in range(1, len(keys) + 1))
        self._read = lru_cache(maxsize=1024)(self._best)
        _syllables()  # which take a moment: now, and not while a customer waits

    @classmethod
    def learn(cls, texts: Iterable[str]) -> Pinyin:
        """The Chinese words of texts."""
        counts: Counter[str] = Counter()
        follows: dict[str, Counter[str]] = {}
        characters: set[str] = set()
        for run in (run for text in texts for run in chinese_runs(text)):
            before = ""
            for word in rjieba.cut(run):
                counts[word] += 1
                follows.setdefault(before, Counter())[word] += 1
                characters.update(word)
                before = word
        alone = dict.fromkeys(sorted(characters), _CHARACTER)
        return cls({**alone, **counts}, follows)

    def __contains__(self, word: str) -> bool:
        """Whether the shop writes a word."""
        return word in self._counts

    def read(self, letters: str, ends: Bounds = frozenset()) -> tuple[SoundedWord, ...] | None:
        """The likeliest Chinese words for a stretch of pinyin.

        Args:
            letters: a to z in lower case, without tones; ü is v.
            ends: places in `letters` that no syllable goes across, since there was a blank or an apostrophe.

        Returns:
            The words in order; None if it cannot be cut into syllables.
        """
        return self._read(letters, ends)

    def same_sound(self, word: str) -> dict[str, float]:
        """Other words that sound exactly like a known or unknown one, with the share of each in how often they are said."""
        sounds = sounds_of(word)
        found = {
            other: self._counts[other]
            for other, its in self._words.get(tuple(map(_alike, sounds)), ())
            if its == sounds and other != word
        }
        total = sum(found.values()) + self._counts.get(word, 0.0)
        return {other: count / total for other, count in sorted(found.items(), key=lambda pair: -pair[1])}

    def _best(self, letters: str, ends: Bounds) -> tuple[SoundedWord, ...] | None:
        paths: list[dict[str, _Path]] = [{} for _ in range(len(letters) + 1)]
        paths[0][""] = _Path(0.0)
        for place in range(len(letters)):
            kept = sorted(paths[place].items(), key=lambda pair: -pair[1].cost)[:_BEAM]
            for end, heard in self._heard(letters, ends, place) if kept else ():
                word = heard.word or ""
                cost, path = max(
                    ((path.cost + self._cost(last, heard), path) for last, path in kept),
                    key=lambda pair: pair[0],
                )
                known = paths[end].get(word)
                if known is None or cost > known.cost:
                    paths[end][word] = _Path(cost, heard, path)
        last = max(paths[-1].values(), key=lambda path: path.cost, default=None)
        return None if last is None else last.words

    def _heard(self, letters: str, ends: Bounds, place: int) -> list[tuple[int, SoundedWord]]:
        """The words that may begin at a place, and where they end."""
        found: list[tuple[int, SoundedWord]] = []
        begun: list[tuple[int, tuple[str, ...]]] = [(place, ())]
        for depth in range(_LONGEST_WORD):
            longer = []
            for start, syllables in begun:
                for end in _syllable_ends(letters, ends, start):
                    typed = (*syllables, letters[start:end])
                    keys = tuple(map(_alike, typed))
                    if depth == 0 and keys not in self._words:
                        found.append((end, SoundedWord(None, typed, 0)))
                    for word, sounds in self._words.get(keys, ()):
                        slips = sum(map(str.__ne__, typed, sounds))
                        found.append((end, SoundedWord(word, typed, slips)))
                    if keys in self._begun:
                        longer.append((end, typed))
            begun = longer
        return found

    def _cost(self, before: str, heard: SoundedWord) -> float:
        """The log of the probability of a word after another, and of its being typed so."""
        if heard.word is None:
            return _UNREAD
        alone = self._counts[heard.word] / self._total
        led = self._leads.get(before)
        after = alone if led is None else self._follows[before].get(heard.word, 0) / led
        return math.log(_FOLLOWS * after + (1 - _FOLLOWS) * alone) + heard.slips * _SLIP

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        stored = {"counts": self._counts, "follows": self._follows}
        write_atomically(path, json.dumps(stored, ensure_ascii=False).encode())

    @classmethod
    def load(cls, path: Path) -> Pinyin:
        """Read it.

        Raises:
            IndexMismatch: it is damaged.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            counts = {word: float(count) for word, count in stored["counts"].items()}
            follows = {
                word: {other: int(count) for other, count in others.items()}
                for word, others in stored["follows"].items()
            }
            return cls(counts, follows)
        except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error


@lru_cache(maxsize=65_536)
def sounds_of(word: str) -> tuple[str, ...]:
    """The syllables of Chinese characters without tones, ü as v: 退货 is `tui`, `huo`."""
    return tuple(syllable.replace("ü", "v") for syllable in lazy_pinyin(word))


@cache
def _syllables() -> frozenset[str]:
    """All syllables of Mandarin, in the form in which those that sound nearly alike are equal."""
    spoken = {sounds_of(chr(code))[0] for code in range(0x4E00, 0x9FA6)}
    return frozenset(_alike(syllable) for syllable in spoken if _SYLLABLE.fullmatch(syllable))


@lru_cache(maxsize=4096)
def _alike(syllable: str) -> str:
    """A form in which syllables that sound nearly alike are equal."""
    if syllable[:2] in ("zh", "ch", "sh"):
        syllable = syllable[0] + syllable[2:]
    elif syllable[0] == "l":
        syllable = "n" + syllable[1:]
    return (syllable[:-1] if syllable.endswith("ng") else syllable).replace("v", "u")


def _syllable_ends(letters: str, ends: Bounds, start: int) -> list[int]:
    """Where a syllable that begins at a place may end."""
    found = []
    for end in range(start + 1, min(start + _LONGEST_SYLLABLE, len(letters)) + 1):
        if _alike(letters[start:end]) in _syllables():
            found.append(end)
        if end in ends:
            break
    return found
