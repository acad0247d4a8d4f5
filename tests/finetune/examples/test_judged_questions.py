"""Whose word counts for which article, and where nobody knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.content import Intent, load_content
from finetune.examples.judged_questions import judged_questions
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import real_turns
from finetune.records import Conversation
from tests.example_talks import talk
from tests.tuned_shop import open_library, write_tuned_shop

SUPPORTED = ("大家电保修几年", "大家电保修 3 年。")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, dict[str, Intent]]:
    settings = write_tuned_shop(tmp_path_factory.mktemp("shop"))
    return open_library(settings), dict(load_content(settings.knowledge_base).intents)


def judged(
    shop: tuple[Library, dict[str, Intent]], *conversations: Conversation
) -> list[tuple[str, set[str]]]:
    library, intents = shop
    found = judged_questions(real_turns(conversations), library, intents)
    return [(each.text, set(each.articles)) for each in found]


@pytest.mark.parametrize(
    "said",
    [
        {"author": "agent"},
        {"author": "agent", "route": "no_answer", "rejected": "没有找到答案。"},
        {"author": "bot", "route": "grounded", "rating": 1},
    ],
    ids=["a person answered", "a person corrected", "a customer voted up"],
)
def test_an_answer_that_people_stand_by_belongs_to_the_article_that_supports_it(
    shop: tuple[Library, dict[str, Intent]], said: dict[str, Any]
) -> None:
    assert judged(shop, talk("t", SUPPORTED, **said)) == [("大家电保修几年", {"warranty"})]


def test_what_nobody_judged_and_what_no_article_supports_says_nothing(
    shop: tuple[Library, dict[str, Intent]],
) -> None:
    assert judged(shop, talk("t", SUPPORTED, author="bot", route="grounded")) == []
    assert judged(shop, talk("t", ("大家电保修几年", "请打电话问张经理。"))) == []


def test_a_template_that_was_voted_up_belongs_to_its_intents_articles(
    shop: tuple[Library, dict[str, Intent]],
) -> None:
    praised: dict[str, Any] = {"author": "bot", "route": "template", "rating": 1}
    order = talk("t", ("我的订单呢在哪里", "订单请看物流。"), intent="order-status", **praised)
    assert judged(shop, order) == [("我的订单呢在哪里", {"tracking"})]
    without_articles = talk("t", ("运费到底多少呀", "满 99 元包邮。"), intent="postage", **praised)
    gone = talk("t", ("运费到底多少呀", "满 99 元包邮。"), intent="gone", **praised)
    assert judged(shop, without_articles, gone) == []


def test_where_the_bot_found_none_and_somebody_agreed_no_article_answers(
    shop: tuple[Library, dict[str, Intent]],
) -> None:
    silent = talk("t", ("有没有红色的", "没有找到答案。"), author="bot", route="no_answer", selected=False)
    agreed = replace(silent, exchanges=(replace(silent.exchanges[0], rating=1),))
    assert judged(shop, silent, agreed) == [("有没有红色的", set())]


def test_a_follow_up_is_judged_as_it_is_searched_and_the_last_word_counts(
    shop: tuple[Library, dict[str, Intent]],
) -> None:
    first = talk("a", SUPPORTED, ("那电池呢", "电池不在保修范围内。"))
    refused = talk("b", (SUPPORTED[0], "没有。"), author="bot", route="no_answer", rating=1)
    assert judged(shop, first, refused) == [
        ("大家电保修几年 那电池呢", {"warranty"}),
        ("大家电保修几年", set()),
    ]
