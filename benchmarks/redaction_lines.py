"""Lines with known personal data, made from templates by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from redaction_templates import Half
from stdnum import luhn
from stdnum.cn import ric


@dataclass(frozen=True)
class Line:
    """A line, and where its personal data stands: (start, end, kind)."""

    text: str
    language: str
    gold: tuple[tuple[int, int, str], ...]


def lines(half: Half, count: int, seed: int) -> list[Line]:
    """`count` lines, a third of them without personal data, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    made = []
    for number in range(count):
        language = chance.choice(("zh", "zh", "en", "mixed"))
        source = half.harmless if number % 3 == 0 else half.templates
        made.append(_fill(chance.choice(source[language]), language, half, chance))
    return made


def _fill(template: str, language: str, half: Half, chance: random.Random) -> Line:
    text, gold, rest = "", [], template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        hole, _, rest = rest.partition("}")
        value = _VALUES[hole](half, chance)
        text += before
        kind = {"ADDRESS_EN": "ADDRESS", "NAME_EN": "NAME", "QQ": "WECHAT"}.get(hole, hole)
        if kind not in {"ORDER", "TICKET", "SERIAL", "DIGITS13"}:
            gold.append((len(text), len(text) + len(value), kind))
        text += value
    return Line(text + rest, language, tuple(gold))


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _phone(half: Half, chance: random.Random) -> str:
    del half
    mobile = "1" + chance.choice("3456789") + _digits(chance, 9)
    return chance.choice(
        (
            mobile, mobile, mobile, f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}",
            f"+86 {mobile}", f"+86-{mobile}", f"0086{mobile}", mobile.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
            mobile.translate(str.maketrans("0123456789", "零一二三四五六七八九")), " ".join(mobile),
            f"0{chance.choice(('10', '21', '571', '755', '28'))}-{chance.choice('2345678')}{_digits(chance, 7)}",
            f"+852 {chance.choice('569')}{_digits(chance, 3)} {_digits(chance, 4)}",
            f"+853 6{_digits(chance, 3)} {_digits(chance, 4)}", f"0912-{_digits(chance, 3)}-{_digits(chance, 3)}",
            f"(415) {chance.choice('23456789')}{_digits(chance, 2)}-{_digits(chance, 4)}", f"+44 20 7946 0{_digits(chance, 3)}",
        )
    )  # fmt: skip


def _email(half: Half, chance: random.Random) -> str:
    del half
    name = chance.choice(("li.lei", "han_meimei", "zhang2024", "x", "first.last+shop", _digits(chance, 9)))
    return (
        f"{name}@{chance.choice(('qq.com', '163.com', 'gmail.com', 'mail.example.co.uk', 'company.com.cn'))}"
    )


def _id_card(half: Half, chance: random.Random) -> str:
    del half
    area = chance.choice(("110101", "310115", "440305", "330106", "510104"))
    born = f"{chance.randint(1950, 2007)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    body = f"{area}{born}{_digits(chance, 3)}"
    return body + str(ric.calc_check_digit(body))


def _bank_card(half: Half, chance: random.Random) -> str:
    del half
    start, length = chance.choice((("6222", 19), ("6217", 19), ("6225", 16), ("4111", 16), ("5425", 16)))
    body = start + _digits(chance, length - len(start) - 1)
    card = body + str(luhn.calc_check_digit(body))
    return card if chance.random() < 0.6 else " ".join(card[at : at + 4] for at in range(0, len(card), 4))


def _address(half: Half, chance: random.Random) -> str:
    street = f"{chance.choice(half.cities)}{chance.choice(half.streets)}{chance.randint(1, 999)}号"
    estate = f"{chance.choice(half.estates)}{chance.randint(1, 30)}{chance.choice(('号楼', '栋', '幢'))}"
    room = f"{chance.randint(1, 4)}单元{chance.randint(101, 2604)}室"
    return chance.choice(
        (
            street,
            street + estate,
            street + estate + room,
            estate + room,
            chance.choice(half.cities) + estate + room,
        )
    )


def _english_address(half: Half, chance: random.Random) -> str:
    street = f"{chance.randint(1, 999)} {chance.choice(half.english_streets)}"
    flat = f"{chance.choice(('Apt', 'Room', 'Unit', 'Flat'))} {chance.randint(1, 2604)}"
    return chance.choice(
        (
            street,
            f"{street}, {flat}",
            f"{flat}, {street}",
            f"{flat}, Building {chance.randint(1, 9)}, {street}",
        )
    )


def _plate(half: Half, chance: random.Random) -> str:
    del half
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    head = chance.choice("京沪粤浙苏川鄂陕") + chance.choice("ABCDE")
    tail = chance.choice(
        (_digits(chance, 5), chance.choice(letters) + _digits(chance, 4), f"{chance.choice('DF')}{_digits(chance, 5)}",
         _digits(chance, 3) + chance.choice(letters) + chance.choice(letters))
    )  # fmt: skip
    return head + chance.choice(("", "·")) + tail


def _wechat(half: Half, chance: random.Random) -> str:
    del half
    return chance.choice(
        ("lilei_1990", "hmm-88", "wxid_ab12cd34ef", "a" + _digits(chance, 7), "shopper" + _digits(chance, 3))
    )


def _serial(half: Half, chance: random.Random) -> str:
    del half
    return "KF" + "".join(chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))


_VALUES: dict[str, Callable[[Half, random.Random], str]] = {
    "PHONE": _phone,
    "EMAIL": _email,
    "ID_CARD": _id_card,
    "BANK_CARD": _bank_card,
    "ADDRESS": _address,
    "ADDRESS_EN": _english_address,
    "PLATE": _plate,
    "WECHAT": _wechat,
    "QQ": lambda half, chance: chance.choice("123456789") + _digits(chance, 8),
    "NAME": lambda half, chance: chance.choice(half.surnames) + chance.choice(half.given),
    "NAME_EN": lambda half, chance: chance.choice(half.english_names),
    "ORDER": lambda half, chance: f"KF202611{chance.randint(1, 30):02d}-{_digits(chance, 4)}",
    "TICKET": lambda half, chance: f"RX26{_digits(chance, 6)}",
    "SERIAL": _serial,
    "DIGITS13": lambda half, chance: _digits(chance, 13),
}
