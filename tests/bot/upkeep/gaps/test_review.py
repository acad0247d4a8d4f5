"""What a person does with gaps, on the small shop: list, look, accept, dismiss, merge; content and log change both or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.content import load_content
from bot.conversation import Language, Rating, Route, Source
from bot.errors import ContentError, GapUnknown, StoreError
from bot.memory import gaps
from bot.memory.gaps import GapId, GapState, StoredGap
from bot.upkeep.gaps import review as review_module
from bot.upkeep.gaps.accepting import Choice
from bot.upkeep.gaps.drafts import Wording
from bot.upkeep.gaps.report import GapReport, Way
from bot.upkeep.gaps.review import GapReview, dismiss, merge, reopen
from retrieval.readers import read_articles
from tests.bot.upkeep.gaps.gap_shop import ask, review_of

ANSWERS = Wording(
    {Language.ZH: "学生减 5 元。", Language.EN: "Students get 5 yuan off."}, {}, "student-discount"
)


@pytest.fixture
def review(tmp_path: Path) -> Iterator[GapReview]:
    """The shop, in whose log a student discount was asked for three times and engraving once."""
    made = review_of(tmp_path)
    for text in ("学生优惠有没有", "student discount", "学生优惠", "能刻字吗"):
        ask(made.store, text)
    yield made
    made.store.close()


def listed(review: GapReview, *, everything: bool = False) -> GapReport:
    return review.report(since=None, limit=20, everything=everything)


def gap_about(review: GapReview, word: str) -> GapId:
    """The gap in which somebody used this word."""
    found = listed(review, everything=True).gaps
    return next(gap.id for gap in found if any(word in turn.question for turn in gap.turns))


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def stored(review: GapReview, gap: GapId) -> StoredGap:
    with gaps.gap_log(review.store.path) as log:
        return gaps.read_gap(log, gap)


def test_the_list_puts_together_what_means_the_same_and_ranks_it(review: GapReview) -> None:
    report = listed(review)
    assert [(len(gap.turns), gap.languages) for gap in report.gaps] == [
        (3, {"zh": 2, "en": 1}),
        (1, {"zh": 1}),
    ]
    assert report.unanswered == 4
    assert report.gaps[0].suggestion is not None


def test_only_so_many_are_listed_and_how_many_there_are_is_said(review: GapReview) -> None:
    report = review.report(since=None, limit=1)
    assert (len(report.gaps), report.total) == (1, 2)


def test_turns_before_the_time_looked_at_do_not_count(review: GapReview) -> None:
    ask(review.store, "碳足迹", asked_at=datetime.now(UTC) - timedelta(days=100))
    titles = [
        gap.stored.title for gap in review.report(since=datetime.now(UTC) - timedelta(days=90), limit=9).gaps
    ]
    assert "碳足迹" not in titles


def test_looking_at_a_gap_shows_its_talks_and_a_draft(review: GapReview) -> None:
    closer = review.look(gap_about(review, "学生"), talks=2)
    assert len(closer.talks) == 2
    assert all(talk.turns[0].id in talk.unanswered for talk in closer.talks)
    (draft,) = review.look(closer.gap.id, way=Way.AS_INTENT).drafts
    assert "student discount" in draft.text
    assert "TODO:" in draft.text


def test_an_unknown_gap_is_a_clear_error(review: GapReview) -> None:
    with pytest.raises(GapUnknown, match="no gap 99"):
        review.look(GapId(99))


def test_a_gap_becomes_an_intent_in_one_step(review: GapReview) -> None:
    gap = gap_about(review, "学生")
    accepted, plan = review.accept(gap, Choice(Way.AS_INTENT, wording=ANSWERS))
    assert [change.name for change in plan.changes] == ["intents/student-discount.yaml"]
    intent = load_content(review.knowledge_base).intents["student-discount"]
    assert "student discount" in intent.examples.en
    assert (accepted.state, accepted.outcome) == (GapState.ACCEPTED, "intents/student-discount.yaml")
    assert gap not in [each.id for each in listed(review).gaps]
    assert listed(review).accepted == 1


def test_a_gap_becomes_articles_of_what_people_answered(review: GapReview) -> None:
    ask(review.store, "学生优惠", route=Route.GROUNDED, correction="学生减 5 元。")
    gap = gap_about(review, "学生")
    review.accept(gap, Choice())  # what people answered is what is suggested
    articles, problems = read_articles(review.knowledge_base)
    assert problems == ()
    assert [article.language for article in articles if article.body == "学生减 5 元。"] == ["zh"]


def test_a_gap_s_questions_become_examples_and_nothing_else_in_the_file_changes(review: GapReview) -> None:
    path = review.knowledge_base / "intents/postage.yaml"
    path.write_text(f"# 运费\n{path.read_text('utf-8')}", "utf-8")
    before = path.read_text("utf-8")
    review.accept(gap_about(review, "学生"), Choice(Way.INTO_INTENT, "postage"))
    after = path.read_text("utf-8")
    assert {"学生优惠", "学生优惠有没有"} <= set(
        load_content(review.knowledge_base).intents["postage"].examples.zh
    )
    assert after.startswith("# 运费\n")
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()


def test_a_finished_draft_is_taken_as_it_is(review: GapReview, tmp_path: Path) -> None:
    gap = gap_about(review, "刻字")
    (draft,) = review.look(gap, way=Way.AS_ARTICLE).drafts
    file = tmp_path / "draft.md"
    file.write_text(draft.text.replace("TODO:", "可以刻字。"), "utf-8")
    _, plan = review.accept(gap, Choice(files=(file,)))
    assert plan.changes[0].name == f"articles/zh/gap-{gap}.md"
    assert (review.knowledge_base / plan.changes[0].name).read_text("utf-8") == file.read_text("utf-8")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(Way.AS_INTENT), "TODO:"),
        (Choice(Way.AS_ARTICLE), "TODO:"),
        (Choice(Way.INTO_INTENT, "postge"), "Did you mean postage"),
        (Choice(Way.INTO_INTENT, "postage", ANSWERS), "Leave --answer-zh"),
        (Choice(Way.AS_INTENT, wording=replace(ANSWERS, name="postage")), "is there already"),
        (Choice(Way.AS_INTENT, wording=replace(ANSWERS, name="../x")), "cannot be the place"),
        (
            Choice(
                Way.AS_INTENT,
                wording=replace(ANSWERS, answers={Language.ZH: "减 5 元", Language.EN: "6 yuan off"}),
            ),
            "only one face says",
        ),
        (Choice(Way.AS_ARTICLE, wording=replace(ANSWERS, name="warranty")), "is there already"),
        (Choice(files=(Path("missing.md"),)), "cannot be read"),
        (Choice(files=(Path(__file__),)), "is no draft"),
    ],
)
def test_what_would_be_wrong_is_refused_and_changes_nothing(
    review: GapReview, choice: Choice, said: str
) -> None:
    gap = gap_about(review, "学生")
    before = fingerprint(review.knowledge_base)
    with pytest.raises(ContentError, match=said):
        review.accept(gap, choice)
    assert fingerprint(review.knowledge_base) == before
    assert stored(review, gap).state is GapState.NEW


def test_an_intent_that_names_a_lost_article_is_refused(review: GapReview, tmp_path: Path) -> None:
    gap = gap_about(review, "学生")
    file = tmp_path / "draft.yaml"
    (draft,) = review_module.drafts_of(
        Way.AS_INTENT, review._material(review._find(gap)[0]), ANSWERS, day=review.day
    )
    file.write_text(draft.text + "articles: [lost]\n", "utf-8")
    with pytest.raises(ContentError, match="'lost', which does not exist"):
        review.accept(gap, Choice(files=(file,)))


def test_if_the_log_cannot_be_written_the_content_is_taken_back(
    review: GapReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = gap_about(review, "学生")
    before = fingerprint(review.knowledge_base)
    seen: list[bool] = []

    def fail(*_: object, **__: object) -> StoredGap:
        seen.append((review.knowledge_base / "intents/student-discount.yaml").exists())
        raise StoreError("the disk is full")

    monkeypatch.setattr(review_module, "decide_on", fail)
    with pytest.raises(StoreError):
        review.accept(gap, Choice(Way.AS_INTENT, wording=ANSWERS))
    assert seen == [True]
    assert fingerprint(review.knowledge_base) == before


def test_if_the_second_file_cannot_be_written_the_first_is_taken_back(review: GapReview) -> None:
    gap = gap_about(review, "学生")
    before = fingerprint(review.knowledge_base)
    (review.knowledge_base / "articles/en").rename(review.knowledge_base / "articles/was-en")
    (review.knowledge_base / "articles/en").write_text("in the way")
    with pytest.raises(ContentError, match="cannot be written"):
        review.accept(gap, Choice(Way.AS_ARTICLE, wording=ANSWERS))
    (review.knowledge_base / "articles/en").unlink()
    (review.knowledge_base / "articles/was-en").rename(review.knowledge_base / "articles/en")
    assert fingerprint(review.knowledge_base) == before
    assert stored(review, gap).state is GapState.NEW


def test_what_was_dismissed_stays_away_and_can_be_listed_and_opened_again(review: GapReview) -> None:
    gap = gap_about(review, "学生")
    assert dismiss(review.store.path, gap, "不做").reason == "不做"
    ask(review.store, "student discount please")
    assert gap not in [each.id for each in listed(review).gaps]
    assert listed(review).dismissed == 1
    assert gap in [each.id for each in listed(review, everything=True).gaps]
    reopen(review.store.path, gap)
    assert [len(each.turns) for each in listed(review).gaps if each.id == gap] == [4]


def test_two_gaps_are_merged_by_hand_under_the_first_id(review: GapReview) -> None:
    students, engraving = gap_about(review, "学生"), gap_about(review, "刻字")
    merge(review.store.path, engraving, students)
    report = listed(review)
    assert [(gap.id, len(gap.turns)) for gap in report.gaps] == [(engraving, 4)]
    assert review.look(students).gap.id == engraving


def test_an_accepted_gap_that_is_asked_again_comes_back(review: GapReview) -> None:
    gap = gap_about(review, "学生")
    review.accept(gap, Choice(Way.AS_INTENT, wording=ANSWERS))
    ask(review.store, "student discount", asked_at=datetime.now(UTC) + timedelta(seconds=1))
    (again,) = [each for each in listed(review).gaps if each.id == gap]
    assert again.again == 1


def test_near_an_intent_its_examples_are_suggested(review: GapReview) -> None:
    ask(review.store, "运费多少钱包邮", route=Route.CLARIFY)
    suggestion = review.look(gap_about(review, "运费")).gap.suggestion
    assert suggestion is not None
    assert (suggestion.way, suggestion.target) == (Way.INTO_INTENT, "postage")
    assert review.look(gap_about(review, "运费")).drafts[0].name.startswith("articles/zh/")  # if it is not


def test_what_was_voted_down_is_to_be_mended_and_is_no_example_of_what_answered(review: GapReview) -> None:
    turn = ask(review.store, "运费多少", route=Route.TEMPLATE, intent="postage")
    review.store.add_rating(review.store.turn(turn).conversation_id, Rating(turn, -1))
    gap = gap_about(review, "运费")
    found = review.look(gap).gap
    assert found.suggestion is not None
    assert (found.suggestion.way, found.suggestion.target) == (Way.MEND, "intent postage")
    assert found.intent is None or found.intent.intent != "postage"
    with pytest.raises(ContentError, match="mend intent postage"):
        review.accept(gap, Choice())


def test_a_gap_whose_turns_are_answered_by_now_says_so(review: GapReview) -> None:
    source = Source(1, "warranty", "warranty-zh-0", "保修", Language.ZH, 0.9)
    turn = ask(review.store, "碳足迹", route=Route.GROUNDED, sources=(source,), correction=None)
    conversation = review.store.turn(turn).conversation_id
    review.store.add_rating(conversation, Rating(turn, -1))
    gap = gap_about(review, "碳足迹")
    review.store.add_rating(conversation, Rating(turn, 1))
    with pytest.raises(GapUnknown, match="no turn left"):
        review.look(gap)
