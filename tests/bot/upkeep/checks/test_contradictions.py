"""Sentences of one language that contradict each other are found; what only looks alike is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from bot.upkeep.checks.contradictions import check_contradictions
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from retrieval.documents import Article
from tests.bot.upkeep.checks.looked_at import TODAY, article, intent, materials
from tests.bot.upkeep.checks.planted import CONTRADICTIONS, HARMLESS, Found, Pair, articles, pairs


@pytest.fixture(scope="module")
def found() -> Found:
    return pairs(check_contradictions(materials(articles(*CONTRADICTIONS, *HARMLESS))))


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids=lambda pair: pair.name)
def test_a_planted_contradiction_is_found(pair: Pair, found: Found) -> None:
    assert pair.ids in found


@pytest.mark.parametrize("pair", HARMLESS, ids=lambda pair: pair.name)
def test_a_pair_that_only_looks_alike_is_left_alone(pair: Pair, found: Found) -> None:
    assert pair.ids not in found


def test_nothing_but_what_was_planted_is_found(found: Found) -> None:
    assert found <= {pair.ids for pair in CONTRADICTIONS}


def shelf(*more: Article, days: str = "30 天") -> list[Article]:
    """Some articles to weigh words by, and one that says how long books are lent."""
    others = [
        article(f"other{number}", "zh", body)
        for number, body in enumerate(("自习室周末也开门。", "打印每页收费。", "书包请存柜。"))
    ]
    return [
        *others,
        article("lending", "zh", f"图书外借的期限是 {days}，可以续借。", title="图书外借"),
        *more,
    ]


def checked(*faces: Article, **fields: Any) -> list[Diagnostic]:
    return list(check_contradictions(materials(faces, **fields)))


def test_both_sentences_are_shown_with_their_places() -> None:
    other = article("renewing", "zh", "续借要在到期前。图书外借的期限是 14 天。", title="续借图书")
    (found,) = checked(
        *shelf(other), lines={"articles/zh/renewing.md": ("---", "续借要在到期前。图书外借的期限是 14 天。")}
    )
    assert (found.kind, found.severity) == (Kind.CONTRADICTION, Severity.WARNING)
    assert [place.text for place in found.locations] == [
        "图书外借的期限是 30 天，可以续借。",
        "图书外借的期限是 14 天。",
    ]
    assert str(found.locations[1]) == "articles/zh/renewing.md:2"
    assert "30 days" in found.message
    assert "14 days" in found.message


def test_a_source_that_also_says_what_the_other_says_contradicts_nobody() -> None:
    table = "图书外借的期限是 14 天。\n\n| 读者 | 期限 |\n| --- | --- |\n| 教师 | 30 天 |"
    assert checked(*shelf(article("renewing", "zh", table, title="续借图书"))) == []


def test_a_template_is_held_against_the_article_that_it_names() -> None:
    lent = intent(
        "lend",
        zh="图书外借的期限是 14 天，可以续借。",
        en="Ask us.",
        title={"zh": "图书外借", "en": "Lending"},
        articles=["lending"],
    )
    (found,) = checked(*shelf(), intents=[lent])
    assert {place.owner for place in found.locations} == {"article lending (zh)", "intent lend (zh)"}
    assert checked(*shelf(days="14 天"), intents=[lent]) == []


def test_a_row_of_a_table_is_held_against_a_sentence() -> None:
    table = "| 读者 | 图书外借期限 |\n| --- | --- |\n| 学生 | 30 天 |\n| 教师 | 60 天 |"
    other = article("students", "zh", "学生的图书外借期限是 20 天。", title="学生读者")
    (found,) = checked(*shelf(article("readers", "zh", table, title="图书外借期限"), other, days="几天"))
    assert {place.text for place in found.locations} == {"学生 | 30 天", "学生的图书外借期限是 20 天。"}


def test_an_article_that_is_over_contradicts_nobody() -> None:
    old = article(
        "renewing", "zh", "图书外借的期限是 14 天。", title="续借图书", valid_until=TODAY.replace(year=2025)
    )
    assert checked(*shelf(old)) == []


def test_the_two_languages_are_not_held_against_each_other_here() -> None:
    assert (
        checked(article("lending", "zh", "图书外借 30 天。"), article("lending-en", "en", "图书外借 14 天。"))
        == []
    )


def test_an_empty_knowledge_base_has_no_contradictions() -> None:
    assert checked() == []


def test_each_pair_is_told_once(found: Found) -> None:
    diagnostics: Iterable[Diagnostic] = check_contradictions(materials(articles(*CONTRADICTIONS)))
    assert len(list(diagnostics)) == len(found)
