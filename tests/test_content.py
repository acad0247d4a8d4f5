"""Lints the demonstration shop: what is shipped is complete, consistent and true to its own numbers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bot.answering.facts import facts, numbers
from bot.answering.templates import TemplateBook
from bot.content import Content, load_content
from retrieval.documents import Article
from retrieval.readers import read_articles

SHOP = Path(__file__).parent.parent / "knowledge_base"


@pytest.fixture(scope="module")
def content() -> Content:
    return load_content(SHOP)


@pytest.fixture(scope="module")
def articles() -> dict[tuple[str, str], Article]:
    found, problems = read_articles(SHOP)
    assert problems == ()
    return {(article.id, article.language): article for article in found}


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (SHOP / name).read_text("utf-8").splitlines() if line.strip()]


def test_there_are_at_least_60_articles_in_each_language(articles) -> None:
    assert min(Counter(language for _, language in articles).values()) >= 60


def test_there_are_at_least_60_intents_with_12_examples_in_each_language(content: Content) -> None:
    assert len(content.intents) >= 60
    thin = [i.id for i in content.intents.values() if min(len(i.examples.zh), len(i.examples.en)) < 12]
    assert thin == []


def test_both_faces_of_every_template_say_the_same_numbers_and_links(content: Content) -> None:
    TemplateBook(content)


def test_both_faces_of_every_article_say_the_same_numbers_and_links(articles) -> None:
    differing = {
        name: sorted(numbers(zh.body) ^ numbers(articles[name, "en"].body))
        for (name, language), zh in articles.items()
        if language == "zh" and (name, "en") in articles
        if numbers(zh.body) != numbers(articles[name, "en"].body)
        or facts(zh.body).links != facts(articles[name, "en"].body).links
    }
    assert differing == {}


def test_every_article_that_an_intent_names_exists(content: Content, articles) -> None:
    known = {name for name, _ in articles}
    assert {name for intent in content.intents.values() for name in intent.articles} <= known


def test_no_example_stands_in_two_intents(content: Content) -> None:
    seen = Counter(text for intent in content.intents.values() for text in set(intent.examples.all()))
    assert [text for text, count in seen.items() if count > 1] == []


def test_the_buttons_of_the_page_mean_what_they_say(content: Content) -> None:
    """A button sends its words as a message: "talk to a person" has to be an example of an intent that hands over."""
    always = {
        text.lower()
        for i in content.intents.values()
        if i.handoff == "always"
        for text in (*i.examples.all(), i.title.zh, i.title.en)
    }
    assert content.messages.zh.talk_to_person in always
    assert content.messages.en.talk_to_person.lower() in always


def test_golden_questions_are_many_varied_and_name_what_exists(content: Content, articles) -> None:
    golden = rows("golden.jsonl")
    known = {name for name, _ in articles}
    assert len(golden) >= 400
    assert len({row["id"] for row in golden}) == len(golden)
    assert {row["language"] for row in golden} == {"zh", "en", "mixed", "zh-Hant"}
    assert sum(row["expect"]["kind"] != "answer" for row in golden) >= len(golden) / 4
    assert {name for row in golden for name in row["expect"].get("articles", ())} <= known
    assert {name for row in golden for name in row["expect"].get("intents", ())} <= set(content.intents)


def test_no_golden_question_is_an_example(content: Content, articles) -> None:
    examples = {text for intent in content.intents.values() for text in intent.examples.all()}
    examples |= {text for article in articles.values() for text in article.questions}
    assert [row["id"] for row in rows("golden.jsonl") if row["question"] in examples] == []


def test_the_catalog_has_80_items_that_go_with_each_other(articles) -> None:
    items = rows("catalog.jsonl")
    ids = {item["id"] for item in items}
    assert len(ids) == len(items) >= 80
    assert {other for item in items for other in item["goes_with"]} <= ids
    known = {name for name, _ in articles}
    assert {item["id"] for item in items if item["kind"] == "article"} <= known
    for item in items:
        assert item["title"]["zh"]
        assert item["title"]["en"]
        assert item["price"] is None or item["price"] >= 0


def test_articles_with_an_end_date_are_still_valid_when_they_are_shipped(articles) -> None:
    gone = [
        key
        for key, article in articles.items()
        if not article.is_valid(max(date(2026, 11, 22), article.updated or date.min))
    ]
    assert gone == []
