"""Serves the small shop in a process of its own, to be killed: `python -m tests.shop_server FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

from bot.settings import Settings
from bot.settings_sections import ServerSettings
from bot.web.listener import open_listener
from bot.web.server import build_app
from tests.small_shop import build_shop


async def serve(folder: Path) -> None:
    """Serve until killed; says "ready" and the port on standard output first."""
    settings = Settings(server=ServerSettings(messages_per_minute=100_000, queue=1000, workers=32))
    app = build_app(build_shop(folder), settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", proxy_headers=False))
    with open_listener("127.0.0.1", 0) as listener:
        sys.stdout.write(f"ready {listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
