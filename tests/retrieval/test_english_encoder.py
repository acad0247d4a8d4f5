"""Tests of the second encoder of a search, which knows English alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from retrieval.build import BuildReport, build_index
from retrieval.chunking import split
from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch
from retrieval.evidence import SIGNALS, Contents, Evidence, Mask
from retrieval.keywords import is_chinese, tokenize
from retrieval.learning import learn_parts
from retrieval.parts import Parts
from retrieval.readers import read_articles
from retrieval.search import SearchIndex
from tests.fake_encoder import FakeEncoder
from tests.retrieval.sample_shop import LABELLED, put, write_shop

DAY = date(2026, 11, 29)
COLLOQUIAL = "is my toaster good overseas"
_MEANS = {"toaster": "appliances", "overseas": "abroad"}


class EnglishEncoder(FakeEncoder):
    """Knows what colloquial English means; a Chinese text must never come to it, unless it is an English article's."""

    def __init__(self) -> None:
        super().__init__("english@1", dimension=48)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = super()._encode(
            [" ".join(_MEANS.get(word, word) for word in text.split()) for text in texts]
        )
        self.encoded[-len(texts) :] = texts
        return vectors


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "kb")


def build(shop: Path, english: FakeEncoder | None) -> BuildReport:
    return build_index(
        shop,
        shop.parent / "index",
        FakeEncoder(),
        english=english,
        labelled=LABELLED,
        passage_limit=600,
        progress=lambda *_: None,
    )


def first(index: SearchIndex, question: str) -> str:
    return index.search(question, day=DAY)[0].passage.article_id


def parts_of(shop: Path, english: FakeEncoder) -> Parts:
    articles, _ = read_articles(shop)
    contents = Contents.of(articles, [passage for article in articles for passage in split(article, 600)])
    return learn_parts(contents, FakeEncoder(), english=english, labelled=LABELLED, progress=lambda *_: None)


def found(parts: Parts, question: str, english: FakeEncoder, faces: Mask | None = None) -> Evidence:
    vector = parts.languages.apply(FakeEncoder().encode_queries([question])[0])
    everything = np.ones(len(parts.contents.faces), dtype=np.bool_)
    beside = None if is_chinese(question) else english.encode_queries([question])[0]
    return parts.finder.find(question, vector, everything if faces is None else faces, english=beside)


def test_colloquial_english_finds_its_article_by_the_second_encoder(shop: Path) -> None:
    build(shop, None)
    assert first(SearchIndex.open(shop.parent / "index", FakeEncoder()), COLLOQUIAL) != "voltage"
    build(shop, EnglishEncoder())
    both = SearchIndex.open(shop.parent / "index", FakeEncoder(), EnglishEncoder())
    assert first(both, COLLOQUIAL) == "voltage"


@pytest.mark.parametrize("question", ["退货期限是几天", "我的invoice在哪", "tuihuo qixian"])
def test_a_question_in_chinese_is_not_shown_to_it(shop: Path, question: str) -> None:
    build(shop, EnglishEncoder())
    english = EnglishEncoder()
    assert SearchIndex.open(shop.parent / "index", FakeEncoder(), english).search(question, day=DAY)
    assert english.encoded == []


def test_it_reads_the_english_passages_and_questions_and_nothing_else(shop: Path) -> None:
    english = EnglishEncoder()
    parts_of(shop, english)
    assert sorted(english.encoded) == sorted({text for text in english.encoded if not is_chinese(text)})
    assert any("Our kettles need 220 V" in text for text in english.encoded)
    assert "send back my order" in english.encoded


def test_an_article_that_is_not_in_english_gets_neither_credit_nor_blame_for_it(shop: Path) -> None:
    english = EnglishEncoder()
    parts = parts_of(shop, english)
    column = SIGNALS.index("english")
    seen = found(parts, COLLOQUIAL, english)
    spoken = {face.id for face in parts.contents.faces if face.language == "en"}
    for article, name in enumerate(parts.contents.ids):
        assert (seen.signals[article, column] != 0.0) == (name in spoken)
        assert (seen.standard[article, column] != 0.0) == (name in spoken)
    assert not found(parts, "退货期限是几天", english).standard[:, column].any()


def test_what_it_knows_survives_saving(shop: Path, tmp_path: Path) -> None:
    english = EnglishEncoder()
    made = parts_of(shop, english)
    made.save(tmp_path)
    read = Parts.load(tmp_path, FakeEncoder().dimension)
    before, after = (found(parts, COLLOQUIAL, english).signals for parts in (made, read))
    np.testing.assert_array_equal(before, after)


def test_each_stage_is_told_from_its_beginning_to_its_end_once(shop: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    articles, _ = read_articles(shop)
    contents = Contents.of(articles, [passage for article in articles for passage in split(article, 600)])
    learn_parts(
        contents,
        FakeEncoder(),
        english=EnglishEncoder(),
        labelled=LABELLED,
        progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)),
    )
    assert {"embed", "embed sentences", "embed English", "embed English questions"} <= set(told)
    for steps in told.values():
        assert steps == sorted(steps)
        assert len({total for _, total in steps}) == 1


def test_a_shop_without_english_articles_does_without_it(tmp_path: Path) -> None:
    put(tmp_path / "kb", "zh/a.md", "退货期限", "七天内可以退货。")
    english = EnglishEncoder()
    build(tmp_path / "kb", english)
    assert english.encoded == []
    index = SearchIndex.open(tmp_path / "index", FakeEncoder(), EnglishEncoder())
    assert first(index, "return window") == "a"


def test_an_expired_english_article_does_not_speak_through_it(shop: Path) -> None:
    put(shop, "en/adapter.md", "Appliances abroad in 2025", "Appliances abroad: free.", until="2025-12-31")
    english = EnglishEncoder()
    parts = parts_of(shop, english)
    valid = np.array([face.is_valid(DAY) for face in parts.contents.faces], dtype=np.bool_)
    seen = found(parts, COLLOQUIAL, english, valid).signals[:, SIGNALS.index("english")]
    everyone = found(parts, COLLOQUIAL, english).signals[:, SIGNALS.index("english")]
    expired, lives = (parts.contents.ids.index(name) for name in ("adapter", "voltage"))
    assert seen[lives] == everyone[lives] > 0
    assert everyone[expired] > 0
    assert not seen[expired] > 0


@pytest.mark.parametrize(("built", "opened"), [(True, False), (False, True)])
def test_an_index_opens_only_with_the_encoders_that_it_was_built_with(
    shop: Path, built: bool, opened: bool
) -> None:
    build(shop, EnglishEncoder() if built else None)
    with pytest.raises(IndexMismatch, match=r"english@1.*encoder\.english.*kefu index"):
        SearchIndex.open(shop.parent / "index", FakeEncoder(), EnglishEncoder() if opened else None)


def test_what_has_not_changed_is_not_read_by_it_again(shop: Path) -> None:
    build(shop, EnglishEncoder())
    put(shop, "en/voltage.md", "Using appliances abroad", "Kettles stay at home.")
    english = EnglishEncoder()
    build(shop, english)
    assert english.encoded == ["Using appliances abroad\nKettles stay at home."]


def test_words_mean_the_same_to_the_scripted_encoder() -> None:
    assert tokenize("toaster") != tokenize("appliances")
    near = EnglishEncoder().encode_queries(["toaster overseas", "appliances abroad"])
    assert near[0] @ near[1] == pytest.approx(1.0, abs=1e-5)
