"""A messenger's API over HTTP: an access token that lasts two hours, and calls that carry it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from bot.errors import ChannelUnreachable

_TIMEOUT_SECONDS = 10.0
_EARLY_SECONDS = 300.0  # a token is renewed before it ends


class ChannelApi:
    """Calls to one messenger; safe from any thread."""

    def __init__(self, base_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._base_url = base_url
        self._client: httpx.Client | None = None  # made at the first call: it reads the certificates
        self._clock = clock
        self._lock = threading.RLock()
        self._token: tuple[str, float] | None = None

    def token(self, fetch: Callable[[], tuple[str, float]]) -> str:
        """The token at hand, or a new one of `fetch`, which also says for how many seconds it is good."""
        with self._lock:
            if self._token is None or self._clock() >= self._token[1]:
                value, seconds = fetch()
                self._token = (value, self._clock() + max(0.0, seconds - _EARLY_SECONDS))
            return self._token[0]

    def forget_token(self) -> None:
        """The token is not taken any more: fetch another next time."""
        with self._lock:
            self._token = None

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call the API; what it answers, a JSON object.

        Raises:
            ChannelUnreachable: no answer, or none that can be read.
        """
        try:
            response = self._connected().request(method, path, params=query, json=body, headers=headers)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ChannelUnreachable(f"The messenger cannot be reached: {type(error).__name__}.") from error
        if not isinstance(answer, dict):
            raise ChannelUnreachable("The messenger answered with something that is no object.")
        return answer

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _connected(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(base_url=self._base_url, timeout=_TIMEOUT_SECONDS)
            return self._client
