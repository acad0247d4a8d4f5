"""Many customers at once, over the API: how soon the first words come, whether a turn is lost, whether memory stays flat.

    python benchmarks/load.py                           # 200 customers without the language model, 10 with it
    python benchmarks/load.py --customers 50 --turns 4
    python benchmarks/load.py --soak 10000              # so many turns one after another: memory
    python benchmarks/load.py --json FILE               # the figures as JSON, too

All customers begin in one moment, each in a conversation of their own, and ask questions of the shop's golden set, the
next one as soon as the last is answered. Counted per question: seconds until the first words and until the whole answer.
At the end each conversation is read back: a turn is lost if its answer is not there, and crossed if somebody else's words
are. The peer in the same run is an empty Gradio app: what queue and streaming cost by themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import numpy as np
from load_server import EMPTY, WHOLE, WITHOUT_MODEL
from rich.console import Console
from rich.table import Table

from bot.golden import load_golden

KNOWLEDGE_BASE = Path("knowledge_base")
_SEED = 20261127
_screen = Console(stderr=True)
_TITLES = {
    EMPTY: "empty Gradio app (peer)",
    WITHOUT_MODEL: "Kefu, answers composed",
    WHOLE: "Kefu, bundled models",
}


@dataclass
class Seen:
    """What one crowd saw."""

    kind: str
    customers: int
    first: list[float] = field(default_factory=list)  # seconds to the first words
    whole: list[float] = field(default_factory=list)  # seconds to the whole answer
    failed: int = 0
    lost: int = 0
    crossed: int = 0
    seconds: float = 0.0
    memory: list[int] = field(default_factory=list)  # MiB of the server, as time goes on


class Customer:
    """One conversation: asks, and reads the answer as it streams."""

    def __init__(self, client: httpx.AsyncClient, questions: Sequence[str]) -> None:
        self._client = client
        self._questions = questions
        self.conversation = ""
        self.answered: list[str] = []  # turn ids

    async def ask_all(self, seen: Seen) -> None:
        """Ask one question after another; a failed one is counted, and the next is asked."""
        for question in self._questions:
            try:
                await self._ask(question, seen)
            except (httpx.HTTPError, ValueError, KeyError) as error:
                seen.failed += 1
                _screen.print(f"{question!r} failed: {type(error).__name__}: {error}")

    async def _ask(self, question: str, seen: Seen) -> None:
        started, first = time.perf_counter(), 0.0
        body = {"message": question, "conversation_id": self.conversation}
        sent = await self._client.post("/gradio_api/call/v2/chat", json=body)
        sent.raise_for_status()
        address = f"/gradio_api/call/chat/{sent.json()['event_id']}"
        event, answer = "", {}
        async with self._client.stream("GET", address) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif event == "error":
                    raise ValueError(f"the server said {line!r}")
                elif line.startswith("data: ") and line != "data: null":
                    answer = json.loads(line.removeprefix("data: "))[0]
                    if not first and answer["answer"]:
                        first = time.perf_counter() - started
                    if event == "complete":
                        break
        seen.first.append(first or time.perf_counter() - started)
        seen.whole.append(time.perf_counter() - started)
        self.conversation = answer["conversation_id"]
        self.answered.append(answer["turn_id"])

    async def read_back(self, seen: Seen) -> None:
        """Count what is missing in the conversation, and what is not this customer's."""
        sent = await self._client.post(
            "/gradio_api/call/v2/history", json={"conversation_id": self.conversation}
        )
        turns = []
        async with self._client.stream(
            "GET", f"/gradio_api/call/history/{sent.json()['event_id']}"
        ) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: ") and line != "data: null":
                    turns = json.loads(line.removeprefix("data: "))[0]
                    break
        stored = {turn["turn_id"] for turn in turns}
        seen.lost += sum(turn_id not in stored for turn_id in self.answered)
        seen.crossed += sum(turn["turn_id"] not in self.answered for turn in turns)


@contextmanager
def server(kind: str, folder: Path) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name("load_server.py")), str(port), str(folder), kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own file)
    try:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("ready"):
            if not line:
                raise SystemExit(f"The server {kind} did not start; it says why above.")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def crowd(address: str, pid: int, seen: Seen, shares: Sequence[Sequence[str]]) -> None:
    """Let customers ask their share of questions, all at once; then read every conversation back."""
    limits = httpx.Limits(max_connections=len(shares) + 1)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits, trust_env=False) as client:
        customers = [Customer(client, share) for share in shares]
        started = time.perf_counter()
        watching = asyncio.create_task(_watch_memory(pid, seen))
        await asyncio.gather(*(customer.ask_all(seen) for customer in customers))
        seen.seconds = time.perf_counter() - started
        watching.cancel()
        if seen.kind != EMPTY:
            for customer in customers:
                await customer.read_back(seen)


async def _watch_memory(pid: int, seen: Seen) -> None:
    while True:
        status = Path(f"/proc/{pid}/status")
        if status.exists():
            rows = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            seen.memory.append(int(rows["VmRSS"].split()[0]) // 1024)
        await asyncio.sleep(1.0)


def measure(kind: str, shares: Sequence[Sequence[str]]) -> Seen:
    """Start a server of this kind and send a crowd."""
    seen = Seen(kind, len(shares))
    with (
        tempfile.TemporaryDirectory(prefix="kefu-load-") as folder,
        server(kind, Path(folder)) as (address, pid),
    ):
        asyncio.run(crowd(address, pid, seen, shares))
    return seen


def shares_of(customers: int, turns: int) -> list[list[str]]:
    """For each customer questions of the golden set, drawn with a fixed seed."""
    questions = [case.question for case in load_golden(KNOWLEDGE_BASE)]
    chance = random.Random(_SEED)  # noqa: S311 — an order, no secret
    return [[chance.choice(questions) for _ in range(turns)] for _ in range(customers)]


def show(results: Sequence[Seen]) -> Table:
    """The crowds side by side."""
    table = Table(title="Customers who begin in one moment")
    table.add_column("")
    for seen in results:
        table.add_column(f"{_TITLES[seen.kind]}\n{seen.customers} customers", justify="right")
    rows: dict[str, Callable[[Seen], str]] = {
        "questions answered": lambda seen: f"{len(seen.whole)}",
        "failed / lost / crossed": lambda seen: f"{seen.failed} / {seen.lost} / {seen.crossed}",
        "first words p50 / p95, s": lambda seen: _percentiles(seen.first),
        "whole answer p50 / p95, s": lambda seen: _percentiles(seen.whole),
        "answers a second": lambda seen: f"{len(seen.whole) / seen.seconds:.1f}",
        "memory first / middle / last, MiB": lambda seen: _memory(seen.memory),
    }
    for name, cell in rows.items():
        table.add_row(name, *(cell(seen) for seen in results))
    return table


def _percentiles(seconds: Sequence[float]) -> str:
    return "–" if not seconds else f"{np.percentile(seconds, 50):.2f} / {np.percentile(seconds, 95):.2f}"


def _memory(samples: Sequence[int]) -> str:
    return "–" if not samples else f"{samples[0]} / {samples[len(samples) // 2]} / {samples[-1]}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=200, help="without the language model")
    parser.add_argument("--with-model", type=int, default=10, help="customers with it; 0 leaves them out")
    parser.add_argument("--turns", type=int, default=3, help="questions a customer")
    parser.add_argument(
        "--soak", type=int, default=0, help="instead: so many turns by 20 customers, for memory"
    )
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.soak:
        shares = shares_of(20, chosen.soak // 20)
        results = [measure(EMPTY, shares), measure(WITHOUT_MODEL, shares)]
    else:
        shares = shares_of(chosen.customers, chosen.turns)
        results = [measure(EMPTY, shares), measure(WITHOUT_MODEL, shares)]
        if chosen.with_model:
            results.append(measure(WHOLE, shares_of(chosen.with_model, chosen.turns)))
    Console().print(show(results))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([asdict(seen) for seen in results], indent=2), "utf-8")


if __name__ == "__main__":
    main()
