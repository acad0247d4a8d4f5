"""Facts in a customer's words, inside Chinese text as well."""

from datetime import date

import pytest

from bot.understanding.slots import SlotFinder, values

FINDER = SlotFinder(["M5", "AirBuds Pro", "AirBuds"], lambda: date(2026, 11, 22))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("订单KF20261103-0042到哪了", {"order_number": "KF20261103-0042"}),
        ("kf20261103 0042", {"order_number": "KF20261103-0042"}),
        ("ＫＦ２０２６１１０３－００４２呢", {"order_number": "KF20261103-0042"}),
        ("工单RX26110371修好没", {"repair_ticket": "RX26110371"}),
        ("我的手机是13812345678请联系", {"phone": "+8613812345678"}),
        ("邮箱zhang@example.com谢谢", {"email": "zhang@example.com"}),
        ("昨天付了¥1,899.00", {"date": "2026-11-21", "amount": "1899.00"}),
        ("11月3日下的单，299元", {"date": "2026-11-03", "amount": "299"}),
        ("3月5号买的", {"date": "2026-03-05"}),
        ("my M5 broke yesterday", {"product": "M5", "date": "2026-11-21"}),
        ("AirBuds Pro没声音", {"product": "AirBuds Pro"}),
    ],
)
def test_slots_are_found_and_normalised(text: str, expected: dict[str, str]) -> None:
    assert values(FINDER.find(text)) == expected


@pytest.mark.parametrize(
    "text", ["KF20261399-0042", "KF2026110-0042", "2月30日", "RX2611037", "M55", "12345678901234"]
)
def test_what_only_looks_like_a_slot_is_none(text: str) -> None:
    assert FINDER.find(text) == ()


def test_a_corrected_number_wins() -> None:
    found = values(FINDER.find("KF20261103-0041 sorry I meant KF20261103-0042"))
    assert found["order_number"] == "KF20261103-0042"


def test_positions_point_into_the_text_as_it_was_written() -> None:
    text = "订单KF20261103-0042到哪了"
    (slot,) = FINDER.find(text)
    assert text[slot.start : slot.end] == "KF20261103-0042"


def test_a_day_far_ahead_was_last_year() -> None:
    finder = SlotFinder([], lambda: date(2026, 2, 1))
    assert values(finder.find("12月30日买的")) == {"date": "2025-12-30"}
    assert values(finder.find("3月5日送来")) == {"date": "2026-03-05"}
