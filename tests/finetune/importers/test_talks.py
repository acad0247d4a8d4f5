"""A talk becomes a conversation: messages joined, notices left out, people and numbers masked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation import Language
from finetune.importers.reading import Message, Reading, Role, Talk
from finetune.importers.talks import Storing, conversation_of, in_order_of_time
from finetune.masking import Masking
from finetune.pseudonyms import Pseudonyms
from finetune.records import from_json, to_json

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def storing() -> Storing:
    return Storing("csv", Pseudonyms(b"k" * 32), Masking())


@pytest.fixture
def reading() -> Reading:
    return Reading(Path("a.csv"))


def _talk(*messages: Message, **changes: object) -> Talk:
    return replace(Talk("7", "a.csv:2", messages), **changes)  # type: ignore[arg-type]


def test_messages_in_a_row_are_joined(storing: Storing, reading: Reading) -> None:
    read = conversation_of(
        _talk(
            Message("agent", "欢迎"),
            Message("customer", "在吗", NOON),
            Message("customer", "怎么退货"),
            Message("system", "客服已接入"),
            Message("agent", "在订单里"),
            Message("agent", " 点退货 "),
            Message("customer", "how long?"),
            Message("bot", "7 days"),
            Message("customer", "ok?"),
        ),
        storing,
        reading,
    )
    assert read is not None
    assert [(e.question, e.answer, e.author, e.language) for e in read.exchanges] == [
        ("在吗\n怎么退货", "在订单里\n点退货", "agent", Language.ZH),
        ("how long?", "7 days", "bot", Language.EN),
    ]
    assert [exchange.id for exchange in read.exchanges] == [f"{read.id}-1", f"{read.id}-2"]
    assert (read.started_at, read.exchanges[0].at, read.customer) == (NOON, NOON, None)
    assert reading.skipped == {
        "system notices": 1,
        "messages before the first question": 1,
        "questions that nobody answered": 1,
    }


def test_a_person_outranks_a_bot_in_one_answer(storing: Storing, reading: Reading) -> None:
    read = conversation_of(
        _talk(Message("customer", "退货"), Message("bot", "请稍等"), Message("agent", "可以")),
        storing,
        reading,
    )
    assert read is not None
    assert (read.exchanges[0].answer, read.exchanges[0].author) == ("可以", "agent")
    assert reading.skipped == {"a bot's messages beside a person's": 1}


def test_everything_is_masked_and_nobody_named(storing: Storing, reading: Reading) -> None:
    read = conversation_of(
        _talk(
            Message("customer", "我是张小明，电话13812345678"),
            Message("agent", "Hi 张小明, mail a@b.com", rejected="打13912345678", intent="call 13812345678"),
            customer="张小明",
            channel="13812345678",
            people=frozenset({"张小明"}),
        ),
        storing,
        reading,
    )
    assert read is not None
    written = str(to_json(read))
    assert not any(secret in written for secret in ("张小明", "1381234", "1391234", "a@b.com"))
    assert storing.mask.found == {"PHONE": 4, "EMAIL": 1}
    assert read.customer == storing.pseudonyms.customer("csv", "张小明")


def test_a_question_that_tells_no_language_has_that_of_its_talk(storing: Storing, reading: Reading) -> None:
    messages = (Message("customer", "STOP TEXTING ME ADS"), Message("agent", "Reply T to any of them."))
    english = conversation_of(_talk(*messages), storing, reading)
    chinese = conversation_of(_talk(Message("customer", "M3???"), Message("agent", "有货")), storing, reading)
    assert english is not None
    assert chinese is not None
    assert (english.language, english.exchanges[0].language) == (Language.EN, Language.EN)
    assert chinese.language is Language.ZH


def test_a_vote_on_an_answer_outranks_one_on_the_talk(storing: Storing, reading: Reading) -> None:
    read = conversation_of(
        _talk(
            Message("customer", "一"), Message("agent", "甲", rating=-1), Message("customer", "二"), Message("agent", "乙"), rating=1
        ),
        storing,
        reading,
    )  # fmt: skip
    assert read is not None
    assert [exchange.rating for exchange in read.exchanges] == [-1, 1]


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("customer", "退货"),),
        (Message("agent", "您好"),),
        (Message("customer", "  "), Message("agent", "好")),
        (Message("system", "x"),),
        (Message("customer", "退\ufffd"), Message("agent", "好")),
    ],
)
def test_a_talk_without_question_and_answer_is_named(
    storing: Storing, reading: Reading, messages: tuple[Message, ...]
) -> None:
    assert conversation_of(_talk(*messages), storing, reading) is None
    assert reading.problems[-1].place == "a.csv:2"


def test_messages_are_put_in_order_only_if_all_have_times() -> None:
    late, early, undated = (
        Message("agent", "b", NOON.replace(hour=13)),
        Message("customer", "a", NOON),
        Message("agent", "c"),
    )
    assert in_order_of_time([late, early]) == (early, late)
    assert in_order_of_time([late, early, undated]) == (late, early, undated)


_messages = st.lists(
    st.builds(Message, st.sampled_from(get_args(Role)), st.text(max_size=12), st.none() | st.just(NOON)),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(messages=_messages)
def test_any_talk_becomes_a_whole_record_or_a_problem(messages: list[Message]) -> None:
    reading = Reading(Path("a.csv"))
    read = conversation_of(_talk(*messages), Storing("csv", Pseudonyms(b"k" * 32), Masking()), reading)
    if read is None:
        assert reading.problems
        return
    assert from_json(to_json(read)) == read
    assert all(exchange.question and exchange.answer for exchange in read.exchanges)
