"""Bytes to clean text: decodes UTF-8 and GB18030, and drops what a reader of the page would not see.

Hidden text (comments, `display:none`, zero-width characters) is how a document smuggles words past the people
who approve it, so it goes before anything is cut, embedded or shown to a model.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Comment
from charset_normalizer import from_bytes

_ENCODINGS = ["gb18030", "big5"]  # what older Chinese programs write
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

# Zero-width and direction characters, soft hyphens, byte-order marks, Unicode tags, and controls but \t and \n.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|font-size\s*:\s*0"
    r"|(?:^|;)\s*color\s*:\s*(?:transparent|white|#fff(?:fff)?\b)",
    re.IGNORECASE,
)
_UNREAD_TAGS = ["script", "style", "template", "noscript", "iframe", "object", "svg", "input", "select"]
_TAG_NAMES = (
    "a|abbr|article|aside|b|big|blockquote|br|button|center|cite|code|col|colgroup|dd|del|details|dfn|div|dl|dt|em|"
    "embed|figcaption|figure|font|footer|form|h[1-6]|header|hr|html|head|body|i|iframe|img|input|ins|kbd|label|li|"
    "link|main|mark|meta|nav|noscript|object|ol|option|p|pre|q|s|samp|script|section|select|small|span|strike|"
    "strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|u|ul|var|video|audio"
)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_TAG_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_UNREAD_ELEMENT = re.compile(
    r"<(script|style|template|noscript|iframe|object|svg|select)\b[^<>]*>.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_OPENING_TAG = re.compile(rf"<({_TAG_NAMES})((?:\s[^<>]*)?)>", re.IGNORECASE)


def decode(data: bytes) -> str | None:
    """Text of a file in UTF-8 (with or without a mark), UTF-16 with a mark, GB18030 or Big5; None if it is binary."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _try(data, encoding)
    text = _try(data, "utf-8-sig")
    if text is None and not _BINARY.search(data):
        # Statistics need some text; the fewer characters, the likelier is the mainland's own encoding.
        best = from_bytes(data, cp_isolation=_ENCODINGS).best() if len(data) >= 64 else None
        text = str(best) if best is not None else _try(data, "gb18030")
    return None if text is None or "\0" in text else text


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def strip_invisible(text: str) -> str:
    """Drop characters without a shape and settle line ends on the newline; Chinese, English and emoji stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _INVISIBLE.sub("", text).replace("\u00a0", " ")


def strip_markdown(text: str) -> str:
    """Markdown without comments, hidden elements and HTML tags; the visible words of other elements stay."""
    text = _COMMENT.sub("", strip_invisible(text))
    if "<" not in text:
        return text
    text = _UNREAD_ELEMENT.sub("", text)
    text = _drop_hidden_elements(text)
    return _TAG.sub("", _BREAK_TAG.sub(" ", text))


def _drop_hidden_elements(text: str) -> str:
    """Cut each hidden element out of Markdown from its opening to its matching closing tag (or to the end)."""
    position = 0
    while opening := _OPENING_TAG.search(text, position):
        if not _is_hidden(opening[2]):
            position = opening.end()
            continue
        text = text[: opening.start()] + text[_end_of_element(text, opening) :]
        position = opening.start()
    return text


def _is_hidden(attributes: str) -> bool:
    names = re.sub(r"=\s*(\"[^\"]*\"|'[^']*'|\S+)", "=", attributes).lower()
    if re.search(r"(?:^|\s)hidden(?:\s|=|$)", names):
        return True
    style = re.search(r"style\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", attributes, re.IGNORECASE)
    return style is not None and bool(_HIDDEN_STYLE.search(style[1].strip("\"'")))


def _end_of_element(text: str, opening: re.Match[str]) -> int:
    depth = 1
    for tag in re.finditer(rf"<(/?){opening[1]}\b[^<>]*>", text[opening.end() :], re.IGNORECASE):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return opening.end() + tag.end()
    return len(text)


def strip_html(text: str) -> str:
    """HTML without comments, scripts, forms and hidden elements, ready to be turned into Markdown."""
    soup = BeautifulSoup(strip_invisible(text), "html.parser")
    for comment in soup.find_all(string=lambda node: isinstance(node, Comment)):
        comment.extract()
    for element in soup.find_all(_UNREAD_TAGS):
        element.decompose()
    for element in soup.find_all(True):
        if element.decomposed:
            continue
        style = element.get("style")
        if element.has_attr("hidden") or (isinstance(style, str) and _HIDDEN_STYLE.search(style)):
            element.decompose()
    return str(soup)
