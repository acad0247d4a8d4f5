"""A training cycle in a process of its own: started once, watched, found again by another server, stopped."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.errors import SettingsError
from bot.settings import Settings
from bot.upkeep.cycle_process import CycleProcess

_SCRIPT = "import sys, time; print('Training  20/400  loss 2.1', flush=True); time.sleep(60)"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path / "var")


@pytest.fixture
def cycle(settings: Settings) -> Iterator[CycleProcess]:
    cycle = CycleProcess(settings, [sys.executable, "-c", _SCRIPT])
    yield cycle
    cycle.stop()


def said(cycle: CycleProcess) -> str:
    for _ in range(200):
        running = cycle.running()
        if running is not None and running.stage:
            return running.stage
        time.sleep(0.05)
    pytest.fail("it says nothing")


def test_a_cycle_is_watched_while_it_runs_and_yields_to_customers(cycle: CycleProcess) -> None:
    assert cycle.running() is None
    started = cycle.start("王敏")
    assert said(cycle) == "train"
    running = cycle.running()
    assert running is not None
    assert (running.pid, running.by, running.percent, running.note) == (started.pid, "王敏", 5, "loss 2.1")
    assert psutil.Process(started.pid).nice() == 10


def test_a_second_one_is_refused_and_another_server_finds_the_first(
    cycle: CycleProcess, settings: Settings
) -> None:
    started = cycle.start("li")
    with pytest.raises(SettingsError, match="runs already"):
        cycle.start("mary")
    after_restart = CycleProcess(settings).running()
    assert after_restart is not None
    assert after_restart.pid == started.pid
    assert CycleProcess(settings).stop()
    assert cycle.running() is None


def ended(settings: Settings, script: str) -> CycleProcess:
    """A cycle that ran such a script to its end."""
    cycle = CycleProcess(settings, [sys.executable, "-c", script])
    cycle.start("li")
    for _ in range(200):
        if cycle.running() is None:
            return cycle
        time.sleep(0.05)
    pytest.fail("it does not end")


def test_one_that_has_ended_is_over_and_its_words_stay(settings: Settings) -> None:
    cycle = ended(settings, "print('没有可学的')")
    assert cycle.log() == ["没有可学的"]
    assert not cycle.stop()


def test_one_that_ended_without_a_summary_is_known_by_its_last_words(settings: Settings) -> None:
    cycle = CycleProcess(settings)
    assert cycle.broken_off() is None
    summary = settings.var / "cycle" / "last.json"
    summary.parent.mkdir(parents=True)
    summary.write_text('{"at": "2026-11-30T03:00:00+00:00"}', "utf-8")  # of the night before
    cycle = ended(settings, "print('Curating  1/1'); print('kefu: of 30 exchanges,'); print('5 are left')")
    words = "kefu: of 30 exchanges,\n5 are left"
    assert cycle.broken_off() == {"zh": words, "en": words}
    summary.write_text('{"at": "2126-11-30T03:00:00+00:00"}', "utf-8")
    assert cycle.broken_off() is None
    noted = {"zh": "只剩 5 轮", "en": "5 are left"}  # by a night that the console did not start
    summary.with_name("broken.json").write_text(json.dumps({"said": noted}), "utf-8")
    assert cycle.broken_off() == noted


def test_one_that_somebody_stopped_is_not_broken_off(cycle: CycleProcess) -> None:
    cycle.start("li")
    assert cycle.broken_off() is None
    assert cycle.stop()
    assert cycle.broken_off() is None


def test_another_process_with_the_same_number_is_not_taken_for_it(
    cycle: CycleProcess, settings: Settings
) -> None:
    cycle.start("li")
    path = settings.var / "cycle" / "process.json"
    record = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(record | {"created": record["created"] - 3600}), "utf-8")
    assert cycle.running() is None
    path.write_text(json.dumps(record), "utf-8")


def test_a_command_that_is_not_there_is_an_error(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="cannot be started"):
        CycleProcess(settings, ["/no/such/program"]).start("li")


def test_a_report_is_found_by_its_adapter_and_nothing_else(cycle: CycleProcess, settings: Settings) -> None:
    folder = settings.var / "evaluations"
    folder.mkdir(parents=True)
    (folder / "a1--default.html").write_text("<h1>A</h1>", "utf-8")
    assert cycle.report("a1") == folder / "a1--default.html"
    assert cycle.report("a2") is None
    assert cycle.report("../evaluations/a1") is None
