"""The questions of the log, each with what stood before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.conversation import ConversationId, Route, TurnId
from bot.manager import Manager
from bot.memory.store import Store
from bot.upkeep.backtest.questions import read_questions
from tests.example_turns import NOON, example_turn
from tests.small_shop import ANNA, say


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "kefu.db")


def add(store: Store, *texts: str, **changes: object) -> ConversationId:
    """A conversation with a turn a minute for each text; those in round brackets were taken over by the next."""
    conversation = store.open_conversation(ANNA, channel="test")
    for number, text in enumerate(texts):
        route = Route.MERGED if text.startswith("(") else Route.TEMPLATE
        turn = example_turn(conversation, number, customer_text=text, route=route)
        store.append_turn(replace(turn, **changes))  # type: ignore[arg-type]
    return conversation


def test_each_question_comes_with_the_turns_before_it_in_order_of_time(store: Store) -> None:
    add(store, "一", "二", "three")
    asked = read_questions(store.path).questions
    assert [question.turn.customer_text for question in asked] == ["一", "二", "three"]
    assert [[turn.customer_text for turn in question.past] for question in asked] == [
        [],
        ["一"],
        ["一", "二"],
    ]


def test_a_turn_looks_back_as_far_as_the_bot_does_and_no_further(store: Store) -> None:
    add(store, *(str(number) for number in range(12)))
    assert [turn.customer_text for turn in read_questions(store.path).questions[-1].past] == [
        str(number) for number in range(3, 11)
    ]


def test_conversations_are_kept_apart_though_their_turns_alternate(store: Store) -> None:
    first, second = add(store, "a1", "a2"), add(store, "b1", "b2")
    for question in read_questions(store.path).questions:
        conversation = question.turn.conversation_id
        assert conversation in (first, second)
        assert all(turn.conversation_id == conversation for turn in question.past)


def test_messages_that_were_taken_over_are_read_with_the_one_that_took_them(store: Store) -> None:
    add(store, "before", "(hi)", "(我的包裹)", "hasn't come", "after")
    found = read_questions(store.path)
    assert [question.turn.customer_text for question in found.questions] == ["before", "hasn't come", "after"]
    taking = found.questions[1]
    assert taking.taken_over == ("(hi)", "(我的包裹)")
    assert [turn.customer_text for turn in taking.past] == ["before"]
    assert found.questions[2].taken_over == ()
    assert found.fragments == 2


def test_a_turn_that_failed_is_left_out_unless_it_is_wanted(store: Store) -> None:
    add(store, "broken", route=Route.NO_ANSWER, reason="error: RuntimeError")
    add(store, "fine")
    found = read_questions(store.path)
    assert [question.turn.customer_text for question in found.questions] == ["fine"]
    assert found.failures == 1
    everything = read_questions(store.path, failures=True)
    assert len(everything.questions) == 2
    assert everything.failures == 0


def test_a_turn_that_breaks_in_the_bot_is_one_that_failed(shop: Manager, tmp_path: Path, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on fire")

    monkeypatch.setattr("bot.policy._template", broken)
    with capture_logs():
        say(shop, "how much is postage")
    assert read_questions(tmp_path / "kefu.db").failures == 1


def test_time_rating_and_number_choose(store: Store, shop: Manager) -> None:
    add(store, "first", "second", "third")
    texts = lambda **choice: [  # noqa: E731
        question.turn.customer_text for question in read_questions(store.path, **choice).questions
    ]
    minute = timedelta(minutes=1)
    assert texts(since=NOON + minute) == ["second", "third"]
    assert texts(until=NOON + minute) == ["first"]
    assert texts(since=NOON, until=NOON + 2 * minute, limit=1) == ["second"]
    assert read_questions(store.path, limit=1).older == 2
    replies = say(shop, "how much is postage", "运费多少")
    for reply, vote in zip(replies, (-1, 1), strict=True):
        shop.rate(reply.conversation_id, reply.turn_id, vote, "", visitor=ANNA)
    (bad,) = read_questions(store.path, rating=-1).questions
    assert (bad.turn.customer_text, bad.rating) == ("how much is postage", -1)
    assert texts(rating=1) == ["运费多少"]
    assert read_questions(store.path, rating=1).questions[0].past[0].customer_text == "how much is postage"


def test_more_turns_than_a_page_are_all_read(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="test")
    for number in range(450):
        store.append_turn(example_turn(conversation, number, id=TurnId(f"t{number}")))
    assert len(read_questions(store.path).questions) == 450


def test_reading_does_not_write(store: Store, tmp_path: Path) -> None:
    add(store, "一")
    store.close()
    before = (tmp_path / "kefu.db").read_bytes()
    (tmp_path / "kefu.db").chmod(0o444)
    read_questions(store.path)
    assert (tmp_path / "kefu.db").read_bytes() == before
