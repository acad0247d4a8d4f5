"""Tests of cutting text into sentences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("七天内可退。运费谁出？质量问题我们承担！", ["七天内可退。", "运费谁出？", "质量问题我们承担！"]),
        ("已发货；请耐心等待……谢谢", ["已发货；", "请耐心等待……", "谢谢"]),
        ("他说：「好。」然后走了。", ["他说：「好。」", "然后走了。"]),
        ("（拆封后。不可退）请注意。再见", ["（拆封后。不可退）请注意。", "再见"]),
        ("It costs ¥1,899.00. See e.g. the M5. Ok?", ["It costs ¥1,899.00.", "See e.g. the M5.", "Ok?"]),
        ("Is it No. 5? No. You cannot.", ["Is it No. 5?", "No.", "You cannot."]),
        ("Open 9 a.m. to 5 p.m. Call us.", ["Open 9 a.m. to 5 p.m.", "Call us."]),
        ("Visit https://a.com/x.html?y=1. Then go.", ["Visit https://a.com/x.html?y=1.", "Then go."]),
        ("Mr. Li asked. Fine", ["Mr. Li asked.", "Fine"]),
        ("Version v2.0 is out... Try it", ["Version v2.0 is out...", "Try it"]),
        ("我买了AirBuds S2. 连不上手机!帮帮我", ["我买了AirBuds S2.", "连不上手机!", "帮帮我"]),
        ("去a.com?退货看看。好", ["去a.com?退货看看。", "好"]),
        (
            "第一行\n接着写。\n第二句 in English\nwith more.",
            ["第一行接着写。", "第二句 in English with more."],
        ),
        ("1. Open it. Tap.\n2. Wait.\n   Then go.", ["1. Open it. Tap.", "2. Wait. Then go."]),
        ("1、打开。点一下\n2、等待。", ["1、打开。点一下", "2、等待。"]),
        ("- 甲。乙\n- 丙。\n\n  下文。", ["- 甲。乙", "- 丙。下文。"]),
        ("|地区|天数|\n|---|---|\n|上海|1。5 天|", ["|地区|天数|", "|上海|1。5 天|"]),
        ("## 怎么退货？先看\n打开订单。", ["## 怎么退货？先看", "打开订单。"]),
        ("```\na. b\nc\n```\n完。", ["a. b", "c", "完。"]),
        ("**重要。** 请看[说明。书](/x)。好", ["**重要。**", "请看[说明。书](/x)。", "好"]),
        ("", []),
        ("。", ["。"]),
    ],
)
def test_sentences_are_cut_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet='退货。！？；… \n.!?a1-|#（）()"“”', max_size=80))
def test_no_word_is_lost_or_invented(text: str) -> None:
    def words(value: str) -> str:
        return re.sub(r"[^退货a1]", "", value)

    found = sentences(text)
    assert words("".join(found)) == words(text)
    assert all(sentence == sentence.strip() and sentence for sentence in found)


def test_a_very_long_text_is_cut_in_a_moment() -> None:
    assert len(sentences("很长的一句话，没有什么意思。" * 8000)) == 8000
