r"""Facts in a customer's words: order numbers, telephone numbers, dates, amounts, products.

Patterns use look-arounds, never a word boundary: Chinese characters are word characters to `re`, so `\b138…` finds
nothing in 我的手机是13812345678请联系. What is found is checked (a date must exist, a number must be dialable).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import phonenumbers

from bot.conversation import Slot

_NO_ALNUM_BEFORE = r"(?<![A-Za-z0-9])"
_NO_ALNUM_AFTER = r"(?![A-Za-z0-9])"
_ORDER = re.compile(rf"{_NO_ALNUM_BEFORE}KF[\s-]?(\d{{8}})[\s-]?(\d{{4}})(?!\d)", re.IGNORECASE)
_TICKET = re.compile(rf"{_NO_ALNUM_BEFORE}RX[\s-]?(\d{{8}})(?!\d)", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_AMOUNT = re.compile(
    r"[¥￥]\s?(\d+(?:,\d{3})*(?:\.\d{1,2})?)"
    r"|(?<![\d.A-Za-z-])(\d+(?:,\d{3})*(?:\.\d{1,2})?)\s?(?:元|块|RMB|CNY|yuan)(?![A-Za-z])",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"(?<!\d)(20\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?!\d)")
_DAY_DATE = re.compile(r"(?<!\d)(\d{1,2})\s?(?:月)\s?(\d{1,2})\s?[日号]")
_RELATIVE_DATES = {
    "大前天": -3, "前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "后天": 2,
    "yesterday": -1, "today": 0, "tomorrow": 1,
}  # fmt: skip
_RELATIVE = re.compile("|".join(map(re.escape, _RELATIVE_DATES)), re.IGNORECASE)


class SlotFinder:
    """Finds and normalises slots. `products` are names as customers write them; `today` is asked anew each time."""

    def __init__(self, products: Iterable[str], today: Callable[[], date]) -> None:
        longest_first = sorted(set(products), key=len, reverse=True)
        self._products = [
            (re.compile(_NO_ALNUM_BEFORE + re.escape(name) + _NO_ALNUM_AFTER, re.IGNORECASE), name)
            for name in longest_first
        ]
        self._today = today

    def find(self, text: str) -> tuple[Slot, ...]:
        """All slots in `text` in the order they stand, none overlapping; positions refer to `text`."""
        # Full-width letters and digits become ASCII one by one, so that positions stay true.
        plain = "".join(_narrow(character) for character in text)
        taken: list[Slot] = []
        for finder in (_orders, _tickets, _emails, self._dates, _amounts, _phones, self._find_products):
            for slot in finder(plain):
                if all(slot.end <= other.start or other.end <= slot.start for other in taken):
                    taken.append(slot)
        return tuple(sorted(taken, key=lambda slot: slot.start))

    def _dates(self, text: str) -> Iterable[Slot]:
        today = self._today()
        for match in _ISO_DATE.finditer(text):
            if day := _existing_date(int(match[1]), int(match[2]), int(match[3])):
                yield Slot("date", day.isoformat(), *match.span())
        for match in _DAY_DATE.finditer(text):
            # Customers speak of days that were; a day and month still to come this year was last year's.
            for year in (today.year, today.year - 1):
                day = _existing_date(year, int(match[1]), int(match[2]))
                if day is not None and day <= today + timedelta(days=60):
                    yield Slot("date", day.isoformat(), *match.span())
                    break
        for match in _RELATIVE.finditer(text):
            day = today + timedelta(days=_RELATIVE_DATES[match.group().lower()])
            yield Slot("date", day.isoformat(), *match.span())

    def _find_products(self, text: str) -> Iterable[Slot]:
        for pattern, name in self._products:
            for match in pattern.finditer(text):
                yield Slot("product", name, *match.span())


def values(slots: Sequence[Slot]) -> dict[str, str]:
    """The last value of each slot by name: a customer who corrects a number means the later one."""
    return {slot.name: slot.value for slot in slots}


def _narrow(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def _existing_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _orders(text: str) -> Iterable[Slot]:
    for match in _ORDER.finditer(text):
        digits = match[1]
        if _existing_date(int(digits[:4]), int(digits[4:6]), int(digits[6:])):
            yield Slot("order_number", f"KF{digits}-{match[2]}", *match.span())


def _tickets(text: str) -> Iterable[Slot]:
    return (Slot("repair_ticket", f"RX{match[1]}", *match.span()) for match in _TICKET.finditer(text))


def _emails(text: str) -> Iterable[Slot]:
    return (Slot("email", match.group().lower(), *match.span()) for match in _EMAIL.finditer(text))


def _amounts(text: str) -> Iterable[Slot]:
    for match in _AMOUNT.finditer(text):
        yield Slot("amount", (match[1] or match[2]).replace(",", ""), *match.span())


def _phones(text: str) -> Iterable[Slot]:
    for match in phonenumbers.PhoneNumberMatcher(text, "CN"):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        yield Slot("phone", number, match.start, match.end)
