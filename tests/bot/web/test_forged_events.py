"""The page's events, true and forged: what a browser sends is believed of its own talk alone, and of no other shape."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.bot.web.conftest import EN
from tests.fake_assistant import FakeAssistant
from tests.page_by_hand import Tab

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # gradio_client leaves its sockets open


def test_a_page_answers_and_only_then_takes_a_thumb(tab: Tab, assistant: FakeAssistant) -> None:
    before = len(assistant.ratings)
    streamed = tab.say(EN)
    turn_id = re.findall(r"turn-\d+-[0-9a-f]+", streamed)[0]
    tab.run("rate", [], {"turn": turn_id, "value": 1})
    tab.run("rate", [], {"turn": turn_id, "value": 1})
    assert [rated.turn_id for rated in assistant.ratings[before:]] == [turn_id]


def test_a_thumb_that_was_given_is_shown_after_a_reload(tab: Tab, assistant: FakeAssistant) -> None:
    turn_id = re.findall(r"turn-\d+-[0-9a-f]+", tab.say(EN))[0]
    tab.run("rate", [], {"turn": turn_id, "value": 1})
    tab.run("rate", [], {"turn": turn_id, "value": -1})
    conversation_id = assistant.ratings[-1].conversation_id
    tab.session += "-reloaded"
    shown = tab.run("open", [{"conversation": conversation_id}]).replace('\\"', '"')
    pressed = re.findall(rf'data-rate="(-?1)" data-turn="{turn_id}" aria-pressed="(\w+)"', shown)
    assert pressed == [("1", "false"), ("-1", "true")]


@pytest.mark.parametrize(
    "event",
    [
        None, {}, [], "turn", 5, {"turn": None, "value": 1}, {"turn": "turn-0", "value": 1}, {"turn": ["a"], "value": 1},
        {"turn": "REAL", "value": 2}, {"turn": "REAL", "value": True}, {"turn": "REAL", "value": "1"},
        {"turn": "REAL", "value": 1.0}, {"turn": "REAL"}, {"turn": "REAL", "value": [1]}, {"index": 0, "liked": True},
    ],
)  # fmt: skip
def test_a_forged_thumb_changes_nothing(address: str, assistant: FakeAssistant, event: Any) -> None:
    tab = Tab(address, f"forged-{event!r}")
    turn_id = re.findall(r"turn-\d+-[0-9a-f]+", tab.say(EN))[0]
    if isinstance(event, dict) and event.get("turn") == "REAL":
        event = {**event, "turn": turn_id}
    before = len(assistant.ratings)
    streamed = tab.run("rate", [], event)
    assert len(assistant.ratings) == before
    assert "Traceback" not in streamed
    tab.http.close()


def test_a_thumb_for_another_visitors_turn_changes_nothing(
    address: str, tab: Tab, assistant: FakeAssistant
) -> None:
    turn_id = re.findall(r"turn-\d+-[0-9a-f]+", tab.say(EN))[0]
    before = len(assistant.ratings)
    stranger = Tab(address, "stranger")
    stranger.say("hello")
    stranger.run("rate", [], {"turn": turn_id, "value": -1})
    assert len(assistant.ratings) == before
    stranger.http.close()


@pytest.mark.parametrize("stored", [None, 5, "x", [], {}, {"conversation": 5}, {"conversation": "nobody's"}])
def test_whatever_a_browser_claims_to_remember_the_page_opens(address: str, stored: Any) -> None:
    tab = Tab(address, f"stored-{stored!r}")
    assert "Hello!" in tab.run("open", [stored])
    tab.http.close()


def test_nobody_else_can_read_or_use_a_session(address: str, tab: Tab) -> None:
    tab.say("my secret question")
    with httpx.Client(base_url=address) as stranger:
        stranger.get("/")  # with a cookie of their own
        for thief in (stranger, httpx.Client(base_url=address)):
            body = {"fn_index": tab.numbers["open"], "session_hash": tab.session, "data": [None]}
            assert thief.post("/gradio_api/queue/join", json=body).status_code == 404
            assert (
                thief.get("/gradio_api/queue/data", params={"session_hash": tab.session}).status_code == 404
            )
            assert thief.get(f"/gradio_api/heartbeat/{tab.session}").status_code == 404
            cancel = {"session_hash": tab.session, "fn_index": 1, "event_id": "x"}
            assert thief.post("/gradio_api/cancel", json=cancel).status_code == 404
            thief.close()


def test_another_visitors_conversation_shows_nothing(
    address: str, tab: Tab, assistant: FakeAssistant
) -> None:
    tab.say("another secret question")
    conversation_id = next(
        known
        for known, (_, _, turns) in assistant.conversations.items()
        if turns and turns[0].question == "another secret question"
    )
    tab.session += "-reloaded"
    assert "another secret question" in tab.run("open", [{"conversation": conversation_id}])
    stranger = Tab(address, "stranger-with-id")
    assert "another secret question" not in stranger.run("open", [{"conversation": conversation_id}])
    stranger.http.close()


def test_a_failure_tells_a_reference_and_nothing_else(
    tab: Tab, assistant: FakeAssistant, client: Client
) -> None:
    assistant.script["explode"] = RuntimeError("/srv/kefu/secret.py: 13812345678")
    streamed = tab.say("explode")
    assert "Sorry, something went wrong" in streamed
    with pytest.raises(AppError, match=r"went wrong.*\([0-9a-f]{8}\)") as failure:
        client.predict(message="explode", api_name="/chat")
    for text in (streamed, str(failure.value)):
        assert "secret" not in text
        assert "13812345678" not in text


@pytest.mark.parametrize("text", [None, 5, [], {"a": 1}, "", " \n", "x" * 2001])
def test_what_is_no_message_is_refused_with_a_notice_and_not_stored(
    address: str, assistant: FakeAssistant, text: Any
) -> None:
    tab = Tab(address, f"refused-{text!r:.20}", language="zh-CN")
    before = len(assistant.asked)
    assert "kefu-notice" in tab.say(text)
    assert len(assistant.asked) == before
    tab.http.close()
