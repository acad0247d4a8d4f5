"""Facts: the same fact in either language and any writing is one fact."""

import pytest

from bot.answering.facts import facts, numbers


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("签收次日起七天内", "within 7 days of the day after signing"),
        ("¥1,899 包邮", "1899 yuan, postage free"),
        ("15 天冷静期", "a 15-day cooling-off period"),
        ("48 小时内", "within 48 h"),
        ("每天 09:00–21:00", "from 9:00 to 21:00 every day"),
        ("2026年12月10日", "10 December 2026"),
        ("12月10日", "December 10th"),
        ("最多 30%", "at most 30 percent"),
        ("三次", "three times"),
        ("每月1号到账", "arrives on the 1st"),
        ("未满 16 周岁不能开户", "nobody under 16 years of age may open one"),
        ("9月2日", "2 Sept."),
        ("5月16日", "16 May"),
    ],
)
def test_the_same_numbers_are_found_in_both_languages(zh: str, en: str) -> None:
    assert numbers(zh) == numbers(en)


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("15 天内可以退", "7 天内可以退"),
        ("7 hours", "7 days"),
        ("运费 ¥80", "运费 80 天"),
        ("热线 400-800-1235", "热线 400-800-1234"),
        ("12月11日开始", "12月10日开始"),
        ("in 2027 on 10 December 2027", "on 10 December 2026"),
        ("报错 E21", "报错 E10"),
        ("见[订单](/orders)", "见[账户](/account)"),
        ("三十天", "三天"),
        ("open until 22:00", "open until 21:00"),
    ],
)
def test_a_fact_that_the_passage_lacks_is_missing(sentence: str, passage: str) -> None:
    assert facts(sentence).missing_from(facts(passage))


@pytest.mark.parametrize(
    "text", ["一个订单", "one of our colleagues", "万一坏了", "统一处理", "十分抱歉", "at once"]
)
def test_words_that_only_look_like_numbers_are_none(text: str) -> None:
    assert facts(text).quantities == frozenset()


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("children under 16 may ride along", ("16", None)),
        ("in 2 separate parcels", ("2", None)),
        ("满 16 周岁", ("16", "age")),
        ("from 18 years old", ("18", "age")),
        ("2 周内", ("2", "week")),
    ],
)
def test_a_number_before_a_word_that_begins_like_a_month_or_a_week_is_a_quantity(
    text: str, quantity: tuple[str, str | None]
) -> None:
    assert facts(text).quantities == {quantity}
    assert facts(text).exact == frozenset()


def test_an_order_number_is_one_exact_fact() -> None:
    assert facts("订单KF20261103-0042到了").exact == {"KF20261103-0042"}
