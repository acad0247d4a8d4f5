"""Tests of the vectors that a search looks into, above all of sentences."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from retrieval import dense
from retrieval.chunking import split
from retrieval.dense import DenseIndices, sentences_of
from retrieval.documents import Passage
from retrieval.errors import IndexMismatch
from retrieval.evidence import SIGNALS, Contents
from retrieval.learning import learn_parts
from retrieval.parts import Parts
from retrieval.readers import read_articles
from retrieval.search import SearchIndex
from tests.fake_encoder import FakeEncoder
from tests.retrieval.sample_shop import build, put, write_shop

DAY = date(2026, 11, 29)
LONG = (
    "Delivery takes two days. Couriers ring twice. Parcels wait at the counter for a week. "
    "A cracked bowl is replaced free of charge. Heavy goods come on a pallet. Islands take longer."
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = write_shop(tmp_path / "kb")
    put(root, "en/delivery.md", "Delivery", LONG)
    put(root, "en/bowl.md", "Bowls", "Every bowl is made of steel and free of lead, and none is cracked.")
    return root


def parts_of(shop: Path) -> Parts:
    articles, _ = read_articles(shop)
    contents = Contents.of(articles, [passage for article in articles for passage in split(article, 600)])
    return learn_parts(contents, FakeEncoder(), labelled=(), progress=lambda *_: None)


def passage(text: str) -> Passage:
    return Passage("a/en/0", "a", "en", "Title", (), text, 0, "")


def test_an_article_speaks_by_the_one_sentence_that_answers(shop: Path) -> None:
    parts = parts_of(shop)
    question = "a cracked bowl is replaced free of charge"
    vector = parts.languages.apply(FakeEncoder().encode_queries([question])[0])
    found = parts.finder.find(question, vector, np.ones(len(parts.contents.faces), dtype=np.bool_))
    article = parts.contents.ids.index("delivery")
    said = {name: float(found.signals[article, SIGNALS.index(name)]) for name in ("passage", "sentence")}
    assert said["sentence"] == pytest.approx(1.0, abs=1e-5)
    assert said["passage"] < 0.8


def test_of_an_articles_passages_the_one_with_the_nearest_sentence_comes_first(shop: Path) -> None:
    put(
        shop,
        "en/fees.md",
        "Fees",
        "## At home\n\nParcels are free. "
        + "Boxes and bags and crates are weighed at the counter. " * 2
        + "A pallet costs nine yuan.\n\n## Far away\n\nPallet fees for a pallet on a pallet ship: ask for a pallet. Pallet fees of a pallet office: ask the pallet ship.",
    )
    build(shop, shop.parent / "index")
    index = SearchIndex.open(shop.parent / "index", FakeEncoder())
    hits = index.search("a pallet costs how many yuan", day=DAY)
    assert next(hit.passage for hit in hits if hit.passage.article_id == "fees").headings == ("At home",)


def test_sentences_are_counted_with_the_passage_that_they_stand_in() -> None:
    texts, rows = sentences_of(
        [
            passage("## Returns\n\nSeven days. 七天内可退。"),
            passage("- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        ]
    )
    assert texts == ["Seven days.", "七天内可退。", "- one", "- two", "| a | b |", "| 1 | 2 |"]
    assert rows.tolist() == [0, 0, 1, 1, 1, 1]


def test_of_too_many_sentences_none_is_kept_and_the_search_does_without(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "MOST_SENTENCES", 3)
    build(shop, shop.parent / "index")
    index = SearchIndex.open(shop.parent / "index", FakeEncoder())
    assert index.search("退货期限是几天", day=DAY)[0].passage.article_id == "return-window"
    assert not parts_of(shop).dense.sentence_passage.size


def test_rows_that_do_not_fit_the_sentences_are_refused(shop: Path, tmp_path: Path) -> None:
    parts_of(shop).dense.save(tmp_path)
    kept = len(DenseIndices.load(tmp_path).sentences)
    save_file({"passage": np.zeros(kept - 1, dtype=np.int64)}, tmp_path / "sentences.safetensors")
    with pytest.raises(IndexMismatch, match=rf"{kept}.*kefu index"):
        DenseIndices.load(tmp_path)
    (tmp_path / "sentences.safetensors").write_bytes(b"broken")
    with pytest.raises(IndexMismatch, match=r"sentences\.safetensors cannot be read"):
        DenseIndices.load(tmp_path)
