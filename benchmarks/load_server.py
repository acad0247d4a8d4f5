"""Serves what `benchmarks/load.py` and `benchmarks/review.py` ask: Kefu, with or without its language model, or an empty Gradio app beside it.

    python benchmarks/load_server.py PORT FOLDER {kefu,kefu-without-model,gradio}

The log lies in FOLDER, so that the real one stays as it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import app  # noqa: F401 — the environment of the `kefu` command, before the libraries read it

# isort: split
import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.events import api

from bot.factory import build_kefu
from bot.logs import configure_logs
from bot.settings import Settings, load_settings
from bot.web.listener import open_listener
from bot.web.server import KEEP_ALIVE_SECONDS, build_app

EMPTY, WITHOUT_MODEL, WHOLE = "gradio", "kefu-without-model", "kefu"
_WORKERS, _QUEUE = 32, 1000
_PIECES = 5  # of an empty answer


def chat(message: str, conversation_id: str = "") -> Iterator[dict[str, str]]:
    """An answer that costs nothing: the customer's words, piece by piece."""
    for piece in range(1, _PIECES + 1):
        yield {
            "conversation_id": conversation_id,
            "answer": message[: len(message) * piece // _PIECES],
            "turn_id": "x",
        }


def empty_app() -> FastAPI:
    """Gradio's queue and streaming with nothing behind them."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        api(chat, api_name="chat", concurrency_limit=_WORKERS)
    blocks.queue(max_size=_QUEUE, default_concurrency_limit=_WORKERS)
    outer = FastAPI()
    gr.mount_gradio_app(outer, blocks, path="/", run_history=False, enable_monitoring=False)
    return outer


def settings_for(kind: str) -> Settings:
    """The settings in force, with no limit that a crowd from one address would meet."""
    chosen = load_settings()
    server = chosen.server.model_copy(
        update={"messages_per_minute": 1_000_000, "queue": _QUEUE, "workers": _WORKERS}
    )
    model = chosen.model.model_copy(update={"model": "none"}) if kind == WITHOUT_MODEL else chosen.model
    return chosen.model_copy(update={"server": server, "model": model})


async def serve(port: int, folder: Path, kind: str) -> None:
    """Serve until killed; says "ready" on standard output first."""
    if kind == EMPTY:
        served = empty_app()
    else:
        settings = settings_for(kind)
        kefu = build_kefu(settings, lambda *_: None, log_path=folder / "kefu.db")
        kefu.prepare_sentences()
        served = build_app(kefu.manager, settings, kefu)
    with open_listener("127.0.0.1", port, backlog=1024) as listener:
        sys.stdout.write(f"ready {time.time()}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            served, log_level="error", proxy_headers=False, timeout_keep_alive=KEEP_ALIVE_SECONDS
        )
        await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    configure_logs("error")
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
