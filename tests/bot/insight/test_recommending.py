"""Recommending in a conversation, over real search and a real log: whose it is, and when it is out of place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation import ConversationId, Language
from bot.errors import ConversationUnknown, InputRefused
from bot.insight.recommend import Interest, Recommendation, Recommender
from bot.manager import Manager
from bot.memory.calls import CallReason
from tests.fake_texts import ITEMS
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, BOB, build_shop, reply_to


class Listening(Recommender):
    """Recommends everything, and remembers for which interest."""

    def __init__(self) -> None:
        super().__init__(ITEMS, ("天气", "weather"), WordEncoder())
        self.heard: list[list[str]] = []

    def recommend(self, interests: Sequence[Interest], *, top_k: int) -> list[Recommendation]:
        self.heard.append([interest.what for interest in interests])
        found = [Recommendation(item, 1.0, interests[-1].because, interests[-1].what) for item in ITEMS]
        return found[:top_k]


@pytest.fixture
def listening() -> Listening:
    return Listening()


@pytest.fixture
def shop(tmp_path: Path, listening: Listening) -> Manager:
    shop = build_shop(tmp_path)
    shop.use(replace(shop.knowledge, recommender=listening))
    return shop


def talk(shop: Manager, *messages: str) -> ConversationId:
    conversation = shop.open_conversation(ANNA, channel="page")
    for message in messages:
        reply_to(shop.answer(conversation, message, visitor=ANNA))
    return conversation


def test_the_turns_and_the_page_tell_the_interest(shop: Manager, listening: Listening) -> None:
    conversation = talk(shop, "运费多少", "大家电保修几年")
    found = shop.recommend(conversation, " M5 扫地机器人 ", visitor=ANNA, top_k=1)
    assert [each.item.id for each in found] == ["airbuds-s2"]
    (heard,) = listening.heard
    assert heard[0] == "大家电保修几年"
    assert "运费多少" in heard
    assert heard[-1] == "M5 扫地机器人"
    assert shop.recommend(None, "earphones", visitor=None, top_k=2)
    assert listening.heard[-1] == ["earphones"]


def test_nothing_is_recommended_when_a_person_was_called_or_after_a_trouble(shop: Manager) -> None:
    called = talk(shop, "运费多少")
    shop.desk.call(called, CallReason.ASKED, language=Language.ZH)
    assert shop.recommend(called, "", visitor=ANNA, top_k=3) == ()
    troubled = talk(shop, "转人工")
    assert list(shop.recommend(troubled, "earphones", visitor=ANNA, top_k=3)) == []


def test_another_visitors_conversation_tells_nothing(shop: Manager) -> None:
    conversation = talk(shop, "运费多少")
    with pytest.raises(ConversationUnknown):
        shop.recommend(conversation, "", visitor=BOB, top_k=3)
    with pytest.raises(InputRefused):
        shop.recommend(None, "长" * 2001, visitor=None, top_k=3)


def test_a_shop_without_a_catalog_recommends_nothing(tmp_path: Path) -> None:
    assert list(build_shop(tmp_path).recommend(None, "earphones", visitor=None, top_k=3)) == []
