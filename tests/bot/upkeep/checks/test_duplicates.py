"""What stands twice: articles, questions, examples; in Chinese, English and mixed."""

from __future__ import annotations

from bot.upkeep.checks.diagnostics import Kind, Severity
from bot.upkeep.checks.duplicates import check_duplicates
from tests.bot.upkeep.checks.looked_at import article, intent, materials

TEXT = "会员卡可以在前台办理，请带身份证。办卡当天就能使用，押金两百元，退卡时退还。卡片丢失请马上挂失。"
OTHER = "停车场在地下二层，入口在东门。会员停车每天优惠，出场前请在前台登记车牌。夜间不开放。"
ENGLISH = (
    "Bring your identity card to reception and we make your membership card. You can use it on the same day."
)


def test_articles_of_one_language_with_nearly_the_same_text_are_found() -> None:
    faces = [
        article("card", "zh", TEXT),
        article("card-new", "zh", TEXT.replace("马上挂失", "尽快到前台挂失")),
        article("parking", "zh", OTHER),
        article("card", "en", ENGLISH),
        article("card-copy", "en", f"Hello. {ENGLISH}"),
    ]
    found = [each for each in check_duplicates(materials(faces)) if each.kind is Kind.DUPLICATE_ARTICLE]
    assert [[place.article for place in each.locations] for each in found] == [
        ["card", "card-new"],
        ["card", "card-copy"],
    ]
    assert {each.severity for each in found} == {Severity.WARNING}


def test_a_question_that_two_articles_list_is_found_once_however_it_is_written() -> None:
    faces = [
        article("card", "zh", TEXT, questions=("WiFi 密码是多少？",)),
        article("parking", "zh", OTHER, questions=("ｗｉｆｉ 密码是多少",)),
        article("card", "en", ENGLISH, questions=("WiFi 密码是多少？",)),
    ]
    (found,) = check_duplicates(materials(faces))
    assert (found.kind, found.severity) == (Kind.DUPLICATE_QUESTION, Severity.WARNING)
    assert [place.article for place in found.locations] == ["card", "parking"]


def test_an_example_of_two_intents_is_an_error_and_a_near_one_a_warning() -> None:
    one = intent(
        "join", examples={"zh": ["怎么办会员卡", "我要入会"], "en": ["how do I join your gym please"]}
    )
    other = intent(
        "card", examples={"zh": ["怎么办会员卡？", "卡丢了"], "en": ["please how do I join your gym"]}
    )
    third = intent("parking", examples={"zh": ["停车在哪"], "en": ["where can I park my car"]})
    found = list(check_duplicates(materials([], [one, other, third])))
    assert [(each.kind, each.severity) for each in found] == [
        (Kind.EXAMPLE_OF_TWO, Severity.ERROR),
        (Kind.EXAMPLE_OF_TWO, Severity.WARNING),
    ]
    assert [place.text for place in found[0].locations] == ["怎么办会员卡", "怎么办会员卡？"]
    assert [place.intent for place in found[1].locations] == ["join", "card"]


def test_an_example_that_is_also_out_of_scope_is_an_error() -> None:
    one = intent("poem", examples={"zh": ["写一首诗"], "en": ["poetry evening tickets"]})
    (found,) = check_duplicates(materials([], [one]))
    assert found.severity is Severity.ERROR
    assert [place.owner for place in found.locations] == ["intent poem (zh)", "out of scope (zh)"]


def test_an_intent_may_say_the_same_twice() -> None:
    one = intent(
        "join",
        title={"zh": "入会", "en": "Join"},
        examples={"zh": ["入会", "入会！"], "en": ["join", "Join"]},
    )
    assert list(check_duplicates(materials([], [one]))) == []
