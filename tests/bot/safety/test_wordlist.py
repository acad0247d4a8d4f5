"""A word list finds its words in Chinese, in English and in mixtures, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.safety.wordlist import NO_WORDS, WordList
from bot.understanding.language import to_simplified


def found(text: str, *words: str) -> tuple[str, ...]:
    return WordList(words, to_simplified).find(text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("投诉", "我要去消协投诉你们"),
        ("投诉", "再不退款我就投訴"),  # traditional
        ("投訴", "再不退款我就投诉"),
        ("律师", "my 律師 will call you"),
        ("12315", "我打12315了"),
        ("12315", "我打１２３１５了"),  # full width
        ("12315", "去 www.12315.cn 举报"),
        ("１２３１５", "12315!"),
        ("投诉12315", "我要投诉 12315"),
        ("投诉 12315", "我要投诉12315"),
        ("lawyer", "I will call my lawyer."),
        ("lawyer", "我找LAWYER了"),
        ("lawyer", "my ｌａｗｙｅｒ says"),
        ("lawyer", "My lawyer's letter is on its way"),
        ("lawyer", "My lawyer’s letter is on its way"),
        ("Small Claims Court", "see you in small  claims\ncourt"),
        ("can't stand", "I can’t stand it"),
        ("A&B", "sold by A&B."),
        ("C++", "written in C++"),
        ("café", "the cafe\u0301 there"),
        ("投诉", "我要投\u200b诉"),  # something between that shows nothing
    ],
)
def test_a_word_is_found_whatever_its_width_script_and_capitals(word: str, text: str) -> None:
    assert found(text, word) == (word,)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("sue", "there is an issue with Susan's suede shoes"),
        ("lawyer", "lawyerly"),
        ("won", "I won't wait"),
        ("t", "I can't"),
        ("12315", "订单 KF20261103-12315"),
        ("12315", "订单123150"),
        ("12315", "charged 12315.80 yuan"),
        ("12315", "call 400-12315-8"),
        ("small claims court", "smallclaimscourt"),
        ("投诉", "投递 诉求"),
        ("cat", "catalogue 猫"),
    ],
)
def test_a_word_inside_another_or_inside_a_number_is_none(word: str, text: str) -> None:
    assert found(text, word) == ()


def test_all_words_that_a_text_holds_are_named_as_the_team_writes_them_in_the_lists_order() -> None:
    assert found("我的 Lawyer 會投訴", "投诉", "报警", "LAWYER") == ("投诉", "LAWYER")


def test_an_empty_list_and_a_word_that_shows_nothing_find_nothing() -> None:
    assert NO_WORDS.find("投诉 lawyer") == ()
    assert found("投诉 lawyer", "\u200b") == ()
    assert found("half a pair \ud83d 投诉", "投诉") == ("投诉",)


@settings(deadline=None)
@given(st.text(min_size=1), st.text())
def test_any_word_and_any_text_can_be_compared(word: str, text: str) -> None:
    found(text, word)


@settings(deadline=None)
@given(
    st.text(alphabet="投诉律师报警退款快递", min_size=1, max_size=6), st.text(alphabet="好的吗了我abc ，。")
)
def test_a_chinese_word_is_found_wherever_it_stands(word: str, around: str) -> None:
    assert found(f"{around}{word}{around}", word) == (word,)
