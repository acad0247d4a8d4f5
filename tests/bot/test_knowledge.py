"""The way from a message to its answer, without the log and the clock."""

from __future__ import annotations

from collections.abc import Generator as Stream
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.answering.answerer import Said
from bot.conversation import ConversationId, Language, Route, Turn
from bot.knowledge import Knowledge
from bot.stopwatch import Stopwatch
from bot.turns import Asked
from tests.fakes import ScriptedGenerator
from tests.small_shop import ANNA, EXPIRED, TODAY, build_shop, say, write_knowledge_base

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    return build_shop(tmp_path).knowledge


def consider(knowledge: Knowledge, message: str, past: list[Turn] | None = None) -> Asked:
    return knowledge.consider(
        message,
        past if past is not None else [],
        conversation=ConversationId("c"),
        at=NOON,
        day=TODAY,
        top_k=5,
        watch=Stopwatch(),
    )


def answered(parts: Stream[str, None, tuple[Asked, Said]]) -> tuple[str, Asked, Said]:
    shown = ""
    while True:
        try:
            shown += next(parts)
        except StopIteration as finished:
            return shown, *finished.value


@pytest.mark.parametrize("message", ["运费多少", "how long is the warranty", "大家电 warranty 几年"])
def test_the_same_values_give_the_same_answer_as_a_customer_gets(message: str, tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    (reply,) = say(shop, message)
    asked = consider(shop.knowledge, message)
    assert asked == consider(shop.knowledge, message)
    shown, half, said = answered(shop.knowledge.answer(asked))
    assert half == asked
    assert shown == said.text == reply.text
    assert (asked.decision.route, said.sources) == (reply.route, reply.sources)


def test_what_was_said_before_counts_as_it_is_handed_in(tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    (first,) = say(shop, "整机保修几年")
    (turn,) = shop.history(first.conversation_id, visitor=ANNA)
    follow_up = shop.knowledge.consider(
        "那金卡会员呢？",
        [turn],
        conversation=first.conversation_id,
        at=turn.asked_at,
        day=TODAY,
        top_k=5,
        watch=Stopwatch(),
    )
    assert follow_up.understanding.question == "整机保修几年 那金卡会员呢？"
    assert consider(shop.knowledge, "那金卡会员呢？").understanding.question == "那金卡会员呢？"


def test_an_article_is_found_on_the_days_on_which_it_is_valid(knowledge: Knowledge) -> None:
    found = knowledge.find("春节期间发货安排", Language.ZH, top_k=5, day=TODAY.replace(month=2))
    assert found[0].passage.article_id == "spring"
    later = knowledge.find("春节期间发货安排", Language.ZH, top_k=5, day=TODAY)
    assert "spring" not in {hit.passage.article_id for hit in later}


def test_a_model_that_declines_changes_the_half_that_was_decided_before(tmp_path: Path) -> None:
    knowledge = build_shop(tmp_path, ScriptedGenerator("[0]")).knowledge
    asked = consider(knowledge, "how long is the warranty of a large appliance")
    assert asked.decision.route is Route.GROUNDED
    _, other, said = answered(knowledge.answer(asked))
    assert other.decision.route in (Route.NO_ANSWER, Route.CLARIFY)
    assert other.hits == asked.hits
    assert said.generation == "declined"


def test_an_approved_answer_whose_articles_are_over_is_not_given(tmp_path: Path) -> None:
    write_knowledge_base(tmp_path / "knowledge_base")
    path = tmp_path / "knowledge_base" / "intents" / "postage.yaml"
    path.write_text(f"{path.read_text('utf-8')}articles: [{EXPIRED}]\n", "utf-8")
    manager = build_shop(tmp_path)
    (reply,) = say(manager, "运费多少")
    assert reply.route is Route.NO_ANSWER
    assert reply.text == "（expired）"
    assert "postage" not in manager.knowledge.serving(TODAY)
    assert "postage" in manager.knowledge.serving(date(2026, 2, 1))
    assert "talk-to-person" in manager.knowledge.serving(TODAY)
