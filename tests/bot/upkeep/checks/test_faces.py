"""The Chinese face of an article or template against its English one."""

from __future__ import annotations

import pytest

from bot.upkeep.checks.diagnostics import Kind, Severity
from bot.upkeep.checks.faces import check_faces
from tests.bot.upkeep.checks.looked_at import article, intent, materials
from tests.bot.upkeep.checks.planted import FACES


@pytest.mark.parametrize(("zh", "en", "wrong"), FACES, ids=[f"{zh}|{en}" for zh, en, _ in FACES])
def test_faces_of_an_article(zh: str, en: str, wrong: bool) -> None:
    found = list(check_faces(materials([article("a", "zh", zh), article("a", "en", en)])))
    assert [(each.kind, each.severity) for each in found] == (
        [(Kind.LANGUAGES_CONTRADICT, Severity.ERROR)] if wrong else []
    )


def test_both_sentences_are_shown_side_by_side_with_their_lines() -> None:
    zh = "签收后七天内可以退。\n\n## 运费\n超过后运费 10 元，请到[订单](/orders)申请。"
    en = "You can return it within 7 days.\n\n## Postage\nLater it costs ¥15; ask at [Orders](/orders)."
    lines = {"articles/zh/a.md": ("---", "---", *zh.splitlines()), "articles/en/a.md": tuple(en.splitlines())}
    (found,) = check_faces(materials([article("a", "zh", zh), article("a", "en", en)], lines=lines))
    assert [place.text for place in found.locations] == [
        "超过后运费 10 元，请到[订单](/orders)申请。",
        "Later it costs ¥15; ask at [Orders](/orders).",
    ]
    assert [str(place) for place in found.locations] == ["articles/zh/a.md:6", "articles/en/a.md:4"]
    assert "10 yuan" in found.message
    assert "15 yuan" in found.message


def test_what_stands_far_apart_is_no_contradiction() -> None:
    padding = "".join(f"这是说明 {letter}。" for letter in "甲乙丙丁戊己庚辛")
    english = " ".join(
        f"This is the {name} note." for name in ("red", "blue", "green", "grey", "pink", "black")
    )
    found = check_faces(
        materials(
            [article("a", "zh", f"请等 3 天。{padding}"), article("a", "en", f"{english} Wait for 5 days.")]
        )
    )
    assert list(found) == []


def test_a_price_that_only_one_face_states_is_a_hint_and_a_telephone_number_a_warning() -> None:
    faces = [
        article("a", "zh", "运费 12 元。电话 400-123-4567。"),
        article("a", "en", "Postage is charged. Call us."),
    ]
    (found,) = check_faces(materials(faces))
    assert (found.kind, found.severity) == (Kind.ONE_LANGUAGE_ONLY, Severity.WARNING)
    (found,) = check_faces(
        materials([article("a", "zh", "运费 12 元。"), article("a", "en", "Postage is charged.")])
    )
    assert (found.kind, found.severity) == (Kind.ONE_LANGUAGE_ONLY, Severity.HINT)
    assert [place.article for place in found.locations] == ["a", "a"]
    assert found.locations[0].text == "运费 12 元。"


def test_small_words_of_a_translation_are_no_difference() -> None:
    faces = [
        article("a", "zh", "次日送达，限用一次，每满 1 元积 1 分。"),
        article("a", "en", "It comes the next day, once only; every yuan earns a point."),
    ]
    assert list(check_faces(materials(faces))) == []


def test_an_article_in_one_language_has_nothing_to_agree_with() -> None:
    assert list(check_faces(materials([article("a", "zh", "7 天。")]))) == []


def test_the_faces_of_a_template_are_held_to_more() -> None:
    (found,) = check_faces(
        materials([], [intent("t", "7 天内可以退。", "You can return it within 10 days.")])
    )
    assert (found.kind, found.severity) == (Kind.LANGUAGES_CONTRADICT, Severity.ERROR)
    assert [place.intent for place in found.locations] == ["t", "t"]
    (found,) = check_faces(materials([], [intent("t", "48 小时内审核。", "We check it soon.")]))
    assert (found.kind, found.severity) == (Kind.ONE_LANGUAGE_ONLY, Severity.ERROR)
    assert list(check_faces(materials([], [intent("t", "七天。", "Seven days.")]))) == []
