"""Masks personal data before anything is stored: `<PHONE>`, `<EMAIL>`, `<ID_CARD>`, `<BANK_CARD>`, `<ADDRESS>` and so on.

What a shop needs to find a case again is kept: order numbers, repair tickets, serial numbers, prices, dates, models.
Patterns look at the characters beside a match instead of word boundaries, because Chinese has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from bot.safety.folding import fold
from bot.safety.personal_numbers import bank_cards, id_cards, kept_numbers, phones, plates
from bot.safety.personal_places import chinese_addresses, english_addresses
from bot.safety.personal_words import accounts, emails, names

_Finder = Callable[[str], Iterator[tuple[int, int]]]

# Where two overlap, the one named first wins.
_FINDERS: tuple[tuple[str, _Finder], ...] = (
    ("EMAIL", emails),
    ("ID_CARD", id_cards),
    ("BANK_CARD", bank_cards),
    ("PHONE", phones),
    ("PLATE", plates),
    ("WECHAT", accounts),
    ("ADDRESS", chinese_addresses),
    ("ADDRESS", english_addresses),
    ("NAME", names),
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(kind for kind, _ in _FINDERS))


@dataclass(frozen=True, order=True)
class Span:
    """Where personal data stood in the text that was given, and of which kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Redacted:
    """A text that may be stored. `found` counts what was masked, by kind."""

    text: str
    found: Mapping[str, int]
    spans: tuple[Span, ...]


def redact(text: str, *, allow: Collection[str] = ()) -> Redacted:
    """Mask personal data in Chinese, English or mixed text. Masking twice changes nothing more.

    Args:
        text: any text; time grows with its length only.
        allow: numbers and addresses that are nobody's secret, such as the shop's own hotline and mailbox.
    """
    spans = _find(fold(text), allow)
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], f"<{span.kind}>"]
        end = span.end
    return Redacted("".join([*parts, text[end:]]), dict(Counter(span.kind for span in spans)), tuple(spans))


def _find(plain: str, allow: Collection[str]) -> list[Span]:
    """Look until a look finds nothing: what is masked may uncover what stood beside it."""
    allowed = frozenset(map(_key, allow))
    found: list[Span] = []
    while True:
        new = _look(plain, allowed)
        if not new:
            return sorted(found)
        found += new
        plain = _blank(plain, sorted(new))


def _blank(plain: str, spans: list[Span]) -> str:
    """The text with the spans made unreadable, as a placeholder will be, and as long as before."""
    parts, end = [], 0
    for span in spans:
        parts += [plain[end : span.start], "<" * (span.end - span.start)]
        end = span.end
    return "".join([*parts, plain[end:]])


def _look(plain: str, allowed: Collection[str]) -> list[Span]:
    taken = bytearray(len(plain))
    for start, end in kept_numbers(plain):
        taken[start:end] = b"\1" * (end - start)
    found: list[Span] = []
    for kind, finder in _FINDERS:
        for start, end in finder(plain):
            if not any(taken[start:end]) and _key(plain[start:end]) not in allowed:
                taken[start:end] = b"\1" * (end - start)
                found.append(Span(start, end, kind))
    return found


def _key(text: str) -> str:
    """How two ways of writing one number or mailbox are known to be the same."""
    return "".join(
        character for character in fold(text).casefold() if character.isalnum() or character in "@."
    )
