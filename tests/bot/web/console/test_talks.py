"""The queue and a talk over HTTP: what they show, what they let whom do, and the stream that tells of changes."""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from bot.conversation import ConversationId, Language, VisitorId
from bot.memory.calls import CallReason
from bot.memory.uploads import Upload, UploadId, add_upload
from bot.memory.visits import Customer
from tests.bot.web.console.conftest import Person
from tests.console_people import PASSWORD
from tests.fake_assistant import FakeAssistant

Someone = Callable[..., Person]
ANNA = VisitorId("anna")


def opened(assistant: FakeAssistant, *messages: str) -> ConversationId:
    talk = assistant.open_conversation(ANNA, channel="widget")
    for message in messages:
        list(assistant.answer(talk, message, visitor=ANNA))
    return talk


@pytest.fixture
def talk(assistant: FakeAssistant) -> ConversationId:
    talk = opened(assistant, "我的快递三天没动了，怎么办？")
    assistant.call_person(talk, visitor=ANNA)
    return talk


def act(person: Person, talk: str, what: str, **fields: str) -> httpx.Response:
    return person.send_form(f"/console/talks/{talk}/{what}", **fields)


def test_the_queue_shows_who_waits_where_and_why(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    assistant.note_page(talk, "https://shop.example/orders?token=secret", "我的订单", visitor=ANNA)
    assistant.identify(talk, Customer("u-1", "安娜"), visitor=ANNA)
    assistant.desk.hear(talk, "急！订单 KF20261101-0042")
    page = someone("li", language="zh").get("/console").text
    for part in ("安娜", "我的订单", "急！订单 KF20261101-0042", "客户要求", "简体中文", "挂件"):
        assert part in page
    assert "secret" not in page


def test_a_talk_without_a_call_can_be_looked_into_and_taken(
    assistant: FakeAssistant, someone: Someone
) -> None:
    talk = opened(assistant, "怎么开发票？")
    person = someone("li")
    assert f"/console/talks/{talk}" in person.get("/console").text
    assert not assistant.desk.holds(talk)
    act(person, talk, "take")
    assert assistant.desk.holds(talk)
    assert opened_reason(assistant, talk) is CallReason.AGENT
    act(person, talk, "return")
    assert not assistant.desk.holds(talk)


def opened_reason(assistant: FakeAssistant, talk: ConversationId) -> CallReason:
    call = assistant.desk.open_call(talk)
    assert call is not None
    return call.reason


@pytest.mark.parametrize(
    ("language", "refusal"), [("en", "A colleague has this talk"), ("zh", "同事正在接待这个会话")]
)
@pytest.mark.parametrize(
    ("what", "fields"), [("take", {}), ("reply", {"text": "hello"}), ("return", {}), ("close", {})]
)
def test_what_another_has_is_refused_with_a_clear_line(
    talk: ConversationId, someone: Someone, what: str, fields: dict[str, str], language: str, refusal: str
) -> None:
    first, second = someone("mary"), someone("li", language=language)
    assert act(first, talk, "take").status_code == 303
    answer = act(second, talk, what, **fields)
    assert answer.status_code == 409
    assert refusal in answer.text
    assert "Mary" in second.get(f"/console/talks/{talk}").text
    act(first, talk, "return")


def test_a_reply_needs_a_talk_in_hand_and_words(talk: ConversationId, someone: Someone) -> None:
    person = someone("li")
    assert "in nobody&#39;s hands" in act(person, talk, "reply", text="hello").text
    act(person, talk, "take")
    assert act(person, talk, "reply", text=" \r\n ").status_code == 409
    assert act(person, talk, "reply", text="x" * 4001).status_code == 409
    assert act(person, talk, "reply", text="x" * 4000).status_code == 303
    act(person, talk, "close", outcome="已解决")


def test_closing_keeps_the_outcome_and_the_record(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    act(someone("li"), talk, "take")
    act(someone("li"), talk, "close", outcome="已退款")
    with assistant.desk.log.reading() as log:
        call = next(log.query("SELECT state, outcome FROM calls WHERE conversation_id = ?", [talk]))
    assert (call["state"], call["outcome"]) == ("closed", "已退款")
    record = someone("admin").get("/console/audit").text
    assert record.index("closed a talk") < record.index("took a talk")


def test_contact_details_are_shown_as_long_as_the_call_is_open(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    assistant.leave_contact(talk, "请打 13812345678", visitor=ANNA)
    person = someone("li")
    assert "请打 13812345678" in person.get(f"/console/talks/{talk}/passport").text
    act(person, talk, "close")
    assert "13812345678" not in person.get(f"/console/talks/{talk}/passport").text


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }} <b>"]
)
def test_whatever_a_customer_writes_is_shown_and_never_run(
    assistant: FakeAssistant, someone: Someone, words: str
) -> None:
    talk = opened(assistant, words)
    assistant.call_person(talk, visitor=ANNA)
    assistant.desk.hear(talk, words)
    assistant.note_page(talk, "https://shop.example/", words, visitor=ANNA)
    assistant.identify(talk, Customer("u-2", words), visitor=ANNA)
    person = someone("li")
    for path in ("/console", f"/console/talks/{talk}", f"/console/talks/{talk}/passport"):
        page = person.get(path).text
        assert str(html.escape(words)).replace("&quot;", "&#34;") in page
        assert words not in page


def test_a_page_that_has_it_all_is_sent_nothing(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    person = someone("li")
    page = person.get(f"/console/talks/{talk}/thread").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    assert person.get(f"/console/talks/{talk}/thread", params={"seen": seen}).status_code == 204
    assert person.get(f"/console/talks/{talk}/bar", params={"hand": "waiting"}).status_code == 204
    assistant.desk.hear(talk, "还在吗")
    assert "还在吗" in person.get(f"/console/talks/{talk}/thread", params={"seen": seen}).text
    act(person, talk, "take")
    assert 'id="reply"' in person.get(f"/console/talks/{talk}/bar", params={"hand": "waiting"}).text
    act(person, talk, "return")


def test_a_talk_that_does_not_exist_is_said_to_be_none(someone: Someone) -> None:
    answer = someone("li").get("/console/talks/nothing")
    assert (answer.status_code, "There is no such talk" in answer.text) == (404, True)


def test_a_candidate_that_a_template_says_already_is_named(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    person = someone("li", language="zh")
    act(person, talk, "take")
    act(
        person,
        talk,
        "reply",
        text="包裹超过 72 小时没有更新，在「我的订单」里点击催件，快递公司会在 24 小时内回复。",
    )
    number = str(assistant.desk.events(talk)[-1].number)
    answer = act(person, talk, "candidate", number=number)
    assert "已列为候选" in answer.text
    assert "已经这样说了" in answer.text
    other = act(person, talk, "candidate", number="999999")
    assert other.status_code == 409
    act(person, talk, "return")


def test_the_board_counts_why_people_were_called(assistant: FakeAssistant, someone: Someone) -> None:
    for _ in range(3):
        assistant.desk.call(
            opened(assistant, "hi"), CallReason.RULE, detail="complaint", language=Language.EN
        )
    page = someone("li").get("/console").text
    assert "A rule says so: complaint (en)" in page
    assert "<b>3</b>" in page


def test_the_customer_sees_that_the_person_who_has_the_talk_is_writing(
    app: FastAPI, talk: ConversationId, someone: Someone
) -> None:
    first, second = someone("mary"), someone("li")
    act(first, talk, "take")
    assert act(second, talk, "writing").status_code == 204
    assert not app.state.writing.is_on(talk)
    assert act(first, talk, "writing").status_code == 204
    assert app.state.writing.is_on(talk)
    act(first, talk, "return")


def test_files_of_the_customer_are_listed(
    assistant: FakeAssistant, talk: ConversationId, someone: Someone
) -> None:
    picture = Upload(UploadId("file-1"), talk, "破损<照片>.png", "image/png", 9, "0", datetime.now(UTC))
    with assistant.desk.log.writing() as log:
        add_upload(log, picture)
    page = someone("li").get(f"/console/talks/{talk}/passport").text
    assert "/widget/files/file-1" in page
    assert "破损&lt;照片&gt;.png" in page


class Stream(threading.Thread):
    """Listens to the console's events until it is closed."""

    def __init__(self, person: Person) -> None:
        super().__init__(daemon=True)
        self.heard: list[str] = []
        self.ended = threading.Event()
        self._person = person

    def run(self) -> None:
        with self._person.stream("GET", "/console/events", timeout=30) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    self.heard.append(line.removeprefix("event: "))
        self.ended.set()

    def wait_for(self, count: int) -> list[str]:
        deadline = time.monotonic() + 10
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.heard


def test_the_stream_tells_of_a_call_at_once_and_ends_with_the_session(
    assistant: FakeAssistant, app: FastAPI, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.console.live._HEARTBEAT", 0.2)
    person = someone("mary")
    stream = Stream(someone("mary"))
    stream.start()
    mary = app.state.console.accounts.of_login("mary")
    deadline = time.monotonic() + 10
    while mary.id not in app.state.console.presence.here() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert assistant.desk.staffed()  # somebody has the console open
    assistant.call_person(opened(assistant, "hi"), visitor=ANNA)
    assert "desk" in stream.wait_for(1)
    person.send_form("/console/presence", available="false")
    assert mary.id not in app.state.console.presence.here()
    person.send_form("/console/presence", available="true")
    app.state.console.accounts.set_password(mary.id, PASSWORD)  # which signs her out everywhere
    assert stream.ended.wait(10)
    assert stream.heard[-1] == "signed-out"


def test_the_stream_is_for_who_is_signed_in(someone: Someone) -> None:
    answer = someone().get("/console/events", headers={"accept": "text/event-stream"})
    assert (answer.status_code, json.loads(answer.text)) == (401, {"detail": "Sign in."})
