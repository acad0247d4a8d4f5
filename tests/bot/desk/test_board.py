"""The board: who waits, who is being helped, what goes on without people, and why people were called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.conversation import ConversationId, Language
from bot.desk.board import ReasonCount, read_board, reasons_between
from bot.desk.desk import utc_now
from bot.manager import Manager
from bot.memory.calls import CallReason
from bot.memory.talks import talk as read_one
from tests.desk_staff import LI, employ
from tests.small_shop import ANNA, build_shop, reply_to


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Manager]:
    manager = build_shop(tmp_path)
    employ(manager.desk, LI)
    yield manager
    manager.desk.close()
    manager.store.close()


def opened(shop: Manager, *messages: str) -> ConversationId:
    talk = shop.open_conversation(ANNA, channel="widget")
    for message in messages:
        reply_to(shop.answer(talk, message, visitor=ANNA))
    return talk


def test_each_talk_stands_where_it_belongs(shop: Manager) -> None:
    waits, taken, alone = opened(shop, "转人工"), opened(shop, "运费多少"), opened(shop, "free postage?")
    opened(shop)  # nothing was said in it
    shop.desk.take(taken, LI)
    board = read_board(shop.desk)
    assert [line.talk.id for line in board.waiting] == [waits]
    assert [line.talk.id for line in board.taken] == [taken]
    assert [talk.id for talk in board.recent] == [alone]


def test_who_has_waited_longest_comes_first(shop: Manager) -> None:
    first, second = opened(shop, "转人工"), opened(shop, "talk to a person")
    assert [line.talk.id for line in read_board(shop.desk).waiting] == [first, second]
    reply_to(shop.answer(first, "还在吗", visitor=ANNA))
    assert [line.talk.id for line in read_board(shop.desk).waiting] == [first, second]


def test_the_last_words_are_shown_as_they_were_written_and_by_whom(shop: Manager) -> None:
    talk = opened(shop, "转人工")
    shop.desk.take(talk, LI)
    reply_to(shop.answer(talk, "我的电话 13812345678", visitor=ANNA))
    (line,) = read_board(shop.desk).taken
    assert (line.words, line.by_customer) == ("我的电话 13812345678", True)
    shop.desk.reply(talk, LI, "收到")
    (line,) = read_board(shop.desk).taken
    assert (line.words, line.by_customer) == ("收到", False)


def test_a_talk_at_a_glance_tells_where_and_who(shop: Manager) -> None:
    talk = opened(shop, "运费多少")
    shop.note_page(talk, "https://shop.example/a", "A", visitor=ANNA)
    shop.note_page(talk, "https://shop.example/b", "B", visitor=ANNA)
    with shop.desk.log.reading() as log:
        found = read_one(log, talk)
        assert read_one(log, ConversationId("nothing")) is None
    assert found is not None
    assert (found.page_title, found.language, found.turns, found.customer) == ("B", Language.ZH, 1, None)


def test_reasons_are_counted_and_asking_is_told_from_a_rule(shop: Manager) -> None:
    opened(shop, "转人工")
    opened(shop, "talk to a person")
    shop.call_person(opened(shop, "运费多少"), visitor=ANNA)  # by the button
    shop.desk.take(opened(shop, "运费多少"), LI)
    now = utc_now()
    with shop.desk.log.reading() as log:
        found = reasons_between(log, now - timedelta(hours=1), now)
        assert reasons_between(log, now - timedelta(hours=2), now - timedelta(hours=1)) == []
    assert found == [
        ReasonCount(CallReason.ASKED, "", 3),
        ReasonCount(CallReason.AGENT, "", 1),
    ]
