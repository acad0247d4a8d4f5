"""Misspelt English words and the known ones that they may stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import IndexMismatch
from retrieval.spelling import Spelling, may_be_misspelt, slips

TEXTS = [
    "Refund of an order: the refund comes within 3 days. Shipping is free.",
    "Warranty and delivery of AirBuds; connect your phone to the Wi-Fi. Invoices. What you like.",
    "电子 invoice 发票怎么开",
]
SPELLING = Spelling.learn(TEXTS)


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("refund", "refund", 0),
        ("refudn", "refund", 1),
        ("refnd", "refund", 1),
        ("reffund", "refund", 1),
        ("refynd", "refund", 1),
        ("dleivrey", "delivery", 2),
        ("ca", "abc", None),
        ("delivery", "refund", None),
    ],
)
def test_slips_are_letters_too_many_too_few_others_or_swapped(
    one: str, other: str, count: int | None
) -> None:
    assert slips(one, other, 2) == count
    assert slips(other, one, 2) == count


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("refudn", "refund"),
        ("refnd", "refund"),
        ("reffund", "refund"),
        ("shiping", "shipping"),
        ("warrenty", "warranty"),
        ("dleivrey", "delivery"),
        ("airbusd", "airbuds"),
        ("invocie", "invoice"),
        ("pohne", "phone"),
    ],
)
def test_a_misspelt_word_stands_for_the_nearest_known_one_with_some_doubt(typed: str, meant: str) -> None:
    found = SPELLING.meant(typed)
    assert next(iter(found)) == meant
    assert 0 < found[meant] < 1


@pytest.mark.parametrize(
    "word", ["refund", "Refudn", "refudn3", "refúnd", "rfd", "退货", "", "don't", "what"]
)
def test_what_is_known_short_not_english_or_says_nothing_stands_for_itself(word: str) -> None:
    assert SPELLING.meant(word) == {}


def test_two_slips_are_believed_in_long_words_only() -> None:
    assert SPELLING.meant("dleivrey")
    assert not SPELLING.meant("rfeudn")


def test_a_word_of_four_letters_is_not_taken_for_one_with_another_letter() -> None:
    assert SPELLING.meant("line") == {}
    assert list(SPELLING.meant("liek")) == ["like"]


def test_of_several_words_as_near_the_frequent_one_is_surer_and_none_is_sure() -> None:
    found = Spelling({"account": 30, "amount": 1, "acounts": 1, "acouns": 1, "acouna": 1}).meant("acount")
    assert next(iter(found)) == "account"
    assert len(found) <= 3
    assert sum(found.values()) < 1


def test_another_first_letter_is_less_likely_a_slip() -> None:
    spelling = Spelling({"refund": 1})
    assert spelling.meant("tefund")["refund"] < spelling.meant("retund")["refund"]


def test_english_words_are_learned_from_mixed_texts_and_chinese_ones_are_not() -> None:
    assert "invoice" in SPELLING
    assert "发票" not in SPELLING
    assert not may_be_misspelt("发票")


def test_a_shop_without_english_knows_no_word() -> None:
    assert Spelling.learn(["退货期限"]).meant("refudn") == {}


def test_spelling_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    path = tmp_path / "spelling.json"
    SPELLING.save(path)
    assert Spelling.load(path).meant("refudn") == SPELLING.meant("refudn")
    for damage in ("{", "[1]", '{"a": "b"}', '{"a": null}'):
        path.write_text(damage, "utf-8")
        with pytest.raises(IndexMismatch, match="kefu index"):
            Spelling.load(path)
