"""Tests of tokens and BM25, Chinese, English and mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import IndexMismatch
from retrieval.keywords import (
    KeywordIndex,
    chinese_runs,
    is_chinese,
    is_function_word,
    spelled,
    stem,
    tokenize,
)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("退貨怎麼辦", "退货政策"),  # traditional finds simplified
        ("ＡｉｒＢｕｄｓ　Ｓ２", "AirBuds S2 耳机"),  # full-width finds half-width
        ("air buds", "AirBuds"),
        ("wifi连不上", "Wi-Fi 6 路由器"),
        ("订单KF20261103-0042到哪了", "KF20261103"),
        ("0042", "KF20261103-0042"),
        ("m5扫地", "M5 扫拖机器人扫地"),
        ("1899块", "¥1,899.00"),
        ("Refunded?", "refunds"),
        ("shipping", "we ship it"),
        ("warranties", "warranty"),
        ("充电", "充电宝"),
        ("CHANGED address", "change your addresses"),
    ],
)
def test_a_question_shares_a_token_with_what_it_means(question: str, text: str) -> None:
    assert set(tokenize(question)) & set(tokenize(text))


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "怎么办？", "what is the", "。，！"])
def test_nothing_to_search_for_gives_no_token(text: str) -> None:
    assert tokenize(text) == []


def test_an_order_number_is_kept_whole_and_in_parts() -> None:
    tokens = tokenize("KF20261103-0042")
    assert {"kf20261103-0042", "kf20261103", "0042"} <= set(tokens)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("returns", "return"),
        ("changed", "change"),
        ("changing", "change"),
        ("shipped", "ship"),
        ("boxes", "box"),
        ("policies", "policy"),
    ],
)
def test_forms_of_an_english_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["bus", "this", "s2", "pass", "ring", "退货", "red"])
def test_a_short_or_foreign_word_keeps_its_form(word: str) -> None:
    assert stem(word) == word


def index() -> KeywordIndex:
    texts = ["退货期限 七天", "refund time for AirBuds", "发票 invoice 抬头", ""]
    return KeywordIndex.build([tokenize(text) for text in texts])


def test_the_best_document_has_the_highest_score() -> None:
    scores = index().scores(tokenize("退貨期限"))
    assert scores.argmax() == 0
    assert scores[1] == 0.0


def test_a_question_of_unknown_words_scores_nothing() -> None:
    assert index().scores(tokenize("量子力学")).tolist() == [0, 0, 0, 0]
    assert index().scores([]).tolist() == [0, 0, 0, 0]


def test_entries_and_weight_of_a_token() -> None:
    rows, scores = index().entries("invoic")
    assert rows.tolist() == [2]
    assert scores.tolist() == [index().weight("invoic")]
    assert index().weight("invoic") > 0
    assert index().entries("nothing")[0].tolist() == []
    assert index().weight("nothing") == 0.0


@pytest.mark.parametrize(
    ("text", "chinese"), [("退货", True), ("我的invoice", True), ("invoice", False), ("？。", False)]
)
def test_a_text_with_any_chinese_in_it_is_chinese(text: str, *, chinese: bool) -> None:
    assert is_chinese(text) is chinese


def test_an_index_survives_saving(tmp_path: Path) -> None:
    index().save(tmp_path)
    loaded = KeywordIndex.load(tmp_path)
    assert len(loaded) == 4
    tokens = tokenize("退货 invoice")
    assert loaded.scores(tokens).tolist() == index().scores(tokens).tolist()


def test_a_damaged_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexMismatch, match="kefu index"):
        KeywordIndex.load(tmp_path)
    index().save(tmp_path)
    (tmp_path / "data.csc.index.npy").write_bytes(b"junk")
    with pytest.raises(IndexMismatch, match="kefu index"):
        KeywordIndex.load(tmp_path)


def test_words_as_they_are_spelt_keep_their_endings_and_lose_their_case() -> None:
    assert spelled("Invoices 发票 of AirBuds，ＷｉＦｉ") == [
        "invoices",
        "of",
        "airbuds",
        "air",
        "buds",
        "wifi",
        "wi",
        "fi",
    ]
    assert spelled("退货") == []


def test_stretches_of_chinese_are_simplified() -> None:
    assert chinese_runs("我的invoice呢？退貨") == ["我的", "呢", "退货"]
    assert chinese_runs("invoice") == []


@pytest.mark.parametrize(
    ("token", "empty"), [("的", True), ("the", True), ("退货", False), ("refund", False)]
)
def test_a_function_word_says_nothing_about_a_topic(token: str, *, empty: bool) -> None:
    assert is_function_word(token) is empty
