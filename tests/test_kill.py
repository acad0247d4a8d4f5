"""kill -9 under load: every turn that a customer saw as complete is in the log, once, whole."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from bot.conversation import ConversationId
from bot.memory.store import Store

CUSTOMERS = 200
QUESTIONS = ("how much is postage", "大家电保修几年", "运费多少", "where is my order", "包裹破损了")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_answered_turn_survives_kill_9_under_200_concurrent_turns(tmp_path: Path) -> None:
    for round_ in range(3):
        server, address = _start(tmp_path)
        answered = asyncio.run(_crowd(address, server, kill_after=20 + 40 * round_))
        assert len(answered) >= 20
        with Store(tmp_path / "kefu.db") as store:  # a restart
            assert store.check().integrity == "ok"
            times = Counter()
            for conversation, (turn_id, text) in answered.items():
                turns = [turn for turn in store.turns(ConversationId(conversation)) if turn.id == turn_id]
                times[len(turns)] += 1
                assert [turn.answer for turn in turns] == [text]
                assert turns[0].provenance.encoder
            assert times == {1: len(answered)}


def _start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A server that is ready, and its address."""
    command = [sys.executable, "-m", "tests.shop_server", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    while (line := server.stdout.readline()) and not line.startswith("ready "):
        pass
    return server, f"http://127.0.0.1:{line.removeprefix('ready ').strip()}"


async def _crowd(address: str, server: subprocess.Popen[str], kill_after: int) -> dict[str, tuple[str, str]]:
    """200 customers ask at once; after so many answers the server is killed. What was answered, by conversation."""
    answered: dict[str, tuple[str, str]] = {}

    async def customer(number: int, client: httpx.AsyncClient) -> None:
        question = QUESTIONS[number % len(QUESTIONS)]
        try:
            sent = await client.post("/gradio_api/call/chat", json={"data": [question, "", ""]})
            event = sent.json()["event_id"]
            async with client.stream("GET", f"/gradio_api/call/chat/{event}") as stream:
                last, complete = "", False
                async for line in stream.aiter_lines():
                    if line == "event: complete":
                        complete = True
                    elif line.startswith("data: "):
                        last = line.removeprefix("data: ")
                    if complete and last and line == "":
                        break
        except httpx.HTTPError:
            return  # killed before this one was answered
        reply = json.loads(last)[0] if complete else None
        if reply and reply["turn_id"]:
            answered[reply["conversation_id"]] = (reply["turn_id"], reply["answer"])
            if len(answered) == kill_after:
                server.send_signal(signal.SIGKILL)

    limits = httpx.Limits(max_connections=CUSTOMERS)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits, trust_env=False) as client:
        await asyncio.gather(*(customer(number, client) for number in range(CUSTOMERS)))
    server.kill()
    server.wait()
    if server.stdout is not None:
        server.stdout.close()
    return answered
