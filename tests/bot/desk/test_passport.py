"""The passport: what is wanted, known, said, promised and tried, in Chinese, English and both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.content import load_content
from bot.conversation import ConversationId, Language
from bot.desk.candidates import candidate_of, keep_candidate, kept_candidates, said_already
from bot.desk.desk import utc_now
from bot.desk.passport import Passport, is_promise, make_passport, plain
from bot.desk.timeline import WholeTalk, read_talk, timeline
from bot.errors import CallRefused
from bot.knowledge import Knowledge
from bot.manager import Manager
from bot.memory.staff import Staff
from bot.upkeep.gaps.review import GapReview
from tests.desk_staff import LI, employ
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, TODAY, build_shop, reply_to


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Manager]:
    manager = build_shop(tmp_path)
    employ(manager.desk, LI)
    yield manager
    manager.desk.close()
    manager.store.close()


def say(shop: Manager, talk: ConversationId, *messages: str) -> None:
    for message in messages:
        reply_to(shop.answer(talk, message, visitor=ANNA))


def opened(shop: Manager, *messages: str) -> ConversationId:
    talk = shop.open_conversation(ANNA, channel="widget")
    say(shop, talk, *messages)
    return talk


def whole(shop: Manager, talk: ConversationId) -> WholeTalk:
    with shop.desk.log.reading() as log:
        found = read_talk(log, talk)
    assert found is not None
    return found


def passport(shop: Manager, talk: ConversationId) -> Passport:
    return make_passport(whole(shop, talk), calls_for_person=tuple(shop.person_intents()))


def reply(shop: Manager, talk: ConversationId, text: str, person: Staff = LI) -> int:
    return shop.desk.reply(talk, person, text).number


def test_what_is_wanted_is_what_was_asked_and_not_the_call_for_a_person(shop: Manager) -> None:
    talk = opened(shop, "运费多少", "parcel damaged", "转人工")
    assert [(want.words, want.intent) for want in passport(shop, talk).wants] == [
        ("parcel damaged", "damaged"),
        ("运费多少", "postage"),
    ]


def test_facts_are_asked_for_once(shop: Manager) -> None:
    talk = opened(shop, "我的订单到哪了", "KF20261101-0042", "转人工")
    say(shop, talk, "我的电话 13812345678，单号 SF1234567 my mail is anna@mail.example")
    facts = {fact.kind: fact.value for fact in passport(shop, talk).facts}
    assert facts["order_number"] == "KF20261101-0042"
    assert facts["phone"] == "13812345678"
    assert facts["email"] == "anna@mail.example"
    assert facts["code"] == "SF1234567"


def test_what_was_masked_stays_masked_once_the_call_has_ended(shop: Manager) -> None:
    talk = opened(shop, "转人工")
    shop.desk.take(talk, LI)
    say(shop, talk, "我的电话 13812345678")
    assert any(fact.value == "13812345678" for fact in passport(shop, talk).facts)
    shop.desk.give_back(talk, LI)
    assert not any("13812345678" in fact.value for fact in passport(shop, talk).facts)
    assert all("13812345678" not in entry.text for entry in timeline(whole(shop, talk)))


def test_what_kefu_said_comes_with_its_source(shop: Manager) -> None:
    talk = opened(shop, "运费多少", "保修期限多久")
    last, first = passport(shop, talk).statements
    assert (first.text, first.intent) == ("满 99 元包邮。", "postage")
    assert [source.article_id for source in last.sources] == ["warranty"]
    assert "[1]" not in last.text


def test_promises_of_people_are_kept_in_sight(shop: Manager) -> None:
    talk = opened(shop, "转人工")
    shop.desk.take(talk, LI)
    reply(shop, talk, "您好，我是小李。我会在今天 17:00 前给您回电。We'll refund 199 yuan.")
    found = passport(shop, talk).promises
    assert {promise.text for promise in found} == {
        "我会在今天 17:00 前给您回电。",
        "We'll refund 199 yuan.",
    }
    assert {promise.by for promise in found} == {"小李"}


@pytest.mark.parametrize(
    "sentence",
    [
        "快递公司会在 24 小时内回复。",
        "金卡会员另加 6 个月，今天 17:00 前给您回电确认。",
        "我明天上午10点给你打电话",
        "24 小时内处理",
        "预计 3–5 天到账",
        "We'll call you by 17:00.",
        "I will refund 199 yuan.",
        "The refund arrives in 3–5 working days.",
        "I'll call you tomorrow 请放心",
    ],
)
def test_a_sentence_that_binds_with_a_time_or_amount_is_a_promise(sentence: str) -> None:
    assert is_promise(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "您好，我是小李。",
        "保修期 1 年。",
        "会员价 99 元。",
        "机会只有 1 次",
        "7 天内可以退货",
        "我帮您看一下",
        "我们会为您补发或退款。",
        "订单 KF20261101-0042 我会看一下",
        "Opened earphones can be returned within 7 days if they are faulty.",
        "Please send photos within 48 hours.",
        "I will look into it.",
    ],
)
def test_what_is_no_promise_or_names_no_time_or_amount_is_left_out(sentence: str) -> None:
    assert not is_promise(sentence)


def test_what_failed_is_told(shop: Manager) -> None:
    talk = opened(shop, "写一首诗", "运费多少")
    turn = whole(shop, talk).turns[-1]
    shop.rate(talk, turn.id, -1, "", visitor=ANNA)
    attempts = passport(shop, talk).attempts
    assert [(each.words, each.voted_down) for each in attempts] == [("运费多少", True), ("写一首诗", False)]


def test_the_customers_words_stand_in_the_timeline_once(shop: Manager) -> None:
    talk = opened(shop, "运费多少", "转人工")
    shop.desk.take(talk, LI)
    say(shop, talk, "在吗")
    reply(shop, talk, "在的")
    shop.desk.give_back(talk, LI)
    texts = [entry.text for entry in timeline(whole(shop, talk))]
    assert texts == ["运费多少", "转人工", "", "在吗", "在的", ""]


def test_markdown_becomes_plain_words() -> None:
    assert plain("超过 **72 小时**：[1]\n\n1. 点击[催件](/a)。[1]\n- then `wait`") == (
        "超过 72 小时：\n点击催件。\nthen wait"
    )


@pytest.mark.parametrize(
    ("question", "approved", "article"),
    [
        ("保修期限多久？包邮吗", "满 99 元包邮。", "整机保修 1 年"),
        ("free postage? and the warranty", "Postage is free", "warranty is 1 year"),
    ],
)
def test_two_replies_are_suggested_in_the_customers_language(
    shop: Manager, question: str, approved: str, article: str
) -> None:
    talk = opened(shop, question, "转人工")
    first, second = shop.suggestions(talk)
    assert approved in first.text
    assert first.intent == "postage"
    assert article in second.text
    assert next(source.article_id for source in second.sources) == "warranty"


def test_a_suggestion_asks_for_what_is_missing(shop: Manager) -> None:
    assert shop.suggestions(opened(shop, "我的订单到哪了"))[0].text == "请发订单号。"


def test_a_call_for_a_person_alone_suggests_nothing(shop: Manager) -> None:
    assert shop.suggestions(opened(shop, "转人工")) == []


@pytest.mark.parametrize("question", ["写一首诗", "write a poem"])
def test_what_is_not_our_business_suggests_nothing(shop: Manager, question: str) -> None:
    assert shop.suggestions(opened(shop, question, "转人工")) == []


def test_an_article_that_hardly_answers_is_not_suggested_and_one_that_answers_is_named_once(
    shop: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = opened(shop, "空调保修，冰箱保修", "转人工")
    hit, *_ = shop.knowledge.find("空调保修，冰箱保修", Language.ZH, top_k=5, day=TODAY)
    texts = ("空调保修 1 年。", "冰箱保修 3 月。")
    found = [replace(hit, passage=replace(hit.passage, id=f"warranty#{text}", text=text)) for text in texts]
    monkeypatch.setattr(Knowledge, "find", lambda *_, **__: found)
    *_, reply = shop.suggestions(talk)
    assert all(text in reply.text for text in texts)
    assert [source.url for source in reply.sources] == ["/articles/zh/warranty"]
    found[:] = [replace(each, score=0.1) for each in found]
    assert all(reply.intent is not None for reply in shop.suggestions(talk))


def test_an_answer_becomes_a_gap_with_a_draft_of_it(shop: Manager, tmp_path: Path) -> None:
    talk = opened(shop, "你们支持刷脸支付吗", "转人工")
    shop.desk.take(talk, LI)
    number = reply(shop, talk, "支持的，付款时选择刷脸即可，我的电话 13812345678。")
    found = candidate_of(whole(shop, talk), number, shop.person_intents())
    answer = shop.desk.mask(found.event.text)
    with shop.desk.log.writing() as log:
        gap = keep_candidate(log, found, answer, at=utc_now())
    with shop.desk.log.writing() as log:
        assert keep_candidate(log, found, answer, at=utc_now()).id == gap.id  # twice is once
    talk_now = whole(shop, talk)
    with shop.desk.log.reading() as log:
        assert kept_candidates(log, talk_now, shop.desk.mask) == {number: gap.id}
    review = GapReview(
        shop.knowledge, WordEncoder(), shop.store, tmp_path / "knowledge_base", shop._redact, TODAY
    )
    report = review.report(since=None, limit=10)
    assert [each.stored.title for each in report.gaps if each.id == gap.id] == ["你们支持刷脸支付吗"]
    assert "付款时选择刷脸即可" in review.look(gap.id).drafts[0].text
    assert "13812345678" not in review.look(gap.id).drafts[0].text


def test_a_question_that_a_person_has_can_be_a_candidate_too(shop: Manager, tmp_path: Path) -> None:
    talk = opened(shop, "转人工")
    shop.desk.take(talk, LI)
    say(shop, talk, "你们支持刷脸支付吗")
    number = reply(shop, talk, "支持的，付款时选择刷脸即可。")
    found = candidate_of(whole(shop, talk), number, shop.person_intents())
    with shop.desk.log.writing() as log:
        gap = keep_candidate(log, found, found.event.text, at=utc_now())
    review = GapReview(
        shop.knowledge, WordEncoder(), shop.store, tmp_path / "knowledge_base", shop._redact, TODAY
    )
    assert gap.id in [each.id for each in review.report(since=None, limit=10).gaps]


def test_an_answer_to_nothing_is_no_candidate(shop: Manager) -> None:
    talk = opened(shop, "转人工")
    shop.desk.take(talk, LI)
    number = reply(shop, talk, "您好")
    with pytest.raises(CallRefused, match="asked for a person only"):
        candidate_of(whole(shop, talk), number, shop.person_intents())
    with pytest.raises(CallRefused, match="No person said"):
        candidate_of(whole(shop, talk), number + 1, shop.person_intents())


def test_a_template_that_says_so_already_is_found(shop: Manager) -> None:
    assert shop.template_like("亲，满 99 元就包邮哦", Language.ZH) == "postage"
    assert shop.template_like("Postage is free if you order from 99 yuan", Language.EN) == "postage"
    assert shop.template_like("满 199 元包邮", Language.ZH) is None  # another number is another answer
    assert said_already("", {"postage": "满 99 元包邮。"}) is None


def test_only_what_the_button_leads_to_asks_for_nothing_but_a_person(shop: Manager) -> None:
    knowledge: Knowledge = shop.knowledge
    assert knowledge.person_intents() == {"talk-to-person"}
    ours = replace(knowledge, content=load_content(Path("knowledge_base")))
    always = {name for name, intent in ours.content.intents.items() if intent.handoff == "always"}
    assert ours.person_intents() == {"talk-to-person"} < always  # a complaint says what is wanted
