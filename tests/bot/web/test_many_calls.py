"""Calls over the API leave nothing behind that grows with their number."""

from __future__ import annotations

import httpx
import pytest
from starlette.routing import Mount

from bot.web import server as module
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

FEW = 3


def test_gradio_forgets_the_sessions_of_calls_that_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRADIO_SESSIONS", FEW)
    app = build(FakeAssistant(), messages_per_minute=10_000)
    [mounted] = [
        route.app for route in app.routes if isinstance(route, Mount) and hasattr(route.app, "blocks")
    ]
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
        for _ in range(FEW + 3):
            call = http.post("/gradio_api/call/v2/search", json={"question": "退货", "top_k": 1}).json()[
                "event_id"
            ]
            assert "event: complete" in http.get(f"/gradio_api/call/search/{call}").text
        kept = mounted.state_holder
        assert 0 < len(kept.session_data) <= FEW
        assert len(kept.time_last_used) <= FEW
