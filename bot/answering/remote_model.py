"""Writes drafts on a model server that speaks OpenAI's chat protocol (vLLM, llama.cpp, Ollama, a hosted one).

The server applies its own model's turn markers, so it gets messages rather than a rendered text. A server that fails
five times in a row is left alone for half a minute: customers get the composed answer at once instead of waiting.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Generator as Stream
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from bot.answering.generator import DEFAULT_SHAPE, Prompt, PromptShape
from bot.answering.prompt import as_messages
from bot.errors import GenerationError

_FAILURES = 5
_PAUSE_SECONDS = 30.0
_CONNECT_SECONDS = 3.0
_WARM_UP_SECONDS = 120.0
_DONE = "[DONE]"

log = structlog.get_logger(__name__)


class Breaker:
    """Counts failures in a row, and says when to leave a server alone. After a pause, one try decides."""

    def __init__(self, *, failures: int = _FAILURES, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._allowed = failures
        self._pause = pause_seconds
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._closed_until = 0.0

    def wait_seconds(self) -> float:
        """How long the server is to be left alone; 0.0 if it may be asked. Whoever gets 0.0 after a pause is the try."""
        now = time.monotonic()
        with self._lock:
            if self._in_a_row < self._allowed:
                return 0.0
            if now < self._closed_until:
                return self._closed_until - now
            self._closed_until = now + self._pause  # only one tries; the others wait for what comes of it
            return 0.0

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """The server failed, or could not be reached."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._allowed:
                self._closed_until = time.monotonic() + self._pause


@dataclass(frozen=True)
class _Failure:
    """What went wrong while reading."""

    error: Exception


class RemoteModel:
    """A `Generator` behind HTTP. Safe to call from several threads, which write at the same time."""

    def __init__(
        self, url: str, model: str, api_key: str | None = None, *, breaker: Breaker | None = None
    ) -> None:
        """Name the server; nothing is sent yet.

        Args:
            url: its base, with or without `/v1`, e.g. `http://127.0.0.1:8000/v1`.
            model: what the server calls the model.
            api_key: sent as a bearer token.
            breaker: when to leave the server alone.
        """
        base = url.rstrip("/")
        self._url = f"{base if base.endswith('/v1') else f'{base}/v1'}/chat/completions"
        self._model = model
        self._breaker = breaker if breaker is not None else Breaker()
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, trust_env=False, follow_redirects=False)

    @property
    def name(self) -> str:
        """The model's name and its server's."""
        return f"{self._model}@{httpx.URL(self._url).netloc.decode()}"

    @property
    def adapter(self) -> str | None:
        """Unknown: the server chooses what it serves."""
        return None

    @property
    def tuned(self) -> bool:
        """Taken for granted: a chat server serves models that chat."""
        return True

    @property
    def writes(self) -> bool:
        """Taken for granted, too."""
        return True

    @property
    def shape(self) -> PromptShape:
        """With worked examples: a chat model was trained on other prompts."""
        return DEFAULT_SHAPE

    def warm_up(self) -> None:
        """Ask for one token, so that the server loads the model and a wrong address shows at start.

        Raises:
            GenerationError: the server cannot be reached or refuses.
        """
        deadline = time.monotonic() + _WARM_UP_SECONDS
        with closing(self._answer([{"role": "user", "content": "?"}], 1, deadline)) as events:
            for _ in events:
                pass

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        """Yield the answer piece by piece; see `bot.answering.generator.Generator`.

        Raises:
            GenerationError: the server cannot be reached, refuses, sends something else, is left alone after
                failures, is out of time, or stopped at `max_new_tokens`.
        """
        finished = ""
        with closing(self._answer(as_messages(prompt), max_new_tokens, deadline)) as events:
            for event in events:
                piece, finished = _read_event(event, finished)
                if piece:
                    yield piece
        if finished == "length":
            raise GenerationError(
                f"Model server {self._url} was not finished after {max_new_tokens} tokens. "
                "Raise `model.max_new_tokens` if its answers should be longer."
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer(
        self, messages: list[dict[str, str]], max_new_tokens: int, deadline: float
    ) -> Stream[Any, None, None]:
        """The server's events, decoded; every way to fail becomes a GenerationError and counts for the breaker."""
        wait = self._breaker.wait_seconds()
        if wait > 0:
            raise GenerationError(
                f"Model server {self._url} failed {_FAILURES} times in a row; next try in {wait:.0f} s."
            )
        body = {
            "model": self._model,
            "messages": messages,
            "max_tokens": max_new_tokens,
            "temperature": 0,
            "stream": True,
        }
        try:
            for event in _events(lambda left: self._open(body, left), deadline):
                self._breaker.succeeded()
                yield event
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, TimeoutError) as error:
            self._breaker.failed()
            reason = str(error) or type(error).__name__
            log.warning("model_server_failed", server=self.name, reason=type(error).__name__)
            raise GenerationError(
                f"Model server {self._url} failed: {reason}. Check that it runs, `model.url` and `model.model` in kefu.toml."
            ) from error

    def _open(self, body: dict[str, Any], left: float) -> Any:
        timeout = httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS))
        return self._client.stream("POST", self._url, json=body, timeout=timeout)


def _events(open_stream: Callable[[float], Any], deadline: float) -> Iterator[Any]:
    """Events of a stream, none later than `deadline`.

    A thread reads, because httpx counts its timeout from each read: a server that stalls in mid-answer could hold a
    reader for twice its time. The thread ends with the stream, or with its own timeout.

    Raises:
        TimeoutError: the deadline passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time was left to ask")
    lines: queue.SimpleQueue[str | _Failure | None] = queue.SimpleQueue()
    gone = threading.Event()
    threading.Thread(
        target=_pump, args=(open_stream, left, lines, gone), daemon=True, name="model-server"
    ).start()
    try:
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("it ran out of time") from None
            if isinstance(line, _Failure):
                raise line.error
            if line is None:
                raise httpx.RemoteProtocolError("it broke off")
            if line == _DONE:
                return
            yield json.loads(line)
    finally:
        gone.set()


def _pump(
    open_stream: Callable[[float], Any],
    left: float,
    lines: queue.SimpleQueue[str | _Failure | None],
    gone: threading.Event,
) -> None:
    """Put what the server sends into `lines` until it ends, fails, or nobody listens any more."""
    try:
        with open_stream(left) as response:
            if response.status_code != httpx.codes.OK:
                raise httpx.HTTPError(f"it answered {response.status_code}")
            for line in response.iter_lines():
                if gone.is_set():
                    return
                if line.startswith("data:"):
                    lines.put(line.removeprefix("data:").strip())
        lines.put(None)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, RuntimeError) as error:
        lines.put(_Failure(error if not isinstance(error, RuntimeError) else httpx.HTTPError(str(error))))


def _read_event(event: Any, finished: str) -> tuple[str, str]:
    """The piece of text in an event, and why writing ended if it says so."""
    if not isinstance(event, dict):
        return "", finished
    choices = event.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return "", finished
    delta = choices[0].get("delta")
    piece = delta.get("content") if isinstance(delta, dict) else None
    reason = choices[0].get("finish_reason")
    return (piece if isinstance(piece, str) else ""), (reason if isinstance(reason, str) else finished)
