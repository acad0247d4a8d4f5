"""Cuts text into sentences, Chinese and English alike, without breaking numbers, abbreviations, links or lists."""

from __future__ import annotations

import re

_HAN = "\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef\U00020000-\U0003ffff"
_END = re.compile(r"(?:[。！？；!?]|…+|(?<=\.)\.+|\.)+[”’」』）)】》\"'*_]*")
_CHINESE_END = re.compile(r"[。！？；…]")
_CHINESE_LAST = re.compile(rf"[{_HAN}][”’\"'*_]*$")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(（\"“])(?:e\.g|i\.e|cf|vs|no|nos|mr|mrs|ms|dr|prof|st|approx|fig|tel|ext|inc|ltd|co|dept|est|"
    r"[a-z]|(?:[a-z]\.)+[a-z])\.$",
    re.IGNORECASE,
)
_NEVER_LAST = re.compile(
    r"(?:^|[\s(（\"“])(?:e\.g|i\.e|cf|vs|mr|mrs|ms|dr|prof|approx|fig)\.$", re.IGNORECASE
)
_LIST_ITEM = re.compile(
    r"^[ \t]*(?:[-*+•·]|\d{1,3}[.)、]|[(（]\d{1,3}[)）]|[①-⑳])(?:[ \t]+|(?<=[、)）①-⑳])(?=\S))"
)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
_PAIRS = {"(": ")", "（": "）", "[": "]", "【": "】", "《": "》"}
_NO_SPACE_BETWEEN = re.compile(rf"(?<=[{_HAN}])\n|\n(?=[{_HAN}])")


def sentences(text: str) -> list[str]:
    """Sentences of a Markdown text, in order, trimmed; joined again they hold every word of it.

    A list item (with the lines that belong to it), a table row, a heading and a line of code are one each; the
    rule under a table's header is left out. Works on half-written text too, as a model streams it.

    Args:
        text: Markdown or plain text in Chinese, English or both.
    """
    found: list[str] = []
    for block in _blocks(text):
        if _is_whole(block):
            found.append(re.sub(r"[ \t]*\n[ \t]*", _joiner, block).strip())
        else:
            found += split_paragraph(block)
    return [sentence for sentence in found if sentence]


def statements(text: str) -> list[str]:
    """The sentences of a Markdown text that say something: without its headings."""
    return [sentence for sentence in sentences(text) if not sentence.startswith("#")]


def is_list_item(sentence: str) -> bool:
    """Whether a sentence is an item of a list, with its bullet or number."""
    return bool(_LIST_ITEM.match(sentence))


def ends_in_chinese(text: str) -> bool:
    """Whether the next sentence follows without a blank: after a Chinese character or sign, closing quotes behind it aside."""
    return bool(_CHINESE_LAST.search(text))


def split_paragraph(text: str) -> list[str]:
    """Sentences of one paragraph; a line break in it is a space, or nothing beside a Chinese character."""
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text.strip())
    text = _NO_SPACE_BETWEEN.sub("", text).replace("\n", " ")
    enclosed = _enclosed(text)
    found = []
    start = 0
    for end in _END.finditer(text):
        if not enclosed[end.start()] and _is_boundary(text, end, start):
            found.append(text[start : end.end()].strip())
            start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _blocks(text: str) -> list[str]:
    """Paragraphs, list items, table rows, headings and code lines, each as its lines."""
    blocks: list[list[str]] = []
    joins = False  # whether the next line continues the last block
    code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            code = not code
            joins = False
        elif not line.strip() or (_TABLE_RULE.match(line) and blocks and not code):
            joins = False
        elif code or _is_unit(line):
            blocks.append([line])
            joins = not code and bool(_LIST_ITEM.match(line))
        elif joins:
            blocks[-1].append(line)
        elif line[:1] in " \t" and blocks and _LIST_ITEM.match(blocks[-1][0]):
            blocks[-1].append(line)  # an indented paragraph belongs to its list item
        else:
            blocks.append([line])
            joins = True
    return ["\n".join(lines) for lines in blocks]


def _is_unit(line: str) -> bool:
    return bool(_LIST_ITEM.match(line) or _HEADING.match(line)) or line.lstrip().startswith("|")


def _is_whole(block: str) -> bool:
    return _is_unit(block)


def _joiner(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return "" if re.match(f"[{_HAN}]", before) or re.match(f"[{_HAN}]", after) else " "


def _is_boundary(text: str, end: re.Match[str], start: int) -> bool:
    """Whether the punctuation really ends a sentence."""
    mark, rest = end[0], text[end.end() :]
    if not rest.strip():
        return False  # the end of the text closes the last sentence anyway
    if _CHINESE_END.search(mark):
        return True
    before = text[start : end.end()]
    if not rest[0].isspace():
        # 「可以吗?可以」 is two sentences, `a.com?退货`, `1.5`, `v2.0` and `https://x.com/a.b` are not.
        return bool(re.match(f"[{_HAN}]", rest)) and bool(re.search(f"[{_HAN}]$", text[: end.start()]))
    if "!" in mark or "?" in mark:
        return True
    return _is_full_stop(before.rstrip("”’」』）)】》\"'*_"), rest.lstrip())


def _is_full_stop(before: str, rest: str) -> bool:
    if rest[0].islower() or _NEVER_LAST.search(before):
        return False
    if re.search(r"(?:^|[\s(])no\.$", before, re.IGNORECASE):
        return not rest[0].isdigit() and rest[0] != "#"
    if re.search(r"\b[ap]\.m\.$", before, re.IGNORECASE | re.ASCII):
        return not rest[0].isdigit()
    if re.fullmatch(r"\s*\d{1,3}\.", before):
        return False  # the number of a list
    return not _ABBREVIATION.search(before)


def _enclosed(text: str) -> list[bool]:
    """For each character, whether it stands inside a matched pair of brackets."""
    inside = [False] * (len(text) + 1)
    stack: list[int] = []
    for position, character in enumerate(text):
        if character in _PAIRS:
            stack.append(position)
        elif stack and character == _PAIRS[text[stack[-1]]]:
            start = stack.pop()
            if not stack:
                inside[start:position] = [True] * (position - start)
    return inside
