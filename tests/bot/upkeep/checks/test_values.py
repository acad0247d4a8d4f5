"""What a text states, in one form for all spellings: Chinese, English and mixed."""

from __future__ import annotations

import pytest

from bot.upkeep.checks.values import unmatched, values


def stated(text: str) -> set[tuple[str, str]]:
    return {(value.kind, value.amount) for value in values(text)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("七天", "7 days"),
        ("7天内", "within seven days"),
        ("48 小时", "two days"),
        ("一周", "7 天"),
        ("半年", "six months"),
        ("半个小时", "half an hour"),
        ("12 个月", "one year"),
        ("365 天", "1 year"),
        ("三十五天", "thirty-five days"),
        ("两百元", "two hundred yuan"),
        ("1.5 万元", "¥15,000"),
        ("15000元", "15,000 yuan"),
        ("百分之五", "5%"),
        ("85 折", "15% off"),
        ("8.5折", "15 percent off"),
        ("八折券", "20% off"),
        ("满 18 周岁", "at least 18 years"),
        ("10 GB 流量", "10GB of data"),
        ("3 月 5 日", "5 March"),
        ("[订单](/zh/orders)", "[orders](/en/orders/)"),
        ("拨打 400-123-4567。", "call 400-123-4567"),
        ("VIP 客户 5 分钟", "five minutes for VIPs"),
    ],
)
def test_spellings_of_one_value_agree(one: str, other: str) -> None:
    assert values(one)
    assert unmatched(values(one), values(other)) == frozenset()
    assert unmatched(values(other), values(one)) == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7 天", "8 days"),
        ("7 天", "7 个月"),
        ("48 小时", "48 days"),
        ("八折", "15% off"),
        ("¥15,000", "1,500 yuan"),
        ("[订单](/orders)", "[orders](/order)"),
        ("22:00 前", "before 21:00"),
    ],
)
def test_different_values_do_not_agree(one: str, other: str) -> None:
    assert unmatched(values(one), values(other))


def test_a_number_without_a_unit_may_have_any() -> None:
    assert unmatched(values("18 周岁以上"), values("aged 18 or over")) == frozenset()
    assert not any(a.same_kind(b) for a in values("18 号门") for b in values("18:00"))


@pytest.mark.parametrize(
    "text", ["1. 打开页面", "2) Press the button", "第二天再来", "nobody may use it", "20 m²的"]
)
def test_what_counts_nothing_is_no_value(text: str) -> None:
    assert {kind for kind, _ in stated(text)} <= {"metre"}


def test_an_age_is_no_week_and_a_modal_verb_no_month() -> None:
    assert stated("未满 16 周岁") == stated("16 年")
    assert ("date", "05-16") not in stated("nobody under 16 may use the gym")
