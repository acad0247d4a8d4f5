"""Answers for messengers: Markdown as plain text, without citations that lead nowhere, in messages that are short enough."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.conversation import Option

_CITATION = re.compile(r"\s*\[\d{1,2}\](?!\()")
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_ENDS_OF_LINES = ("\n\n", "\n", "。", "！", "？", ". ", "；", "，", " ")


def without_citations(markdown: str) -> str:
    """The text without [1], [2] …: a messenger has no page that they could lead to."""
    return _CITATION.sub("", markdown)


def with_options(text: str, options: Sequence[Option]) -> str:
    """The text with what may be answered, one a line: there are no buttons."""
    return "\n".join([text, "", *(f"· {option.text}" for option in options)]) if options else text


def plain_text(markdown: str) -> str:
    """Markdown as one would type it: lists keep their marks, links their addresses, tables their cells."""
    lines: list[str] = []
    open_lists = 0
    cells: list[str] | None = None  # of the table row that is open
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            open_lists += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            open_lists -= 1
            lines.append("")
        elif token.type == "list_item_open":
            lines.append(f"{token.info}. " if token.info else "· ")
        elif token.type in ("fence", "code_block"):
            lines += [token.content.rstrip("\n"), ""]
        elif token.type == "tr_open":
            cells = []
        elif token.type == "tr_close":
            lines.append(" | ".join(cells or ()))
            cells = None
        elif token.type == "inline" and cells is not None:
            cells.append(_inline(token))
        elif token.type == "inline":
            _add(lines, _inline(token), in_list=open_lists > 0)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _add(lines: list[str], text: str, *, in_list: bool) -> None:
    if in_list and lines and lines[-1].endswith((". ", "· ")):
        lines[-1] += text
    else:
        lines += [text] if in_list else [text, ""]


def _inline(token: Token) -> str:
    text, address = "", ""
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            text += "\n"
        elif child.type == "link_open":
            address = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            text += (
                f" {address}" if address.startswith(("http://", "https://")) and address not in text else ""
            )
        elif child.type in ("text", "code_inline"):
            text += child.content
    return text


def in_messages(text: str, longest_bytes: int) -> list[str]:
    """The text in pieces of at most so many bytes in UTF-8, cut where a paragraph, line or sentence ends."""
    pieces = []
    while len(text.encode()) > longest_bytes:
        head = text.encode()[:longest_bytes].decode(errors="ignore")
        cut = next(
            (place + len(end) for end in _ENDS_OF_LINES if (place := head.rfind(end)) > len(head) // 3),
            len(head),
        )
        pieces.append(text[:cut].strip())
        text = text[cut:].strip()
    return [*pieces, text] if text else pieces
