"""Tests of what is known of questions: whose word counts, and what is learned from as if it had no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.calibration import LabelledQuestion
from retrieval.evidence import Contents
from retrieval.known import known_questions, with_headings
from retrieval.readers import read_articles
from tests.retrieval.sample_shop import LABELLED, put, write_shop


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    articles, _ = read_articles(write_shop(tmp_path_factory.mktemp("shop") / "kb"))
    return Contents.of(articles, [])


def judged(text: str, *articles: str) -> LabelledQuestion:
    return LabelledQuestion(text, frozenset(articles))


def many(count: int, *articles: str, name: str = "asked") -> list[LabelledQuestion]:
    return [judged(f"{name} {number}", *articles) for number in range(count)]


def test_labels_of_articles_that_do_not_exist_count_as_no_answer() -> None:
    known = known_questions(Contents.of([], []), [LabelledQuestion("退货", frozenset({"gone"}))])
    assert known.right == {"退货": frozenset()}


def test_titles_and_headings_are_learned_from_but_nothing_is_judged_by_them(contents: Contents) -> None:
    known = known_questions(contents, LABELLED).right
    learned = with_headings(contents, known)
    assert list(learned)[: len(known)] == list(known)
    titles = {face.title for face in contents.faces}
    assert not titles & set(known)
    assert set(learned) - set(known) == {"会员", "Members", *titles}
    assert {contents.ids[number] for number in learned["会员"]} == {"return-window"}
    assert {contents.ids[number] for number in learned["Return window"]} == {"return-window"}


@pytest.mark.parametrize("title", ["签收前可以验货吗", "Can I open the box first?", "PB20 能带上飞机吗"])
def test_a_listed_question_that_is_the_title_judges_nothing(tmp_path: Path, title: str) -> None:
    put(tmp_path, "zh/a.md", title, "可以。", questions=[title, "先看货再签字"])
    articles, problems = read_articles(tmp_path)
    assert not problems
    assert list(known_questions(Contents.of(articles, []), []).right) == ["先看货再签字"]


def test_what_the_team_says_of_a_question_counts_for_more_than_what_people_judged(contents: Contents) -> None:
    known = known_questions(contents, LABELLED, [judged("想退货", "voltage"), judged("plug adapter")])
    assert known.right == known_questions(contents, LABELLED).right
    assert not known.judged


def test_a_judged_question_whose_article_is_gone_says_nothing(contents: Contents) -> None:
    known = known_questions(contents, (), [judged("a", "gone"), judged("b", "gone", "voltage"), judged("c")])
    assert known.judged == {"b", "c"}
    assert known.right["b"] == {contents.ids.index("voltage")}
    assert known.right["c"] == frozenset()


def test_where_people_judged_answers_alone_some_are_learned_from_as_if_they_had_none(
    contents: Contents,
) -> None:
    known = known_questions(contents, (), [*many(18, "voltage"), *many(2, name="nothing")])
    assert len(known.hidden & known.judged) == 3  # with the two, a fourth
    assert all(known.right[text] for text in known.hidden)
    enough = known_questions(contents, (), [*many(12, "voltage"), *many(8, name="nothing")])
    assert not enough.hidden & enough.judged


def test_every_fourth_listed_question_is_learned_from_as_if_it_had_no_answer(tmp_path: Path) -> None:
    put(tmp_path, "zh/a.md", "甲", "可以。", questions=[f"问题{number}" for number in range(8)])
    put(tmp_path, "zh/b.md", "乙", "不可以。")
    articles, _ = read_articles(tmp_path)
    both = Contents.of(articles, [])
    assert known_questions(both, []).hidden == {"问题3", "问题7"}
    assert known_questions(both, [judged("问题3", "a")]).hidden == {"问题7"}  # labelled: asked as it is
    assert not known_questions(Contents.of(articles[:1], []), []).hidden  # nothing would be left


def test_of_very_many_questions_the_latest_that_were_judged_are_learned_from_and_others_evenly(
    contents: Contents,
) -> None:
    known = known_questions(contents, many(5_000, "voltage", name="label"), many(1_000))
    rows, texts = known.examples(), list(known.right)
    assert len(rows) == 4_000
    chosen = [texts[row] for row in rows]
    assert {f"asked {number}" for number in range(1_000)} <= set(chosen)
    assert "label 4999" in chosen
    flooded = known_questions(contents, many(10, "voltage", name="label"), many(5_000))
    last = [list(flooded.right)[row] for row in flooded.examples()]
    assert last == [f"asked {number}" for number in range(1_000, 5_000)]
