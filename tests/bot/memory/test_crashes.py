"""Many processes at once, and processes that are killed: every turn that was acknowledged is there, once, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from bot.conversation import ConversationId
from bot.memory.store import Store

ROOT = Path(__file__).parents[3]

WRITER = """
import os, sys, threading
from pathlib import Path
from bot.conversation import VisitorId
from bot.memory.store import Store
from tests.example_turns import example_turn

store = Store(Path(sys.argv[1]))
turns, threads = int(sys.argv[2]), int(sys.argv[3])
os.write(1, b"ready\\n")

def write() -> None:
    conversation = store.open_conversation(VisitorId("v"), channel="web")
    for number in range(turns):
        store.append_turn(example_turn(conversation, number))
        os.write(1, f"{conversation} {number}\\n".encode())

workers = [threading.Thread(target=write) for _ in range(threads)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
sys.exit(store.trouble)
"""


def _writer(path: Path, *, turns: int, threads: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(turns), str(threads)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _acknowledged(output: str) -> set[tuple[str, int]]:
    """Pairs of conversation and turn number; a last line that the kill cut short does not count."""
    whole = output[: output.rfind("\n") + 1].splitlines()
    return {(line.split()[0], int(line.split()[1])) for line in whole if line != "ready"}


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    writers = [_writer(path, turns=40, threads=2) for _ in range(3)]  # they also race to create the log
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    acknowledged = set().union(*map(_acknowledged, outputs))
    assert len(acknowledged) == 3 * 2 * 40
    with Store(path) as store:
        report = store.check()
        assert (report.counts["turns"], report.integrity, report.spilled) == (240, "ok", ())


def test_every_acknowledged_turn_survives_kill_9_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    moment = random.Random(7)  # noqa: S311 - no secret
    acknowledged: set[tuple[str, int]] = set()
    for _ in range(4):
        writer = _writer(path, turns=100_000, threads=4)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(moment.uniform(0.05, 0.4))
        writer.kill()
        acknowledged |= _acknowledged(writer.communicate(timeout=30)[0])
    with Store(path) as store:
        assert store.check().integrity == "ok"
        conversations = {conversation for conversation, _ in acknowledged}
        turns = [turn for name in conversations for turn in store.turns(ConversationId(name))]
    stored = [(turn.conversation_id, int(turn.id.rsplit("-", 1)[1])) for turn in turns]
    assert len(acknowledged) > 20
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    assert all(
        len(turn.intents) == 2 and len(turn.passages) == 1 and len(turn.sources) == 1 for turn in turns
    )
