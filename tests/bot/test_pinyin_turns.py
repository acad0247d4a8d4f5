"""A customer who types pinyin is understood, and answered in Chinese."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.conversation import Language, Route
from bot.factory import Kefu
from tests.console_shop import open_kefu
from tests.small_shop import say


@pytest.fixture(scope="module")
def kefu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kefu]:
    with open_kefu(tmp_path_factory.mktemp("shop")) as kefu:
        yield kefu


@pytest.mark.parametrize("typed", ["yun fei duo shao", "yunfeiduoshao", "Yunfei duoshao"])
def test_an_intent_is_told_from_pinyin_and_answered_in_chinese(kefu: Kefu, typed: str) -> None:
    (reply,) = say(kefu.manager, typed)
    assert (reply.route, reply.text, reply.language) == (Route.TEMPLATE, "满 99 元包邮。", Language.ZH)


def test_an_article_answers_a_question_in_pinyin(kefu: Kefu) -> None:
    (reply,) = say(kefu.manager, "da jiadian baoxiu ji nian")
    assert reply.route is Route.GROUNDED
    assert "大家电保修 3 年" in reply.text


def test_the_log_keeps_what_was_typed_beside_what_was_understood(kefu: Kefu) -> None:
    (reply,) = say(kefu.manager, "yun fei duo shao")
    [turn] = kefu.store.turns(reply.conversation_id)
    assert (turn.customer_text, turn.question) == ("yun fei duo shao", "运费多少")


def test_a_wrong_character_does_not_change_the_script_of_the_answer(kefu: Kefu) -> None:
    (right,) = say(kefu.manager, "這個大家電保修幾年")
    (wrong,) = say(kefu.manager, "這個大家電包修幾年")  # 包 sounds like 保
    assert right.language is Language.ZH_HANT
    assert (wrong.language, wrong.text) == (right.language, right.text)


@pytest.mark.parametrize(
    "typed", ["how much is postage", "where can I hang an order", "no women men allowed"]
)
def test_english_stays_english(kefu: Kefu, typed: str) -> None:
    (reply,) = say(kefu.manager, typed)
    assert reply.language is Language.EN
