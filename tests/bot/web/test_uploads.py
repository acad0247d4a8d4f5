"""Files that customers send through the widget: kept, listed, shown harmlessly, and refused by kind, size and number."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from bot.conversation import ConversationId
from bot.web.visitors import new_visitor
from tests.bot.web.conftest import MOST_UPLOAD_BYTES
from tests.desk_staff import LI
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(40)


def open_talk(assistant: FakeAssistant, channel: str = "widget") -> ConversationId:
    return assistant.open_conversation(new_visitor(), channel=channel)


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
    assert upload(http, PNG + bytes(MOST_UPLOAD_BYTES), "big.png").status_code == 413


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
