"""What a question says in the words of the shop's texts: as it is written, corrected, from pinyin, in both languages."""

from __future__ import annotations

import pytest

from retrieval.bridge import WordBridge
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.pinyin import Pinyin
from retrieval.spelling import Spelling
from retrieval.wording import Wording

TEXTS = [
    "我要退货，退货期限是七天",
    "保修几年？保修两年。",
    "怎么报修",
    "发票怎么开，fapiao",
    "快递到哪里了",
    "return window and refund",
    "get an invoice; can you change the name",
    "AirBuds S2 耳机的保修",
]
BRIDGE = WordBridge({"invoic": {"发票": 0.8}, "退货": {"return": 0.5}})


def make(*texts: str) -> Wording:
    return Wording(
        KeywordIndex.build([tokenize(text) for text in texts]),
        bridge=BRIDGE,
        spelling=Spelling.learn(texts),
        pinyin=Pinyin.learn(texts),
    )


WORDING = make(*TEXTS)


def ways(question: str) -> dict[str, float]:
    """All the ways to say its words."""
    return {token: sure for word in WORDING.read(question).words for token, sure in word.items()}


def test_a_word_that_the_shop_writes_means_itself_and_its_translations() -> None:
    reading = WORDING.read("invoice 发票 window")
    assert reading.text == "invoice 发票 window"
    assert reading.words == ({"invoic": 1.0, "发票": 0.8}, {"window": 1.0}, {"发票": 1.0})


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("retrun", "return"),
        ("my refudn pls", "refund"),
        ("我的refudn呢", "refund"),
        ("airbusd 怎么配对", "airbud"),
        ("invocies", "invoic"),
    ],
)
def test_a_misspelt_word_means_what_it_is_a_slip_of_with_some_doubt(question: str, meant: str) -> None:
    assert 0 < ways(question)[meant] < 1


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("My Refudn, pls", "My refund, pls"),
        ("我的refudn呢", "我的refund呢"),
        ("AirBusd S2 怎么配对", "airbuds S2 怎么配对"),
        ("tuihuo refudn", "退货 refund"),
        ("gte teh naem", "gte teh naem"),  # short words are too much like others
        ("retrunz", "retrunz"),  # two slips
        ("refudn@example.com KF-refudn-1", "refudn@example.com KF-refudn-1"),
        ("Gold planet", "Gold planet"),
    ],
)
def test_what_is_surely_a_slip_is_corrected_in_the_text(question: str, text: str) -> None:
    assert WORDING.read(question).text == text


def test_a_misspelt_word_is_also_translated() -> None:
    found = ways("invocie")
    assert found["发票"] == pytest.approx(found["invoic"] * 0.8)


@pytest.mark.parametrize(
    ("question", "text", "meant"),
    [
        ("tuihuo", "退货", "退货"),
        ("tui huo", "退货", "退货"),
        ("wo yao tui huo", "我要退货", "退货"),
        ("Wo yao tuihuo!", "我要退货!", "退货"),
        ("tuì huò", "退货", "退货"),
        ("baoxiu ji nian", "保修几年", "保修"),
        ("bao xiu ji lian", "保修几年", "几年"),
        ("zenmekaifapiao", "怎么开发票", "发票"),
        ("AirBuds S2 baoxiu 吗", "AirBuds S2 保修 吗", "保修"),
        ("how do I tuihuo", "how do I 退货", "退货"),
        ("wo yao fapiao", "我要发票", "发票"),
    ],
)
def test_pinyin_means_the_chinese_words_of_its_sounds(question: str, text: str, meant: str) -> None:
    assert WORDING.read(question).text == text
    assert 0 < ways(question)[meant] < 1


def test_pinyin_is_also_translated() -> None:
    assert 0 < ways("tuihuo")["return"] < 0.5


def test_pinyin_also_means_other_words_of_the_same_sounds_less() -> None:
    found = ways("baoxiu")
    assert found["报修"] < found["保修"]


def test_typed_sounds_that_fit_exactly_are_surer() -> None:
    assert ways("bao xiu ji lian")["几年"] < ways("bao xiu ji nian")["几年"]


@pytest.mark.parametrize(
    "question",
    [
        "can you change the name",
        "banana panda",
        "you can",
        "fapiao",
        "he can change me",
        "mail tuihuo@example.com",
        "www.tuihuo.com",
        "KF-tuihuo-1",
        "tuihuo3",
        "WiFi",
        "退货期限",
        "",
    ],
)
def test_english_addresses_and_numbers_are_not_read_as_pinyin(question: str) -> None:
    assert WORDING.read(question).text == question


@pytest.mark.parametrize(
    ("question", "text", "meant"),
    [
        ("我要退伙", "我要退货", "退货"),
        ("我要退伙 AirBuds", "我要退货 AirBuds", "退货"),
        ("快弟呢", "快递呢", "快递"),
        ("能不能包修", "能不能包修", "保修"),  # or 报修
    ],
)
def test_a_wrong_character_means_the_word_of_the_same_sound_with_some_doubt(
    question: str, text: str, meant: str
) -> None:
    assert 0 < ways(question)[meant] < 1
    assert WORDING.read(question).text == text


@pytest.mark.parametrize("question", ["退货", "外国", "火星"])
def test_a_chinese_word_that_people_write_means_itself(question: str) -> None:
    assert [sure for token, sure in ways(question).items() if token != "return"] == [1.0]


def test_a_shop_without_texts_knows_the_words_as_they_are_written() -> None:
    reading = make("").read("tuihuo 退货 refudn")
    assert reading.text == "tuihuo 退货 refudn"
    assert [next(iter(word)) for word in reading.words] == ["tuihuo", "refudn", "退货"]


def test_half_a_character_is_survived() -> None:
    assert WORDING.read("tuihuo \ud83d").words
