"""What articles and templates state, clause by clause: prose, lists and tables, in Chinese, English and mixed."""

from __future__ import annotations

from bot.upkeep.checks.statements import Statement, content_words, of_article, of_template, statements
from tests.bot.upkeep.checks.looked_at import TODAY, article, intent, materials


def stated(body: str, language: str = "zh", title: str = "标题") -> list[Statement]:
    return list(of_article(article("a", language, body, title=title), 600))


def numbers(statement: Statement) -> list[set[str]]:
    return [{value.shown for value in clause.values} for clause in statement.clauses]


def test_a_number_belongs_to_the_words_of_its_own_clause() -> None:
    (found,) = stated("金卡会员延迟退房 15 天，铂金会员延迟退房 30 天。")
    assert numbers(found) == [{"15 day"}, {"30 day"}]
    assert "铂金" not in found.clauses[0].words
    assert "铂金" in found.clauses[1].words


def test_a_clause_without_words_of_its_own_is_read_with_the_one_before() -> None:
    (found,) = stated("补办门禁卡免费，否则 10 元。")
    last = found.clauses[-1]
    assert numbers(found)[-1] == {"10 yuan"}
    assert last.own == frozenset()
    assert "门禁卡" in last.words


def test_a_cell_is_about_its_column_and_what_its_row_is_about() -> None:
    table = "| 级别 Level | 借期 |\n| --- | --- |\n| VIP 读者 | 30 天 |\n| 学生 | 14 天 |"
    first, second = stated(table)
    assert first.is_row
    assert first.text == "VIP 读者 | 30 天"
    assert {"vip", "借期"} <= first.clauses[1].words
    assert "vip" not in second.words


def test_headings_are_context_and_no_statements() -> None:
    (found,) = stated("## How long\nBooks are lent for 30 days if you have a card.", "en", "Books")
    assert found.in_context == "Books\nHow long\nBooks are lent for 30 days if you have a card."
    assert [clause.text for clause in found.clauses] == ["Books are lent for 30 days", "if you have a card."]
    assert found.named == {"book"}


def test_words_that_say_something_of_a_subject_are_not_its_subject() -> None:
    assert content_words("门禁卡免费 3 天") == content_words("门禁卡收费 10 元")
    assert content_words("The WiFi is free for 2 hours") == content_words("the WiFi costs 5 yuan")


def test_a_template_is_read_in_both_languages_without_its_slots() -> None:
    status = intent(
        "status",
        "订单 {order_number} 三天送达。",
        "Order {order_number} comes in 3 days.",
        articles=["times"],
    )
    zh, en = of_template(status)
    assert [(each.source.language, each.source.articles) for each in (zh, en)] == [
        ("zh", {"times"}),
        ("en", {"times"}),
    ]
    assert "number" not in en.words
    assert numbers(zh) == numbers(en) == [{"3 day"}]


def test_what_is_over_states_nothing_and_what_begins_later_does() -> None:
    faces = [
        article("old", valid_until=TODAY.replace(year=2025)),
        article("new", valid_from=TODAY.replace(year=2027)),
    ]
    assert {each.source.owner.id for each in statements(materials(faces))} == {"new"}
