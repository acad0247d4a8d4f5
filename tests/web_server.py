"""A real server on loopback for tests that need one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from bot.factory import Kefu
from bot.settings import Settings
from bot.settings_sections import ServerSettings
from bot.web.assistant import Assistant
from bot.web.listener import open_listener
from bot.web.server import build_app

_SECONDS_TO_START = 20


def build(assistant: Assistant, *, sections: Mapping[str, Any] | None = None, **server: Any) -> FastAPI:
    """The server's app, with `server` and other `sections` among its settings."""
    return built(assistant, Settings(server=ServerSettings(**server), **(sections or {})))


def built(assistant: Assistant, settings: Settings, kefu: Kefu | None = None) -> FastAPI:
    """The server's app, built inside a running event loop.

    Without one, Gradio 6.31 opens a loop for each of its locks and closes none.
    """

    async def inside() -> FastAPI:
        return build_app(assistant, settings, kefu)

    try:
        asyncio.get_running_loop()  # Playwright's, in browser tests
    except RuntimeError:
        return asyncio.run(inside())
    return build_app(assistant, settings, kefu)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve `app` from a thread; yields the address without a slash at the end."""
    with open_listener("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_level="error", proxy_headers=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _SECONDS_TO_START
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_SECONDS_TO_START)
