"""Texts are alike when they ask the same, in Chinese, English and both, and never when a model or a number differs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.curation.likeness import (
    Question,
    alike,
    asked,
    facts,
    near_any,
    normalised,
    shingles,
    similarity,
)
from tests.example_talks import talk

SAME = [
    ("怎么退货", "怎么退货呀？"),
    ("請問怎麼退貨", "请问怎么退货"),
    ("How do I return it?", "how do i return it"),
    ("M3 连不上 WiFi 怎么办", "m3连不上wifi，怎么办啊"),
    ("订单 KF20261103-0042 到哪了", "订单KF20261103-0099到哪了？"),
    ("where is order 1234567890", "Where is order 9876543210?"),
]
DIFFERENT = [
    ("怎么退货", "怎么换货"),
    ("M3 扫地机器人多少钱", "M5 扫地机器人多少钱"),
    ("refund within 7 days?", "refund within 15 days?"),
    ("what are the opening hours", "what is the postage"),
    ("退货 how long", "invoice 怎么开"),
]


def _pairs(texts: list[str], threshold: float, *, same_facts: bool = True) -> set[tuple[int, int]]:
    """Positions of texts that are nearly the same, the smaller first."""
    found = alike([Question(text) for text in texts], threshold, same_facts=same_facts)
    return {
        (one, other)
        for other, number in enumerate(found.numbers)
        for one in range(other)
        if found.numbers[one] == number or found.numbers[one] in found.near[number]
    }


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_in_another_spelling_is_alike(one: str, other: str) -> None:
    assert _pairs([one, "an unrelated text 无关的内容", other], 0.7) == {(0, 2)}


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_question_is_not(one: str, other: str) -> None:
    assert _pairs([one, other], 0.7) == set()


def test_without_facts_models_may_differ() -> None:
    pair = ["M3 扫地机器人连不上家里的网络怎么办", "M5 扫地机器人连不上家里的网络怎么办"]
    assert _pairs(pair, 0.6, same_facts=False) == {(0, 1)}
    assert _pairs(pair, 0.6) == set()


def test_no_text_is_like_no_text_only() -> None:
    assert _pairs([], 0.7) == set()
    assert _pairs(["？？"], 0.7) == set()
    assert _pairs(["", "", "退货"], 0.7) == {(0, 1)}


def test_a_follow_up_is_not_the_long_question_that_it_follows() -> None:
    first = Question("周六晚上给朋友的他行卡转9万，啥时候能收到？")
    questions = [
        first,
        Question("三万呢", first.text),
        Question("三万呢?", "周六晚上给朋友的他行卡转9万，啥时候能收到"),
        Question("三万呢", "怎么退货"),
    ]
    found = alike(questions, 0.7)
    assert found.numbers == (0, 1, 1, 2)
    assert found.near == (frozenset(), frozenset(), frozenset())


def test_one_is_found_among_others_whatever_its_model() -> None:
    others = [Question("M5 扫地机器人连不上家里的网络怎么办"), Question("what are the opening hours")]
    questions = [
        Question("M3扫地机器人连不上家里的网络，怎么办"),
        Question("发票"),
        Question("What are the opening hours?"),
    ]
    assert near_any(questions, others, 0.6) == [True, False, True]
    assert near_any(questions, [], 0.6) == [False] * 3
    assert near_any([], others, 0.6) == []


def test_facts_are_short_numbers_and_models() -> None:
    assert facts("M3 和 M5 差 299 元，订单 KF20261103-0042") == {"m3", "m5", "299"}


def test_a_follow_up_is_compared_together_with_what_it_follows() -> None:
    conversation = talk(
        "a",
        ("怎么退货", "这样"),
        ("那运费呢", "我们出"),
        ("what are the opening hours of your store in Hangzhou", "9"),
    )
    assert asked(conversation, 0) == Question("怎么退货")
    assert asked(conversation, 1) == Question("那运费呢", follows="怎么退货")
    assert asked(conversation, 2) == Question("what are the opening hours of your store in Hangzhou")
    assert (
        Question("那运费呢？", "怎么退貨").plain == asked(conversation, 1).plain != Question("那运费呢").plain
    )


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(st.text(max_size=30), max_size=12), threshold=st.floats(0.2, 1))
def test_what_is_alike_is_so_both_ways_and_as_much_as_was_asked(texts: list[str], threshold: float) -> None:
    found = alike([Question(text) for text in texts], threshold)
    for one, number in enumerate(found.numbers):
        assert number not in found.near[number]
        for other, number_there in enumerate(found.numbers):
            if number_there in found.near[number]:
                assert number in found.near[number_there]
                assert similarity(shingles(texts[one]), shingles(texts[other])) >= threshold


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
