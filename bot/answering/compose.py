"""Composes an answer from the passages' own sentences: what the customer gets when no drafted sentence may be shown.

Nothing is written here. The sentences nearest to the question are chosen, kept in their order and kept whole (a list
of steps with the line that introduces it), so the answer is as true as the article.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.documents import Hit
from retrieval.encoder import Encoder
from retrieval.sentences import sentences

MOST_WIDTH = 420  # of an answer, in width units (a Chinese character is 2)
_MOST_SENTENCES = 4
_MOST_PASSAGES = 3  # that are read for an answer: each costs the encoding of its sentences
_WORTH_READING = 0.6  # share of the best passage's score that a passage needs to be read at all
_SECOND_SOURCE_MARGIN = 0.02  # how near (cosine) another passage must come to the best to be quoted too
_STEP = re.compile(r"\s*(?:\d+[.)、]|[-*+•])\s")
_ROW = re.compile(r"\s*\|")


@dataclass(frozen=True)
class Quote:
    """Sentences of one passage, quoted in their order. `hit` is the position of the passage among the hits."""

    hit: int
    text: str  # Markdown


@dataclass(frozen=True)
class _Unit:
    hit: int
    text: str
    is_block: bool  # a step of a list or a row of a table


def compose(question: str, hits: Sequence[Hit], encoder: Encoder) -> tuple[Quote, ...]:
    """Choose what to quote for `question` from `hits` (ranked, best first); one quote a passage, at least one.

    Raises:
        ValueError: `hits` is empty; without passages there is nothing to quote.
    """
    if not hits:
        raise ValueError("Nothing can be composed from no passages; decide on another route first.")
    best_article = hits[0].passage.article_id
    quotable = [i for i, hit in enumerate(hits) if hit.score >= hits[0].score * _WORTH_READING][
        :_MOST_PASSAGES
    ]
    units = [unit for i in quotable for unit in _units(i, hits[i].passage.text)]
    relevance = _relevance(question, units, hits, encoder)
    own = [i for i, unit in enumerate(units) if hits[unit.hit].passage.article_id == best_article]
    first = max(own, key=lambda i: relevance[i])
    chosen = _around(first, units, relevance)
    quotes = [Quote(units[first].hit, _join([units[i] for i in chosen]))]
    width = _width(quotes[0].text)
    for i in sorted(range(len(units)), key=lambda i: -relevance[i]):
        if units[i].hit == units[first].hit or units[i].is_block:
            continue
        near = relevance[i] >= relevance[first] - _SECOND_SOURCE_MARGIN
        if near and width + _width(units[i].text) <= MOST_WIDTH and not _says_it_already(units[i], quotes):
            quotes.append(Quote(units[i].hit, units[i].text))
            break
    return tuple(quotes)


def _units(position: int, text: str) -> list[_Unit]:
    return [
        _Unit(position, part.strip(), bool(_STEP.match(part) or _ROW.match(part)))
        for part in sentences(text)
        if part.strip() and not part.lstrip().startswith("#")
    ]


def _relevance(question: str, units: Sequence[_Unit], hits: Sequence[Hit], encoder: Encoder) -> list[float]:
    """Cosine of the question with each unit under its heading: the heading says what the sentence is about."""
    asked = encoder.encode_queries([question])[0]
    texts = [
        f"{' · '.join((hits[unit.hit].passage.title, *hits[unit.hit].passage.headings[-1:]))}\n{unit.text}"
        for unit in units
    ]
    return [float(score) for score in np.asarray(encoder.encode_passages(texts)) @ asked]


def _around(first: int, units: Sequence[_Unit], relevance: Sequence[float]) -> list[int]:
    """`first` with its neighbours in the same passage: whole lists, and sentences after and before while they fit."""
    same = [i for i, unit in enumerate(units) if unit.hit == units[first].hit]
    chosen = {first}
    if units[first].is_block:
        chosen |= _block(first, same, units)
        if min(chosen) - 1 in same:
            chosen.add(min(chosen) - 1)  # the line that introduces the list
    elif first + 1 in same and units[first + 1].is_block:
        chosen |= _block(first + 1, same, units)
    for i in sorted(set(same) - chosen, key=lambda i: -relevance[i]):
        prose = sum(not units[j].is_block for j in chosen)
        fits = sum(_width(units[j].text) for j in chosen) + _width(units[i].text) <= MOST_WIDTH
        if prose >= _MOST_SENTENCES or not fits:
            break
        chosen |= _block(i, same, units) if units[i].is_block else {i}
    return sorted(chosen)


def _block(member: int, same: Sequence[int], units: Sequence[_Unit]) -> set[int]:
    """The run of steps or rows that `member` belongs to."""
    block = {member}
    for step in (-1, 1):
        i = member + step
        while i in same and units[i].is_block:
            block.add(i)
            i += step
    return block


def _join(units: Sequence[_Unit]) -> str:
    """Sentences on one line, steps and rows each on their own; a table's blocks need an empty line before them."""
    text = ""
    previous_block = False
    for unit in units:
        if not text:
            text = unit.text
        elif unit.is_block:
            text += ("\n" if previous_block else "\n\n") + unit.text
        elif previous_block:
            text += "\n\n" + unit.text
        else:
            text += ("" if _ends_chinese(text) else " ") + unit.text
        previous_block = unit.is_block
    return text


def _ends_chinese(text: str) -> bool:
    return text[-1] in "。！？；：，、）】」"


def _says_it_already(unit: _Unit, quotes: Sequence[Quote]) -> bool:
    return any(unit.text in quote.text for quote in quotes)


def _width(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
