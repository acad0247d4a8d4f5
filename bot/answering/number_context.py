"""Whether the numbers of a sentence keep the company that they have in the passage.

「金卡会员为 15 天，铂金卡会员为 30 天」 has all the words of 「金卡会员为 30 天」, in their order, and its number too. What is
wrong is the pairing: "Gold" stands with another number there. So a clause that states facts may not take a word that
the passage has only beside other facts, which the clause leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.facts import Facts, facts
from retrieval.keywords import tokenize
from retrieval.sentences import sentences

_CLAUSE_END = re.compile(
    r"[，；;]|,(?!\d)|(?<![A-Za-z])(?:and|but|otherwise)(?![A-Za-z])|否则|但", re.IGNORECASE
)
_REACH = 3  # clauses on either side; what stands further away is about something else
_ITEM = re.compile(r"\s*(?:\||[-*+•]\s|\d+[.)、]\s)")
_SHARE = 1 / 3  # of a clause's words; a single verb that stands elsewhere too ("costs", 「收」) names nothing


@dataclass(frozen=True)
class _Clause:
    words: frozenset[str]
    stated: frozenset[str]  # its facts, as text


def strays(sentence: str, passage: str) -> frozenset[str]:
    """Words of the sentence that the passage has only beside facts which the sentence leaves out; mostly none.

    They must be a third of their clause, as what a number is about is.
    """
    theirs = list(_passage_clauses(passage))
    found: set[str] = set()
    for mine in _clauses([sentence]):
        if mine.stated:
            found |= _strays(mine, theirs)
    return frozenset(found)


def _strays(mine: _Clause, theirs: Sequence[_Clause]) -> set[str]:
    homes = [place for place, clause in enumerate(theirs) if clause.stated & mine.stated]
    if not homes:
        return set()
    near = {place for home in homes for place in range(home - _REACH, home + _REACH + 1)}
    at_home: set[str] = set()
    abroad: set[str] = set()
    for place in near.intersection(range(len(theirs))):
        clause = theirs[place]
        if clause.stated and not clause.stated & mine.stated:
            abroad |= clause.words
        else:
            at_home |= clause.words
    strayed = mine.words & (abroad - at_home)
    return set(strayed) if len(strayed) >= _SHARE * len(mine.words) else set()


def _passage_clauses(passage: str) -> Iterator[_Clause]:
    """Clauses in their order; a row of a table or an item of a list is one, whatever stands in it."""
    for part in sentences(passage):
        if _ITEM.match(part):
            yield _clause(part)
        else:
            yield from _clauses([part])


def _clauses(parts: Sequence[str]) -> Iterator[_Clause]:
    for part in parts:
        yield from (_clause(text) for text in _CLAUSE_END.split(part) if text.strip())


def _clause(text: str) -> _Clause:
    stated = _as_text(facts(text))
    words = {word for word in tokenize(text) if len(word) > 1 and not any(map(str.isdigit, word))}
    return _Clause(frozenset(words), stated)


def _as_text(found: Facts) -> frozenset[str]:
    return frozenset({number for number, _ in found.quantities} | found.exact)
