"""Composes an answer from the passages' own sentences: what the customer gets when no drafted sentence may be shown.

Nothing is written here. The sentences nearest to the question are chosen, kept in their order and kept whole (a list
of steps with the line that introduces it), so the answer is as true as the article.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.documents import Hit, Passage
from retrieval.encoder import Encoder
from retrieval.keywords import tokenize
from retrieval.sentences import statements

MOST_WIDTH = 420  # of an answer, in width units (a Chinese character is 2)
_MOST_SENTENCES = 4
_MOST_PASSAGES = 3  # that are read for an answer: each costs the encoding of its sentences
_WORTH_READING = 0.6  # share of the best passage's score that a passage needs to be read at all
_NEAR = 0.02  # how near (cosine) another passage, list or table must come to the best to be quoted too
_SHARED_WORDS = 0.05  # for all words of the question; cosines of good and middling sentences differ by less
_OPENING = 0.01
_REPEATED = 0.6  # share of a sentence's words that make it a repetition
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
    opens: bool = False  # the first of its article


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
    units = [unit for i in quotable for unit in _units(i, hits[i].passage)]
    relevance = _relevance(question, units, hits, encoder)
    own = [i for i, unit in enumerate(units) if hits[unit.hit].passage.article_id == best_article]
    first = max(own, key=lambda i: relevance[i])
    quotes = [Quote(units[first].hit, _join([units[i] for i in _around(first, units, relevance)]))]
    width = _width(quotes[0].text)
    for i in sorted(range(len(units)), key=lambda i: -relevance[i]):
        if units[i].hit == units[first].hit or units[i].is_block:
            continue
        near = relevance[i] >= relevance[first] - _NEAR
        if near and width + _width(units[i].text) <= MOST_WIDTH and not _says_it_already(units[i], quotes[0]):
            quotes.append(Quote(units[i].hit, units[i].text))
            break
    return tuple(quotes)


def sentence_texts(passage: Passage) -> tuple[str, ...]:
    """What `compose` asks vectors of (by `encode_passages`) to quote a passage: encode it ahead, and answers take no time."""
    units = _units(0, passage)
    return (*(unit.text for unit in units), *(_under_heading(unit, passage) for unit in units))


def _units(position: int, passage: Passage) -> list[_Unit]:
    """A passage's sentences, steps and rows; an article opens with the sentence that answers its title."""
    return [
        _Unit(
            position,
            part,
            bool(_STEP.match(part) or _ROW.match(part)),
            opens=passage.ordinal == 0 and number == 0,
        )
        for number, part in enumerate(statements(passage.text))
    ]


def _relevance(question: str, units: Sequence[_Unit], hits: Sequence[Hit], encoder: Encoder) -> list[float]:
    """How well each unit answers: its nearness alone and under its heading, words in common, and where it stands.

    Alone, a sentence is judged by what it says; the heading adds what it is about. Neither did well by itself.
    """
    asked = encoder.encode_queries([question])[0]
    alone = encoder.encode_passages([unit.text for unit in units]) @ asked
    headed = encoder.encode_passages([_under_heading(unit, hits[unit.hit].passage) for unit in units]) @ asked
    words = set(tokenize(question))
    shared = [len(words.intersection(tokenize(unit.text))) / max(len(words), 1) for unit in units]
    return [
        float(a + b) / 2 + _SHARED_WORDS * share + _OPENING * unit.opens
        for a, b, share, unit in zip(alone, headed, shared, units, strict=True)
    ]


def _under_heading(unit: _Unit, passage: Passage) -> str:
    return f"{passage.headings[-1] if passage.headings else passage.title}\n{unit.text}"


def _around(first: int, units: Sequence[_Unit], relevance: Sequence[float]) -> list[int]:
    """`first` with its neighbours in the same passage: whole lists, and sentences after and before while they fit."""
    same = [i for i, unit in enumerate(units) if unit.hit == units[first].hit]
    chosen = _with_list(first, same, units)
    for i in sorted(set(same) - chosen, key=lambda i: -relevance[i]):
        is_list = units[i].is_block or _introduces(units[i])
        more = _with_list(i, same, units) if is_list else {i}
        near = max(relevance[j] for j in more) >= relevance[first] - _NEAR
        fits = sum(_width(units[j].text) for j in chosen | more) <= MOST_WIDTH
        if is_list and (not near or not fits or _introduces(units[max(more)])):
            continue  # a table about something else takes more room than it is worth; a line without its list says nothing
        prose = sum(not units[j].is_block for j in chosen)
        if prose >= _MOST_SENTENCES or not fits:
            break
        chosen |= more
    return sorted(chosen)


def _with_list(member: int, same: Sequence[int], units: Sequence[_Unit]) -> set[int]:
    """A step, a row, or the line that introduces them, with all the others and that line; a sentence alone."""
    if units[member].is_block:
        block = _block(member, same, units)
        return block | {min(block) - 1} if min(block) - 1 in same else block
    if member + 1 in same and units[member + 1].is_block:
        return {member} | _block(member + 1, same, units)
    return {member}


def _introduces(unit: _Unit) -> bool:
    """Whether a line says nothing without what follows it."""
    return unit.text.endswith((":", "："))


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
    """Sentences on one line, steps and rows each on their own; a table gets back the line under its header."""
    text = ""
    before: _Unit | None = None
    for unit in units:
        if before is None:
            text = unit.text
        elif unit.is_block:
            text += ("\n" if before.is_block else "\n\n") + unit.text
        elif before.is_block:
            text += "\n\n" + unit.text
        else:
            text += ("" if _ends_chinese(text) else " ") + unit.text
        if _is_row(unit) and (before is None or not _is_row(before)):
            text += "\n|" + "---|" * (unit.text.count("|") - 1)
        before = unit
    return text


def _is_row(unit: _Unit) -> bool:
    return bool(_ROW.match(unit.text))


def _ends_chinese(text: str) -> bool:
    return text[-1] in "。！？；：，、）】」"


def _says_it_already(unit: _Unit, quote: Quote) -> bool:
    words = set(tokenize(unit.text))
    return len(words.intersection(tokenize(quote.text))) >= _REPEATED * len(words)


def _width(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
