"""Chinese that is known by its sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import IndexMismatch
from retrieval.pinyin import Pinyin, sounds_of

TEXTS = [
    "我要退货，退货期限是七天",
    "保修几年？保修两年。怎么报修",
    "发票怎么开 how to get an invoice",
    "女士绿色拖鞋，这里的快递到了",
    "去西安的快递",
    "先退货",
    "先付款",
]
PINYIN = Pinyin.learn(TEXTS)


def read(typed: str) -> str | None:
    words = typed.split()
    ends = frozenset(len("".join(words[:count])) for count in range(1, len(words)))
    heard = PINYIN.read("".join(words), ends)
    return None if heard is None else "".join(word.word or f"<{word.syllables[0]}>" for word in heard)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tuihuo", "退货"),
        ("tui huo", "退货"),
        ("wo yao tui huo", "我要退货"),
        ("woyaotuihuo", "我要退货"),
        ("baoxiu ji nian", "保修几年"),
        ("zenme kai", "怎么开"),
        ("lvse", "绿色"),
    ],
)
def test_pinyin_is_read_joined_and_spaced(typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("bao xiu ji lian", "保修几年"), ("fapiao zengme kai", "发票怎么开"), ("zeli", "这里")],
)
def test_sounds_that_many_do_not_tell_apart_are_read_with_a_slip(typed: str, meant: str) -> None:
    assert read(typed) == meant
    words = typed.split()
    heard = PINYIN.read("".join(words), frozenset())
    assert heard is not None
    assert sum(word.slips for word in heard) == 1


def test_no_syllable_goes_across_a_blank_or_an_apostrophe() -> None:
    assert read("xi an") == "西安"
    assert read("xian") == "先"


def test_a_syllable_that_no_known_word_has_stays_as_it_was_typed() -> None:
    assert read("tuihuo zhuang") == "退货<zhuang>"


@pytest.mark.parametrize("typed", ["refund", "wifi", "w", "shop", ""])
def test_what_cannot_be_cut_into_syllables_is_not_read(typed: str) -> None:
    assert read(typed) in (None, "")


def test_words_of_one_sound_share_it_by_how_often_they_are_said() -> None:
    assert PINYIN.same_sound("退伙") == {"退货": 1.0}
    assert PINYIN.same_sound("包修") == {"保修": pytest.approx(2 / 3), "报修": pytest.approx(1 / 3)}
    assert PINYIN.same_sound("保修") == {"报修": pytest.approx(1 / 3)}
    assert PINYIN.same_sound("火星") == {}


def test_sounds_have_no_tones_and_write_v() -> None:
    assert sounds_of("退货") == ("tui", "huo")
    assert sounds_of("女绿") == ("nv", "lv")


def test_a_shop_without_chinese_reads_syllables_and_no_words() -> None:
    heard = Pinyin.learn(["refund"]).read("tuihuo", frozenset())
    assert heard is not None
    assert [word.word for word in heard] == [None, None]


def test_pinyin_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    path = tmp_path / "pinyin.json"
    PINYIN.save(path)
    loaded = Pinyin.load(path)
    assert loaded.read("woyaotuihuo", frozenset()) == PINYIN.read("woyaotuihuo", frozenset())
    assert loaded.same_sound("包修") == PINYIN.same_sound("包修")
    for damage in (
        "{",
        "[1]",
        "{}",
        '{"counts": {"a": "b"}, "follows": {}}',
        '{"counts": {}, "follows": [1]}',
    ):
        path.write_text(damage, "utf-8")
        with pytest.raises(IndexMismatch, match="kefu index"):
            Pinyin.load(path)
