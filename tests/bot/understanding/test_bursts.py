"""Several short messages in a row are one question."""

from bot.conversation import ConversationId
from bot.understanding.bursts import Bursts

HERE, THERE = ConversationId("here"), ConversationId("there")


def test_a_newer_message_takes_over_what_nobody_has_seen_an_answer_to() -> None:
    bursts = Bursts()
    first = bursts.begin(HERE, "hi")
    second = bursts.begin(HERE, "my parcel")
    third = bursts.begin(HERE, "hasn't come")
    assert third.before == ("hi", "my parcel")
    assert [bursts.show(p) for p in (first, second, third)] == [False, False, True]


def test_an_answer_that_is_being_shown_is_finished() -> None:
    bursts = Bursts()
    first = bursts.begin(HERE, "postage?")
    assert bursts.show(first)
    assert bursts.begin(HERE, "thanks").before == ()
    assert bursts.show(first)


def test_conversations_do_not_mix() -> None:
    bursts = Bursts()
    bursts.begin(HERE, "hi")
    assert bursts.begin(THERE, "hello").before == ()


def test_a_finished_message_is_forgotten() -> None:
    bursts = Bursts()
    first = bursts.begin(HERE, "hi")
    bursts.end(HERE, first)
    assert bursts.begin(HERE, "there").before == ()
