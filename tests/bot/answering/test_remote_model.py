"""A model server, scripted on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.answering.prompt import PromptPassage, render
from bot.answering.remote_model import Breaker, RemoteModel
from bot.conversation import Language
from bot.errors import GenerationError

PROMPT = render(Language.ZH, [PromptPassage(1, "运费", "满 99 元包邮。")], (), "运费多少")
Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Plays the server's script."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, "body": body, "key": self.headers.get("Authorization")})
        try:
            self.server.script(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.left.set()

    def start(self, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, text: str, reason: str | None = None) -> None:
        choice = {"delta": {"content": text}, "finish_reason": reason}
        self.raw(f"data: {json.dumps({'choices': [choice]})}\n\n")

    def raw(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """A server with a script and a history."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: Script = answering("满 99 ", "元包邮。")
        self.asked: list[dict[str, Any]] = []
        self.left = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def answering(*pieces: str, reason: str = "stop") -> Script:
    def script(handler: Handler) -> None:
        handler.start()
        handler.raw(": a comment\n\n")
        for piece in pieces:
            handler.event(piece)
        handler.event("", reason)
        handler.raw("data: [DONE]\n\n")

    return script


def failing(status: int) -> Script:
    def script(handler: Handler) -> None:
        handler.start(status)
        handler.raw('{"error": "the customer asked 运费多少"}')

    return script


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def model(server: Server) -> Iterator[RemoteModel]:
    made = RemoteModel(server.url, "qwen", "secret")
    yield made
    made.close()


def ask(model: RemoteModel, seconds: float = 5.0) -> str:
    return "".join(model.stream(PROMPT, max_new_tokens=50, deadline=time.monotonic() + seconds))


def test_the_answer_streams(model: RemoteModel, server: Server) -> None:
    pieces = list(model.stream(PROMPT, max_new_tokens=50, deadline=time.monotonic() + 5))
    assert pieces == ["满 99 ", "元包邮。"]
    (asked,) = server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["key"] == "Bearer secret"
    assert (asked["body"]["model"], asked["body"]["max_tokens"], asked["body"]["temperature"]) == (
        "qwen",
        50,
        0,
    )
    assert asked["body"]["messages"][-1]["content"].endswith("问题：运费多少")


def test_the_address_may_end_in_v1(server: Server) -> None:
    model = RemoteModel(f"{server.url}/v1/", "qwen")
    assert ask(model) == "满 99 元包邮。"
    assert server.asked[0]["path"] == "/v1/chat/completions"
    assert server.asked[0]["key"] is None
    assert model.name == f"qwen@{server.url.removeprefix('http://')}"
    model.close()


@pytest.mark.parametrize("status", [401, 404, 429, 500, 302])
def test_a_refusal_is_said_without_what_the_server_wrote(
    model: RemoteModel, server: Server, status: int
) -> None:
    server.script = failing(status)
    with pytest.raises(GenerationError, match=str(status)) as caught:
        ask(model)
    assert "运费" not in str(caught.value)


def test_an_answer_that_was_cut_off_is_not_passed_for_whole(model: RemoteModel, server: Server) -> None:
    server.script = answering("满 99", reason="length")
    with pytest.raises(GenerationError, match="not finished after 50 tokens"):
        ask(model)


def test_a_server_that_dies_in_mid_answer_is_noticed(model: RemoteModel, server: Server) -> None:
    def script(handler: Handler) -> None:
        handler.start()
        handler.event("满 99 ")

    server.script = script
    pieces = model.stream(PROMPT, max_new_tokens=50, deadline=time.monotonic() + 5)
    assert next(pieces) == "满 99 "
    with pytest.raises(GenerationError, match="broke off"):
        next(pieces)


@pytest.mark.parametrize("garbage", ["data: {nonsense\n\n", "data: \n\n"])
def test_nonsense_is_an_error_and_not_an_answer(model: RemoteModel, server: Server, garbage: str) -> None:
    def script(handler: Handler) -> None:
        handler.start()
        handler.raw(garbage)

    server.script = script
    with pytest.raises(GenerationError, match="failed"):
        ask(model)


@pytest.mark.parametrize(
    "event", ['{"choices": []}', "[]", '{"choices": [{"delta": {"content": null}}]}', "7"]
)
def test_events_without_text_are_passed_over(model: RemoteModel, server: Server, event: str) -> None:
    def script(handler: Handler) -> None:
        handler.start()
        handler.raw(f"data: {event}\n\n")
        handler.event("好")
        handler.raw("data: [DONE]\n\n")

    server.script = script
    assert ask(model) == "好"


def test_a_server_that_stalls_is_left_at_the_deadline(model: RemoteModel, server: Server) -> None:
    wake = threading.Event()

    def script(handler: Handler) -> None:
        handler.start()
        time.sleep(0.2)
        handler.event("满 99 ")
        wake.wait(5)

    server.script = script
    began = time.monotonic()
    with pytest.raises(GenerationError, match="out of time"):
        ask(model, seconds=0.5)
    assert time.monotonic() - began < 0.8
    wake.set()


def test_a_reader_who_leaves_stops_the_server(model: RemoteModel, server: Server) -> None:
    def script(handler: Handler) -> None:
        handler.start()
        for _ in range(500):
            handler.event("好")
            time.sleep(0.01)

    server.script = script
    pieces = model.stream(PROMPT, max_new_tokens=50, deadline=time.monotonic() + 10)
    assert next(pieces) == "好"
    pieces.close()  # type: ignore[attr-defined]
    assert server.left.wait(5)


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    model = RemoteModel("http://127.0.0.1:9", "qwen")
    with pytest.raises(GenerationError, match=r"model\.url"):
        ask(model)
    model.close()


def test_after_five_failures_the_server_is_left_alone_and_then_tried_once(server: Server) -> None:
    model = RemoteModel(server.url, "qwen", breaker=Breaker(failures=5, pause_seconds=0.3))
    server.script = failing(500)
    for _ in range(5):
        with pytest.raises(GenerationError, match="500"):
            ask(model)
    with pytest.raises(GenerationError, match="in a row"):
        ask(model)
    assert len(server.asked) == 5
    time.sleep(0.35)
    with pytest.raises(GenerationError, match="500"):
        ask(model)
    with pytest.raises(GenerationError, match="in a row"):
        ask(model)
    time.sleep(0.35)
    server.script = answering("好")
    assert ask(model) == "好"
    assert ask(model) == "好"
    model.close()


def test_while_one_tries_again_the_others_wait() -> None:
    breaker = Breaker(failures=1, pause_seconds=0.05)
    breaker.failed()
    assert breaker.wait_seconds() > 0
    time.sleep(0.06)
    assert breaker.wait_seconds() == 0.0
    assert breaker.wait_seconds() > 0
    breaker.succeeded()
    assert breaker.wait_seconds() == 0.0


def test_no_time_left_asks_nobody(model: RemoteModel, server: Server) -> None:
    with pytest.raises(GenerationError, match="no time"):
        ask(model, seconds=-1)
    assert server.asked == []


def test_warming_up_asks_for_one_token(model: RemoteModel, server: Server) -> None:
    model.warm_up()
    assert server.asked[0]["body"]["max_tokens"] == 1
