"""What a question says, in the words that the shop's texts use: corrected, read from pinyin, and in both languages.

A customer may write 退货, `return`, `retrun`, `tuihuo`, `tui huo` or 退伙. Each word of a question becomes all the ways
to say it that the shop's texts know, each with the certainty that it is meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import rjieba

from retrieval.bridge import WordBridge
from retrieval.keywords import (
    KeywordIndex,
    Tokenizer,
    chinese_runs,
    is_function_word,
    spelled,
    stem,
    tokenize,
)
from retrieval.pinyin import Pinyin, SoundedWord
from retrieval.spelling import Spelling

# A word in Latin letters, with the apostrophes and the tones that pinyin may have; not a part of a number, name or address.
_LATIN = re.compile(
    r"(?<![A-Za-z0-9À-ɏ@_/&+.\-])[A-Za-zÀ-ɏ]+(?:['’][A-Za-zÀ-ɏ]+)*(?![A-Za-z0-9À-ɏ@_/&+\-]|\.[A-Za-z0-9])"
)
_TONES = re.compile("[\u0300\u0301\u0304\u030c]")
_BETWEEN = re.compile("['’ ]")

_SPELT = 0.65  # certainty from which a misspelt word is corrected in the text, too: one slip in six letters
_HEARD = 0.85  # certainty of a known word whose sounds were typed
_ONE_SOUND = 0.5  # what is left of it for one of a single syllable, which many words have
_SLIPPED = 0.8  # what is left of it for each syllable that only sounds nearly so
_OTHER_CHARACTER = 0.6  # certainty of a word that sounds like one that the shop never writes
_WRITTEN = 0.5  # certainty from which it is corrected in the text, too: few other words sound so
_USUAL = 50  # frequency in rjieba's dictionary above which a word that the shop never writes is no slip
_PINYIN = 0.25  # share of the syllables in known words of two or more, from which a question holds pinyin

Heard = tuple[SoundedWord, ...]
Ways = Mapping[str, float]  # token → certainty (0 to 1) that it says what was meant


@dataclass(frozen=True)
class Reading:
    """What a question was understood to say."""

    text: str  # the question, with pinyin in Chinese characters, and without what is surely a slip
    words: tuple[Ways, ...]  # for each of its content words the ways to say it


@dataclass(frozen=True)
class _Stretch:
    """Words in Latin letters with nothing but blanks between them, that can all be read as pinyin."""

    start: int  # in the question
    end: int
    words: tuple[str, ...]  # with apostrophes


class Wording:
    """Reads questions with what was learned from the shop's texts. Never changes; safe to use from several threads."""

    def __init__(
        self,
        keywords: KeywordIndex,
        *,
        bridge: WordBridge,
        spelling: Spelling,
        pinyin: Pinyin,
        tokens: Tokenizer = tokenize,
    ) -> None:
        """Read with these parts; `tokens` cuts a text as the documents of `keywords` were cut."""
        self._keywords = keywords
        self._bridge = bridge
        self._spelling = spelling
        self._pinyin = pinyin
        self._tokens = tokens
        self._read = lru_cache(maxsize=256)(self._understood)

    def read(self, question: str) -> Reading:
        """The words that a question says, and the ways to say them."""
        return self._read(question)

    def _understood(self, question: str) -> Reading:
        text, rest, place = [], [], 0
        words: list[Ways] = []
        for stretch, heard in self._typed_sounds(question):
            before = question[place : stretch.start]
            text += [self._spelt(before), _written(heard)]
            rest.append(before)
            words += self._heard_words(heard)
            place = stretch.end
        text.append(self._spelt(question[place:]))
        rest.append(question[place:])
        return Reading("".join(text), (*self._written_words("\n".join(rest)), *words))

    def _written_words(self, text: str) -> Iterator[Ways]:
        """The words of a text that was typed as it is meant, but for slips."""
        instead = dict(self._other_characters(text))
        forms = {stem(form): form for form in spelled(text)}
        for token in dict.fromkeys(self._tokens(text)):
            if self._keywords.weight(token) > 0 or (token not in instead and token not in forms):
                yield self._bridge.ways_to_say(token)
            elif token in instead:
                yield {**self._bridge.ways_to_say(token), **instead[token]}
            else:
                yield self._corrected(token, forms[token])

    def _corrected(self, token: str, form: str) -> Ways:
        """A word that the shop never writes, and those that it may be a slip of."""
        return {**self._bridge.ways_to_say(token), **self._all_ways(self._slip_of(form))}

    def _slip_of(self, form: str) -> dict[str, float]:
        """Tokens that a misspelt word may stand for."""
        sure: dict[str, float] = {}
        for meant, certainty in self._spelling.meant(form).items():
            sure[stem(meant)] = min(sure.get(stem(meant), 0.0) + certainty, 1.0)
        return sure

    def _spelt(self, text: str) -> str:
        """A text with its misspelt words and wrong characters corrected where that is sure enough."""
        for word, ways in self._other_characters(text):
            meant = max(ways, key=lambda way: ways[way])
            if ways[meant] >= _WRITTEN:
                text = text.replace(word, meant)
        return _LATIN.sub(lambda match: self._spelt_word(match[0]), text)

    def _spelt_word(self, word: str) -> str:
        form = word.lower()
        if self._keywords.weight(stem(form)) > 0:
            return word
        sure = self._slip_of(form)
        return next(iter(self._spelling.meant(form))) if max(sure.values(), default=0.0) >= _SPELT else word

    def _all_ways(self, sure: Ways) -> Ways:
        """Tokens and what says the same in the other language."""
        ways: dict[str, float] = {}
        for token, certainty in sure.items():
            for way, like in self._bridge.ways_to_say(token).items():
                ways[way] = max(ways.get(way, 0.0), certainty * like)
        return ways

    # Pinyin

    def _typed_sounds(self, question: str) -> list[tuple[_Stretch, Heard]]:
        """The stretches of a question that are pinyin, and what they say. They are judged together."""
        found = []
        for stretch in self._stretches(question):
            heard = self._pinyin.read(*_letters(stretch.words))
            if heard is not None and self._is_foreign(stretch.words):
                found.append((stretch, heard))
        words = [word for _, heard in found for word in heard]
        firm = sum(len(word.syllables) - word.slips for word in words if len(word.word or "") > 1)
        return found if firm >= _PINYIN * sum(len(word.syllables) for word in words) else []

    def _stretches(self, question: str) -> list[_Stretch]:
        found: list[_Stretch] = []
        for match in _LATIN.finditer(question):
            if self._pinyin.read(*_letters([match[0]])) is None:
                continue
            if found and not question[found[-1].end : match.start()].strip():
                before = found.pop()
                found.append(_Stretch(before.start, match.end(), (*before.words, match[0])))
            else:
                found.append(_Stretch(match.start(), match.end(), (match[0],)))
        return found

    def _is_foreign(self, words: Sequence[str]) -> bool:
        """Whether a stretch is rather not English; words that are one of the shop's Chinese words, too, do not tell."""
        foreign = known = 0
        for word in words:
            if not self._is_english(word):
                foreign += len(word)
            elif not self._is_both(word):
                known += len(word)
        return foreign > known

    def _is_english(self, word: str) -> bool:
        lowered = word.lower()
        return (
            is_function_word(lowered) or lowered in self._spelling or self._keywords.weight(stem(lowered)) > 0
        )

    def _is_both(self, word: str) -> bool:
        """Whether an English word is one of the shop's Chinese words, too: fapiao."""
        heard = self._pinyin.read(*_letters([word]))
        return heard is not None and len(heard) == 1 and len(heard[0].word or "") > 1 and heard[0].slips == 0

    def _heard_words(self, heard: Sequence[SoundedWord]) -> Iterator[Ways]:
        for sounded in heard:
            if sounded.word is None or is_function_word(sounded.word):
                continue
            sure = _HEARD * _SLIPPED**sounded.slips
            sure *= _ONE_SOUND if len(sounded.word) == 1 else 1.0
            for token in dict.fromkeys(self._tokens(sounded.word)):
                others = self._pinyin.same_sound(token).items()
                yield self._all_ways({**{other: sure * share for other, share in others}, token: sure})

    # Wrong characters

    def _other_characters(self, text: str) -> Iterator[tuple[str, Ways]]:
        """Words that nobody writes, and the shop's words that sound like them."""
        for run in chinese_runs(text):
            for word in rjieba.cut(run):
                if len(word) > 1 and word not in self._pinyin and not _is_usual(word):
                    sure = {
                        other: _OTHER_CHARACTER * share
                        for other, share in self._pinyin.same_sound(word).items()
                        if self._keywords.weight(other) > 0 and rjieba.has_word(other)
                    }
                    if sure:
                        yield word, self._all_ways(sure)


def _is_usual(word: str) -> bool:
    """Whether a Chinese word is one that people write, though the shop may not."""
    # For a word of its dictionary rjieba suggests at least the frequency that it has there.
    return is_function_word(word) or (rjieba.has_word(word) and rjieba.suggest_freq(word) > _USUAL)


def _letters(words: Sequence[str]) -> tuple[str, frozenset[int]]:
    """The letters of words without tones, ü as v, and the places that no syllable goes across."""
    plain = unicodedata.normalize(
        "NFC", _TONES.sub("", unicodedata.normalize("NFD", " ".join(words).lower()))
    )
    parts = _BETWEEN.split(plain.replace("ü", "v"))
    ends = accumulate(len(part) for part in parts[:-1])
    return "".join(parts), frozenset(ends)


def _written(heard: Sequence[SoundedWord]) -> str:
    """What was heard in Chinese characters; a syllable that no word has as it was typed."""
    return "".join(f" {word.syllables[0]} " if word.word is None else word.word for word in heard)
