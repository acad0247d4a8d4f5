"""What a text states that another text may contradict: amounts with their unit, dates, times, contacts and links.

`bot.answering.facts` finds them. Before it reads, the spellings of one amount are brought together, because a
translation changes them: 「85 折」 is "15% off", 「半年」 half a year, 「1.5 万元」 15,000 yuan, 「百分之五」 5 %, "thirty-five"
35. Then durations are counted in hours, so that 48 hours are 2 days, 30 days a month and 12 months a year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.answering.facts import facts

_ZH_DIGITS = {character: str(value) for value, character in enumerate("零一二三四五六七八九")}
_ONES = {
    word: value
    for value, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), start=1
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_SCALES = {"百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_SCALES |= {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ANY_ONE, _ANY_TEN = "|".join(_ONES), "|".join(_TENS)
_COUNTED = "元|块|yuan|RMB|CNY|积分|points?|[个次人台件天]|小时|公里|米|%"
_SIZES = "[KMGT]B|[KMG]bps|kcal|k?Wh"


def _discount(match: re.Match[str]) -> str:
    """「85 折」 leaves 85 % of the price, and so does 「8.5 折」."""
    digits = "".join(_ZH_DIGITS.get(character, character) for character in match[1]).replace(".", "")
    return f" {100 - int(f'{digits}0'[:2])}% "


def _half(match: re.Match[str]) -> str:
    return f"0.5 {match[1].replace('月', '个月')}"


def _tens(match: re.Match[str]) -> str:
    return str(_TENS[match[1].lower()] + (_ONES[match[2].lower()] if match[2] else 0))


def _grouped(match: re.Match[str]) -> str:
    return f"{int(match[0]):,}"


def _scaled(match: re.Match[str]) -> str:
    word = match[1].lower()
    number = _ONES[word] if word in _ONES else float(word.replace(",", ""))
    return f"{number * _SCALES[match[2].lower()]:,.0f}"


_REWRITINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # The number of a step states nothing.
    (re.compile(r"^[ \t]*\d{1,2}[.)、](?!\d)[ \t]*", re.MULTILINE), ""),
    (re.compile(r"([1-9](?:\.?\d)?|[一二三四五六七八九]{1,2})\s*折(?![叠扣返旧])"), _discount),
    (re.compile(r"百分之\s*([零一二三四五六七八九十百\d.]+)"), r" \1% "),
    (re.compile(r"(?<![个\d一两三])半个?([年月天日]|小时)"), _half),
    (re.compile(r"(?<![A-Za-z])half an? (year|month|day|hour)", re.IGNORECASE), _half),
    (re.compile("第[一二三四五六七八九十]+"), ""),  # 「第三天」 counts nothing, as "the third day" does not
    (re.compile("周?岁"), "年"),  # 「满 18 周岁」 is no week
    (re.compile(r"(?<![A-Za-z])may(?![A-Za-z])"), " "),  # "nobody under 16 may" is no day in May
    (re.compile("24[:：]00"), " "),  # a translation says "midnight"
    (re.compile(rf"(?<![A-Za-z])({_ANY_TEN})(?:[\s-]({_ANY_ONE}))?(?![A-Za-z])", re.IGNORECASE), _tens),
    (
        re.compile(
            rf"(?<![A-Za-z])({_ANY_ONE}|\d+(?:,\d{{3}})*(?:\.\d+)?)\s*(hundred|thousand|million)(?![A-Za-z])",
            re.IGNORECASE,
        ),
        _scaled,
    ),
    (re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?)\s*([百千万亿])(?![克米瓦分一能])"), _scaled),
    # Five digits and more are a telephone number unless something is counted.
    (re.compile(rf"(?<![\d.-])\d{{5,9}}(?=\s*(?:{_COUNTED}))|(?<=[¥$])\s*\d{{5,9}}"), _grouped),
    (re.compile(rf"(?<=\d)\s+(?=(?:{_SIZES})(?![A-Za-z]))", re.IGNORECASE), ""),
)
_SUPERSCRIPT = re.compile("[²³]")  # m² would fold to a code, M2
_HOURS = {
    "second": 1 / 3600,
    "minute": 1 / 60,
    "hour": 1,
    "day": 24,
    "week": 7 * 24,
    "month": 30 * 24,
    "year": 360 * 24,
}
_DAYS_OF_A_YEAR = ("365", "366")
_NO_PLURAL = ("yuan", "percent", "times")

TIME, NUMBER, LINK, CODE = "time", "number", "link", "code"
CONTACTS = frozenset({LINK, "e-mail", "telephone"})
_SPELT_OUT = CONTACTS | {CODE, "date", "clock", "year"}
_EXACT = (
    ("e-mail", re.compile(r"[^@]+@[^@]+")),
    ("date", re.compile(r"\d\d-\d\d")),
    ("clock", re.compile(r"\d\d?:\d\d")),
    ("telephone", re.compile(r"[\d-]{5,}")),
    ("year", re.compile(r"\d{4}")),
)
_TONGUE = re.compile(r"(?<=/)(?:zh|en)(?:-[a-z]{2,4})?(?:/|$)|[?&]lang(?:uage)?=[\w-]+", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """One thing that a text states.

    Args:
        kind: what it can be compared with: "time", "yuan", "percent" and the like, "number" without a unit, "date",
            "clock", "year", "code", "e-mail", "telephone", "link".
        amount: in one form for all spellings; a time in hours.
        shown: the number as it is written and its unit, or what is spelt out: "48 hour", "22:00".
    """

    kind: str
    amount: str
    shown: str

    @property
    def number(self) -> str:
        """The number as it is written, without its unit."""
        return self.shown.partition(" ")[0]

    def __str__(self) -> str:
        """As a person reads it: "48 hours"."""
        one = self.number == "1" or not self.unit or self.unit in _NO_PLURAL
        return self.shown if one else f"{self.shown}s"

    @property
    def unit(self) -> str:
        """Its unit as it is written; empty without one, and for what is spelt out."""
        return self.shown.partition(" ")[2]

    def same_kind(self, other: Value) -> bool:
        """Whether one of the two can be wrong because the other is right; a number without a unit may have any."""
        if self.kind == other.kind:
            return True
        return NUMBER in (self.kind, other.kind) and not _SPELT_OUT & {self.kind, other.kind}

    def agrees_with(self, other: Value) -> bool:
        """Whether both say the same; a unit that one of them leaves out does not count."""
        if self.kind == other.kind:
            return self.amount == other.amount
        return self.same_kind(other) and self.number == other.number


@lru_cache(maxsize=50_000)
def values(text: str) -> frozenset[Value]:
    """What `text` (Markdown in Chinese, English or both) states."""
    plain = unicodedata.normalize("NFKC", _SUPERSCRIPT.sub("", text))
    for pattern, replacement in _REWRITINGS:
        plain = pattern.sub(replacement, plain)
    found = facts(plain)
    links = {_TONGUE.sub("", link).rstrip("/") for link in found.links}
    return frozenset(
        {_amount(number, unit) for number, unit in found.quantities}
        | {Value(_exact_kind(text), text, text) for text in found.exact}
        | {Value(LINK, link, link) for link in links}
    )


def unmatched(mine: Iterable[Value], theirs: Iterable[Value]) -> frozenset[Value]:
    """Those of `mine` that none of `theirs` agrees with."""
    others = tuple(theirs)
    return frozenset(value for value in mine if not any(value.agrees_with(other) for other in others))


def _amount(number: str, unit: str | None) -> Value:
    if unit is None:
        return Value(NUMBER, number, number)
    shown = f"{number} {unit}"
    if unit not in _HOURS:
        return Value(unit, number, shown)
    hours = 360 * 24 if unit == "day" and number in _DAYS_OF_A_YEAR else float(number) * _HOURS[unit]
    return Value(TIME, f"{hours:.4f}", shown)


def _exact_kind(text: str) -> str:
    return next((kind for kind, pattern in _EXACT if pattern.fullmatch(text)), CODE)
