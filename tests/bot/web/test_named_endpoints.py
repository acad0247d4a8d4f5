"""The named endpoints, through Gradio's own client and plain HTTP: what they answer, publish and refuse."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from bot.web.api import ENDPOINTS
from tests.bot.web.conftest import EN
from tests.fake_assistant import FakeAssistant
from tests.page_by_hand import Tab

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # gradio_client leaves its sockets open


def test_chat_streams_and_history_search_and_feedback_answer(
    client: Client, assistant: FakeAssistant
) -> None:
    events = list(client.submit(message=EN, api_name="/chat"))
    assert len(events) > 3
    assert [event["done"] for event in events] == [False] * (len(events) - 1) + [True]
    assert all(later["answer"].startswith(earlier["answer"]) for earlier, later in itertools.pairwise(events))
    whole = events[-1]
    assert whole["route"] == "grounded"
    assert whole["sources"][0]["url"] == "/articles/en/returns-opened"
    conversation_id = whole["conversation_id"]

    again = client.predict(message="那退款呢？", conversation_id=conversation_id, api_name="/chat")
    assert (again["conversation_id"], again["language"]) == (conversation_id, "zh")
    turns = client.predict(conversation_id=conversation_id, api_name="/history")
    assert [turn["message"] for turn in turns] == [EN, "那退款呢？"]

    given = {"conversation_id": conversation_id, "turn_id": whole["turn_id"]}
    assert client.predict(**given, rating=-1, reason="太慢", api_name="/feedback") == {"recorded": True}
    assert (assistant.ratings[-1].value, assistant.ratings[-1].reason) == (-1, "太慢")
    hits = client.predict(question="退货", top_k=1, api_name="/search")
    assert [hit["id"] for hit in hits] == ["parcel-stuck"]


def test_an_endpoints_types_and_words_are_published(http: httpx.Client) -> None:
    endpoints = http.get("/gradio_api/info").json()["named_endpoints"]
    assert set(endpoints) == {f"/{name}" for name in ENDPOINTS}
    assert [parameter["parameter_name"] for parameter in endpoints["/chat"]["parameters"]] == [
        "message",
        "conversation_id",
        "page",
    ]
    assert endpoints["/feedback"]["parameters"][2]["type"] == {"type": "integer"}
    assert "sources" in endpoints["/chat"]["returns"][0]["type"]["properties"]
    assert endpoints["/search"]["description"].startswith("Find passages")


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("/chat", {"message": ""}, "type your question"),
        ("/chat", {"message": "x" * 2001}, "2000 characters"),
        ("/chat", {"message": 5}, "must be a text"),
        ("/chat", {"message": "x", "conversation_id": "guess"}, "No conversation of yours"),
        ("/history", {"conversation_id": "guess"}, "No conversation of yours"),
        ("/history", {"conversation_id": ""}, "No conversation of yours"),
        ("/feedback", {"conversation_id": "guess", "turn_id": "1", "rating": 1}, "No conversation of yours"),
        ("/feedback", {"conversation_id": "guess", "turn_id": "1", "rating": 0}, "must be 1 or -1"),
        ("/feedback", {"conversation_id": "guess", "turn_id": "1", "rating": "1"}, "must be 1 or -1"),
        ("/search", {"question": "x", "top_k": 0}, "from 1 to 20"),
        ("/search", {"question": "x", "top_k": 10**6}, "from 1 to 20"),
        ("/search", {"question": ["x"]}, "must be a text"),
    ],
)
def test_an_endpoint_says_what_is_wrong(
    client: Client, name: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(**arguments, api_name=name)


def test_a_turn_of_another_conversation_cannot_be_rated(client: Client, assistant: FakeAssistant) -> None:
    first = client.predict(message=EN, api_name="/chat")
    second = client.predict(message=EN, api_name="/chat")
    before = len(assistant.ratings)
    with pytest.raises(AppError, match="no turn with this id"):
        client.predict(
            conversation_id=second["conversation_id"],
            turn_id=first["turn_id"],
            rating=1,
            api_name="/feedback",
        )
    assert len(assistant.ratings) == before


def test_a_browsers_conversation_is_closed_to_programs_that_hold_only_its_id(
    tab: Tab, client: Client, assistant: FakeAssistant
) -> None:
    tab.say("only in my browser")
    conversation_id = list(assistant.conversations)[-1]
    with pytest.raises(AppError, match="No conversation of yours"):
        client.predict(conversation_id=conversation_id, api_name="/history")


def test_plain_http_streams_the_same_events(http: httpx.Client) -> None:
    event_id = http.post("/gradio_api/call/v2/chat", json={"message": EN}).json()["event_id"]
    text = http.get(f"/gradio_api/call/v2/chat/{event_id}").text
    assert text.count("event: generating") > 3
    assert "event: complete" in text
