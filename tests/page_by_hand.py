"""The chat page without a browser: a cookie, a session, and the events that the page would send, true or forged."""

from __future__ import annotations

from typing import Any

import httpx


class Tab:
    """A page that is open at `address`, with a visitor of its own."""

    def __init__(self, address: str, session: str, *, language: str = "en") -> None:
        self.http = httpx.Client(base_url=address, headers={"accept-language": language}, timeout=20)
        self.http.get("/")
        self.session = session
        config = self.http.get("/config").json()
        self.numbers = {entry["api_name"]: entry["id"] for entry in config["dependencies"]}

    def join(self, name: str, data: list[Any], event: Any = None) -> httpx.Response:
        body = {
            "fn_index": self.numbers[name],
            "session_hash": self.session,
            "data": data,
            "event_data": event,
        }
        return self.http.post("/gradio_api/queue/join", json=body)

    def run(self, name: str, data: list[Any], event: Any = None) -> str:
        """Send an event; returns everything that the server streamed back."""
        assert self.join(name, data, event).status_code == 200
        return self.http.get("/gradio_api/queue/data", params={"session_hash": self.session}).text

    def say(self, text: Any) -> str:
        return self.run("send", [{"conversation": ""}], {"text": text, "id": "1"})
