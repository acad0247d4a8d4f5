"""Words that say the same, learned from texts in two languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.bridge import WordBridge, learn_bridge, parallel_texts
from retrieval.chunking import split
from retrieval.documents import Article
from retrieval.errors import IndexMismatch

PAIRS = [
    ("发票怎么开", "how to get an invoice"),
    ("下载发票", "download the invoice"),
    ("发票抬头", "invoice title"),
    ("优惠券怎么用", "how to use a coupon"),
    ("优惠券过期", "coupon expired"),
    ("下载说明书", "download the manual"),
    ("订单 KF20261103-0042 的发票", "invoice for order KF20261103-0042"),
]


def article(language: str, title: str, body: str, *questions: str) -> Article:
    return Article(id="one", language=language, title=title, body=body, path="", questions=questions)


def test_words_are_translated_both_ways() -> None:
    bridge = learn_bridge(PAIRS)
    assert max(bridge.translations["invoic"].items(), key=lambda pair: pair[1])[0] == "发票"
    assert "coupon" in bridge.translations["优惠券"]
    assert all(0 < sure <= 1 for others in bridge.translations.values() for sure in others.values())


def test_a_word_says_itself_with_certainty_also_when_nothing_else_does() -> None:
    assert learn_bridge([]).ways_to_say("invoic") == {"invoic": 1.0}
    assert learn_bridge(PAIRS).ways_to_say("发票")["发票"] == 1.0


def test_numbers_are_written_alike_and_never_translated() -> None:
    bridge = learn_bridge(PAIRS)
    assert not [token for token in bridge.translations if any(character.isdigit() for character in token)]


def test_articles_in_both_languages_are_laid_beside_each_other_sentence_by_sentence() -> None:
    faces = [
        article("zh", "怎么开发票", "电子发票自动开出。可以下载。\n\n## 抬头怎么改\n联系我们就可以修改抬头。"),
        article("en", "Getting an invoice", "The invoice is automatic. You can download it.\n\n## Change the title\nAsk us and we change the title."),
    ]  # fmt: skip
    passages = [passage for face in faces for passage in split(face, 60)]
    pairs = parallel_texts(faces, passages)
    assert ("怎么开发票", "Getting an invoice") in pairs
    assert ("抬头怎么改", "Change the title") in pairs
    assert ("可以下载。", "You can download it.") in pairs


def test_the_questions_of_an_article_are_laid_beside_each_other_as_a_whole() -> None:
    faces = [
        article("zh", "发票", "自动开出。", "发票在哪", "要发票"),
        article("en", "Invoice", "Automatic.", "where is my fapiao"),
    ]
    assert ("发票在哪\n要发票", "where is my fapiao") in parallel_texts(faces, [])


def test_faces_that_are_built_differently_are_compared_as_a_whole() -> None:
    faces = [
        article("zh", "发票", "自动开出。可以下载。"),
        article("en", "Invoice", "It is automatic and can be downloaded."),
    ]
    pairs = parallel_texts(faces, [passage for face in faces for passage in split(face, 600)])
    assert ("自动开出。可以下载。", "It is automatic and can be downloaded.") in pairs


def test_an_article_in_one_language_teaches_nothing() -> None:
    alone = [article("zh", "发票", "自动开出。")]
    assert parallel_texts(alone, [passage for face in alone for passage in split(face, 600)]) == []


def test_a_bridge_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    path = tmp_path / "bridge.json"
    learn_bridge(PAIRS).save(path)
    assert WordBridge.load(path) == learn_bridge(PAIRS)
    for damage in ("{", "[1]", '{"a": 5}', '{"a": {"b": "c"}}'):
        path.write_text(damage, "utf-8")
        with pytest.raises(IndexMismatch, match="kefu index"):
            WordBridge.load(path)
