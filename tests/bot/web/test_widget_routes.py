"""The widget's doors on a real server: its files, its wording, its stream, customers' files, and who may ask for them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.conversation import ConversationId, Language
from bot.memory.calls import CallReason
from bot.web.visitors import new_visitor
from bot.web.widget_files import WidgetFiles
from tests.desk_staff import LI, employ
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

SHOP = "https://shop.example"
EVIL = "https://evil.example"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(40)


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    assistant = FakeAssistant()
    employ(assistant.desk, LI)
    return assistant


@pytest.fixture(scope="module")
def address(assistant: FakeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    var = {"var": tmp_path_factory.mktemp("var"), "widget": {"max_upload_bytes": 4096}}
    with serving(
        build(assistant, sections=var, messages_per_minute=10_000, allowed_sites=(SHOP,))
    ) as address:
        yield address


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


def open_talk(assistant: FakeAssistant, channel: str = "widget") -> ConversationId:
    return assistant.open_conversation(new_visitor(), channel=channel)


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
    assert config["most_upload_bytes"] == 4096
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
    assert http.post("/widget/upload", content=PNG, headers={"origin": EVIL}).status_code == 403
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
    talk = open_talk(assistant)
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
    of_a_page = open_talk(assistant, "page")
    for conversation in ("nothing", of_a_page):
        assert http.get(path, params={"conversation_id": conversation}).status_code == 404


# --- customers' files ------------------------------------------------------------------------------------------------


def upload(http: httpx.Client, content: bytes, name: str, conversation: str = "") -> httpx.Response:
    query = {"name": name, "conversation_id": conversation}
    return http.post("/widget/upload", params=query, content=content)


def test_a_picture_is_kept_listed_and_shown_and_a_person_hears_of_it(
    http: httpx.Client, assistant: FakeAssistant
) -> None:
    kept = upload(http, PNG, "../../照片.png").json()
    assert (kept["name"], kept["media_type"], kept["bytes"]) == ("照片.png", "image/png", len(PNG))
    talk = kept["conversation_id"]
    (listed,) = http.get("/widget/files", params={"conversation_id": talk}).json()
    assert listed["url"] == kept["url"]
    shown = http.get(kept["url"])
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["content-disposition"].startswith("inline; filename*=UTF-8''%E7%85%A7")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assistant.desk.take(talk, LI)
    assert upload(http, PDF, "invoice.pdf", talk).json()["media_type"] == "application/pdf"
    assert "invoice.pdf" in assistant.desk.events(talk)[-1].text
    assistant.desk.give_back(talk, LI)


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"<script>alert(1)</script>", "x.html", "text/plain; charset=utf-8"),
        (b"<svg onload='alert(1)'/>", "x.svg", "text/plain; charset=utf-8"),
        (PDF, "x.png", "application/pdf"),
    ],
)
def test_what_a_browser_could_run_is_only_saved(
    http: httpx.Client, content: bytes, name: str, media_type: str
) -> None:
    shown = http.get(upload(http, content, name).json()["url"])
    assert shown.headers["content-type"] == media_type
    assert shown.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ\x90\x00\xff", 415, "file_kind"),
        (b"", 415, "file_kind"),
        (b"PK\x03\x04\xff\xfe", 415, "file_kind"),
        (b"a\0b", 415, "file_kind"),
    ],
)
def test_other_kinds_of_files_are_refused_by_their_bytes(
    http: httpx.Client, content: bytes, status: int, code: str
) -> None:
    refused = upload(http, content, "photo.png")
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_file_over_the_limit_is_not_even_read(http: httpx.Client) -> None:
    assert upload(http, PNG + bytes(4096), "big.png").status_code == 413


def test_a_conversation_holds_twenty_files(http: httpx.Client, assistant: FakeAssistant) -> None:
    talk = open_talk(assistant)
    codes = [upload(http, PNG, f"{number}.png", talk).json().get("code") for number in range(21)]
    assert codes == [None] * 20 + ["too_many_files"]


def test_a_file_needs_a_conversation_of_the_widget(http: httpx.Client, assistant: FakeAssistant) -> None:
    assert upload(http, PNG, "x.png", open_talk(assistant, "page")).status_code == 404
    assert http.get("/widget/files/nothing").status_code == 404


def test_a_server_may_take_no_files(tmp_path: Path) -> None:
    sections = {"var": tmp_path, "widget": {"uploads": False}}
    with (
        serving(build(FakeAssistant(), sections=sections)) as address,
        httpx.Client(base_url=address) as client,
    ):
        assert client.get("/widget/config").json()["uploads"] is False
        assert upload(client, PNG, "x.png").json()["code"] == "no_files"


def test_files_count_as_messages_do(tmp_path: Path) -> None:
    app = build(FakeAssistant(), sections={"var": tmp_path}, messages_per_minute=2)
    with serving(app) as address, httpx.Client(base_url=address) as client:
        assert [upload(client, PNG, "x.png").status_code for _ in range(3)] == [200, 200, 429]


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
