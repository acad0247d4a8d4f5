"""The widget's doors on a real server: its files, its wording, its stream, and who may ask for them."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.conversation import Language
from bot.memory.calls import CallReason
from bot.web.visitors import new_visitor
from bot.web.widget_files import WidgetFiles
from tests.bot.web.conftest import MOST_UPLOAD_BYTES, SHOP
from tests.desk_staff import LI
from tests.fake_assistant import FakeAssistant

EVIL = "https://evil.example"


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_launcher_names_the_version_of_the_rest_and_is_asked_for_again(http: httpx.Client) -> None:
    first = http.get("/widget.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    (version,) = set(re.findall(r"/widget/at/([0-9a-f]{12})", first.text))
    again = http.get("/widget.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    module = http.get(f"/widget/at/{version}/main.js")
    assert "immutable" in module.headers["cache-control"]
    assert module.headers["content-encoding"] == "gzip"


def test_a_page_that_still_asks_for_an_older_version_gets_this_one_but_may_not_keep_it(
    http: httpx.Client,
) -> None:
    module = http.get("/widget/at/000000000000/main.js")
    assert (module.status_code, module.headers["cache-control"]) == (200, "no-cache")
    plain = http.get("/widget/at/000000000000/main.js", headers={"accept-encoding": "identity"})
    assert plain.text == module.text
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path",
    [
        "/widget/at/x/nothing.js",
        "/widget/at/x/demo.css",
        "/widget/at/x/..%2fserver.py",
        "/widget/logo",
        "/demo/x.js",
    ],
)
def test_other_files_are_not_there(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_the_whole_widget_weighs_less_than_sixty_kilobytes() -> None:
    files = WidgetFiles()
    assert files.compressed_bytes < 60_000
    assert gzip.decompress(files._launcher.compressed) == files._launcher.content


def test_no_file_of_the_widget_is_longer_than_a_sitting_or_names_another_host() -> None:
    for path in sorted((Path("bot/web/widget")).rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 300, path
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}, path


def test_a_site_gets_the_script_of_gradio_app_from_here(http: httpx.Client) -> None:
    script = http.get("/widget/gradio/gradio.js", headers={"origin": SHOP})
    assert script.status_code == 200
    assert script.headers["access-control-allow-origin"] == SHOP


# --- wording ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language", "attach", "hours"),
    [
        ("zh", "zh", "发送图片或文件", "全天"),
        ("zh-Hant", "zh-Hant", "傳送圖片或檔案", "全天"),
        ("en", "en", "Send a picture or file", "round the clock"),
        ("zh-TW", "zh-Hant", "傳送圖片或檔案", "全天"),
        ("fr", "en", "Send a picture or file", "round the clock"),
    ],
)
def test_the_widget_gets_its_wording_in_the_customers_language(
    http: httpx.Client, asked: str, language: str, attach: str, hours: str
) -> None:
    config = http.get("/widget/config", params={"lang": asked}).json()
    assert config["language"] == language
    assert config["text"]["attach"] == attach
    assert config["opening_hours"] == hours
    assert len(config["suggested"]) == 4
    assert config["most_upload_bytes"] == MOST_UPLOAD_BYTES
    assert config["colour"] == "#1a6dd6"


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/widget/config", "/widget/events?conversation_id=x", "/widget/gradio/gradio.js"]
)
@pytest.mark.parametrize("origin", [EVIL, "null", "http://[", f"{SHOP}.evil.example", "http://shop.example"])
def test_another_site_is_refused_and_told_which_setting_lets_it_in(
    http: httpx.Client, path: str, origin: str
) -> None:
    refused = http.get(path, headers={"origin": origin})
    assert refused.status_code == 403
    assert "allowed_sites" in refused.json()["detail"]
    assert "access-control-allow-origin" not in refused.headers


def test_another_site_may_call_no_endpoint(http: httpx.Client, assistant: FakeAssistant) -> None:
    asked = len(assistant.asked)
    body = {"message": "hello"}
    assert http.post("/gradio_api/call/v2/chat", json=body, headers={"origin": EVIL}).status_code == 403
    assert http.options("/gradio_api/call/v2/chat", headers={"origin": EVIL}).status_code == 403
    assert http.post("/widget/upload", content=b"\x89PNG", headers={"origin": EVIL}).status_code == 403
    assert len(assistant.asked) == asked


def test_a_listed_site_our_own_pages_and_programs_may_ask(http: httpx.Client, address: str) -> None:
    listed = http.get("/widget/config", headers={"origin": SHOP})
    assert listed.headers["access-control-allow-origin"] == SHOP
    own = ({"origin": address}, {"origin": "https://behind.a.proxy", "sec-fetch-site": "same-origin"}, {})
    for headers in own:
        assert http.get("/widget/config", headers=headers).status_code == 200


# --- the stream ------------------------------------------------------------------------------------------------------


def stream(http: httpx.Client, conversation: str, after: int, most: int) -> list[tuple[str, Any]]:
    """The first `most` events."""
    events = []
    query = {"conversation_id": conversation, "after": after}
    with http.stream("GET", "/widget/events", params=query, headers={"accept-encoding": "gzip"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
                if len(events) == most:
                    break
    return events


def test_the_stream_tells_where_the_call_stands_and_what_was_said(
    http: httpx.Client, assistant: FakeAssistant
) -> None:
    talk = assistant.open_conversation(new_visitor(), channel="widget")
    assistant.desk.call(talk, CallReason.ASKED, language=Language.ZH)
    waiting = {"state": "waiting", "name": "", "writing": False, "staffed": False}
    assert stream(http, talk, 0, 1) == [("state", waiting)]
    assistant.desk.take(talk, LI)
    assistant.desk.reply(talk, LI, "您好 **小王** <img src=x>")
    events = stream(http, talk, 0, 3)
    assert [name for name, _ in events] == ["said", "said", "state"]
    joined, said, state = (data for _, data in events)
    assert (joined["kind"], joined["name"], joined["html"]) == ("joined", "小李", "")
    assert said["html"].startswith("<p>您好 <strong>小王</strong>")
    assert "<img" not in said["html"]
    assert state == {"state": "taken", "name": "小李", "writing": False, "staffed": False}
    later = stream(http, talk, joined["number"], 2)
    assert later[0][1]["id"] == said["id"]
    assistant.desk.give_back(talk, LI)


@pytest.mark.parametrize("path", ["/widget/events", "/widget/files"])
def test_only_a_conversation_that_its_id_opens_is_followed(
    http: httpx.Client, assistant: FakeAssistant, path: str
) -> None:
    of_a_page = assistant.open_conversation(new_visitor(), channel="page")
    for conversation in ("nothing", of_a_page):
        assert http.get(path, params={"conversation_id": conversation}).status_code == 404


# --- the demonstration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "accepts", "language", "words"),
    [
        ("", "zh-CN", "zh", "会听话的电热水壶"),
        ("", "de", "en", "A kettle that listens"),
        ("?lang=zh-Hant", "en", "zh-Hant", "會聽話的電熱水壺"),
    ],
)
def test_the_demonstration_shows_the_three_ways_under_our_own_policy(
    http: httpx.Client, query: str, accepts: str, language: str, words: str
) -> None:
    page = http.get(f"/demo{query}", headers={"accept-language": accepts})
    assert f'<html lang="{language}"' in page.text
    assert words in page.text
    for way in ("/widget.js", "<iframe", "gradio-app"):
        assert way in page.text
    assert "unsafe-inline" not in page.headers["content-security-policy"].split("style-src")[0]
