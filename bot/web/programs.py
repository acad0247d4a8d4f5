"""The doors for other programs beside Gradio's endpoints: OpenAI's protocol, and messengers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, cast

from fastapi import FastAPI

from bot.channels.configured import configured_channels
from bot.errors import SettingsError
from bot.settings import Settings
from bot.web.assistant import Assistant
from bot.web.channel_routes import ChannelDoors, channel_router
from bot.web.channel_talks import ChannelTalks
from bot.web.openai_api import OpenAIApi, openai_router
from bot.web.threads import TurnThreads


def add_programs(app: FastAPI, assistant: Assistant, settings: Settings) -> None:
    """Add the routes; each answers that it is shut unless the settings open it.

    Raises:
        SettingsError: a messenger is opened, and what proves who sends is missing; or MCP is, without its library.
    """
    if settings.server.mcp and find_spec("mcp") is None:
        raise SettingsError(
            "server.mcp is on, and its library is not installed. Run `pip install 'mcp>=1.30,<2'` (the extra `mcp`), "
            "or set server.mcp = false."
        )
    server = settings.server
    threads = TurnThreads(workers=server.workers, queue=server.queue)
    app.include_router(openai_router(OpenAIApi(assistant, settings.openai.api_keys, threads)))
    talks = ChannelTalks(
        assistant,
        idle=timedelta(hours=settings.channels.idle_hours),
        per_minute=server.messages_per_minute,
    )
    channels = configured_channels(settings.channels)
    doors = ChannelDoors(assistant, channels, talks, threads)
    app.include_router(channel_router(doors))
    if channels:
        run_with(app, doors)


def run_with(app: FastAPI, doors: ChannelDoors) -> None:
    """Keep the doors running while the app does."""
    before = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: Any) -> AsyncIterator[Mapping[str, Any] | None]:
        async with before(running) as state, doors.running():
            yield state

    app.router.lifespan_context = cast("Any", lifespan)
