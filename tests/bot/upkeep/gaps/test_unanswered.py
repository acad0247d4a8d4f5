"""Which turns count as not answered, in conversations of a few turns."""

from __future__ import annotations

from bot.answering.answerer import OFF_TOPIC
from bot.conversation import Language, Route, Source
from bot.memory.reading import LoggedTurn
from bot.upkeep.gaps.unanswered import Why, read_unanswered
from tests.bot.upkeep.gaps.gap_shop import buttons, logged

CARDS = buttons("礼品卡怎么用", "会员卡等级", "都不是")


def whys(*turns: LoggedTurn) -> list[tuple[str, Why]]:
    """The questions that were not answered, and why."""
    return [(turn.question, turn.why) for turn in read_unanswered(turns).turns]


def test_an_answered_turn_is_no_gap() -> None:
    assert whys(logged("a", 1, "运费多少", Route.TEMPLATE), logged("a", 2, "保修多久", Route.GROUNDED)) == []


def test_no_answer_and_off_topic_are_told_apart() -> None:
    assert whys(logged("a", 1, "学生有优惠吗"), logged("b", 2, "写首诗", reason=OFF_TOPIC)) == [
        ("学生有优惠吗", Why.NO_ANSWER),
        ("写首诗", Why.OFF_TOPIC),
    ]


def test_a_question_back_whose_button_was_pressed_led_somewhere() -> None:
    pressed = logged("a", 2, "礼品卡怎么用", Route.TEMPLATE, intent="gift-card-use")
    assert whys(logged("a", 1, "卡?", Route.CLARIFY, options=CARDS), pressed) == []


def test_a_question_back_that_nobody_answered_led_nowhere() -> None:
    assert whys(logged("a", 1, "卡?", Route.CLARIFY, options=CARDS)) == [("卡?", Why.LED_NOWHERE)]


def test_none_of_these_is_no_question_of_its_own() -> None:
    turns = (logged("a", 1, "卡?", Route.CLARIFY, options=CARDS), logged("a", 2, "都不是", reason=OFF_TOPIC))
    assert whys(*turns) == [("卡?", Why.LED_NOWHERE)]


def test_asking_again_in_other_words_says_that_the_question_back_led_nowhere() -> None:
    again = logged("a", 2, "我的礼品卡在哪里看余额", Route.GROUNDED)
    assert whys(logged("a", 1, "卡?", Route.CLARIFY, options=CARDS), again) == [("卡?", Why.LED_NOWHERE)]


def test_conversations_do_not_answer_each_other() -> None:
    other = logged("b", 2, "礼品卡怎么用", Route.TEMPLATE)
    assert whys(logged("a", 1, "卡?", Route.CLARIFY, options=CARDS), other) == [("卡?", Why.LED_NOWHERE)]


def test_a_fragment_that_the_next_message_completed_is_no_gap() -> None:
    whole = logged("a", 2, "kettle is broken", Route.TEMPLATE, question="hello my kettle is broken")
    assert whys(logged("a", 1, "hello my"), whole) == []


def test_a_merged_fragment_is_no_gap() -> None:
    assert whys(logged("a", 1, "hello my", Route.MERGED)) == []


def test_a_hand_off_counts_after_failures_and_not_when_a_person_was_wanted() -> None:
    wanted = logged("b", 3, "转人工", Route.HANDOFF, intent="talk-to-person")
    failed = logged("a", 2, "学生证能便宜一点吗", Route.HANDOFF, reason="2 turns without an answer in a row")
    assert whys(failed, wanted) == [("学生证能便宜一点吗", Why.HANDED_OFF)]


def test_what_people_said_counts_before_what_the_bot_did() -> None:
    source = Source(1, "warranty", "warranty-zh-0", "保修", Language.ZH, 0.9)
    down = logged("a", 1, "保修多久", Route.GROUNDED, rating=-1, sources=(source,))
    corrected = logged("b", 2, "how long", Route.TEMPLATE, intent="postage", rating=1, correction="2 days.")
    found = read_unanswered([down, corrected, logged("c", 3, "ok", Route.GROUNDED, rating=1)]).turns
    assert [(turn.why, turn.answered_by, turn.correction) for turn in found] == [
        (Why.VOTED_DOWN, "article warranty", None),
        (Why.CORRECTED, "intent postage", "2 days."),
    ]


def test_a_person_s_word_stays_although_the_next_message_clears_up() -> None:
    pressed = logged("a", 2, "礼品卡怎么用", Route.TEMPLATE)
    assert whys(logged("a", 1, "卡?", Route.CLARIFY, options=CARDS, rating=-1), pressed) == [
        ("卡?", Why.VOTED_DOWN)
    ]


def test_technical_problems_stand_apart() -> None:
    found = read_unanswered(
        [logged("a", 1, "保修多久", reason="error: ValueError"), logged("a", 2, "学生有优惠吗")]
    )
    assert [turn.question for turn in found.turns] == ["学生有优惠吗"]
    assert found.failures.kinds == {"error: ValueError": 1}
    assert len(found.failures.turns) == 1


def test_turns_come_in_the_order_of_time_although_some_wait_for_what_follows() -> None:
    assert [question for question, _ in whys(logged("a", 1, "一"), logged("b", 2, "二", rating=-1))] == [
        "一",
        "二",
    ]


def test_what_a_person_answered_counts_only_if_somebody_chose_it() -> None:
    answered = logged("a", 1, "支持刷脸吗", Route.PERSON, correction="支持的。")
    assert read_unanswered([answered]).turns == ()
    assert [turn.why for turn in read_unanswered([answered], chosen=[answered.turn.id]).turns] == [
        Why.CORRECTED
    ]
