"""The whole server on loopback, spoken to by raw HTTP and by Gradio's own client: what is open, and that the rest is shut."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from bot.web.api import ENDPOINTS
from bot.web.visitors import COOKIE
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

SHOP = "https://shop.example"
EN = "can i return opened earphones"
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # gradio_client leaves its sockets open


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture(scope="module")
def address(assistant: FakeAssistant) -> Iterator[str]:
    with serving(build(assistant, messages_per_minute=10_000, allowed_sites=(SHOP,))) as address:
        yield address


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


class Tab:
    """A page by hand: a browser's cookie, a session, and the events that the page would send."""

    def __init__(self, address: str, session: str, *, language: str = "en") -> None:
        self.http = httpx.Client(base_url=address, headers={"accept-language": language}, timeout=20)
        self.http.get("/")
        self.session = session
        config = self.http.get("/config").json()
        self.numbers = {entry["api_name"]: entry["id"] for entry in config["dependencies"]}

    def join(self, name: str, data: list[Any], event: Any = None) -> httpx.Response:
        body = {
            "fn_index": self.numbers[name],
            "session_hash": self.session,
            "data": data,
            "event_data": event,
        }
        return self.http.post("/gradio_api/queue/join", json=body)

    def run(self, name: str, data: list[Any], event: Any = None) -> str:
        """Send an event; returns everything that the server streamed back."""
        assert self.join(name, data, event).status_code == 200
        return self.http.get("/gradio_api/queue/data", params={"session_hash": self.session}).text

    def say(self, text: Any) -> str:
        return self.run("send", [{"conversation": ""}], {"text": text, "id": "1"})


@pytest.fixture
def tab(address: str, request: pytest.FixtureRequest) -> Iterator[Tab]:
    tab = Tab(address, f"session-{request.node.name}")
    yield tab
    tab.http.close()


# --- what is open, and what is not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/docs", "/redoc", "/openapi.json", "/gradio_api/openapi.json", "/monitoring", "/monitoring/summary",
        "/gradio_api/runs", "/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=pyproject.toml", "/gradio_api/file/etc/passwd", "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/stream/a/b/c/playlist.m3u8", "/gradio_api/component_server", "/gradio_api/mcp/", "/login",
        "/gradio_api/token", "/gradio_api/user", "/gradio_api/deep_link", "/gradio_api/vibe-code", "/pwa_icon",
        "/manifest.json", "/gradio_api/dev/reload", "/gradio_api/custom_component/1/client/component/x",
        "/static/../../pyproject.toml", "/assets/%2e%2e/%2e%2e/index.html", "/nothing",
    ],
)  # fmt: skip
def test_what_a_chat_does_not_need_is_not_there(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code in {403, 404}


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload", "/gradio_api/component_server", "/gradio_api/run/chat", "/gradio_api/api/chat",
        "/gradio_api/call/send", "/gradio_api/call/rate", "/gradio_api/call/v2/open", "/gradio_api/call/nothing",
        "/gradio_api/stream/x", "/gradio_api/process_recording", "/gradio_api/vibe-edit/", "/login", "/", "/healthz",
    ],
)  # fmt: skip
def test_nothing_else_takes_a_post(http: httpx.Client, path: str) -> None:
    assert http.post(path, json={"data": []}).status_code == 404


def test_health_and_readiness(http: httpx.Client, assistant: FakeAssistant) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"ready": True, "parts": {"index": True, "model": True}}
    assistant.parts["model"] = False
    try:
        response = http.get("/readyz")
    finally:
        assistant.parts["model"] = True
    assert (response.status_code, response.json()["ready"]) == (503, False)


def test_the_policy_allows_our_own_scripts_by_hash_and_no_others(http: httpx.Client) -> None:
    response = http.get("/", headers={"accept-language": "zh-TW"})
    policy = response.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts
    assert scripts.count("sha256-") >= 4
    for part in (
        "default-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "form-action 'self'",
    ):
        assert part in policy
    assert f"frame-ancestors 'self' {SHOP}" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert '<html lang="zh-Hant"' in response.text
    assert "githubusercontent" not in response.text
    assert 'property="og:' not in response.text


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/articles/zh/parcel-stuck", "/gradio_api/info"])
def test_every_answer_carries_the_policy(http: httpx.Client, path: str) -> None:
    assert "default-src 'self'" in http.get(path).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(SHOP, SHOP), ("https://evil.example", None), ("null", None), (f"{SHOP}.evil.example", None)],
)
def test_other_sites_may_call_only_if_they_are_listed(
    http: httpx.Client, origin: str, allowed: str | None
) -> None:
    headers = {"origin": origin, "host": "kefu.example"}
    for response in (
        http.get("/gradio_api/info", headers=headers),
        http.post("/gradio_api/call/chat", json={"data": ["", "", ""]}, headers=headers),
        http.options("/gradio_api/call/chat", headers={**headers, "access-control-request-method": "POST"}),
    ):
        assert response.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in response.headers


def test_a_large_body_is_refused(http: httpx.Client) -> None:
    body = json.dumps({"data": ["长" * 100_000, ""]}).encode()
    assert http.post("/gradio_api/call/chat", content=body).status_code == 413
    assert http.post("/gradio_api/call/chat", content=iter([body[:70_000], body[70_000:]])).status_code == 413


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"[]", b"null", b"1", b"{", b'{"a":' * 5000, b"\xff\xfe", b'"text"'],
)
def test_what_is_no_json_object_is_refused(http: httpx.Client, content: bytes) -> None:
    for path in (
        "/gradio_api/queue/join",
        "/gradio_api/call/chat",
        "/gradio_api/call/v2/search",
        "/gradio_api/cancel",
    ):
        assert http.post(path, content=content).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {}, {"fn_index": 10_000}, {"fn_index": -1}, {"fn_index": "1"}, {"fn_index": True}, {"fn_index": 1.0},
        {"fn_index": 0, "data": [1, 2, 3]}, {"fn_index": 0, "data": {}}, {"fn_index": 0, "data": [None], "session_hash": 5},
        {"fn_index": 0, "data": [None]}, {"fn_index": 0, "data": None, "session_hash": "s"},
    ],
)  # fmt: skip
def test_a_misshapen_event_is_refused_before_gradio_sees_it(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/gradio_api/queue/join", json=body).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat", {}), ("chat", {"data": []}), ("chat", {"data": ["a"]}), ("chat", {"data": ["a", "", "", "b"]}),
        ("chat", {"data": "ab"}), ("v2/chat", {}), ("v2/chat", {"text": "a"}), ("v2/search", {"top_k": 3}),
        ("v2/chat", {"message": "a", "session_hash": "b"}),
    ],
)  # fmt: skip
def test_a_misshapen_call_is_told_what_the_endpoint_takes(
    http: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    response = http.post(f"/gradio_api/call/{path}", json=body)
    assert response.status_code == 400
    assert ("message" in response.text) or ("question" in response.text)


def test_the_configuration_shows_no_paths_of_this_machine(http: httpx.Client) -> None:
    for path in ("/", "/config", "/gradio_api/info"):
        assert not re.search(
            rf"/home/|{re.escape(str(Path(__file__).parents[3]))}|/root/|site-packages|Traceback",
            http.get(path).text,
        )


# --- the page's events, forged --------------------------------------------------------------------------------------


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
    tab.say("my secret question")
    conversation_id = next(
        known
        for known, (_, _, turns) in assistant.conversations.items()
        if turns and turns[0].question == "my secret question"
    )
    assert "my secret question" in Tab.run(tab, "open", [{"conversation": conversation_id}])
    stranger = Tab(address, "stranger-with-id")
    assert "my secret question" not in stranger.run("open", [{"conversation": conversation_id}])
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


# --- the named endpoints, through gradio_client ---------------------------------------------------------------------


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


def test_the_cookie_is_not_readable_by_scripts(http: httpx.Client) -> None:
    cookie = http.get("/").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie


# --- articles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("zh/parcel-stuck", 200, "<strong>「我的订单」</strong>"),
        ("zh-Hant/parcel-stuck", 200, "快遞長時間沒有更新怎麼辦"),
        ("en/returns-opened", 200, "Back to the chat"),
        ("zh/nothing", 404, "没有找到这篇文章"),
        ("en/parcel-stuck", 404, "could not find"),
        ("xx/parcel-stuck", 404, "could not find"),
        ("zh/..%2f..%2fetc", 404, ""),
    ],
)
def test_an_article_has_a_page_of_its_own(http: httpx.Client, path: str, status: int, words: str) -> None:
    response = http.get(f"/articles/{path}")
    assert response.status_code == status
    assert words in response.text


def test_an_articles_title_is_shown_once(http: httpx.Client) -> None:
    assert http.get("/articles/zh/parcel-stuck").text.count("<h1>") == 1
