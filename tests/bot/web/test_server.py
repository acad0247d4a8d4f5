"""The whole server on loopback, spoken to by raw HTTP: what is open, and that the rest is shut."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.web.visitors import COOKIE
from tests.bot.web.conftest import SHOP
from tests.fake_assistant import FakeAssistant


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
