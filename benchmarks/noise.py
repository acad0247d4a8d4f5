"""Writes questions as hurried customers do: with slips, in pinyin, with another character of the same sound.

The same question always gets the same slips.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import rjieba

from retrieval.keywords import chinese_runs, is_function_word, normalize
from retrieval.pinyin import sounds_of

Noise = Callable[[str], str | None]  # a question → as it is mistyped; None where there is nothing to mistype

_LONG_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{5,}(?![A-Za-z0-9])")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_LIKELIEST = 4  # characters of a sound that an input method offers first


def one_typo(question: str) -> str | None:
    """Two letters swapped, one lost or one doubled, in one English word of five letters or more."""
    return _mistyped(question, every=False)


def typo_in_each(question: str) -> str | None:
    """The same in every such word."""
    return _mistyped(question, every=True)


def joined_pinyin(question: str) -> str | None:
    """Chinese typed in pinyin without tones, each stretch in one word: 怎么退货 is `zenmetuihuo`."""
    plain = normalize(question)
    typed = " ".join(_HAN.sub(lambda run: f" {''.join(sounds_of(run[0]))} ", plain).split())
    return None if typed == plain else typed


def homophones(texts: Iterable[str]) -> Noise:
    """Noise that replaces one character of one Chinese word by another of its sound, a frequent one in `texts`."""
    alike = _by_sound(texts)

    def mistype(question: str) -> str | None:
        plain = normalize(question)
        chance = random.Random(question)  # noqa: S311 — repeatable on purpose
        spots = [
            (word, place, others)
            for run in chinese_runs(plain)
            for word in rjieba.cut(run)
            if len(word) == 2 and not is_function_word(word)
            for place in (0, 1)
            if (others := _others(word[place], alike))
        ]
        if not spots:
            return None
        word, place, others = chance.choice(spots)
        return plain.replace(word, word[:place] + chance.choice(others) + word[place + 1 :], 1)

    return mistype


def _others(character: str, alike: Mapping[str, Sequence[str]]) -> list[str]:
    same = alike.get(sounds_of(character)[0], ())
    return [other for other in same if other != character][:_LIKELIEST]


def _by_sound(texts: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Characters by their sound, the frequent ones first."""
    counts = Counter(character for text in texts for run in chinese_runs(text) for character in run)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for character, _ in counts.most_common():
        found[sounds_of(character)[0]].append(character)
    return found


def _mistyped(question: str, *, every: bool) -> str | None:
    chance = random.Random(question)  # noqa: S311 — repeatable on purpose
    words = list(_LONG_WORD.finditer(question))
    if not words:
        return None
    chosen = words if every else [chance.choice(words)]
    for word in reversed(chosen):
        question = question[: word.start()] + _slipped(word[0], chance) + question[word.end() :]
    return question


def _slipped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    lost = word[:at] + word[at + 1 :]
    doubled = word[: at + 1] + word[at:]
    return chance.choice((swapped, lost, doubled))
