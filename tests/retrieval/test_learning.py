"""Tests of the parts of an index: what they are made by, and that others can take their place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from retrieval.bridge import WordBridge
from retrieval.calibration import DEFAULT, LabelledQuestion
from retrieval.chunking import plain_text, split
from retrieval.evidence import SIGNALS, Contents, EvidenceFinder, Floats, Rows, best_of
from retrieval.keywords import tokenize
from retrieval.languages import LanguageFilter
from retrieval.learning import SERVING, Recipe, learn_parts
from retrieval.parts import Parts
from retrieval.pinyin import Pinyin
from retrieval.readers import read_articles
from retrieval.search import SearchIndex
from retrieval.spelling import Spelling
from tests.fake_encoder import FakeEncoder
from tests.retrieval.sample_shop import LABELLED, write_shop

ENCODER = FakeEncoder()
QUESTIONS = (
    "退货期限是几天",
    "return window for members",
    "我的invoice在哪",
    "tuihuo qixian",
    "votlage abroad",
)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    articles, _ = read_articles(write_shop(tmp_path_factory.mktemp("shop") / "kb"))
    return Contents.of(articles, [passage for article in articles for passage in split(article, 600)])


def parts_of(contents: Contents, recipe: Recipe = SERVING) -> Parts:
    return learn_parts(contents, ENCODER, labelled=LABELLED, progress=lambda *_: None, recipe=recipe)


def signals(parts: Parts, question: str) -> Floats:
    vector = parts.languages.apply(ENCODER.encode_queries([parts.finder.meant(question)])[0])
    everything = np.ones(len(parts.contents.faces), dtype=np.bool_)
    return parts.finder.find(question, vector, everything).signals


def column(parts: Parts, question: str, name: str) -> Floats:
    return np.asarray(signals(parts, question)[:, SIGNALS.index(name)])


def test_parts_that_were_written_and_read_find_the_same(contents: Contents, tmp_path: Path) -> None:
    made = parts_of(contents)
    made.save(tmp_path)
    read = Parts.load(tmp_path, ENCODER.dimension)
    assert (read.contents.faces, read.calibration) == (made.contents.faces, made.calibration)
    for question in QUESTIONS:
        np.testing.assert_array_equal(signals(read, question), signals(made, question))


def test_each_part_is_made_by_the_recipe(contents: Contents) -> None:
    none = LanguageFilter(np.zeros((0, ENCODER.dimension), dtype=np.float32))
    parts = parts_of(
        contents,
        Recipe(
            languages=lambda _: none,
            bridge=lambda _: WordBridge({}),
            spelling=lambda _: Spelling({}),
            pinyin=lambda _: Pinyin({}, {}),
            calibration=lambda *_: DEFAULT,
        ),
    )
    assert parts.languages is none
    assert parts.calibration is DEFAULT
    assert parts.bridge.translations == {}
    assert parts.finder.meant("votlage abroad tuihuo qixian") == "votlage abroad tuihuo qixian"
    assert parts_of(contents).finder.meant("tuihuo qixian") == "退货期限"


def test_a_recipe_says_which_text_of_a_passage_is_searched(contents: Contents) -> None:
    bare = parts_of(contents, Recipe(text=lambda passage: plain_text(passage.text)))
    passage = next(n for n, one in enumerate(contents.passages) if one.article_id == "earphones")
    assert parts_of(contents).keywords.scores(tokenize("配对"))[passage] > 0
    assert bare.keywords.scores(tokenize("配对"))[passage] == 0  # only the title says it


def test_questions_are_cut_into_words_as_the_documents_are(contents: Contents) -> None:
    def characters(text: str) -> list[str]:
        return [character for character in text if character.isalnum()]

    parts = parts_of(contents, Recipe(tokens=characters))
    assert column(parts, "期", "coverage").max() > 0
    assert column(parts_of(contents), "期", "coverage").max() == 0


def test_the_score_of_an_article_is_aggregated_as_the_finder_is_told(contents: Contents) -> None:
    def worst_of(scores: Floats, articles: Rows, count: int, floor: float) -> Floats:
        return -best_of(-scores, articles, count, -floor)

    worst = parts_of(contents, Recipe(finder=partial(EvidenceFinder, aggregate=worst_of)))
    for question in QUESTIONS:
        assert (column(worst, question, "passage") <= column(parts_of(contents), question, "passage")).all()


def test_the_best_passage_speaks_for_its_article_and_an_article_without_one_gets_the_floor() -> None:
    scores = np.array([0.2, 0.7, 0.4], dtype=np.float32)
    best = best_of(scores, np.array([1, 1, 0]), 3, -1.0)
    assert best.tolist() == pytest.approx([0.4, 0.7, -1.0])


def test_signals_may_be_measured_over_all_languages_at_once(contents: Contents) -> None:
    parts = parts_of(contents, Recipe(finder=partial(EvidenceFinder, by_language=False)))
    vector = parts.languages.apply(ENCODER.encode_queries(["voltage abroad"])[0])
    found = parts.finder.find("voltage abroad", vector, np.ones(len(contents.faces), dtype=np.bool_))
    keywords = found.standard[found.candidates][:, SIGNALS.index("keywords")]
    assert keywords.mean() == pytest.approx(0.0, abs=1e-5)
    assert keywords.std() == pytest.approx(1.0, abs=1e-5)


def test_what_customers_asked_is_learned_in_their_words(contents: Contents) -> None:
    def first(judged: Sequence[LabelledQuestion]) -> str:
        parts = learn_parts(contents, ENCODER, labelled=LABELLED, judged=judged, progress=lambda *_: None)
        index = SearchIndex({}, parts.finder, parts.languages, parts.calibration, ENCODER)
        (hit, *_) = index.search("吹风机到巴黎冒烟", day=date(2026, 11, 30))
        return hit.passage.article_id

    said = ("吹风机带去巴黎", "吹风机巴黎酒店", "巴黎吹风机冒烟怎么办")
    judged = [LabelledQuestion(f"{text} {n}", frozenset({"voltage"})) for text in said for n in range(40)]
    assert first([]) != "voltage"
    assert first(judged) == "voltage"
