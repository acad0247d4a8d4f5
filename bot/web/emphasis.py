"""Emphasis that works in Chinese. CommonMark decides by spaces, which Chinese has not.

By the letter of CommonMark `**注意：**请保留` is no emphasis: its closing stars stand between a punctuation mark and a
letter. Here emphasis may also open and close beside a Chinese character.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline, emphasis

_CHINESE = re.compile(r"[⺀-鿿豈-﫿︰-﹏＀-￯𠀀-𳏿]")


def use_chinese_emphasis(markdown: MarkdownIt) -> None:
    """Widen the rule that finds `*` and `**`; the one that pairs them stays."""
    markdown.inline.ruler.at("emphasis", _mark_delimiters)


def _mark_delimiters(state: StateInline, silent: bool) -> bool:
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    before = state.src[start - 1] if start > 0 else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    before_is_chinese, after_is_chinese = bool(_CHINESE.match(before)), bool(_CHINESE.match(after))
    if state.src[start] == "*" and (before_is_chinese or after_is_chinese):
        for delimiter in state.delimiters[known:]:
            delimiter.open = delimiter.open or (
                not _is_space(after) and (before_is_chinese or not _is_mark(after))
            )
            delimiter.close = delimiter.close or (
                not _is_space(before) and (after_is_chinese or not _is_mark(before))
            )
    return True


def _is_space(character: str) -> bool:
    return isWhiteSpace(ord(character))


def _is_mark(character: str) -> bool:
    return isPunctChar(character) or isMdAsciiPunct(ord(character))
