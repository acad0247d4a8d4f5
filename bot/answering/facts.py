"""The hard facts of a text: numbers with their units, dates, times, links and names, in a form that can be compared.

Chinese and English are brought to one form, so that 「七天」, "7 days" and "seven days" are the same fact, and so are
「¥1,899」, "1899元" and "1,899 yuan". A sentence that states a fact which its passage lacks is not supported by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_ZH_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10000, "亿": 100000000}
_EN_NUMBERS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}

# Canonical unit: every way it is written. Longer writings first where one begins another.
_UNITS = {
    "age": "years?[ -]old|years? of age|周?岁",
    "day": "working days?|business days?|calendar days?|days?|个?工作日|天|日",
    "hour": "hours?|hrs?|h(?![A-Za-z0-9])|个?小时|钟头",
    "minute": "minutes?|mins?|分钟",
    "second": "seconds?|secs?|秒钟?",
    "week": "weeks?|个?星期|个?礼拜|周",
    "month": "months?|个月",
    "year": "years?|年",
    "yuan": "yuan|RMB|CNY|元|块钱?",
    "percent": "%|percent|per cent",
    "times": "times|次",
    "point": "points?|积分",
    "watt": "W(?![A-Za-z0-9])|watts?|瓦",
    "degree": "°C|℃|degrees?|度",
    "metre": "met(?:re|er)s?|m(?![A-Za-z0-9])|米",
    "gram": "g(?![A-Za-z0-9])|grams?|克",
    "litre": "L(?![A-Za-z0-9])|lit(?:re|er)s?|升",
    "item": "units?|items?|pieces?|台|件|个|张|家|部",
}
_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
_NUMBER = r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_ZH_NUMBER = "(?P<zh>[零〇一二两三四五六七八九十百千万亿]+)"
_EN_NUMBER = rf"(?P<en>(?<![A-Za-z])(?:{'|'.join(_EN_NUMBERS)})(?![A-Za-z]))"
_QUANTITY = re.compile(
    rf"(?P<money>[¥￥$]\s*)?(?:{_NUMBER}|{_EN_NUMBER}|{_ZH_NUMBER})(?:[\s-]*(?:{_UNIT}))?", re.IGNORECASE
)
# 「一」 and "one" are mostly articles (一个, one of); only with a unit of time are they numbers.
_TIME_UNITS = {"day", "hour", "minute", "second", "week", "month", "year"}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_ZH_DATE = re.compile(r"(?:(?<!\d)(\d{4})\s*年\s*)?(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]")
_MONTH_NAME = (  # May is written with a capital: "under 16 may" is no date
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
_EN_DATE = re.compile(
    rf"(?<![A-Za-z])(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?{_MONTH_NAME}"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,?\s+(?P<year>\d{4}))?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?!\d)")
_CODE = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?![A-Za-z0-9])"
)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(https?://[^\s)\]}>，。；、！？]+)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"(?<![\dA-Za-z-])(?:400-?\d{3}-?\d{4}|\d{3,4}-\d{7,8}|1\d{10}|\d{5})(?![\dA-Za-z])")
# 20000mAh, 15-day, 1st: numbers with a unit, not codes.
_NUMBER_WITH_UNIT = re.compile(
    r"\d+(?:mAh|k?Wh|[GMk]?Hz|dB|[ckm]?m|k?g|[WAVLh]|st|nd|rd|th|-[a-z]+)", re.IGNORECASE
)


_SUPERSCRIPT = re.compile("[²³]")  # m² would fold to a code, M2
_TWICE = re.compile(r"(?<![A-Za-z])twice(?![A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Facts:
    """What a text states that can be checked letter by letter."""

    quantities: frozenset[tuple[str, str | None]]  # (number, canonical unit or None)
    exact: frozenset[str]  # dates, clock times, codes, e-mail addresses, telephone numbers
    links: frozenset[str]

    def missing_from(self, other: Facts) -> frozenset[str]:
        """The facts stated here that `other` does not state, as text; empty when all agree."""
        units: dict[str, set[str | None]] = {}
        for number, unit in other.quantities:
            units.setdefault(number, set()).add(unit)
        wrong = {
            f"{number} {unit or ''}".strip()
            for number, unit in self.quantities
            if number not in units or not (unit is None or unit in units[number] or units[number] == {None})
        }
        return frozenset(wrong | (self.exact - other.exact) | (self.links - other.links))


def facts(text: str) -> Facts:
    """Everything checkable that `text` (Chinese, English or both) states."""
    rest = _TWICE.sub("two times", unicodedata.normalize("NFKC", _SUPERSCRIPT.sub("", text)))
    links = frozenset(first or second for first, second in _LINK.findall(rest))
    rest = _LINK.sub(" ", rest)
    exact: set[str] = set()
    for pattern, read in _EXACT:
        rest = _take(pattern, read, rest, exact)
    return Facts(frozenset(_quantities(rest)), frozenset(exact), links)


def numbers(text: str) -> frozenset[str]:
    """The bare numbers and exact facts of `text`, units left out: what two language faces must share."""
    found = facts(text)
    return frozenset(number for number, _ in found.quantities) | found.exact


def _take(
    pattern: re.Pattern[str], read: Callable[[re.Match[str]], tuple[str, ...]], text: str, into: set[str]
) -> str:
    """Collect what `pattern` finds and blank it, so that no later pattern reads its digits again."""

    def collect(match: re.Match[str]) -> str:
        values = read(match)
        into.update(values)
        return " " if values else match.group()

    return pattern.sub(collect, text)


def _numeric_date(match: re.Match[str]) -> tuple[str, ...]:
    return _date(match[1], int(match[2]), int(match[3]))


def _en_date(match: re.Match[str]) -> tuple[str, ...]:
    day = match["before"] or match["after"]
    month = match["month"][:3].lower()
    return () if day is None else _date(match["year"], _MONTHS.index(month) + 1, int(day))


def _date(year: str | None, month: int, day: int) -> tuple[str, ...]:
    # The year is a fact of its own: a sentence may leave it out, but must not get it wrong.
    return (f"{month:02}-{day:02}",) if year is None else (f"{month:02}-{day:02}", year)


def _clock(match: re.Match[str]) -> tuple[str, ...]:
    return (f"{int(match[1]):02}:{match[2]}",)


def _code(match: re.Match[str]) -> tuple[str, ...]:
    return () if _NUMBER_WITH_UNIT.fullmatch(match.group()) else (match.group().upper(),)


def _verbatim(match: re.Match[str]) -> tuple[str, ...]:
    return (match.group().lower(),)


_EXACT = (
    (_EMAIL, _verbatim),
    (_ISO_DATE, _numeric_date),
    (_ZH_DATE, _numeric_date),
    (_EN_DATE, _en_date),
    (_CLOCK, _clock),
    (_PHONE, _verbatim),
    (_CODE, _code),
)


def _quantities(text: str) -> set[tuple[str, str | None]]:
    found: set[tuple[str, str | None]] = set()
    for match in _QUANTITY.finditer(text):
        unit = next((name for name in _UNITS if match[name]), None)
        if match["money"]:
            unit = "yuan"
        if match["digits"]:
            number = _plain(float(match["digits"].replace(",", "")))
        elif match["en"]:
            value = _EN_NUMBERS[match["en"].lower()]
            if unit is None or (value == 1 and unit not in _TIME_UNITS):
                continue
            number = _plain(value)
        else:
            value_or_none = _chinese_number(match["zh"])
            if unit is None or value_or_none is None or (value_or_none == 1 and unit not in _TIME_UNITS):
                continue
            number = _plain(value_or_none)
        found.add((number, unit))
    return found


def _plain(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"


def _chinese_number(text: str) -> int | None:
    """Value of a Chinese numeral such as 三百二十; None if it is not well formed."""
    total = section = digit = 0
    for character in text:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character]
        elif _ZH_SCALES[character] >= 10000:
            total = (total + section + digit) * _ZH_SCALES[character]
            section = digit = 0
        else:
            section += (1 if digit == 0 else digit) * _ZH_SCALES[character]
            digit = 0
    value = total + section + digit
    return value if value > 0 or text in {"零", "〇"} else None
