"""Tests of searching a small shop."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest

from retrieval.documents import Hit
from retrieval.errors import IndexMismatch, IndexMissing
from retrieval.publish import current
from retrieval.search import SearchIndex
from tests.fake_encoder import FakeEncoder
from tests.retrieval.sample_shop import build, put, write_shop

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    build(write_shop(folder / "kb"), folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def index(root: Path) -> SearchIndex:
    return SearchIndex.open(root, FakeEncoder())


def ids(hits: tuple[Hit, ...]) -> list[str]:
    return list(dict.fromkeys(hit.passage.article_id for hit in hits))


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("退货期限是几天", "return-window"),
        ("退貨期限是幾天", "return-window"),  # traditional
        ("return window for members", "return-window"),
        ("我的invoice在哪", "invoice-request"),  # mixed
        ("ＡｉｒＢｕｄｓ　Ｓ２ 怎么配对", "earphones"),  # full-width
        ("签收前验货", "inspect"),
        ("voltage of the kettles abroad", "voltage"),
        ("votlage of the kettles abroad", "voltage"),  # misspelt
        ("tuihuo qixian", "return-window"),  # pinyin
        ("wo yao kai fa piao", "invoice-request"),
        ("我的fapiao在哪", "invoice-request"),
        ("退伙期限是几天", "return-window"),  # a wrong character
    ],
)
def test_the_right_article_comes_first(index: SearchIndex, question: str, article: str) -> None:
    assert ids(index.search(question, day=DAY))[0] == article


def test_a_question_finds_an_article_that_exists_only_in_the_other_language(index: SearchIndex) -> None:
    (first, *_) = index.search("earphones 配对", prefer="en", day=DAY)
    assert (first.passage.article_id, first.passage.language) == ("earphones", "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_passages_come_in_the_preferred_language(index: SearchIndex, language: str) -> None:
    hits = index.search("退货期限 return window", prefer=language, day=DAY)
    assert {hit.passage.language for hit in hits if hit.passage.article_id == "return-window"} == {language}


def test_articles_are_ranked_and_scores_are_probabilities(index: SearchIndex) -> None:
    hits = index.search("退货", top_k=3, day=DAY)
    assert len(ids(hits)) == 3
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert all(-1.0 <= hit.vector_score <= 1.0 for hit in hits)


def test_an_article_appears_once_in_both_languages(index: SearchIndex) -> None:
    assert ids(index.search("退货 return", top_k=5, day=DAY)).count("return-window") == 1


def test_several_passages_of_an_article_stand_together(index: SearchIndex) -> None:
    order = [hit.passage.article_id for hit in index.search("金卡会员退货期限", top_k=4, day=DAY)]
    assert order == sorted(order, key=order.index)


def test_what_is_not_valid_today_is_no_hit_but_can_be_asked_for(index: SearchIndex) -> None:
    question = "双12活动规则"
    for day in (DAY, date(2027, 1, 1)):
        assert "double-12" not in ids(index.search(question, top_k=50, day=day))
        assert ids(index.expired(question, day=day)) == ["double-12"]
    during = date(2026, 12, 31)
    assert ids(index.search(question, day=during))[0] == "double-12"
    assert index.expired(question, day=during) == ()


@pytest.mark.parametrize("question", ["", "  ", "🙂🙂🙂", "？！。", "\u200b"])
def test_a_question_without_words_finds_nothing(index: SearchIndex, question: str) -> None:
    assert index.search(question, day=DAY) == ()


@pytest.mark.parametrize(
    "question", ["退货" * 50_000, "怎么办", "\x00\x07退货", "a\ud800b", "' OR 1=1; -- AND \"退货"]
)
def test_an_odd_question_is_survived(index: SearchIndex, question: str) -> None:
    assert index.search(question, day=DAY)


def test_a_vector_that_the_caller_has_is_used(root: Path) -> None:
    encoder = FakeEncoder()
    index = SearchIndex.open(root, encoder)
    vector = encoder.encode_queries(["退货期限"])[0]
    encoder.encoded.clear()
    with_it = index.search("退货期限", day=DAY, vector=vector)
    assert encoder.encoded == []
    assert with_it == index.search("退货期限", day=DAY)


def test_an_article_of_headings_alone_is_survived(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    put(shop, "en/bare.md", "Gift wrapping", "## Gift wrapping\n\n### Prices")
    build(shop, tmp_path / "index")
    hits = SearchIndex.open(tmp_path / "index", FakeEncoder()).search("gift wrapping", day=DAY)
    assert "bare" not in ids(hits)
    assert hits


def test_threads_get_the_same_answers(index: SearchIndex) -> None:
    expected = index.search("退货期限", day=DAY)
    seen: list[tuple[Hit, ...]] = []
    threads = [
        threading.Thread(target=lambda: seen.append(index.search("退货期限", day=DAY))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 8


def test_an_article_is_given_in_the_language_asked_for_or_the_other(index: SearchIndex) -> None:
    chinese = index.article("return-window", "zh")
    only_english = index.article("voltage", "zh")
    assert chinese is not None
    assert chinese.title == "退货期限"
    assert only_english is not None
    assert only_english.language == "en"
    assert index.article("nothing", "zh") is None
    assert len(index.articles()) == 8


def test_no_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="kefu index"):
        SearchIndex.open(tmp_path, FakeEncoder())


@pytest.mark.parametrize("encoder", [FakeEncoder(name="other@2"), FakeEncoder(dimension=32)])
def test_another_encoder_is_refused_by_name(root: Path, encoder: FakeEncoder) -> None:
    with pytest.raises(IndexMismatch, match=encoder.name):
        SearchIndex.open(root, encoder)


@pytest.mark.parametrize(
    "name",
    [
        "passages.faiss",
        "articles.jsonl",
        "calibration.json",
        "topics.safetensors",
        "bridge.json",
        "keywords/vocab.index.json",
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    build(write_shop(tmp_path / "kb"), tmp_path / "index")
    folder = current(tmp_path / "index")
    assert folder is not None
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(IndexMismatch, match="has changed"):
        SearchIndex.open(tmp_path / "index", FakeEncoder())


@pytest.mark.parametrize("question", ["tuihuo qixian", "几天可以tuihuo", "retrun window"])
def test_of_pinyin_and_slips_what_is_meant_is_encoded_and_not_what_is_typed(
    root: Path, question: str
) -> None:
    encoder = FakeEncoder()
    index = SearchIndex.open(root, encoder)
    useless = encoder.encode_queries(["量子力学"])[0]
    hits = index.search(question, day=DAY, vector=useless)
    assert ids(hits)[0] == "return-window"
    assert encoder.encoded[-1] not in {question, "量子力学"}


def test_a_vector_that_the_caller_has_is_used_where_the_words_are_as_the_shop_writes_them(
    root: Path,
) -> None:
    encoder = FakeEncoder()
    index = SearchIndex.open(root, encoder)
    index.search("退货期限", day=DAY, vector=encoder.encode_queries(["退货期限"])[0])
    assert encoder.encoded == ["退货期限"]
