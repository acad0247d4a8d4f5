"""Approved wording with an unwanted word is named, with its place; it is said all the same."""

from __future__ import annotations

from bot.safety.wordlist import WordList
from bot.understanding.language import to_simplified
from bot.upkeep.checks.diagnostics import Kind, Severity
from bot.upkeep.checks.unwanted import check_unwanted
from tests.bot.upkeep.checks.looked_at import article, intent, materials

ARTICLES = (
    article("price", "zh", "我们的价格全网最低。欢迎选购。"),
    article("price", "en", "Our prices are fair. Nobody is cheapest."),
)
INTENTS = (intent("offer", zh="没有比這更便宜的。", en="The cheapest there is."),)


def test_an_article_a_template_and_a_message_with_an_unwanted_word_are_named() -> None:
    words = WordList(("全网最低", "cheapest", "greeting"), to_simplified)
    found = list(check_unwanted(materials(ARTICLES, INTENTS, unwanted=words)))
    assert {each.kind for each in found} == {Kind.UNWANTED_WORD}
    assert {each.severity for each in found} == {Severity.WARNING}
    assert [{place.owner for place in each.locations} for each in found] == [
        {"article price (zh)", "article price (en)"},
        {"intent offer (en)"},
        {"messages (zh)", "messages (en)"},
    ]
    assert "'全网最低', 'cheapest'" in found[0].message
    assert found[0].locations[0].text == "我们的价格全网最低。"


def test_without_a_list_nothing_is_named() -> None:
    assert list(check_unwanted(materials(ARTICLES, INTENTS))) == []
