"""From Markdown to HTML that cannot harm: for answers, and for the articles they rest on.

Two locks, each enough alone: markdown-it-py never lets HTML or images through, and nh3 keeps a short list of tags.
Links lead to Kefu's own pages or to the sites that the settings allow; any other loses its target and keeps its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt

from bot.conversation import Source
from bot.web.emphasis import use_chinese_emphasis

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
# The second character must be a letter or digit: //host, /\host and /<tab>/host are other people's servers.
_OWN_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9._~%/?#=&+-]*", re.ASCII)
_KEPT_CONTROLS = "\n\t"
_SPACE_BEFORE_CITATION = re.compile(r" +(?=\[\d{1,2}\])")


def readable(text: str) -> str:
    """`text` without control characters and without the marks that turn the direction of writing around."""
    return "".join(
        character
        for character in text.replace("\r\n", "\n")
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in {"Cc", "Cs"}
        if character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


class MarkdownRenderer:
    """Renders Markdown written by people we trust a little (articles) or not at all (a model)."""

    def __init__(self, allowed_sites: Iterable[str] = ()) -> None:
        self._allowed_hosts = {urlsplit(site).netloc.lower() for site in allowed_sites}
        self._markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
        self._markdown.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
        use_chinese_emphasis(self._markdown)

    def html(self, text: str, sources: Iterable[Source] = (), *, new_tab: bool = True) -> str:
        """Render `text`; a citation like [1] becomes a link to the source of that number, titled with its title."""
        citations = {
            str(source.number): {"href": source.url, "title": source.title}
            for source in sources
            if source.number
        }
        return nh3.clean(
            self._markdown.render(
                _SPACE_BEFORE_CITATION.sub("\u00a0", readable(text)), {"references": citations}
            ),
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            attribute_filter=self._keep_attribute,
            set_tag_attribute_values={"a": {"target": "_blank"}} if new_tab else None,
            link_rel="noopener noreferrer",
            url_schemes={"http", "https"},
        )

    def _keep_attribute(self, tag: str, name: str, value: str) -> str | None:
        if (tag, name) != ("a", "href") or self._is_allowed(value):
            return value
        return None

    def _is_allowed(self, address: str) -> bool:
        if _OWN_PATH.fullmatch(address):
            return True
        try:
            parts = urlsplit(address)
        except ValueError:  # e.g. http://[
            return False
        return parts.scheme in {"http", "https"} and parts.netloc.lower() in self._allowed_hosts
