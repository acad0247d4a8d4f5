"""A night's learning, started from the console in a process of its own, watched, and found again after a restart.

var/cycle/
  process.json   the process that the console started last: its pid, when it began, who started it
  console.log    what it said
  last.json      the summary of the last cycle that ended, as `kefu cycle` writes it
  broken.json    why the one after it broke off, likewise
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bot.errors import SettingsError
from bot.progress_bars import NAMES
from bot.settings import Settings
from retrieval.publish import read_record, write_record

FOLDER = "cycle"  # below `var`, as in finetune/cycle.py
EVALUATIONS = "evaluations"  # likewise, as in finetune/evaluation/promote.py
_PROCESS, _LOG, _LAST, _BROKEN = "process.json", "console.log", "last.json", "broken.json"
_LAST_WORDS = 6  # lines
_NICE = 10  # customers come first
_STEP = re.compile(
    r"^(?P<stage>\S.*?)  (?P<done>\d+)/(?P<total>\d+)(?:  (?P<note>.*))?$"
)  # as bot/progress_bars.py says it
_LONGEST_LOG = 64 * 1024  # bytes that are read from its end

_STAGES = {name: stage for stage, name in NAMES.items()}

COMMAND = (sys.executable, "-m", "app", "cycle")


@dataclass(frozen=True)
class Running:
    """A cycle that runs. `stage`, `done` and `total` are what it said last."""

    pid: int
    since: datetime  # UTC
    by: str
    stage: str = ""  # a key of `bot.progress_bars.NAMES`, or a word where it has none
    done: int = 0
    total: int = 0
    note: str = ""

    @property
    def percent(self) -> int:
        """How much of the stage is done, 0 to 100."""
        return 100 * self.done // self.total if self.total else 0


class CycleProcess:
    """The cycle of one Kefu, as the console sees it."""

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        """Nothing is started.

        Args:
            settings: the bot's.
            command: what runs a cycle; it reads kefu.toml and the environment as the server does.
        """
        self._folder = settings.var / FOLDER
        self._evaluations = settings.var / EVALUATIONS
        self._command = tuple(command)
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, by: str) -> Running:
        """Start a cycle.

        Args:
            by: who does.

        Raises:
            SettingsError: one runs already, or the process cannot be started.
        """
        running = self.running()
        if running is not None:
            raise SettingsError(
                f"A cycle runs already, since {running.since:%H:%M} UTC. Wait for it, or stop it."
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / _LOG).open("wb") as said:
                child = subprocess.Popen(  # noqa: S603 — our own command
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # it goes on when the server stops
                )
            process = psutil.Process(child.pid)
            process.nice(_NICE)
            record = {"pid": child.pid, "created": process.create_time(), "by": by, "at": _now()}
            write_record(self._folder / _PROCESS, record)
        except (OSError, psutil.Error) as error:
            raise SettingsError(f"The cycle cannot be started: {error}. `kefu cycle` says more.") from error
        self._children.append(child)
        return Running(child.pid, datetime.now(UTC), by)

    def running(self) -> Running | None:
        """The cycle that runs, also if an earlier server started it; None if none does."""
        self._reap()
        record = read_record(self._folder / _PROCESS)
        process = _process(record)
        if process is None:
            return None
        steps = [found for line in self.log() if (found := _STEP.match(line))]
        last = steps[-1] if steps else None
        return Running(
            pid=process.pid,
            since=datetime.fromisoformat(record["at"]),
            by=str(record["by"]),
            stage=_STAGES.get(last["stage"], last["stage"]) if last else "",
            done=int(last["done"]) if last else 0,
            total=int(last["total"]) if last else 0,
            note=(last["note"] or "") if last else "",
        )

    def stop(self) -> bool:
        """End the cycle that runs, with its children; the next one goes on where it was. False if none runs."""
        process = _process(read_record(self._folder / _PROCESS))
        if process is None:
            self._reap()
            return False
        for each in [*process.children(recursive=True), process]:
            each.terminate()
        psutil.wait_procs([process], timeout=10)
        self._reap()
        (self._folder / _PROCESS).unlink(missing_ok=True)  # somebody knows why it ended
        return True

    def broken_off(self) -> Mapping[str, str] | None:
        """Why the last cycle left no summary, by language: what it noted, or else said last; None if it did, or runs.

        One that somebody stopped did not break off.
        """
        record = read_record(self._folder / _PROCESS)
        if _process(record) is not None:
            return None
        noted: dict[str, str] | None = read_record(self._folder / _BROKEN).get("said")
        if noted is not None or not record or str(self.last().get("at", "")) > str(record["at"]):
            return noted
        said = [line for line in self.log() if not _STEP.match(line)]
        return dict.fromkeys(("zh", "en"), "\n".join(said[-_LAST_WORDS:]))

    def _reap(self) -> None:
        """Take note of children that ended; else they stay as zombies."""
        self._children = [child for child in self._children if child.poll() is None]

    def log(self, *, lines: int = 200) -> list[str]:
        """The last lines of what the last process said."""
        path = self._folder / _LOG
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _LONGEST_LOG))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]

    def last(self) -> dict[str, Any]:
        """The summary of the last cycle that ended; empty if none has."""
        return read_record(self._folder / _LAST)

    def report(self, candidate: str) -> Path | None:
        """The page of the newest evaluation of an adapter; None if there is none."""
        if Path(candidate).name != candidate:
            return None
        found = sorted(self._evaluations.glob(f"{candidate}--*.html"), key=lambda path: path.stat().st_mtime)
        return found[-1] if found else None


def _process(record: dict[str, Any]) -> psutil.Process | None:
    """The process of a record; another one that has its pid by now is not it."""
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["created"])) < 1.0
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, TypeError, ValueError, psutil.Error):
        return None
    return process if same and alive else None


def _now() -> str:
    return datetime.now(UTC).isoformat()
