"""A number belongs to the words beside it."""

import pytest

from bot.answering.number_context import strays
from bot.answering.support import check

TIERS_ZH = "签收次日起 7 天内可以无理由退货，金卡会员为 15 天，铂金卡会员为 30 天。"
TIERS_EN = "You have 7 days to return an item. Gold members have 15 days. Platinum members have 30 days."
TABLE = (
    "| Level | No-reason return |\n|---|---|\n| Silver | 7 days |\n| Gold | 15 days |\n| Platinum | 30 days |"
)
LIST = "还车前请检查：\n\n- 烟味：300 元\n- 宠物毛发：150 元\n- 榴莲味：200 元"


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("金卡会员为 30 天。", TIERS_ZH),
        ("Gold members have 30 days.", TIERS_EN),
        ("Gold members have 30 days.", "Gold members have 15 days and Platinum members have 30 days."),
        ("Gold 30 days.", TABLE),
        ("宠物毛发：200 元", LIST),
        ("AirBuds 保修 3 年。", "AirBuds 保修 1 年，电视 TV-55 保修 3 年。"),
    ],
)
def test_a_number_of_something_else_is_refused(sentence: str, passage: str) -> None:
    assert strays(sentence, passage)
    assert not check(sentence, [passage]).supported


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("金卡会员为 15 天。", TIERS_ZH),
        ("铂金卡会员为 30 天。", TIERS_ZH),
        (TIERS_ZH, TIERS_ZH),
        ("Gold members have 15 days.", TIERS_EN),
        ("You have 7 days to return an item, Gold members have 15 days.", TIERS_EN),
        ("| Gold | 15 days |", TABLE),
        ("- 宠物毛发：150 元", LIST),
        ("不满 99 元收 8 元。", "满 99 元包邮，不满 99 元的，收 8 元。"),
        ("Below 99 yuan it costs 8 yuan.", "Free from 99 yuan; below 99 yuan, it costs 8 yuan."),
        ("AirBuds 的 warranty 是 1 year。", "AirBuds 的 warranty 是 1 year，电视是 3 years。"),
    ],
)
def test_a_number_with_its_own_words_is_fine(sentence: str, passage: str) -> None:
    assert not strays(sentence, passage)
    assert check(sentence, [passage]).supported
