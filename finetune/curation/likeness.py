"""How alike two texts are, in Chinese and English: normalised wording, shingles, and which texts are nearly the same.

A Chinese character says about as much as three Latin letters, so shingles are pairs of characters in Chinese and
triples in Latin script. Two questions with different models, prices or dates are never the same, however alike they
look: 「M3 多少钱」 is not 「M5 多少钱」. Long numbers (orders, parcels) say who asks, not what, and count as equal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from datasketch import MinHash, MinHashLSH

from bot.safety.folding import fold
from bot.understanding.context import continues, looks_like_follow_up
from bot.understanding.language import to_simplified
from finetune.records import Conversation
from retrieval.keywords import tokenize

_LONG_NUMBER = re.compile(r"[a-z]{0,4}[0-9][0-9-]{5,}")
_NOTHING_SAID = re.compile(r"[^\w<>#]+|_")  # keeps <PHONE>, letters, digits
_PARTICLES = re.compile(r"(?:[呀啊呢哦哈吧嘛啦哇呐噢喔]|[~～])+(?=$|[，。！？,.!?\s])")
_FACT = re.compile(r"[a-z]*[0-9]+(?:[.:/-][0-9]+)*[a-z]*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_RUN = re.compile(r"[^\W\u3400-\u9fff]+|[<>#]+")
_PERMUTATIONS = 128
_SEED = 1
_MISSED = 0.01  # of the pairs that are just alike enough, the share that the sketch may miss


def normalised(text: str) -> str:
    """Wording without case, punctuation, script variants, final particles and long numbers; words apart by one space."""
    plain = to_simplified(fold(text)).casefold()
    plain = _LONG_NUMBER.sub("#", plain)
    return " ".join(_NOTHING_SAID.sub(" ", _PARTICLES.sub("", plain)).split())


def facts(text: str) -> frozenset[str]:
    """The short numbers and models that a text names: {"m3", "299"}."""
    return frozenset(_FACT.findall(_LONG_NUMBER.sub("#", fold(text).casefold())))


def shingles(text: str) -> frozenset[str]:
    """What stands beside what in a normalised text: pairs of Chinese characters, triples of other letters."""
    plain = normalised(text)
    found = {f"{a}{b}" for a, b in pairwise(plain) if _HAN.match(a) and _HAN.match(b)}
    for run in _LATIN_RUN.findall(plain):
        padded = f" {run} "
        found |= {padded[start : start + 3] for start in range(len(padded) - 2)}
    return frozenset(found) if found else frozenset({plain})


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity of two sets of shingles, 0 to 1."""
    return len(one & other) / len(one | other)


@dataclass(frozen=True)
class Question:
    """A question as it is compared. `follows` is the question before it where it says nothing alone, else ""."""

    text: str
    follows: str = ""

    @property
    def plain(self) -> str:
        """Both, normalised: equal for the same question in another spelling."""
        return f"{normalised(self.follows)}\n{normalised(self.text)}"


@dataclass(frozen=True)
class Alike:
    """Which questions are nearly the same, by number: a thousand customers may ask one thing in one way."""

    numbers: tuple[int, ...]  # of each question: which distinct one it is, from 0
    near: tuple[frozenset[int], ...]  # of each distinct one: the others that are nearly the same


def asked(conversation: Conversation, index: int) -> Question:
    """What exchange `index` asks; a follow-up goes with the question that it follows.

    「那运费呢」 is asked about anything, so alone it is like many questions that have nothing to do with it.
    """
    question = conversation.exchanges[index].question
    if index == 0 or not (continues(question) or looks_like_follow_up(question)):
        return Question(question)
    return Question(question, follows=conversation.exchanges[index - 1].question)


def alike(questions: Sequence[Question], threshold: float, *, same_facts: bool = True) -> Alike:
    """Find which questions are nearly the same.

    Args:
        questions: in any language; time grows with their number, not with its square.
        threshold: least similarity of their shingles, 0 to 1 (0 excluded).
        same_facts: whether two that name different short numbers or models are always different.
    """
    distinct: dict[_Shape, int] = {}
    numbers = tuple(distinct.setdefault(_shape(each, same_facts), len(distinct)) for each in questions)
    shapes = list(distinct)
    near: list[set[int]] = [set() for _ in shapes]
    index = _index(threshold)
    for number, sketch in enumerate(_sketches(shapes)):
        for other in index.query(sketch):
            if shapes[number].is_near(shapes[other], threshold):
                near[number].add(other)
                near[other].add(number)
        index.insert(number, sketch)
    return Alike(numbers, tuple(map(frozenset, near)))


def near_any(questions: Sequence[Question], others: Sequence[Question], threshold: float) -> list[bool]:
    """Whether each question is nearly the same as one of the others, whatever numbers and models both name.

    Args:
        questions: in any language.
        others: as `questions`.
        threshold: least similarity of their shingles, 0 to 1 (0 excluded).
    """
    known = list(dict.fromkeys(_shape(each, same_facts=False) for each in others))
    index = _index(threshold)
    for number, sketch in enumerate(_sketches(known)):
        index.insert(number, sketch)
    wanted = [_shape(each, same_facts=False) for each in questions]
    distinct = list(dict.fromkeys(wanted))
    found = {
        shape: any(shape.is_near(known[other], threshold) for other in index.query(sketch))
        for shape, sketch in zip(distinct, _sketches(distinct), strict=True)
    }
    return [found[shape] for shape in wanted]


@dataclass(frozen=True)
class _Shape:
    """What is compared of a question."""

    text: frozenset[str]
    follows: frozenset[str]  # empty: it stands alone
    facts: frozenset[str]

    def is_near(self, other: _Shape, threshold: float) -> bool:
        """Part by part: a long question before it must not make a short follow-up the same as that question."""
        if self.facts != other.facts or bool(self.follows) != bool(other.follows):
            return False
        if self.follows and similarity(self.follows, other.follows) < threshold:
            return False
        return similarity(self.text, other.text) >= threshold


def _shape(question: Question, same_facts: bool) -> _Shape:
    named = facts(question.text) | facts(question.follows) if same_facts else frozenset[str]()
    return _Shape(
        shingles(question.text), shingles(question.follows) if question.follows else frozenset(), named
    )


def _sketches(shapes: Sequence[_Shape]) -> list[MinHash]:
    """Of both parts at once: where each part is alike, all of it is, so nothing is missed."""
    parts = [
        [*(part.encode() for part in shape.text), *(f"<{part}".encode() for part in shape.follows)]
        for shape in shapes
    ]
    return list(MinHash.bulk(parts, num_perm=_PERMUTATIONS, seed=_SEED))


def _index(threshold: float) -> MinHashLSH:
    return MinHashLSH(num_perm=_PERMUTATIONS, params=_bands(threshold))


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows of the sketch: as many rows as find all but a few of the pairs that are just alike enough."""
    for rows in range(_PERMUTATIONS, 1, -1):
        bands = _PERMUTATIONS // rows
        if bands > 1 and (1 - threshold**rows) ** bands <= _MISSED:
            return bands, rows
    return _PERMUTATIONS, 1


def word_f1(text: str, reference: str) -> float:
    """Harmonic mean of precision and recall of words (Chinese cut by rjieba), as in SQuAD's evaluation."""
    mine, theirs = Counter(tokenize(text)), Counter(tokenize(reference))
    common = (mine & theirs).total()
    return 0.0 if common == 0 else 2 * common / (mine.total() + theirs.total())
