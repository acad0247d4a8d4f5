"""A log asked again of today's knowledge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.conversation import ConversationId, Route, TurnId
from bot.manager import Manager
from bot.memory.store import Store
from bot.upkeep.backtest import replay as replaying
from bot.upkeep.backtest.asking import How, considered
from bot.upkeep.backtest.outcomes import Kind
from bot.upkeep.backtest.questions import PastQuestions
from bot.upkeep.backtest.replay import replay
from tests.fakes import ScriptedGenerator
from tests.small_shop import ANNA, build_shop, say

Log = Callable[..., PastQuestions]


def vote(shop: Manager, conversation: ConversationId, turn: TurnId, value: int) -> None:
    shop.rate(conversation, turn, value, "", visitor=ANNA)


def test_nothing_changes_while_nothing_has_changed_and_nothing_is_stored(
    shop: Manager, log: Log, how: How, tmp_path: Path
) -> None:
    say(shop, "运费多少", "how much is postage", "運費多少")
    say(shop, "整机保修几年", "那金卡会员呢？")
    say(shop, "where is my order", "KF20261103-0042")
    say(shop, "what's the weather", "write a poem", "春节期间发货安排")
    before = (tmp_path / "kefu.db").read_bytes()
    found = replay(log(), shop.knowledge, how)
    assert [(change.question, change.kinds) for change in found.changes] == []
    assert (found.asked, found.same) == (10, 10)
    assert (tmp_path / "kefu.db").read_bytes() == before
    assert len(log().questions) == 10


def test_an_edited_template_shows_as_another_wording_with_the_ratings_of_those_turns(
    shop: Manager, log: Log, how: How, tmp_path: Path, knowledge_base: Path, edit_yaml
) -> None:
    zh, en, _ = (
        say(shop, "运费多少")[0],
        say(shop, "how much is postage")[0],
        say(shop, "大家电保修几年")[0],
    )
    vote(shop, zh.conversation_id, zh.turn_id, 1)
    vote(shop, en.conversation_id, en.turn_id, -1)
    edit_yaml(
        knowledge_base / "intents" / "postage.yaml",
        answer={"zh": "满 129 元包邮。", "en": "Postage is free from 129 yuan."},
    )
    found = replay(log(), build_shop(tmp_path).knowledge, how)
    good, bad = found.changes
    assert (good.question, good.kinds, good.rating) == ("运费多少", (Kind.WORDING,), 1)
    assert (good.before.answer, good.after.answer) == ("满 99 元包邮。", "满 129 元包邮。")
    assert (bad.question, bad.rating) == ("how much is postage", -1)
    assert good.rates_before
    total = found.tally()
    assert (found.same, total.changed, total.up, total.down, total.unrated) == (1, 2, 1, 1, 0)
    assert found.tally(Kind.WORDING) == total
    assert found.tally(Kind.ROUTE).changed == 0


def test_a_new_article_shows_as_another_route_and_weighs_more_than_wording(
    shop: Manager, log: Log, how: How, tmp_path: Path, knowledge_base: Path, edit_yaml
) -> None:
    say(shop, "运费多少")
    say(shop, "咖啡机 descaling 怎么做")
    text = "---\nid: descaling\ntitle: 咖啡机 descaling\nlanguage: zh\n---\n咖啡机 descaling 用柠檬酸。\n"
    (knowledge_base / "articles/zh/descaling.md").write_text(text, "utf-8")
    edit_yaml(knowledge_base / "intents/postage.yaml", answer={"zh": "全场包邮。", "en": "Free postage."})
    route, wording = replay(log(), build_shop(tmp_path).knowledge, how).changes
    assert (route.kind, wording.kind) == (Kind.ROUTE, Kind.WORDING)
    assert route.before.route in (Route.CLARIFY, Route.NO_ANSWER)
    assert route.after.route is Route.GROUNDED
    assert (route.before.articles, route.after.articles) == ((), ("descaling",))


@pytest.mark.parametrize(
    ("asked", "given"),
    [("call me back", "my number is 13812345678"), ("请给我回电", "我的手机是13812345678请联系")],
)
def test_a_fact_that_the_log_holds_masked_counts_as_given(
    shop: Manager, log: Log, how: How, asked: str, given: str
) -> None:
    say(shop, asked, given)
    say(shop, f"{asked} 13812345678")
    questions = log()
    assert not any("138" in question.turn.customer_text for question in questions.questions)
    assert [question.turn.missing_slot for question in questions.questions] == ["phone", None, None]
    assert "<PHONE>" in questions.questions[1].turn.answer
    assert replay(questions, shop.knowledge, how).changes == ()


def test_a_burst_is_read_as_one_question_again(shop: Manager, log: Log, how: How, tmp_path: Path) -> None:
    (reply,) = say(shop, "保修几年")
    (turn,) = shop.history(reply.conversation_id, visitor=ANNA)
    taken = replace(
        turn,
        id=TurnId("taken"),
        customer_text="我想问大家电的",
        route=Route.MERGED,
        answer="",
        passages=(),
        sources=(),
        asked_at=turn.asked_at - timedelta(seconds=1),
    )
    with Store(tmp_path / "kefu.db") as store:
        store.append_turn(taken)
    (question,) = log().questions
    assert considered(question, shop.knowledge, how).understanding.question == "我想问大家电的 保修几年"
    assert replay(log(), shop.knowledge, how).fragments == 1


def test_a_follow_up_is_read_with_what_was_asked_then_however_long_ago(
    shop: Manager, log: Log, how: How
) -> None:
    say(shop, "整机保修几年", "那金卡会员呢？")
    later = replace(how, day=how.day.replace(year=how.day.year + 1))
    question = log().questions[1]
    assert considered(question, shop.knowledge, later).understanding.question == "整机保修几年 那金卡会员呢？"


def test_an_article_that_is_over_today_is_not_quoted_however_valid_it_was(
    shop: Manager, log: Log, how: How
) -> None:
    shop._today = lambda: how.day.replace(month=2)
    say(shop, "春节期间发货安排")
    (change,) = replay(log(), shop.knowledge, how).changes
    assert (change.before.route, change.before.articles) == (Route.GROUNDED, ("spring",))
    assert (change.after.route, change.after.answer) == (Route.NO_ANSWER, "（expired）")


def test_an_answer_that_the_customer_left_is_no_change(tmp_path: Path, log: Log, how: How) -> None:
    shop = build_shop(tmp_path, ScriptedGenerator(*["整机保修 1 年。大家电保修 3 年。"] * 2))
    conversation = shop.open_conversation(ANNA, channel="test")
    stream = shop.answer(conversation, "整机和大家电保修几年", visitor=ANNA)
    next(iter(stream))
    stream.close()  # type: ignore[attr-defined]
    (question,) = log().questions
    assert question.turn.flags == ("abandoned",)
    assert replay(log(), shop.knowledge, how).changes == ()


def test_a_quick_replay_writes_nothing_and_still_sees_what_is_decided(
    tmp_path: Path, log: Log, how: How, knowledge_base: Path, edit_yaml
) -> None:
    model = ScriptedGenerator("大家电保修 3 年。", "[0]")
    shop = build_shop(tmp_path, model)
    say(shop, "大家电保修几年")
    say(shop, "how long is the warranty of a large appliance")
    say(shop, "运费多少")
    assert [question.turn.generation for question in log().questions] == ["draft", "declined", None]
    quick = replace(how, quick=True)
    assert replay(log(), shop.knowledge, quick).changes == ()
    assert len(model.prompts) == 2
    edit_yaml(knowledge_base / "intents/postage.yaml", answer={"zh": "全场包邮。", "en": "Free postage."})
    article = knowledge_base / "articles/zh/warranty.md"
    article.write_text(article.read_text("utf-8").replace("大家电保修 3 年", "大家电保修 5 年"), "utf-8")
    read, worded = replay(log(), build_shop(tmp_path, model).knowledge, quick).changes
    assert (read.question, read.kinds, read.after.answer) == ("大家电保修几年", (Kind.WORDING,), None)
    assert (worded.question, worded.after.answer) == ("运费多少", "全场包邮。")
    assert len(model.prompts) == 2


def test_a_question_that_breaks_costs_no_other(shop: Manager, log: Log, how: How, monkeypatch) -> None:
    say(shop, "运费多少", "write a poem")

    def fragile(question, *rest):  # type: ignore[no-untyped-def]
        if question.turn.customer_text == "运费多少":
            raise RuntimeError("on fire")
        return considered(question, *rest)

    monkeypatch.setattr(replaying, "considered", fragile)
    with capture_logs() as logs:
        found = replay(log(), shop.knowledge, how)
    assert (found.asked, found.broke, found.changes) == (1, 1, ())
    assert [line["event"] for line in logs] == ["question_not_asked_again"]
    assert "运费" not in repr(logs)


def test_progress_is_reported_for_each_question(shop: Manager, log: Log, how: How) -> None:
    say(shop, "运费多少", "write a poem")
    steps: list[tuple[str, int, int]] = []
    replay(log(), shop.knowledge, how, lambda *step: steps.append(step))
    assert steps == [("ask again", 0, 2), ("ask again", 1, 2), ("ask again", 2, 2)]
