"""Events for other programs: signed as the standard says, tried again, never lost by a restart and never in the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.conversation import VisitorId
from bot.conversations import Conversations
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.desk.webhooks import WebhookEvent, Webhooks, signature
from bot.errors import SettingsError
from bot.memory.shared_log import SharedLog
from bot.memory.store import Store
from bot.safety.redact import redact
from tests.example_turns import example_turn

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes yes").decode()


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Receiver:
    """A program that is told, and answers as it is told to: a status, or "hang"."""

    def __init__(self) -> None:
        self.answers: list[int | str] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if isinstance(answer, str):
                    receiver.released.wait(20)
                    answer = 204
                self.send_response(answer)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def longest(_low: float, high: float) -> float:
    return high


def webhooks(folder: Path, *urls: str, clock: Clock | None = None, timeout_seconds: float = 2.0) -> Webhooks:
    log = SharedLog(folder / "kefu.db", wait_seconds=0.2)
    return Webhooks(log, urls, SECRET, now=clock or Clock(), jitter=longest, timeout_seconds=timeout_seconds)


def rows(folder: Path) -> list[dict[str, object]]:
    log = SharedLog(folder / "kefu.db")
    with log.reading() as opened:
        found = list(opened.query("SELECT * FROM outbox ORDER BY number"))
    log.close()
    return found


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    key = base64.b64decode("plJ3nmyCDGBKInavdOK15jsl")
    body = b'{"event_type":"ping","data":{"success":true}}'
    made = signature(key, "msg_loFOjxBNrRLzqYUf", "1731705121", body)
    assert made == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_an_event_arrives_signed(tmp_path: Path, receiver: Receiver) -> None:
    hooks = webhooks(tmp_path, receiver.url)
    hooks.tell(WebhookEvent.HANDOFF, {"conversation_id": "c1", "reason": "asked", "name": "小李"})
    hooks.send_due()
    hooks.close()
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert told["type"] == "handoff.requested"
    assert told["data"] == {"conversation_id": "c1", "reason": "asked", "name": "小李"}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"a secret of 24 bytes yes", signed, hashlib.sha256).digest())
    assert headers["webhook-signature"] == f"v1,{expected.decode()}"
    assert rows(tmp_path)[0]["delivered_at"] is not None


def test_what_fails_is_tried_again_later_each_time_under_the_same_id(
    tmp_path: Path, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [500, 302, 404, 200]
    hooks = webhooks(tmp_path, receiver.url, clock=clock)
    hooks.tell(WebhookEvent.RATED, {"turn_id": "t1", "rating": -1})
    pauses = []
    while rows(tmp_path)[0]["delivered_at"] is None:
        wait = hooks.send_due()
        pauses.append(wait)
        clock.at += timedelta(seconds=wait)
    hooks.close()
    assert pauses[:3] == [5, 10, 20]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 4


def test_a_receiver_that_is_down_for_a_day_is_given_up_with_a_word_why(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = webhooks(tmp_path, "http://127.0.0.1:9/hook", clock=clock)
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    begun = clock.at
    while clock.at - begun < timedelta(hours=26):
        clock.at += timedelta(seconds=hooks.send_due())
    hooks.close()
    (row,) = rows(tmp_path)
    given_up = datetime.fromisoformat(str(row["gave_up_at"]))
    assert timedelta(days=1) <= given_up - begun < timedelta(hours=25, minutes=1)
    assert row["last_error"] == "ConnectError"
    assert "webhook_given_up" in capsys.readouterr().out


def test_a_receiver_that_says_it_is_gone_is_told_nothing_more(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [410]
    hooks = webhooks(tmp_path, receiver.url)
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c2"})
    hooks.send_due()
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c3"})
    hooks.send_due()
    hooks.close()
    assert len(receiver.got) == 1
    assert [row["gave_up_at"] is not None for row in rows(tmp_path)] == [True, True]


def test_telling_takes_no_time_though_the_receiver_hangs(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = ["hang"]
    hooks = webhooks(tmp_path, receiver.url, timeout_seconds=1.0)
    hooks.start()
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    while not receiver.got:
        time.sleep(0.01)
    begun = time.monotonic()
    for number in range(20):
        hooks.tell(WebhookEvent.OPENED, {"conversation_id": f"d{number}"})
    assert time.monotonic() - begun < 0.9
    hooks.close()
    assert len(rows(tmp_path)) == 21


def test_a_hanging_receiver_holds_no_other_one_up(tmp_path: Path, receiver: Receiver) -> None:
    hanging = Receiver()
    hanging.answers = ["hang"] * 50
    hooks = webhooks(tmp_path, hanging.url, receiver.url, timeout_seconds=0.3)
    for number in range(10):
        hooks.tell(WebhookEvent.OPENED, {"conversation_id": f"c{number}"})
    begun = time.monotonic()
    hooks.send_due()
    assert time.monotonic() - begun < 2.0
    assert len(receiver.got) == 10
    assert len(hanging.got) == 1
    hooks.close()
    hanging.close()


def test_an_answer_that_comes_too_late_is_a_failure_and_the_event_comes_again(
    tmp_path: Path, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = ["hang", 200]
    hooks = webhooks(tmp_path, receiver.url, clock=clock, timeout_seconds=0.3)
    hooks.tell(WebhookEvent.ALARM, {"name": "知识库没有更新"})
    clock.at += timedelta(seconds=hooks.send_due())
    assert rows(tmp_path)[0]["last_error"] == "ReadTimeout"
    hooks.send_due()
    hooks.close()
    assert [body for _, body in receiver.got] == [receiver.got[0][1]] * 2
    assert rows(tmp_path)[0]["delivered_at"] is not None


def test_what_was_not_sent_is_sent_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    before = webhooks(tmp_path, receiver.url)
    before.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    before.close()
    assert receiver.got == []
    after = webhooks(tmp_path, receiver.url)
    after.start()
    deadline = time.monotonic() + 5
    while not receiver.got and time.monotonic() < deadline:
        time.sleep(0.01)
    after.close()
    assert len(receiver.got) == 1


def test_an_address_that_left_the_settings_gets_nothing_more(tmp_path: Path, receiver: Receiver) -> None:
    before = webhooks(tmp_path, receiver.url)
    before.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    before.close()
    other = webhooks(tmp_path, "http://127.0.0.1:9/other")
    other.send_due()
    other.close()
    assert receiver.got == []
    assert rows(tmp_path)[0]["gave_up_at"] is not None


def test_a_log_that_cannot_be_written_loses_no_event(tmp_path: Path, receiver: Receiver) -> None:
    hooks = webhooks(tmp_path, receiver.url)
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    other = SharedLog(tmp_path / "kefu.db")
    with other.writing():
        hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c2"})
    other.close()
    hooks.send_due()
    hooks.close()
    assert [json.loads(body)["data"]["conversation_id"] for _, body in receiver.got] == ["c1", "c2"]


def test_addresses_without_a_secret_are_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"webhooks\.secret is not"):
        Webhooks(SharedLog(tmp_path / "kefu.db"), ["http://127.0.0.1:9/"], None)
    with pytest.raises(SettingsError, match="not Base64"):
        Webhooks(SharedLog(tmp_path / "kefu.db"), ["http://127.0.0.1:9/"], "whsec_密")


def test_without_addresses_nothing_is_noted(tmp_path: Path) -> None:
    hooks = Webhooks(SharedLog(tmp_path / "kefu.db"), (), None)
    hooks.tell(WebhookEvent.OPENED, {"conversation_id": "c1"})
    hooks.close()
    assert not (tmp_path / "kefu.db").exists()


def test_new_talks_calls_and_votes_are_told_once_each(tmp_path: Path) -> None:
    told: list[tuple[WebhookEvent, object]] = []

    def announce(event: WebhookEvent, data: Mapping[str, object]) -> None:
        told.append((event, data.get("reason", data.get("rating", data.get("channel")))))

    with Store(tmp_path / "kefu.db") as store:
        hours = Hours("24/7", time_zone="Asia/Shanghai", country=None)
        desk = Desk(store.path, hours, lambda text: text, announce=announce)
        conversations = Conversations(store, desk, redact, announce)
        visitor = VisitorId("visitor")
        conversation = conversations.open_conversation(visitor, channel="widget")
        turn = example_turn(conversation)
        store.append_turn(turn)
        conversations.rate(conversation, turn.id, -1, "我的手机是13812345678", visitor=visitor)
        conversations.call_person(conversation, visitor=visitor)
        conversations.call_person(conversation, visitor=visitor)
        conversations.leave_contact(conversation, "a@example.com", visitor=visitor)
        desk.close()
    assert told == [
        (WebhookEvent.OPENED, "widget"),
        (WebhookEvent.RATED, -1),
        (WebhookEvent.HANDOFF, "asked"),
    ]
