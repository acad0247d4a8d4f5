"""What differs between two texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upkeep.backtest.marking import Part, marked


def other(parts: tuple[Part, ...]) -> list[str]:
    return [part.text for part in parts if part.other]


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("满 99 元包邮。", "满 129 元包邮。", ["99"], ["129"]),
        ("free from 99 yuan", "free from 129 yuan", ["99"], ["129"]),
        ("整机保修1年", "整机保修2年", ["1"], ["2"]),
        ("使用 power bank 充电", "使用 charger 充电", ["power bank"], ["charger"]),
        ("一样 the same", "一样 the same", [], []),
        ("", "新的", [], ["新的"]),
        ("it's 1.50", "it's 1.55", ["1.50"], ["1.55"]),
    ],
)
def test_words_and_numbers_differ_as_a_whole_and_chinese_by_character(before, after, gone, come) -> None:
    left, right = marked(before, after)
    assert (other(left), other(right)) == (gone, come)


def test_a_speck_between_two_differences_is_marked_with_them() -> None:
    left, right = marked("请 48 小时内拍照", "请 3 天内拍照")
    assert (other(left), other(right)) == (["48 小时"], ["3 天"])


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_parts_are_the_texts(before: str, after: str) -> None:
    left, right = marked(before, after)
    assert ("".join(part.text for part in left), "".join(part.text for part in right)) == (before, after)
