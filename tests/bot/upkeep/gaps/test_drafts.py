"""Drafts hold what people answered, else a clearly marked place to fill in, and are right as files when it is filled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from bot.content import Intent
from bot.conversation import Language
from bot.errors import ContentError
from bot.memory.gaps import GapId, GapState, StoredGap
from bot.upkeep.gaps.drafts import TODO, Draft, Wording, article_drafts, intent_draft, refuse_unfinished
from bot.upkeep.gaps.material import MOST_QUESTIONS, Face, Material, distinct_questions, material_of, varied
from bot.upkeep.gaps.report import Gap
from bot.upkeep.gaps.unanswered import UnansweredTurn
from retrieval.readers import read_file
from tests.bot.upkeep.gaps.gap_shop import NOW, GapReview, review_of, unanswered
from tests.small_shop import TODAY

ZH, EN = Language.ZH, Language.EN
SOURCE = "warranty (zh, 41%): 整机保修 1 年。"
BOTH = Material(
    "student-discount",
    {
        ZH: Face(("学生有优惠吗", "大学生: 打折么？"), "学生减 5 元。", (SOURCE,)),
        EN: Face(("student discount?",), "Students get 5 yuan off.", ()),
    },
)
OPEN = Material("gap-7", {ZH: Face(("能刻字吗", "刻字要多少钱"), None, (SOURCE,)), EN: Face()})


@pytest.fixture
def review(tmp_path: Path) -> GapReview:
    return review_of(tmp_path)


def material(review: GapReview, *turns: UnansweredTurn) -> Material:
    gap = Gap(StoredGap(GapId(7), turns[0].question, GapState.NEW, "", "", NOW, None), turns, 1.0)
    return material_of(
        gap, review.knowledge, review.encoder, mask=lambda text: review.mask(text).text, day=TODAY
    )


def test_a_whole_intent_draft_is_an_intent() -> None:
    draft = intent_draft(BOTH)
    refuse_unfinished(draft)
    intent = Intent.model_validate(yaml.safe_load(draft.text))
    assert draft.name == "intents/student-discount.yaml"
    assert (intent.id, intent.title.zh, intent.answer.en) == (
        "student-discount",
        "学生有优惠吗",
        "Students get 5 yuan off.",
    )
    assert intent.examples.zh == ("学生有优惠吗", "大学生: 打折么？")
    assert "整机保修" not in draft.text  # no raw material where the answer is written


def test_what_is_missing_is_marked_and_raw_material_stands_beside_it() -> None:
    draft = intent_draft(OPEN)
    assert draft.text.count(TODO) == 4  # both answers, the English title and example
    assert f"# {SOURCE}" in draft.text
    with pytest.raises(ContentError, match=r"line \d+: .*TODO: the answer in Chinese"):
        refuse_unfinished(draft)


def test_what_a_person_adds_fills_the_marked_places() -> None:
    wording = Wording(
        {ZH: "可以刻字：{名字}", EN: "Yes,\nwe engrave {names}."}, {EN: ["can you engrave it?"]}, "engraving"
    )
    draft = intent_draft(OPEN, wording)
    refuse_unfinished(draft)
    intent = Intent.model_validate(yaml.safe_load(draft.text))
    assert (intent.id, intent.title.en) == ("engraving", "can you engrave it?")
    assert intent.answer.zh.format_map({}) == "可以刻字：{名字}"  # braces are no slots
    assert intent.answer.en.format_map({}) == "Yes,\nwe engrave {names}."


def test_article_drafts_are_articles_in_the_languages_of_the_answers(tmp_path: Path) -> None:
    drafts = article_drafts(BOTH, day=TODAY)
    assert [draft.name for draft in drafts] == [
        "articles/zh/student-discount.md",
        "articles/en/student-discount.md",
    ]
    for draft in drafts:
        refuse_unfinished(draft)
        path = tmp_path / draft.name
        path.parent.mkdir(parents=True)
        path.write_text(draft.text, "utf-8")
    (article,), problems = read_file(tmp_path / drafts[0].name, tmp_path)
    assert problems == []
    assert (article.id, article.title, article.updated) == ("student-discount", "学生有优惠吗", TODAY)
    assert (article.questions, article.body) == (("大学生: 打折么？",), "学生减 5 元。")


def test_an_article_without_an_answer_is_drafted_in_the_language_that_was_asked_in() -> None:
    (draft,) = article_drafts(OPEN, day=TODAY)
    assert draft.name == "articles/zh/gap-7.md"
    assert SOURCE in draft.text
    with pytest.raises(ContentError, match=TODO):
        refuse_unfinished(draft)


def test_masked_personal_data_never_enters_the_knowledge_base() -> None:
    with pytest.raises(ContentError, match="<PHONE>"):
        refuse_unfinished(Draft("articles/zh/a.md", "请打 <PHONE>。"))


def test_the_answer_is_the_one_that_people_agree_on_each_in_its_language(review: GapReview) -> None:
    given = ["学生减 5 元", "学生优惠 5 元", "没有这个", "Students get 5 yuan off."]
    turns = [unanswered("学生优惠", number, correction=text) for number, text in enumerate(given)]
    found = material(review, *turns)
    assert found.face(ZH).answer in given[:2]
    assert found.face(EN).answer == given[3]


def test_of_two_answers_the_later_one_counts_and_personal_data_in_it_is_masked(review: GapReview) -> None:
    later = unanswered("学生优惠", 1, correction="请打 13812345678 找小李")
    found = material(review, later, unanswered("学生优惠", 2, correction="没有优惠"))
    assert found.face(ZH).answer is not None
    assert "<PHONE>" in str(found.face(ZH).answer)


def test_questions_are_distinct_varied_and_without_masked_data(review: GapReview) -> None:
    turns = [unanswered(f"学生优惠 {number}", number) for number in range(20)]
    turns += [
        unanswered("学生优惠 1！", 30),
        unanswered("我是 <NAME>，学生优惠", 31),
        unanswered("student", 32),
    ]
    found = material(review, *turns)
    assert len(found.face(ZH).questions) == MOST_QUESTIONS
    assert found.face(EN).questions == ("student",)
    counts = distinct_questions(turns, ZH)
    assert counts["学生优惠 1"] == 2
    assert not any("<NAME>" in question for question in counts)


def test_raw_material_comes_from_the_nearest_articles(review: GapReview) -> None:
    found = material(review, unanswered("电池保修吗"))
    assert any("warranty" in line and "保修" in line for line in found.face(ZH).sources)


def test_a_name_comes_from_the_english_question_or_the_id(review: GapReview) -> None:
    assert (
        material(review, unanswered("Do you have a Student discount, please?")).slug
        == "do-you-have-a-student"
    )
    assert material(review, unanswered("学生优惠")).slug == "gap-7"


def test_each_beginning_of_a_varied_order_is_as_varied_as_can_be() -> None:
    angles = np.radians([0, 1, 2, 3, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    order = varied(vectors, np.ones(5, dtype=np.float32))
    assert order[1] == 4  # the far one comes second
    assert sorted(order) == [0, 1, 2, 3, 4]
