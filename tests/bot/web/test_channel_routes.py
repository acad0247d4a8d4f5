"""Talks with a messenger's users, whole: in time, too late, twice, with a person at the desk, and after a long silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.feishu import Feishu
from bot.channels.protocol import Channel, ChannelRequest
from bot.channels.wechat import WeChat, xml_fields
from bot.conversation import ConversationId
from bot.settings_sections import ChannelSettings
from bot.web.channel_routes import ChannelDoors, channel_router
from bot.web.channel_talks import ChannelTalks
from bot.web.programs import run_with
from bot.web.threads import TurnThreads
from tests.bot.channels.vendors import FEISHU, WECHAT, Vendor, feishu_event, feishu_request, wechat_message
from tests.desk_staff import LI, employ
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving


class HurriedWeChat(WeChat):
    """WeChat with less patience, so that a test need not wait for five seconds."""

    @property
    def patience_seconds(self) -> float:
        return 0.6


@pytest.fixture
def assistant() -> FakeAssistant:
    return FakeAssistant(script={"退货怎么办": "**七天**内可以退货 [1]。", "slow": "It took a while."})


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.close()


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def doors(
    assistant: FakeAssistant, *channels: Channel, clock: Clock | None = None, per_minute: int = 100
) -> Iterator[str]:
    app = FastAPI()
    talks = ChannelTalks(assistant, idle=timedelta(hours=24), per_minute=per_minute, now=clock or Clock())
    opened = ChannelDoors(assistant, channels, talks, TurnThreads(workers=4, queue=4))
    app.include_router(channel_router(opened))
    run_with(app, opened)
    with serving(app) as address:
        yield address


def post(address: str, name: str, request: ChannelRequest) -> httpx.Response:
    return httpx.request(
        request.method,
        f"{address}/channels/{name}",
        params=dict(request.query),
        headers=dict(request.headers),
        content=request.body,
        timeout=20,
    )


def content(response: httpx.Response) -> str:
    return xml_fields(response.content)["Content"]


def conversations(assistant: FakeAssistant) -> Sequence[str]:
    return list(assistant.conversations)


def test_an_answer_in_time_comes_back_with_the_request(assistant: FakeAssistant, vendor: Vendor) -> None:
    with doors(assistant, WeChat(WECHAT, api=vendor.url)) as address:
        first = post(address, "wechat", wechat_message("退货怎么办", message_id="1"))
        post(address, "wechat", wechat_message("那运费呢", message_id="2"))
        post(address, "wechat", wechat_message("hello", user="oOther", message_id="3"))
    assert content(first).startswith("七天内可以退货。")
    assert vendor.sent == []
    (mine, other) = conversations(assistant)
    assert [turn.customer_text for turn in assistant.conversations[mine][2]] == ["退货怎么办", "那运费呢"]
    assert [turn.customer_text for turn in assistant.conversations[other][2]] == ["hello"]
    assert assistant.conversations[mine][1] == "wechat"


def test_a_clarifying_question_shows_what_may_be_answered(assistant: FakeAssistant, vendor: Vendor) -> None:
    with doors(assistant, WeChat(WECHAT, api=vendor.url)) as address:
        answer = content(post(address, "wechat", wechat_message("which one")))
    assert "· I want to start a return" in answer


def test_an_answer_that_takes_longer_is_sent_and_asked_for_once(
    assistant: FakeAssistant, vendor: Vendor
) -> None:
    assistant.pause_seconds = 0.7  # two pieces: 1.4 seconds
    with doors(assistant, HurriedWeChat(WECHAT, api=vendor.url)) as address:
        message = wechat_message("slow", message_id="77")
        answers = [post(address, "wechat", message).text for _ in range(3)]
        sent = vendor.wait_for(1)
        time.sleep(0.3)
        assert post(address, "wechat", message).text == "success"
    assert answers == ["success"] * 3
    assert assistant.asked == ["slow"]
    assert len(sent) == 1
    assert sent[0][1]["text"]["content"].startswith("It took a while.")


def test_without_the_api_wechats_next_request_gets_the_answer(assistant: FakeAssistant) -> None:
    assistant.pause_seconds = 0.4
    without_api = HurriedWeChat(WECHAT.model_copy(update={"app_secret": ""}))
    with doors(assistant, without_api) as address:
        message = wechat_message("slow", message_id="78")
        first = post(address, "wechat", message).text
        assert content(post(address, "wechat", message)).startswith("It took a while.")
    assert first == "success"
    assert assistant.asked == ["slow"]


def test_two_requests_for_one_message_at_once_ask_once(assistant: FakeAssistant, vendor: Vendor) -> None:
    assistant.pause_seconds = 0.1
    with doors(assistant, HurriedWeChat(WECHAT, api=vendor.url)) as address:
        message = wechat_message("slow", message_id="79")
        threads = [threading.Thread(target=post, args=(address, "wechat", message)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert assistant.asked == ["slow"]


def test_feishu_hears_at_once_and_gets_the_answer_by_api(assistant: FakeAssistant, vendor: Vendor) -> None:
    assistant.pause_seconds = 0.3
    with doors(assistant, Feishu(FEISHU, api=vendor.url)) as address:
        begun = time.monotonic()
        heard = post(address, "feishu", feishu_request(feishu_event("slow", message_id="om_9")))
        took = time.monotonic() - begun
        ((path, _),) = vendor.wait_for(1)
    assert (heard.status_code, heard.text) == (200, "{}")
    assert took < 0.6
    assert path == "/open-apis/im/v1/messages/om_9/reply"


def test_a_message_that_does_not_arrive_is_tried_again(assistant: FakeAssistant, vendor: Vendor) -> None:
    vendor.refusals = [{"code": 230020, "msg": "rate limit"}]
    with doors(assistant, Feishu(FEISHU, api=vendor.url)) as address:
        post(address, "feishu", feishu_request(feishu_event("退货怎么办", message_id="om_10")))
        sent = vendor.wait_for(2)
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_persons_words_reach_the_user_in_order_and_the_bot_is_silent(
    assistant: FakeAssistant, vendor: Vendor
) -> None:
    employ(assistant.desk, LI)
    with doors(assistant, WeChat(WECHAT, api=vendor.url)) as address:
        post(address, "wechat", wechat_message("我要投诉", message_id="1"))
        (conversation,) = map(ConversationId, conversations(assistant))
        assistant.desk.take(conversation, LI)
        vendor.wait_for(1)
        assert post(address, "wechat", wechat_message("有人吗", message_id="2")).text == "success"
        assistant.desk.reply(conversation, LI, "您好，我是小李")
        assistant.desk.reply(conversation, LI, "Which order is it?")
        vendor.wait_for(3)
        assistant.desk.give_back(conversation, LI)
        sent = vendor.wait_for(4)
    texts = [body["text"]["content"] for _, body in sent]
    assert "小李" in texts[0]
    assert texts[1:3] == ["您好，我是小李", "Which order is it?"]
    assert len(texts) == 4
    assert {body["touser"] for _, body in sent} == {"oUser"}


def test_a_persons_words_find_the_user_after_a_restart(assistant: FakeAssistant, vendor: Vendor) -> None:
    employ(assistant.desk, LI)
    with doors(assistant, WeChat(WECHAT, api=vendor.url)) as address:
        post(address, "wechat", wechat_message("你好", message_id="1"))
    (conversation,) = map(ConversationId, conversations(assistant))
    with doors(assistant, WeChat(WECHAT, api=vendor.url)):
        time.sleep(0.3)  # it follows the desk from its start
        assistant.desk.take(conversation, LI)
        assert len(vendor.wait_for(1)) == 1


def test_after_a_long_silence_a_new_conversation_begins(assistant: FakeAssistant, vendor: Vendor) -> None:
    clock = Clock()
    with doors(assistant, WeChat(WECHAT, api=vendor.url), clock=clock) as address:
        post(address, "wechat", wechat_message("你好", message_id="1"))
        clock.ahead = timedelta(hours=23)
        post(address, "wechat", wechat_message("在吗", message_id="2"))
        clock.ahead = timedelta(hours=48)
        post(address, "wechat", wechat_message("hello again", message_id="3"))
    counts = [len(turns) for _, _, turns in assistant.conversations.values()]
    assert counts == [2, 1]


def test_who_writes_too_fast_or_what_is_no_message_gets_a_word(
    assistant: FakeAssistant, vendor: Vendor
) -> None:
    assistant.script["explode"] = RuntimeError("/srv/kefu/secret.py")
    with doors(assistant, WeChat(WECHAT, api=vendor.url), per_minute=2) as address:
        too_long = content(post(address, "wechat", wechat_message("长" * 2001, message_id="1")))
        broken = content(post(address, "wechat", wechat_message("explode", message_id="2")))
        too_fast = content(post(address, "wechat", wechat_message("你好", message_id="3")))
    assert "2000" in too_long
    assert "secret" not in broken
    assert "太快" in too_fast


def test_a_door_is_shut_unless_the_settings_open_it() -> None:
    settings = ChannelSettings(wechat=WECHAT)
    with serving(build(FakeAssistant(), sections={"channels": settings})) as address:
        query = {**wechat_message("x").query, "echostr": "5837"}
        check = ChannelRequest("GET", query, {}, b"")
        assert post(address, "wechat", check).text == "5837"
        assert post(address, "wechat", wechat_message("你好")).status_code == 200
        forged = post(address, "wechat", ChannelRequest("POST", {}, {}, b"<xml></xml>"))
        assert (forged.status_code, forged.json()) == (403, {"detail": "This request cannot be trusted."})
        for name in ("feishu", "wecom", "dingtalk", "nothing"):
            assert post(address, name, wechat_message("x")).status_code == 404
