"""Finds numbers that lead to a person: telephones, identity cards, bank cards, licence plates.

Every finder takes folded text (`bot.safety.folding`) and yields start and end of each match. A number that could be
something else as well (eight digits: a Hong Kong telephone or a date) counts only after a word that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from stdnum import luhn
from stdnum.cn import ric

_Spans = Iterator[tuple[int, int]]

_FILL = r"(?:号码|號碼|号|號|是|为|為|改成|改为|换成|[:= ]|number|no\.?|nr\.?|is|at|on|me|#){0,5}"

# What a shop works with, kept even where it looks like something else.
_KEPT = re.compile(
    r"(?<![A-Za-z0-9])(?:KF[0-9]{8}-[0-9]{4}|RX[0-9]{8}|KF[A-Z0-9]{10}|(?:SF|JD|YT|ZT|ST|JT|DB|EM)[A-Z]{0,2}[0-9]{10,15})"
    r"(?![A-Za-z0-9])"
    r"|(?<![0-9])(?:400|800)[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9])",  # hotlines of companies
    re.IGNORECASE,
)
_CASE_NUMBER_CUE = re.compile(
    r"(?:订单|訂單|单号|單號|运单|快递|物流|发票|流水|交易|工单|序列|条码|编号|order|tracking|invoice|ticket|serial|parcel|sn)"
    rf"{_FILL}\Z",
    re.IGNORECASE,
)
_CUE_REACH = 24  # characters before a number in which its cue may stand

_MOBILE = re.compile(
    r"(?<![0-9])(?:(?:\+|00)?86[ -]{0,2})?"
    r"(?:1[3-9][0-9](?:[ .·_-]{0,3}[0-9]{4}){2}|1[3-9][0-9](?:[ .·_-]{1,3}[0-9]{3}){2}[ .·_-]{0,3}[0-9]{2}"
    r"|1[ .·_-][3-9](?:[ .·_-][0-9]){9}|1[3-9][0-9]{3}[ -][0-9]{6}|1[3-9][0-9]{4}[ -][0-9]{5}|1[3-9][0-9][ -][0-9]{3}[ -][0-9]{5})"
    r"(?![0-9])"
)
_NUMERALS = "0-9零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_MOBILE_IN_WORDS = re.compile(
    rf"(?<![{_NUMERALS}])[1一幺壹][ -]?[3-9三四五六七八九叁肆伍陆柒捌玖](?:[ -]?[{_NUMERALS}]){{9}}(?![{_NUMERALS}十百千万亿])"
)
_PLAIN = re.compile("[0-9 -]*")
_LANDLINE = re.compile(
    r"(?<![0-9])(?:\(0(?:10|2[0-9]|[3-9][0-9]{2})\)|0(?:10|2[0-9]|[3-9][0-9]{2}))[ -]{0,2}[2-8][0-9]{2,3}[ -]?[0-9]{4}"
    r"(?:[ -]?(?:转|分机|ext\.?|x) ?[0-9]{1,5})?(?![0-9])",
    re.IGNORECASE,
)
_TAIWAN = re.compile(
    r"(?<![0-9])(?:09[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}|(?:\(0[2-8]\)|0[2-8])[ -]{1,2}[2-8][0-9]{2,3}[ -]?[0-9]{4})(?![0-9])"
)
_HONG_KONG = re.compile(r"(?<![0-9])\(?85[23]\)?[ -]?[2-9][0-9]{3}[ -]?[0-9]{4}(?![0-9])")
_NORTH_AMERICA = re.compile(
    r"(?<![0-9])(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9])"
)
_INTERNATIONAL = re.compile(r"(?<![0-9+.,])(?:\+ ?|00)[1-9](?:[ .()-]{0,2}[0-9]){6,14}(?![0-9])")
_AFTER_PHONE_CUE = re.compile(
    r"(?:电话|電話|手机|手機|座机|号码|號碼|联系方式|聯絡|致电|tel|telephone|phone|mobile|cell|whatsapp|call me|text me|reach me|ring me)"
    rf"{_FILL}(?P<number>\+?[(0-9][0-9 ()-]{{5,17}}[0-9])(?![0-9])",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[ -]?(?:0?[1-9]|1[0-2])[ -]?(?:0?[1-9]|[12][0-9]|3[01])(?:[ -]?[0-9]{1,2})?"
)


def kept_numbers(text: str) -> _Spans:
    """Order numbers, repair tickets, serial numbers, parcel numbers and company hotlines."""
    return (match.span() for match in _KEPT.finditer(text))


def phones(text: str) -> _Spans:
    """Telephone numbers of the mainland, Hong Kong, Macau, Taiwan, North America, and any with a + or 00."""
    yield from _mobiles(text)
    yield from _international(text)
    yield from _fixed_lines(text)
    for match in _AFTER_PHONE_CUE.finditer(text):
        number = match["number"]
        if 7 <= _count_digits(number) <= 15 and not _DATE.fullmatch(number):
            yield match.span("number")


def _mobiles(text: str) -> _Spans:
    for match in _MOBILE.finditer(text):
        yield match.span()
    for match in _MOBILE_IN_WORDS.finditer(text):
        if not _PLAIN.fullmatch(match.group()):  # all digits: the pattern above is stricter about the groups
            yield match.span()


def _international(text: str) -> _Spans:
    for match in _INTERNATIONAL.finditer(text):
        end = _end_of_number(match.group())
        if end:
            yield match.start(), match.start() + end
    for match in _NORTH_AMERICA.finditer(text):
        if _is_number_of(match.group(), "US"):
            yield match.span()


def _fixed_lines(text: str) -> _Spans:
    for pattern in (_LANDLINE, _TAIWAN, _HONG_KONG):
        for match in pattern.finditer(text):
            if not _is_case_number(text, match.start()):
                yield match.span()


_ID_CARD = re.compile(
    r"(?<![0-9])[1-8][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}[ -]?(?:0[1-9]|1[0-2])[ -]?(?:0[1-9]|[12][0-9]|3[01])[ -]?"
    r"[0-9]{3}[0-9Xx](?![0-9])"
)
_HONG_KONG_ID = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}[0-9]{6} ?\([0-9Aa]\)")
_AFTER_ID_CUE = re.compile(
    r"(?:身份证|身分證|证件|證件|id card|identity card|resident id|护照|護照|通行证|passport)"
    rf"{_FILL}(?P<number>[A-Za-z]{{0,2}}[0-9]{{7,17}}[0-9Xx])(?![0-9])",
    re.IGNORECASE,
)


def id_cards(text: str) -> _Spans:
    """Resident identity cards by their checksum; others, and passports, after a word that says so."""
    for match in _ID_CARD.finditer(text):
        if _has_id_checksum(re.sub("[ -]", "", match.group()).upper()):
            yield match.span()
    for match in _HONG_KONG_ID.finditer(text):
        yield match.span()
    for match in _AFTER_ID_CUE.finditer(text):
        yield match.span("number")


_BANK_CARD = re.compile(
    r"(?<![0-9])(?:[2-69][0-9]{3}(?:[ -]?[0-9]{4}){2}(?:[ -]?[0-9]{4}[ -][0-9]{1,3}|[ -]?[0-9]{3,7})"
    r"|3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5})(?![0-9])"
)
_AFTER_CARD_CUE = re.compile(
    r"(?:银行卡|銀行卡|信用卡|储蓄卡|借记卡|卡号|卡號|账号|card|account)"
    rf"{_FILL}(?P<number>[0-9]{{4}}(?:[ -]?[0-9]{{4}}){{2,3}}(?:[ -]?[0-9]{{1,4}})?)(?![0-9])",
    re.IGNORECASE,
)


def bank_cards(text: str) -> _Spans:
    """Bank cards of 15 to 19 digits by their checksum (Luhn), or 12 and more after a word that says so."""
    for match in _BANK_CARD.finditer(text):
        if luhn.is_valid(re.sub("[ -]", "", match.group())) and not _is_case_number(text, match.start()):
            yield match.span()
    for match in _AFTER_CARD_CUE.finditer(text):
        yield match.span("number")


_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·•.-]?"
    r"(?:[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK]|(?=[A-Z]{0,3}[0-9])[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳领使])"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def plates(text: str) -> _Spans:
    """Licence plates of the mainland, those of new-energy cars included."""
    return (match.span() for match in _PLATE.finditer(text))


def _is_case_number(text: str, start: int) -> bool:
    """Whether the words before say that this is a number of an order, a parcel or an invoice."""
    return _CASE_NUMBER_CUE.search(text, max(0, start - _CUE_REACH), start) is not None


def _count_digits(text: str) -> int:
    return sum(character.isdecimal() for character in text)


def _end_of_number(candidate: str) -> int:
    """How much of the candidate is a number: a following count or time may have been taken along. 0 for nothing."""
    end = len(candidate)
    for _ in range(3):
        if _is_number_of("+" + candidate[:end].replace("+", "").strip().removeprefix("00"), None):
            return end
        cut = max(candidate.rfind(" ", 0, end), candidate.rfind("-", 0, end), candidate.rfind("(", 0, end))
        if cut < 6:
            break
        end = cut
    return 0


@lru_cache(maxsize=4096)
def _is_number_of(text: str, region: str | None) -> bool:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return False
    if region is None:
        return bool(phonenumbers.is_possible_number(number))
    toll_free = phonenumbers.PhoneNumberType.TOLL_FREE
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) != toll_free


def _has_id_checksum(number: str) -> bool:
    return bool(ric.calc_check_digit(number[:-1]) == number[-1])
