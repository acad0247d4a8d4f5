"""Tells other programs what happens here: a new talk, a call for a person, a rating, an alarm.

What is sent follows Standard Webhooks (https://www.standardwebhooks.com): a JSON body `{type, timestamp, data}` and three
headers, of which one signs the other two and the body. The data are ids and names, never a customer's words.

An event is a row of the log before anybody is told, so it survives a restart; one thread sends, tries again with growing
pauses for a day, and then gives up with a line in the log. A receiver may get an event twice and tells it by its id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import httpx
import structlog

from bot.errors import SettingsError, StoreError
from bot.memory import outbox
from bot.memory.outbox import Delivery
from bot.memory.shared_log import SharedLog

_log = structlog.get_logger(__name__)

SECRET_PREFIX = "whsec_"  # noqa: S105 (how Standard Webhooks marks a secret in Base64)
_TIMEOUT_SECONDS = 10.0
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
_GIVE_UP_AFTER = timedelta(days=1)
_KEEP = timedelta(days=30)  # what is done with
_LOOK_SECONDS = 60.0
_MOST_WAITING = 10_000  # events in memory while the log cannot be written
_GONE = 410


class WebhookEvent(StrEnum):
    """What there is to tell."""

    OPENED = "conversation.opened"
    HANDOFF = "handoff.requested"
    RATED = "rating.given"
    ALARM = "alarm.raised"


Announce = Callable[[WebhookEvent, Mapping[str, object]], None]


def announce_nothing(_event: WebhookEvent, _data: Mapping[str, object]) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Waiting:
    """An event that is not in the log yet."""

    event: WebhookEvent
    body: str
    at: datetime


class Webhooks:
    """Sends events to the addresses of the settings. Telling is quick and never fails; safe from any thread."""

    def __init__(
        self,
        log: SharedLog,
        urls: Sequence[str],
        secret: str | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[float, float], float] = random.uniform,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """Nothing is sent before `start`.

        Args:
            log: where events wait; a short `wait_seconds` keeps a turn from waiting for another process.
            urls: who is told; none: nobody.
            secret: signs what is sent, "whsec_" and Base64, or any text.
            now: the clock.
            jitter: a random number between two.
            timeout_seconds: how long a receiver may take.

        Raises:
            SettingsError: there are addresses and no secret, or it cannot be read.
        """
        if urls and not secret:
            raise SettingsError(
                "webhooks.urls are set and webhooks.secret is not: receivers could not tell Kefu from anybody else. "
                "Set KEFU_WEBHOOKS__SECRET."
            )
        self._shared = log
        self._urls = list(dict.fromkeys(urls))
        self._key = _key_of(secret or "")
        self._now = now
        self._jitter = jitter
        self._unwritten: deque[Waiting] = deque(maxlen=_MOST_WAITING)
        # Made only if it is needed: it reads the certificates.
        self._client = httpx.Client(timeout=timeout_seconds, follow_redirects=False) if self._urls else None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, event: WebhookEvent, data: Mapping[str, object]) -> None:
        """Note an event; it is sent by the thread, now or at the next start."""
        if not self._urls:
            return
        at = self._now()
        body = json.dumps(
            {"type": event.value, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False
        )
        self._unwritten.append(Waiting(event, body, at))
        try:
            self._write_waiting()
        except StoreError as error:  # the thread tries again
            _log.warning("webhook_not_noted_yet", event_type=event.value, error=str(error))
        self._wake.set()

    def start(self) -> None:
        """Begin to send."""
        if self._urls and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop sending; what waits is sent after the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._client is not None:
            self._client.close()
        self._shared.close()

    def send_due(self) -> float:
        """Send what is due, one after another; returns how many seconds there is nothing to do.

        Raises:
            StoreError: the log cannot be used.
        """
        self._write_waiting()
        while not self._stop.is_set():
            with self._shared.reading() as log:
                delivery = outbox.next_due(log)
            if delivery is None:
                return _LOOK_SECONDS
            wait = (delivery.due_at - self._now()).total_seconds()
            if wait > 0:
                return min(wait, _LOOK_SECONDS)
            self._send(delivery)
        return 0.0

    # -- how

    def _run(self) -> None:
        try:
            with self._shared.writing() as log:
                outbox.forget(log, before=self._now() - _KEEP)
        except StoreError as error:
            _log.warning("webhooks_not_tidied", error=str(error))
        while not self._stop.is_set():
            self._wake.clear()
            try:
                wait = self.send_due()
            except StoreError as error:
                _log.error("webhooks_wait_for_the_log", error=str(error))
                wait = _LOOK_SECONDS
            self._wake.wait(wait)

    def _write_waiting(self) -> None:
        while self._unwritten:
            try:
                waiting = self._unwritten.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                with self._shared.writing() as log:
                    for url in self._urls:
                        outbox.put(log, waiting.event.value, url, waiting.body, at=waiting.at)
            except StoreError:
                self._unwritten.appendleft(waiting)
                raise

    def _send(self, delivery: Delivery) -> None:
        if delivery.url not in self._urls:  # taken out of the settings, or it said that it is gone
            self._drop_address(delivery.url, "This address is not told any more.")
            return
        error = self._error_of(delivery)
        now = self._now()
        if delivery.url not in self._urls:
            return
        with self._shared.writing() as log:
            if error is None:
                outbox.mark_delivered(log, delivery, at=now)
            elif now - delivery.made_at >= _GIVE_UP_AFTER:
                outbox.give_up(log, delivery, error, at=now)
                _log.error(
                    "webhook_given_up", webhook=delivery.id, event_type=delivery.event, attempts=delivery.attempts + 1,
                    error=error,
                )  # fmt: skip
            else:
                outbox.postpone(log, delivery, error, until=now + self._pause(delivery.attempts))

    def _error_of(self, delivery: Delivery) -> str | None:
        """Send once; what went wrong, None if it arrived."""
        if self._client is None:
            return "nobody is told"
        sent_at, body = str(int(self._now().timestamp())), delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Kefu",
            "webhook-id": delivery.id,
            "webhook-timestamp": sent_at,
            "webhook-signature": signature(self._key, delivery.id, sent_at, body),
        }
        try:
            status = self._client.post(delivery.url, content=body, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        if status == _GONE:
            self._urls.remove(delivery.url)
            self._drop_address(delivery.url, "The receiver answered 410.")
        return None if httpx.codes.is_success(status) else f"status {status}"

    def _drop_address(self, url: str, reason: str) -> None:
        with self._shared.writing() as log:
            dropped = outbox.give_up_address(log, url, reason, at=self._now())
        _log.error("webhook_address_dropped", host=httpx.URL(url).host, events=dropped, reason=reason)

    def _pause(self, attempts: int) -> timedelta:
        """Twice as long each time, and a random part of it, so that receivers are not all asked in one moment."""
        most = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 20))
        return timedelta(seconds=self._jitter(most.total_seconds() / 2, most.total_seconds()))


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature` of Standard Webhooks, version 1: HMAC-SHA256 of id, time and body, in Base64."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key_of(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:  # binascii.Error is one
        raise SettingsError("webhooks.secret begins with whsec_, but what follows is not Base64.") from error
