"""What an edit would change, before it is saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation import Route, VisitorId
from bot.factory import build_kefu
from bot.knowledge import Knowledge
from bot.manager import Manager
from bot.safety.redact import redact
from bot.settings import load_settings
from bot.upkeep.backtest.asking import How
from bot.upkeep.backtest.diff import diff
from bot.upkeep.backtest.edits import Edit, Touched, touched
from bot.upkeep.backtest.outcomes import Kind
from bot.upkeep.backtest.questions import PastQuestions, read_questions
from bot.upkeep.backtest.replay import replay
from bot.upkeep.backtest.scratch import Models, edited_knowledge, present_knowledge
from tests.fakes import ScriptedGenerator
from tests.small_shop import ANNA, TODAY, build_shop, say

Log = Callable[..., PastQuestions]


@pytest.fixture
def edited(tmp_path: Path, knowledge_base: Path) -> Path:
    """A folder with a copy of the shop's content, to be edited."""
    shutil.copytree(knowledge_base, tmp_path / "edited" / "knowledge_base")
    return tmp_path / "edited"


def edited_shop(folder: Path, generator: ScriptedGenerator | None = None) -> Knowledge:
    return build_shop(folder, generator).knowledge


def touches(*articles: str, intents: tuple[str, ...] = (), messages: bool = False) -> Touched:
    return Touched(articles, intents, out_of_scope=False, messages=messages)


def test_an_edited_template_says_which_questions_it_would_change_and_how_they_were_rated(
    shop: Manager, log: Log, how: How, edited: Path, edit_yaml
) -> None:
    replies = [say(shop, text)[0] for text in ("运费多少", "how much is postage", "整机保修几年", "包邮吗")]
    for reply, value in zip(replies, (1, -1, 1), strict=False):
        shop.rate(reply.conversation_id, reply.turn_id, value, "", visitor=ANNA)
    edit_yaml(
        edited / "knowledge_base/intents/postage.yaml",
        answer={"zh": "满 129 元包邮。", "en": "Postage is free from 129 yuan."},
    )
    found = diff(log(), shop.knowledge, edited_shop(edited), touches(intents=("postage",)), how, limit=500)
    assert [change.question for change in found.changes] == ["运费多少", "how much is postage", "包邮吗"]
    assert {change.kinds for change in found.changes} == {(Kind.WORDING,)}
    total = found.tally()
    assert (found.asked, found.same, total.up, total.down, total.unrated) == (4, 1, 1, 1, 1)
    assert found.changes[0].after.answer == "满 129 元包邮。"
    assert found.sides == ("now", "edited")


def test_both_sides_are_of_now_so_that_only_the_edit_shows(
    shop: Manager, log: Log, how: How, tmp_path: Path, knowledge_base: Path, edited: Path, edit_yaml
) -> None:
    (reply,), _ = say(shop, "运费多少"), say(shop, "包裹破损了")
    shop.rate(reply.conversation_id, reply.turn_id, 1, "", visitor=ANNA)
    for folder, answer in (
        (knowledge_base, {"zh": "满 109 元包邮。", "en": "Postage is free from 109 yuan."}),
        (edited / "knowledge_base", {"zh": "满 129 元包邮。", "en": "Postage is free from 129 yuan."}),
    ):
        edit_yaml(folder / "intents/postage.yaml", answer=answer)
        edit_yaml(folder / "intents/damaged.yaml", answer={"zh": "请拍照。", "en": "Take photos."})
    present = build_shop(tmp_path).knowledge
    (change,) = diff(log(), present, edited_shop(edited), touches(intents=("postage",)), how, limit=9).changes
    assert (change.before.answer, change.after.answer) == ("满 109 元包邮。", "满 129 元包邮。")
    assert change.rating == 1
    assert not change.rates_before  # the customer rated what cost 99


def test_an_edited_article_changes_the_answers_that_quote_it_and_no_other(
    shop: Manager, log: Log, how: How, edited: Path
) -> None:
    say(shop, "整机保修几年", "那金卡会员呢？")
    say(shop, "voltage 110 volts")
    article = edited / "knowledge_base/articles/zh/warranty.md"
    article.write_text(article.read_text("utf-8").replace("6 个月", "9 个月"), "utf-8")
    found = diff(log(), shop.knowledge, edited_shop(edited), touches("warranty"), how, limit=9)
    changed = {change.question: change for change in found.changes}
    assert "voltage 110 volts" not in changed
    follow_up = changed["那金卡会员呢？"]
    assert follow_up.read_as == "整机保修几年 那金卡会员呢？"
    assert follow_up.kinds == (Kind.WORDING,)
    assert "6 个月" in str(follow_up.before.answer)
    assert "9 个月" in str(follow_up.after.answer)


def test_a_deleted_article_is_missed(shop: Manager, log: Log, how: How, edited: Path) -> None:
    say(shop, "voltage 110 volts")
    (edited / "knowledge_base/articles/en/voltage.md").unlink()
    (change,) = diff(log(), shop.knowledge, edited_shop(edited), touches("voltage"), how, limit=9).changes
    assert change.kind is Kind.ROUTE
    assert change.before.articles == ("voltage",)
    assert "voltage" not in change.after.articles


def test_other_wording_around_answers_is_seen_in_every_route(
    shop: Manager, log: Log, how: How, edited: Path
) -> None:
    say(shop, "write a poem")
    say(shop, "voltage 110 volts 可以用吗")
    messages = edited / "knowledge_base/messages.yaml"
    text = messages.read_text("utf-8").replace("（only_other_language）", "只有英文说明。")
    messages.write_text(text.replace("no_answer_off_topic.", "Sorry."), "utf-8")
    found = diff(log(), shop.knowledge, edited_shop(edited), touches(messages=True), how, limit=9)
    assert len(found.changes) == 2


def test_a_turn_that_failed_then_is_a_question_like_any_other(
    shop: Manager, log: Log, how: How, edited: Path, edit_yaml, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("bot.manager.reply_of", lambda *_: 1 / 0)
        patch.setattr("bot.knowledge.decide", lambda *_, **__: 1 / 0)
        patch.setattr("bot.manager.log", type("Quiet", (), {"exception": lambda *_, **__: None}))
        with pytest.raises(ZeroDivisionError):
            say(shop, "运费多少")
    edit_yaml(edited / "knowledge_base/intents/postage.yaml", answer={"zh": "全包。", "en": "All free."})
    questions = log(failures=True)
    assert questions.questions[0].turn.reason.startswith("error")
    (change,) = diff(
        questions, shop.knowledge, edited_shop(edited), touches(intents=("postage",)), how, limit=9
    ).changes
    assert change.before.answer == "满 99 元包邮。"


def test_what_is_decided_the_same_on_the_same_passages_is_not_written(
    tmp_path: Path, knowledge_base: Path, log: Log, how: How, edited: Path, edit_yaml
) -> None:
    model = ScriptedGenerator("大家电保修 3 年。")
    assert knowledge_base.exists()
    shop = build_shop(tmp_path, model)
    say(shop, "大家电保修几年")
    edit_yaml(edited / "knowledge_base/intents/postage.yaml", answer={"zh": "全包。", "en": "All free."})
    found = diff(
        log(), shop.knowledge, edited_shop(edited, model), touches(intents=("postage",)), how, limit=9
    )
    assert (found.asked, found.changes) == (1, ())
    assert len(model.prompts) == 1


def test_a_quick_comparison_sees_that_an_articles_text_is_another_and_writes_nothing(
    tmp_path: Path, knowledge_base: Path, log: Log, how: How, edited: Path
) -> None:
    model = ScriptedGenerator("大家电保修 3 年。")
    assert knowledge_base.exists()
    shop = build_shop(tmp_path, model)
    say(shop, "大家电保修几年")
    say(shop, "运费多少")
    article = edited / "knowledge_base/articles/zh/warranty.md"
    article.write_text(article.read_text("utf-8").replace("大家电保修 3 年", "大家电保修 5 年"), "utf-8")
    found = diff(
        log(),
        shop.knowledge,
        edited_shop(edited, model),
        touches("warranty"),
        replace(how, quick=True),
        limit=9,
    )
    assert [(change.question, change.kinds) for change in found.changes] == [
        ("大家电保修几年", (Kind.WORDING,))
    ]
    assert found.quick
    assert len(model.prompts) == 1


class TestLimit:
    @pytest.fixture
    def asked(self, shop: Manager, edited: Path, edit_yaml) -> Knowledge:
        for text in ("箱子压坏", "write a poem", "包邮吗", "查一下订单", "邮费要不要钱", "整机保修几年"):
            say(shop, text)
        edit_yaml(edited / "knowledge_base/intents/postage.yaml", answer={"zh": "全包。", "en": "All free."})
        return edited_shop(edited)

    def test_what_was_answered_from_what_is_touched_comes_first(
        self, shop: Manager, log: Log, how: How, asked: Knowledge
    ) -> None:
        found = diff(log(), shop.knowledge, asked, touches(intents=("postage",)), how, limit=1)
        assert [change.question for change in found.changes] == ["包邮吗"]
        assert (found.asked, found.not_asked) == (1, 5)

    def test_then_comes_what_is_nearest_to_its_texts(
        self, shop: Manager, log: Log, how: How, asked: Knowledge, monkeypatch
    ) -> None:
        seen: list[str] = []
        consider = Knowledge.consider

        def listening(self: Knowledge, message: str, *rest, **more):  # type: ignore[no-untyped-def]
            seen.append(message)
            return consider(self, message, *rest, **more)

        monkeypatch.setattr(Knowledge, "consider", listening)
        diff(log(), shop.knowledge, asked, touches(intents=("postage",)), how, limit=2)
        assert list(dict.fromkeys(seen)) == ["包邮吗", "邮费要不要钱"]

    def test_an_article_that_is_cited_counts_as_used(
        self, shop: Manager, log: Log, how: How, asked: Knowledge
    ) -> None:
        steps: list[str] = []
        found = diff(
            log(),
            shop.knowledge,
            asked,
            touches("warranty"),
            how,
            limit=1,
            progress=lambda stage, *_: steps.append(stage),
        )
        assert (found.asked, found.changes) == (1, ())
        assert list(dict.fromkeys(steps)) == ["choose", "ask again"]

    def test_if_only_messages_are_touched_the_last_questions_are_asked(
        self, shop: Manager, log: Log, how: How, asked: Knowledge, edited: Path
    ) -> None:
        messages = edited / "knowledge_base/messages.yaml"
        messages.write_text(messages.read_text("utf-8").replace("off_topic", "nothing"), "utf-8")
        found = diff(log(), shop.knowledge, asked, touches(messages=True), how, limit=1)
        assert (found.asked, found.changes) == (1, ())  # the last one is answered from an article


@contextmanager
def both(folder: Path) -> Iterator[tuple[Knowledge, Knowledge, Touched]]:
    """The demonstration shop on the real models: as it is, and with one template edited."""
    settings = load_settings()
    shutil.copytree(settings.knowledge_base, folder)
    template = folder / "intents/delivery-fee.yaml"
    template.write_text(template.read_text("utf-8").replace("99", "129"), "utf-8")
    models = Models.load(settings, lambda *_: None)
    try:
        with (
            edited_knowledge(settings, folder, models, lambda *_: None) as edited,
            present_knowledge(settings, models) as present,
        ):
            yield present, edited, touched(settings.knowledge_base, Edit(folder))
    finally:
        models.close()


@pytest.mark.models
@pytest.mark.timeout(1800)
def test_on_the_real_models_a_replay_is_the_same_and_an_edit_changes_what_it_touches(tmp_path: Path) -> None:
    kefu = build_kefu(load_settings(), lambda *_: None, log_path=tmp_path / "kefu.db")
    visitor = VisitorId("a customer")
    for talk in (["电热水壶有水垢怎么清理", "那用白醋可以吗？"], ["how much is delivery"], ["运费怎么算"]):
        conversation = kefu.manager.open_conversation(visitor, channel="test")
        for message in talk:
            list(kefu.manager.answer(conversation, message, visitor=visitor))
    kefu.close()
    questions = read_questions(tmp_path / "kefu.db")
    how = How(day=TODAY, top_k=load_settings().retrieval.top_k, redact=redact)
    with both(tmp_path / "edited") as (present, edited, changed):
        assert changed == touches(intents=("delivery-fee",))
        quick = replace(how, quick=True)
        assert replay(questions, present, quick).changes == ()
        found = diff(questions, present, edited, changed, how, limit=500)
    assert [change.question for change in found.changes] == ["how much is delivery", "运费怎么算"]
    assert {change.after.route for change in found.changes} == {Route.TEMPLATE}
    assert all("129" in str(change.after.answer) for change in found.changes)
