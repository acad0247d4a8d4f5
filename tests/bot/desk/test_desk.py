"""The desk: calls for a person, who has a talk, and what is said there; over a real log."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.conversation import ConversationId, Language, VisitorId
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.errors import CallRefused, StoreError
from bot.memory.calls import CallReason, CallState, DeskEvent, DeskEventKind, calls_of
from bot.memory.staff import Staff
from bot.memory.store import Store
from bot.safety.redact import redact
from tests.desk_staff import LI, MARY, employ

ALWAYS = Hours("24/7", time_zone="Asia/Shanghai", country=None)
MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kefu.db") as store:
        yield store


@pytest.fixture
def talk(store: Store) -> ConversationId:
    return store.open_conversation(VisitorId("anna"), channel="page")


def open_desk(
    store: Store, clock: Clock, *people: Staff, hours: Hours = ALWAYS, silent: bool = False
) -> Desk:
    desk = Desk(store.path, hours, lambda text: redact(text).text, silent_while_waiting=silent, now=clock)
    employ(desk, *people)
    return desk


@pytest.fixture
def desk(store: Store, clock: Clock) -> Iterator[Desk]:
    desk = open_desk(store, clock, LI, MARY)
    yield desk
    desk.close()


def kinds(events: Sequence[DeskEvent]) -> list[str]:
    return [event.kind.value for event in events]


def test_the_bot_is_silent_from_the_moment_a_person_takes_a_talk_until_they_return_it(
    desk: Desk, talk: ConversationId
) -> None:
    desk.call(talk, CallReason.FAILURES, language=Language.EN)
    assert not desk.holds(talk)  # a call alone silences nobody
    desk.take(talk, LI)
    assert desk.holds(talk)
    desk.give_back(talk, LI)
    assert not desk.holds(talk)
    assert kinds(desk.events(talk)) == ["joined", "left"]


def test_the_bot_can_be_silent_as_soon_as_a_person_was_called(
    store: Store, clock: Clock, talk: ConversationId
) -> None:
    desk = open_desk(store, clock, silent=True)
    desk.call(talk, CallReason.ASKED, language=Language.ZH)
    assert desk.holds(talk)
    desk.close()


def test_a_second_call_is_the_first_one(desk: Desk, talk: ConversationId) -> None:
    first = desk.call(talk, CallReason.RULE, detail="complaint", language=Language.ZH)
    assert desk.call(talk, CallReason.ASKED, language=Language.ZH).id == first.id
    assert [call.detail for call in desk.queue()] == ["complaint"]


def test_of_two_who_take_a_talk_at_once_one_gets_it_and_the_other_reads_who(
    store: Store, clock: Clock, talk: ConversationId
) -> None:
    one, other = open_desk(store, clock, LI, MARY), open_desk(store, clock)
    one.call(talk, CallReason.ASKED, language=Language.EN)
    gate, refused = threading.Barrier(2), []

    def take(desk: Desk, staff: Staff) -> None:
        gate.wait()
        try:
            desk.take(talk, staff)
        except CallRefused as refusal:
            refused.append(str(refusal))

    people = ((one, LI), (other, MARY))
    threads = [threading.Thread(target=take, args=pair) for pair in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert "小李" in refused[0] or "Mary" in refused[0]
    one.close()
    other.close()


def test_who_does_not_have_a_talk_can_neither_answer_nor_return_nor_close_it(
    desk: Desk, talk: ConversationId
) -> None:
    for act in (
        lambda: desk.reply(talk, MARY, "Hello"),
        lambda: desk.give_back(talk, MARY),
        lambda: desk.close_call(talk, MARY),
    ):
        with pytest.raises(CallRefused):
            act()
    desk.take(talk, LI)
    for act in (
        lambda: desk.reply(talk, MARY, "Hello"),
        lambda: desk.give_back(talk, MARY),
        lambda: desk.close_call(talk, MARY),
    ):
        with pytest.raises(CallRefused):
            act()
    assert kinds(desk.events(talk)) == ["joined"]


def test_a_person_reads_the_customers_own_words_and_the_log_keeps_them_masked_once_the_call_has_ended(
    desk: Desk, talk: ConversationId
) -> None:
    desk.take(talk, LI)
    desk.hear(talk, "我的手机是13812345678请联系")
    desk.reply(talk, LI, "好的，稍后拨打13812345678")
    desk.leave_contact(talk, "anna@mail.example, 13812345678", language=Language.ZH)
    assert [event.text for event in desk.events(talk)][1:] == [
        "我的手机是13812345678请联系",
        "好的，稍后拨打13812345678",
    ]
    desk.close_call(talk, LI, "回电 13812345678")
    texts = [event.text for event in desk.events(talk)]
    assert "13812345678" not in "".join(texts)
    assert texts[1].startswith("我的手机是")
    with desk.log.reading() as log:
        (call,) = calls_of(log, talk)
    assert (call.state, call.contact) == (CallState.CLOSED, "")
    assert "13812345678" not in call.outcome


def test_what_was_said_is_handed_on_masked_when_a_call_ends(
    store: Store, clock: Clock, talk: ConversationId
) -> None:
    learned: list[Sequence[DeskEvent]] = []
    desk = Desk(store.path, ALWAYS, lambda text: redact(text).text, learn=learned.append, now=clock)
    employ(desk, LI)
    desk.take(talk, LI)
    desk.reply(talk, LI, "Call 13812345678")
    assert learned == []
    desk.give_back(talk, LI)
    (said,) = learned
    assert kinds(said) == ["joined", "person", "left"]
    assert "13812345678" not in said[1].text
    desk.close()


def test_a_person_who_is_gone_does_not_leave_the_customer_without_an_answer_for_ever(
    desk: Desk, clock: Clock, talk: ConversationId
) -> None:
    desk.attend(LI.id, available=True)
    desk.take(talk, LI)
    clock.forward(minutes=31)
    desk.attend(LI.id, available=True)
    assert desk.holds(talk)  # the console is open: they may be looking something up
    clock.forward(minutes=2)
    assert not desk.holds(talk)
    assert kinds(desk.events(talk)) == ["joined", "left"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_call_for_which_nobody_came_ends_and_leaves_nothing_unmasked(
    desk: Desk, clock: Clock, talk: ConversationId, *, taken: bool
) -> None:
    desk.call(talk, CallReason.ASKED, language=Language.ZH)
    desk.leave_contact(talk, "13812345678", language=Language.ZH)
    desk.hear(talk, "我的手机是13812345678请联系")
    if taken:
        desk.take(talk, LI)
    clock.forward(days=6)
    assert len(desk.queue()) == 1
    clock.forward(days=2)
    assert desk.queue() == []
    assert desk.open_call(talk) is None
    assert "13812345678" not in "".join(event.text for event in desk.events(talk))
    with desk.log.reading() as log:
        (call,) = calls_of(log, talk)
    assert (call.state, call.contact) == (CallState.CLOSED, "")


def test_somebody_whose_console_is_open_keeps_a_talk_however_long(
    desk: Desk, clock: Clock, talk: ConversationId
) -> None:
    desk.take(talk, LI)
    clock.forward(days=8)
    desk.attend(LI.id, available=True)
    assert desk.holds(talk)


def test_the_desk_is_staffed_within_opening_hours_while_a_console_is_open(store: Store, clock: Clock) -> None:
    hours = Hours("Mo-Fr 09:00-18:00", time_zone="Asia/Shanghai", country=None)
    desk = open_desk(store, clock, hours=hours)
    assert not desk.staffed()
    desk.attend(LI.id, available=True)
    assert desk.staffed()
    desk.attend(LI.id, available=False)
    assert not desk.staffed()
    desk.attend(LI.id, available=True)
    clock.forward(hours=7)
    desk.attend(LI.id, available=True)
    assert not desk.staffed()  # 19:00 in Shanghai
    desk.close()


def test_another_process_finds_the_calls_that_are_open(
    desk: Desk, store: Store, clock: Clock, talk: ConversationId
) -> None:
    desk.take(talk, LI)
    later = open_desk(store, clock)
    assert later.holds(talk)
    assert [call.agent_name for call in later.queue()] == ["小李"]
    later.close()


def test_a_log_that_cannot_be_read_does_not_silence_the_bot_and_a_call_says_so(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "kefu.db"
    path.mkdir()
    desk = Desk(path, ALWAYS, str, now=clock)
    talk = ConversationId("some")
    assert not desk.holds(talk)
    with pytest.raises(StoreError, match="kefu doctor"):
        desk.call(talk, CallReason.ASKED, language=Language.EN)


def test_who_follows_a_talk_gets_every_event_once_however_fast_they_come(
    desk: Desk, talk: ConversationId
) -> None:
    async def follow() -> list[str]:
        heard: list[str] = []
        async for event in desk.follow(talk, heartbeat=0.2):
            if event is None:
                return heard
            heard.append(event.text or event.kind.value)
            if event.kind is DeskEventKind.JOINED:
                await asyncio.to_thread(_speak, desk, talk)
        return heard

    desk.take(talk, LI)
    assert asyncio.run(follow()) == ["joined", *(f"line {number}" for number in range(20))]


def test_a_heartbeat_comes_when_nothing_happens(desk: Desk, talk: ConversationId) -> None:
    async def first() -> DeskEvent | None:
        async for event in desk.follow(talk, heartbeat=0.01):
            return event
        raise AssertionError("it never ends")

    assert asyncio.run(first()) is None


def _speak(desk: Desk, talk: ConversationId) -> None:
    for number in range(20):
        desk.reply(talk, LI, f"line {number}")
