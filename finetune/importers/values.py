"""Times, votes and texts as other programs write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from bot.safety.folding import fold
from bot.understanding.language import to_simplified
from retrieval.cleaning import strip_invisible

_SURROGATE = re.compile("[\ud800-\udfff]")
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # the years 2000 to 2100, in seconds
_CHINESE_TIME = str.maketrans(
    {"年": "-", "月": "-", "日": " ", "时": ":", "時": ":", "点": ":", "分": ":", "秒": " "}
)
_MOMENT = re.compile(
    r"(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|[a-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2} [a-z]{3,9}\.?,? \d{4})"
    r"(?:[ t,]+(?P<half_zh>上午|下午|凌晨|早上|中午|晚上)?\s*(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?:?"
    r"\s*(?P<half>[ap]\.?m\.?)?)?\s*(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_VOTES: dict[int | None, str] = {
    1: "1 +1 up 👍 good great like liked yes positive helpful satisfied happy 好 好评 赞 满意 非常满意 很满意 有用 已解决 是 喜欢",
    -1: (
        "-1 down 👎 bad poor dislike disliked no negative unhelpful dissatisfied unhappy "
        "差 差评 踩 不满意 非常不满意 很不满意 没用 未解决 否 不喜欢"
    ),
    None: "0 none neutral offered unoffered 一般 中评 未评价 未评 无 null nan - n/a",
}
_WORDS = {word: vote for vote, words in _VOTES.items() for word in words.split()}


def clean(value: Any) -> str:
    """Any value as a text without invisible characters; half a surrogate pair, which no file can hold, is U+FFFD.

    None, and lists and objects, which nobody wrote as a text, are "".
    """
    if value is None or isinstance(value, (list, dict)):
        return ""
    text = value if isinstance(value, str) else str(value)
    return _SURROGATE.sub("\ufffd", strip_invisible(text)).strip()


def first_of(row: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds something, as a text; "" if none does."""
    return next((text for name in names if (text := clean(row.get(name)))), "")


def read_time(value: Any, zone: tzinfo) -> datetime | None:
    """A moment with time zone from a date, a number of seconds or milliseconds since 1970, or a text; None if empty.

    Args:
        value: what the file holds.
        zone: of times that name none.

    Raises:
        ValueError: it is no moment, or one like 03/04/2026 that two countries read differently.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=zone)
    text = clean(value)
    if not text:
        return None
    seconds = _since_1970(text)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else _read_moment(text, zone)


def rating_scale(values: Iterable[Any]) -> int:
    """What the best vote of a column is: 1 for thumbs, else 5, 10 or 100; numbers alone do not say it, all together do."""
    numbers = [number for value in values if (number := _number(clean(value))) is not None]
    highest = max(numbers, default=1)
    return next((scale for scale in (1, 5, 10) if highest <= scale), 100)


def read_rating(value: Any, scale: int = 1) -> int | None:
    """A vote as +1, -1, or None for none and for a middling one.

    Args:
        value: what the file holds: a number, or a word in Chinese or English.
        scale: the best number that can be given; with 1, numbers are thumbs (1 and -1).

    Raises:
        ValueError: it is no vote.
    """
    word = to_simplified(fold(clean(value))).casefold()
    number = _number(word)
    if number is not None and scale > 1:
        share = number / scale
        return 1 if share >= 0.8 else -1 if share <= 0.4 else None
    plain = word if number is None else f"{number:g}"
    if plain and plain not in _WORDS:
        raise ValueError(f"{word!r:.40} is no vote")
    return _WORDS.get(plain)


def _number(text: str) -> float | None:
    found = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(?:分|星|stars?|/\s*\d+)?", fold(text).casefold())
    return float(found[1]) if found else None


def _since_1970(text: str) -> float | None:
    if not re.fullmatch(r"\d{9,13}(?:\.\d+)?", text):
        return None
    seconds = float(text) / (1000 if float(text) > _LATEST else 1)
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _read_moment(text: str, zone: tzinfo) -> datetime:
    plain = " ".join(fold(text).casefold().translate(_CHINESE_TIME).split())
    found = _MOMENT.fullmatch(plain)
    if found is None:
        raise ValueError(f"{text!r:.40} is no time")
    year, month, day = _day(found["date"], text)
    hour = 0 if found["hour"] is None else int(found["hour"])
    afternoon = (found["half"] or "").startswith("p") or found["half_zh"] in ("下午", "晚上", "中午")
    if afternoon and 1 <= hour < 12 and not (found["half_zh"] == "中午" and hour > 9):
        hour += 12
    elif hour == 12 and ((found["half"] or "").startswith("a") or found["half_zh"] == "凌晨"):
        hour = 0
    minute, second = (0 if found[part] is None else int(found[part]) for part in ("minute", "second"))
    named = found["zone"]
    return datetime(year, month, day, hour, minute, second, tzinfo=zone if named is None else _zone(named))


def _day(text: str, shown: str) -> tuple[int, int, int]:
    parts = re.findall(r"\d+|[a-z]{3,9}", text)
    words = [part for part in parts if part[0].isalpha()]
    numbers = [int(part) for part in parts if part.isdigit()]
    if words:
        if words[0][:3] not in _MONTHS:
            raise ValueError(f"{shown!r:.40} names no month")
        return numbers[1], _MONTHS.index(words[0][:3]) + 1, numbers[0]
    if numbers[0] > 31:
        return numbers[0], numbers[1], numbers[2]
    first, second, year = numbers
    if first <= 12 and second <= 12 and first != second:
        raise ValueError(f"{shown!r:.40} may be two different days; write the year first")
    return (year, first, second) if first <= 12 else (year, second, first)


def _zone(name: str) -> tzinfo:
    if name in ("z", "utc", "gmt"):
        return UTC
    moment = datetime.fromisoformat(f"2000-01-01T00:00:00{name[:3]}:{name[-2:]}")
    return UTC if moment.tzinfo is None else moment.tzinfo
