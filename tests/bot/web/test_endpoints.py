"""The endpoints of a talk with people in it, over a live server: history with a person's words, hand-off, vouched users."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from bot.conversation import ConversationId
from bot.web.visitors import COOKIE
from tests.bot.web.conftest import SECRET
from tests.desk_staff import LI
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # gradio_client leaves its sockets open


def signed(user_id: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()


def asked(client: Client, message: str, **more: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.predict(message=message, **more, api_name="/chat")
    return answer


def test_an_answer_comes_as_harmless_html_too(client: Client, assistant: FakeAssistant) -> None:
    assistant.script["show me"] = "Wait **three** days [1]. <script>alert(1)</script>"
    answer = asked(client, "show me")
    assert "<strong>three</strong>" in answer["html"]
    assert 'href="/articles/en/returns-opened"' in answer["html"]
    assert "<script" not in answer["html"]
    (past,) = client.predict(conversation_id=answer["conversation_id"], api_name="/history")
    assert past["html"] == answer["html"]
    assert (past["said_by"], past["name"], past["rating"]) == ("assistant", "", 0)


def test_history_tells_the_last_vote_on_each_turn(client: Client) -> None:
    answer = asked(client, "怎么退货？")
    named = {"conversation_id": answer["conversation_id"], "turn_id": answer["turn_id"]}
    client.predict(**named, rating=1, api_name="/feedback")
    client.predict(**named, rating=-1, api_name="/feedback")
    (past,) = client.predict(conversation_id=answer["conversation_id"], api_name="/history")
    assert past["rating"] == -1


def test_a_customer_on_a_site_has_a_widgets_conversation_and_the_page_is_noted(
    client: Client, assistant: FakeAssistant
) -> None:
    answer = asked(client, "这个耳机防水吗", page="https://shop.example/p/airbuds?token=1")
    conversation = answer["conversation_id"]
    assert assistant.conversations[conversation][1] == "widget"
    with assistant.desk.log.reading() as log:
        pages = [
            row["page"]
            for row in log.query("SELECT page FROM visits WHERE conversation_id = ?", [conversation])
        ]
    assert pages == ["https://shop.example/p/airbuds"]


def test_a_widget_on_kefus_own_page_goes_on_though_the_browser_sends_its_cookie(address: str) -> None:
    browser = Client(address, verbose=False, headers={"cookie": f"{COOKIE}={'a' * 43}"})
    first = asked(browser, "你好", page="http://127.0.0.1/demo")
    again = asked(
        browser, "那退款呢？", conversation_id=first["conversation_id"], page="http://127.0.0.1/demo"
    )
    past = browser.predict(conversation_id=first["conversation_id"], api_name="/history")
    assert [turn["turn_id"] for turn in past] == [first["turn_id"], again["turn_id"]]


def test_a_persons_words_stand_in_the_history_and_the_bot_is_silent_meanwhile(
    client: Client, assistant: FakeAssistant
) -> None:
    conversation = asked(client, "我要投诉")["conversation_id"]
    waiting = client.predict(conversation_id=conversation, api_name="/handoff")
    assert (waiting["state"], waiting["opening_hours"]) == ("waiting", "24/7")
    assistant.desk.take(ConversationId(conversation), LI)
    taken = client.predict(conversation_id=conversation, api_name="/handoff")
    assert taken["state"] == "taken"
    assert "小李" in taken["text"]
    silent = asked(client, "有人吗？", conversation_id=conversation)
    assert (silent["answer"], silent["html"], silent["route"]) == ("", "", "person")
    assistant.desk.reply(ConversationId(conversation), LI, "您好，我是**小李**")
    assistant.desk.give_back(ConversationId(conversation), LI)
    past = client.predict(conversation_id=conversation, api_name="/history")
    assert [turn["said_by"] for turn in past] == ["assistant", "notice", "assistant", "person", "notice"]
    assert [turn["message"] for turn in past] == ["我要投诉", "", "有人吗？", "", ""]
    assert "小李" in past[1]["answer"]
    assert past[3]["name"] == "小李"
    assert "<strong>小李</strong>" in past[3]["html"]


@pytest.mark.parametrize(
    ("arguments", "title", "reason"),
    [
        ({"text": "有什么耳机"}, "AirBuds S2 无线耳机", "因为您问到“有什么耳机”"),
        ({"text": "有什麼耳機"}, "AirBuds S2 無線耳機", "因為您問到“有什麼耳機”"),
        ({"text": "earphones?"}, "AirBuds S2 wireless earphones", "Because you asked about “earphones?”"),
        (
            {"text": "耳机", "language": "en"},
            "AirBuds S2 wireless earphones",
            "Because you asked about “耳机”",
        ),
    ],
)
def test_a_recommendation_is_told_in_the_customers_language(
    client: Client, arguments: dict[str, str], title: str, reason: str
) -> None:
    item, article = client.predict(**arguments, api_name="/recommend")
    assert (item["title"], item["reason"], item["url"]) == (title, reason, "")
    assert article["url"].startswith("/articles/")


def test_a_conversation_tells_what_to_recommend_until_a_person_is_called(client: Client) -> None:
    conversation = asked(client, "earphones for running")["conversation_id"]
    (item,) = client.predict(conversation_id=conversation, top_k=1, api_name="/recommend")
    assert item["reason"] == "Because you asked about “earphones for running”"
    client.predict(conversation_id=conversation, api_name="/handoff")
    assert client.predict(conversation_id=conversation, api_name="/recommend") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"language": "fr"}, "must be one of zh"),
        ({"top_k": 0}, "from 1 to 20"),
        ({"text": 5}, "must be a text"),
        ({"conversation_id": "guess"}, "No conversation of yours"),
    ],
)
def test_recommend_says_what_is_wrong(client: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(**arguments, api_name="/recommend")


def test_with_nobody_there_a_customer_is_asked_for_a_way_to_be_reached(
    client: Client, assistant: FakeAssistant
) -> None:
    conversation = asked(client, "is anyone there")["conversation_id"]
    nobody = client.predict(conversation_id=conversation, api_name="/handoff")
    assert nobody["staffed"] is False
    kept = client.predict(conversation_id=conversation, contact="a@example.com", api_name="/handoff")
    assert kept["text"] != nobody["text"]
    call = assistant.desk.open_call(ConversationId(conversation))
    assert call is not None
    assert call.contact == "a@example.com"


def test_a_user_whom_the_site_vouches_for_finds_their_conversations_again(client: Client) -> None:
    old, new = asked(client, "第一次来"), asked(client, "I am back")
    for conversation in (old, new):
        client.predict(
            conversation_id=conversation["conversation_id"],
            user_id="用户-7",
            signature=signed("用户-7"),
            name="小明",
            api_name="/identify",
        )
    found = client.predict(user_id="用户-7", signature=signed("用户-7").upper(), api_name="/conversations")
    assert [info["conversation_id"] for info in found] == [new["conversation_id"], old["conversation_id"]]
    assert found[0]["last_text"] == new["answer"][:120]
    assert client.predict(user_id="8", signature=signed("8"), api_name="/conversations") == []


@pytest.mark.parametrize(
    "signature", ["", "0" * 64, signed("7", "another secret"), signed("8"), "签名", signed("7")[:-1]]
)
def test_nobody_is_believed_to_be_a_user_without_the_sites_signature(client: Client, signature: str) -> None:
    with pytest.raises(AppError, match="signature does not fit"):
        client.predict(user_id="7", signature=signature, api_name="/conversations")


def test_without_a_secret_no_site_can_vouch_for_anybody() -> None:
    with serving(build(FakeAssistant())) as address, pytest.raises(AppError, match="is not set"):
        Client(address, verbose=False).predict(user_id="7", signature=signed("7"), api_name="/conversations")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("/handoff", {"conversation_id": "guess"}),
        ("/handoff", {"conversation_id": "guess", "contact": "13812345678"}),
        ("/identify", {"conversation_id": "guess", "user_id": "7", "signature": signed("7")}),
        ("/chat", {"message": "x", "conversation_id": "guess", "page": "https://shop.example/"}),
    ],
)
def test_a_guessed_conversation_opens_nothing(client: Client, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(AppError, match="No conversation of yours"):
        client.predict(**arguments, api_name=name)
