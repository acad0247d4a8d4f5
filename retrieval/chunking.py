"""Cuts articles into passages: along headings, then by length, never through a sentence, a list item or a table row."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.documents import Article, Passage
from retrieval.sentences import split_paragraph

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_LISTS = ("bullet_list_open", "ordered_list_open")
_TINY = 1 / 6  # of the limit; a shorter passage says too little on its own and joins its neighbour
_LINK = re.compile(r"!?\[([^\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_MARKUP = re.compile(r"\*\*|__|`|^[ \t]*(?:#{1,6}|>)[ \t]+|^[ \t]*\|?[ \t:-]*\|[-| \t:]*$", re.MULTILINE)


@dataclass(frozen=True)
class _Unit:
    """The least that may stand alone: a sentence, a list item, table rows with their header, a code block."""

    text: str
    joint: str  # what joins it to the unit before it in the same passage
    leads: bool = False  # announces what follows ("you need:"), so it does not end a passage
    header: str = ""  # of a table; repeated where the table is cut


@dataclass(frozen=True)
class _Section:
    """What stands under one heading, or before the first; `ranks` are the headings' levels, 1 to 6."""

    headings: tuple[str, ...]
    ranks: tuple[int, ...]
    units: tuple[_Unit, ...]


@dataclass(frozen=True)
class _Piece:
    headings: tuple[str, ...]
    rank: int
    text: str
    complete: bool  # a whole section, not a part of one


def split(article: Article, limit: int) -> tuple[Passage, ...]:
    """Cut an article into passages.

    Sections stay apart, since each stands on its own; a very short one joins its neighbour. A section longer than
    the limit is cut between sentences, list items or table rows, and each part of a table repeats its header. A
    single sentence, item or row longer than the limit stays whole.

    Args:
        article: its body is Markdown.
        limit: longest passage, in width units (a Chinese character is 2, a Latin letter 1), from 1.
    """
    pieces = [piece for section in _sections(article.body) for piece in _pieces(section, limit)]
    merged = _merge_tiny(pieces, limit)
    return tuple(_passage(article, piece, ordinal) for ordinal, piece in enumerate(merged))


def headings(article: Article) -> tuple[str, ...]:
    """The headings of an article's sections, in order: mostly what a customer would ask, in the team's words."""
    return tuple(
        dict.fromkeys(section.headings[-1] for section in _sections(article.body) if section.headings)
    )


def width(text: str) -> int:
    """Length in width units: 2 for a Chinese (wide) character, 1 for any other."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def embedded_text(passage: Passage) -> str:
    """What is turned into a vector for a passage: title, headings and text, without Markdown's marks and links."""
    headings = [heading for heading in passage.headings if heading != passage.title]
    return "\n".join((passage.title, *headings, plain_text(passage.text)))


def plain_text(markdown: str) -> str:
    """Markdown without link targets, emphasis, heading marks and table rules."""
    return re.sub(r"\n{2,}", "\n", _MARKUP.sub("", _LINK.sub(r"\1", markdown))).strip()


def _passage(article: Article, piece: _Piece, ordinal: int) -> Passage:
    passage = Passage(
        id=f"{article.id}/{article.language}/{ordinal}",
        article_id=article.id,
        language=article.language,
        title=article.title,
        headings=piece.headings,
        text=piece.text,
        ordinal=ordinal,
        content_hash="",
    )
    return replace(passage, content_hash=hashlib.sha256(embedded_text(passage).encode()).hexdigest())


# ---------------------------------------------------------------------------------------------- Markdown to units


def _sections(body: str) -> Iterator[_Section]:
    lines = body.splitlines()
    headings: list[tuple[int, str]] = []
    units: list[_Unit] = []
    for block in _top_level(_MARKDOWN.parse(body)):
        if block[0].type == "heading_open":
            if units:
                yield _section(headings, units)
            units = []
            rank = int(block[0].tag[1])
            headings = [
                *(above for above in headings if above[0] < rank),
                (rank, plain_text(block[1].content)),
            ]
        else:
            units += _units(block, lines)
    if units:
        yield _section(headings, units)


def _section(headings: Sequence[tuple[int, str]], units: Sequence[_Unit]) -> _Section:
    return _Section(tuple(text for _, text in headings), tuple(rank for rank, _ in headings), tuple(units))


def _top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each block that lies in no other block."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _units(block: Sequence[Token], lines: Sequence[str]) -> list[_Unit]:
    kind, span = block[0].type, block[0].map
    if span is None or kind == "hr":
        return []
    source = lines[span[0] : span[1]]
    if kind == "paragraph_open":
        return _sentence_units(block[1].content)
    if kind in _LISTS:
        return _item_units(block, lines)
    if kind == "table_open":
        return _row_units(block, lines)
    return [_Unit("\n".join(source).strip("\n"), "\n\n")]  # code, quotes and the rest stay whole


def _sentence_units(paragraph: str) -> list[_Unit]:
    found = split_paragraph(paragraph)
    units = [_Unit(sentence, "\n\n" if number == 0 else "", found[-1] is sentence and _announces(sentence))
             for number, sentence in enumerate(found)]  # fmt: skip
    # English sentences are joined by a space, Chinese ones by nothing.
    return [
        units[0],
        *(replace(after, joint=_space(before.text, after.text)) for before, after in pairwise(units)),
    ]


def _announces(sentence: str) -> bool:
    return sentence.rstrip("*_ ").endswith((":", "："))


def _space(before: str, after: str) -> str:
    wide = unicodedata.east_asian_width(before[-1]) in "WF" or unicodedata.east_asian_width(after[0]) in "WF"
    return "" if wide else " "


def _item_units(block: Sequence[Token], lines: Sequence[str]) -> list[_Unit]:
    """Outermost items, each with all it holds; an ordered one carries its own number, also where the list is cut."""
    start = block[0].attrGet("start")
    first = 1 if start is None else int(start)
    units: list[_Unit] = []
    for token in block:
        if token.type == "list_item_open" and token.level == 1 and token.map:
            text = "\n".join(lines[token.map[0] : token.map[1]]).strip()
            if block[0].type == "ordered_list_open":
                text = re.sub(r"^\d+", str(first + len(units)), text)
            units.append(_Unit(text, "\n" if units else "\n\n"))
    return units


def _row_units(block: Sequence[Token], lines: Sequence[str]) -> list[_Unit]:
    rows = [token.map for token in block if token.type == "tr_open" and token.map]
    top = rows[0][0]
    header = "\n".join(lines[top : top + 2]).strip()
    texts = [lines[first].strip() for first, _ in rows[1:]]
    if not texts:
        return [_Unit(header, "\n\n")]
    units = [_Unit(text, "\n", header=header) for text in texts]
    return [replace(units[0], text=f"{header}\n{texts[0]}", joint="\n\n"), *units[1:]]


# ---------------------------------------------------------------------------------------------- units to passages


def _pieces(section: _Section, limit: int) -> Iterator[_Piece]:
    texts = list(_pack(section.units, limit))
    rank = section.ranks[-1] if section.ranks else 0
    for text in texts:
        yield _Piece(section.headings, rank, text, complete=len(texts) == 1)


def _pack(units: Sequence[_Unit], limit: int) -> Iterator[str]:
    """Fill passages up to the limit, whole units only."""
    packed: list[_Unit] = []
    for unit in units:
        if packed and width(_joined([*packed, unit])) > limit:
            carried = [packed.pop()] if packed[-1].leads and len(packed) > 1 else []
            if not packed[-1].leads:
                yield _joined(packed)
                packed = carried
        packed.append(unit)
    if packed:
        yield _joined(packed)


def _joined(units: Sequence[_Unit]) -> str:
    first = units[0]
    # A part of a table that does not begin with its header gets it again.
    begins = (
        first.text
        if not first.header or first.text.startswith(first.header)
        else f"{first.header}\n{first.text}"
    )
    return begins + "".join(unit.joint + unit.text for unit in units[1:])


def _merge_tiny(pieces: Sequence[_Piece], limit: int) -> list[_Piece]:
    """Join what is too short to stand alone: the part before the first heading with what follows, others with what precedes."""
    merged: list[_Piece] = []
    for piece in pieces:
        before = merged[-1] if merged else None
        if before and _belong_together(before, piece, limit):
            merged[-1] = _join(before, piece)
        else:
            merged.append(piece)
    return merged


def _belong_together(before: _Piece, piece: _Piece, limit: int) -> bool:
    tiny = limit * _TINY
    lead_is_short = not before.headings and width(before.text) < tiny
    return (lead_is_short or width(piece.text) < tiny) and width(_join(before, piece).text) <= limit


def _join(before: _Piece, piece: _Piece) -> _Piece:
    common = 0
    for one, other in zip(before.headings, piece.headings, strict=False):
        if one != other:
            break
        common += 1
    parts = []
    for part in (before, piece):
        shown = part.headings[common:]
        marks = [f"{'#' * max(part.rank, 1)} {heading}" for heading in shown[-1:]]
        parts.append("\n\n".join([*marks, part.text]))
    if before.headings == piece.headings:
        return replace(before, text=f"{before.text}\n\n{piece.text}", complete=False)
    return _Piece(before.headings[:common], before.rank if common else 0, "\n\n".join(parts), complete=False)
