"""What is recommended, to whom and when: by meaning, with a reason, with variety, and nothing where nothing fits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.conversation import ConversationId, Language, Route, Source, Turn
from bot.errors import ContentError
from bot.insight.catalog import Item, load_catalog
from bot.insight.recommend import Because, Interest, Recommender, interests_of, is_welcome
from retrieval.encoder import Vectors
from tests.example_turns import example_turn

TOPICS = ("耳机 earphones", "扫地 vacuum", "净化 purifier", "保修 warranty", "天气 weather", "笑话 joke")
WORDS = [topic.split() for topic in TOPICS]


class TopicEncoder:
    """A vector of which topics a text names, in Chinese or English, beside a little of everything."""

    name = "topics"
    dimension = len(TOPICS) + 1

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), self.dimension), 0.05, dtype=np.float32)
        rows[:, -1] = 1.0  # what all texts have in common
        for row, text in zip(rows, texts, strict=True):
            row[:-1] += [sum(word in text for word in words) for words in WORDS]
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    encode_passages = encode_queries


def item(item_id: str, zh: str, en: str, *, kind: str = "product", goes_with: tuple[str, ...] = ()) -> Item:
    faces = {"zh": zh, "en": en}
    return Item.model_validate(
        {"id": item_id, "kind": kind, "category": "x", "title": faces, "text": faces, "goes_with": goes_with}
    )


ITEMS = (
    item("airbuds-s2", "AirBuds S2 耳机", "AirBuds S2 earphones", goes_with=("ear-tips",)),
    item("airbuds-pro", "AirBuds Pro 耳机", "AirBuds Pro earphones"),
    item("ear-tips", "耳塞套", "ear tips", kind="accessory"),
    item("m5", "M5 扫地机器人", "M5 robot vacuum", goes_with=("m5-bags", "ext-m5")),
    item("m50", "M50 扫地机器人", "M50 robot vacuum"),
    item("m5-bags", "M5 集尘袋", "M5 dust bags", kind="consumable"),
    item("ext-m5", "M5 延长保修", "M5 extended warranty", kind="service"),
)
UNRELATED = ("今天天气怎么样", "tell me a joke", "讲个笑话", "what is the weather like", "你好", "hello")


@pytest.fixture
def recommender() -> Recommender:
    return Recommender(ITEMS, UNRELATED, TopicEncoder())


def ids(recommender: Recommender, *interests: Interest, top_k: int = 3) -> list[str]:
    return [found.item.id for found in recommender.recommend(interests, top_k=top_k)]


def asked(text: str, weight: float = 1.0) -> Interest:
    return Interest(Because.ASKED, text, weight)


@pytest.mark.parametrize("question", ["你们有什么耳机", "do you sell earphones", "有没有好的 earphones"])
def test_what_a_customer_asks_about_is_recommended_in_every_language(
    recommender: Recommender, question: str
) -> None:
    assert set(ids(recommender, asked(question))) == {"airbuds-s2", "airbuds-pro"}


@pytest.mark.parametrize(
    "question", ["明天天气好吗", "another joke please", "再讲个笑话", "谢谢", "hi there"]
)
def test_where_nothing_fits_nothing_is_recommended(recommender: Recommender, question: str) -> None:
    assert ids(recommender, asked(question)) == []


def test_a_recommendation_says_why(recommender: Recommender) -> None:
    (first, *_) = recommender.recommend([asked("你好", 0.9), asked("你们有什么耳机")], top_k=3)
    assert (first.because, first.what) == (Because.ASKED, "你们有什么耳机")
    assert first.score > 0


def test_what_was_asked_last_counts_most(recommender: Recommender) -> None:
    found = ids(recommender, asked("扫地机器人", 0.25), asked("do you sell earphones", 1.0))
    assert found[0].startswith("airbuds")
    assert any(name.startswith("m5") for name in found)  # and variety brings the other in


def test_with_a_product_goes_what_the_catalog_says_and_not_the_product_itself(
    recommender: Recommender,
) -> None:
    found = recommender.recommend([Interest(Because.GOES_WITH, "m5")], top_k=5)
    assert {each.item.id for each in found} == {"m5-bags", "ext-m5"}
    assert {(each.because, each.what) for each in found} == {(Because.GOES_WITH, "m5")}
    assert "m5" not in ids(recommender, asked("扫地机器人"), Interest(Because.GOES_WITH, "M5"), top_k=7)
    assert "m50" in ids(recommender, asked("扫地机器人"), Interest(Because.GOES_WITH, "M5"), top_k=7)


def test_no_more_than_asked_for(recommender: Recommender) -> None:
    assert len(ids(recommender, asked("耳机 扫地"), top_k=1)) == 1
    assert ids(recommender) == []


def test_without_a_catalog_there_is_nothing() -> None:
    assert Recommender((), UNRELATED, TopicEncoder()).recommend([asked("耳机")], top_k=3) == []


def turn(question: str) -> Turn:
    return example_turn(
        ConversationId("c1"), question=question, route=Route.GROUNDED, intent=None, sources=(), slots={}
    )


def test_the_interest_is_read_from_questions_articles_and_products() -> None:
    source = Source(1, "returns", "p", "退货说明", Language.ZH, 0.9)
    past = [turn("first"), replace(turn("second"), sources=(source,), slots={"product": "M5"})]
    assert interests_of(past) == [
        Interest(Because.ASKED, "second", 1.0),
        Interest(Because.READING, "退货说明", 1.0),
        Interest(Because.GOES_WITH, "M5", 1.0),
        Interest(Because.ASKED, "first", 0.5),
    ]


def test_after_a_complaint_or_with_a_person_there_nothing_is_welcome_for_a_while() -> None:
    calm = turn("怎么开发票")
    assert is_welcome([calm], {"complaint-file"})
    assert is_welcome([], {"complaint-file"})
    for trouble in (
        replace(calm, intent="complaint-file"),
        replace(calm, route=Route.PERSON),
        replace(calm, route=Route.HANDOFF),
    ):
        assert not is_welcome([trouble, calm, calm], {"complaint-file"})
        assert is_welcome([trouble, calm, calm, calm], {"complaint-file"})


def test_the_shops_catalog_can_be_read() -> None:
    items = load_catalog(Path(__file__).parents[3] / "knowledge_base")
    assert len(items) > 80
    assert {item.kind for item in items} == {"product", "consumable", "accessory", "service", "article"}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{"], "catalog.jsonl:1"),
        (['{"id": "a"}'], "kind"),
        (
            [ITEMS[0].model_dump_json(), "", ITEMS[0].model_dump_json()],
            r"catalog.jsonl:3: 'airbuds-s2' stands there twice",
        ),
        ([json.dumps({**ITEMS[0].model_dump(), "colour": "red"})], "colour"),
    ],
)
def test_a_wrong_line_of_the_catalog_is_named(tmp_path: Path, lines: list[str], words: str) -> None:
    (tmp_path / "catalog.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ContentError, match=words):
        load_catalog(tmp_path)


def test_a_knowledge_base_needs_no_catalog(tmp_path: Path) -> None:
    assert load_catalog(tmp_path) == ()
