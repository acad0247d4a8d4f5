"""Whether a clause says yes or no, in Chinese, English and mixed."""

from __future__ import annotations

import pytest

from bot.upkeep.checks.polarity import FREE, NO, PAID, YES, negated_conditions, polarity


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("宠物可以带进餐厅", YES),
        ("宠物不可以带进餐厅", NO),
        ("本店不支持 Apple Pay", NO),
        ("支持 Apple Pay 付款", YES),
        ("无需预约", NO),
        ("我们绝不会要您的密码", NO),
        ("退货不超过 7 天", YES),
        ("7 天无理由退货", YES),
        ("没拆封的奶粉可以退货", YES),
        ("不锈钢杯可以进洗碗机", YES),
        ("Bicycles can be taken on the ferry", YES),
        ("Bicycles cannot be taken on the ferry", NO),
        ("we don't accept cash", NO),
        ("There is no cash on delivery", NO),
        ("items that do not fit can be returned", YES),
        ("a TV that has been installed cannot be returned", NO),
        ("Apply no later than Friday", YES),
        ("WiFi 不收费", FREE),
        ("上门回收是免费的", FREE),
        ("运费由我们承担", FREE),
        ("运费由您承担", PAID),
        ("停车不免费", PAID),
        ("parking is free of charge", FREE),
        ("parking is not free", PAID),
        ("you pay for the return", PAID),
    ],
)
def test_what_a_clause_says(clause: str, said: str) -> None:
    assert polarity(clause) == {said}


@pytest.mark.parametrize(
    "clause", ["如果没有收到", "if it does not arrive", "拆封后", "until you are not ill"]
)
def test_a_condition_says_nothing(clause: str) -> None:
    assert polarity(clause) == frozenset()


def test_a_clause_that_says_both_prices_says_both() -> None:
    assert polarity("会员免费，其他人收费") == {FREE, PAID}


@pytest.mark.parametrize(
    ("clause", "count"),
    [("没拆封的可以退", 1), ("拆封的不能退", 0), ("if it is not opened", 1), ("items that don't fit can be returned", 1), ("it cannot be returned", 0), ("不超过 7 天的可以退", 0)],
)  # fmt: skip
def test_negated_conditions_are_told_from_denials(clause: str, count: int) -> None:
    assert negated_conditions(clause) == count
