"""Answers composed from the passages' own sentences."""

from __future__ import annotations

import pytest

from bot.answering.compose import compose
from retrieval.documents import Hit, Passage
from tests.fakes import WordEncoder


def hit(
    text: str, *, article: str = "a", score: float = 0.9, ordinal: int = 0, headings: tuple[str, ...] = ()
) -> Hit:
    passage = Passage(f"{article}/{ordinal}", article, "en", "Kettle", headings, text, ordinal, "hash")
    return Hit(passage, score, score, 1.0)


def test_the_sentence_that_answers_is_quoted() -> None:
    (quote,) = compose(
        "how do I descale the kettle",
        [hit("The kettle holds 1.7 litres. Descale the kettle with citric acid.")],
        WordEncoder(),
    )
    assert "Descale the kettle with citric acid." in quote.text


def test_steps_are_quoted_whole_with_the_line_that_introduces_them() -> None:
    text = (
        "Descale it like this:\n\n1. Fill the kettle with water.\n2. Add citric acid.\n3. Boil and pour out."
    )
    (quote,) = compose("citric acid kettle", [hit(text)], WordEncoder())
    assert quote.text == text


def test_a_table_keeps_its_header_and_the_line_under_it() -> None:
    table = "| level | days |\n|---|---|\n| Gold | 15 |\n| Silver | 7 |"
    (quote,) = compose("gold level days", [hit(f"Returns by level.\n\n{table}")], WordEncoder())
    assert table in quote.text


def test_a_table_about_something_else_is_left_out() -> None:
    table = "| model | battery hours |\n|---|---|\n| S2 | 6 |\n| Pro | 8 |"
    rule = "Damage by water is not covered by the warranty. Sweat does no harm."
    (quote,) = compose("water damage warranty", [hit(f"{table}\n\n{rule}")], WordEncoder())
    assert quote.text == rule


def test_the_same_thing_is_not_said_twice() -> None:
    one = hit("Descale the kettle every month with citric acid.")
    two = hit("In hard water descale the kettle every month with citric acid.", ordinal=1)
    assert len(compose("descale kettle", [one, two], WordEncoder())) == 1


def test_an_article_that_is_much_less_likely_is_not_quoted() -> None:
    near, far = (
        hit("Descale the kettle with citric acid."),
        hit("Descale kettle pots daily.", article="b", score=0.2),
    )
    assert [quote.hit for quote in compose("descale kettle", [near, far], WordEncoder())] == [0]


def test_nothing_is_composed_from_nothing() -> None:
    with pytest.raises(ValueError, match="no passages"):
        compose("descale", [], WordEncoder())


@pytest.mark.parametrize(
    "text",
    [
        "Look above all at these:\n\n1. The box.\n2. The parts.\n\nWhoever breaks the seal of the earphones cannot return them.",
        "打开外箱看，请重点看这几样：\n\n1. 外箱有没有压坏。\n2. 数量对不对。\n\n请不要撕开耳机的封条，撕开了就不能退货。",
    ],
    ids=["en", "zh"],
)
def test_a_line_that_introduces_a_list_is_not_quoted_without_it(text: str) -> None:
    lead, steps, rule = text.split("\n\n")
    (quote,) = compose("seal of the earphones return 耳机 封条 退货", [hit(text)], WordEncoder())
    assert rule in quote.text
    assert (lead in quote.text) == (steps in quote.text)
