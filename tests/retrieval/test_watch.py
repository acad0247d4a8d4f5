"""Tests of noticing edits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.watch import watch


class Calls:
    def __init__(self, fail: bool = False) -> None:
        self.count = 0
        self.fail = fail
        self.called = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.called.set()
        if self.fail:
            raise ValueError("broken article")


@contextmanager
def watching(folder: Path, calls: Calls) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(folder, calls, stop))
    thread.start()
    time.sleep(0.5)  # until the watcher looks
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_burst_of_edits_is_one_change(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    calls = Calls()
    with watching(tmp_path, calls):
        for number in range(5):
            (tmp_path / "zh" / f"{number}.md").write_text("改", encoding="utf-8")
        assert calls.called.wait(10)
        time.sleep(0.8)
    assert calls.count == 1


def test_an_editors_own_files_are_no_change(tmp_path: Path) -> None:
    calls = Calls()
    with watching(tmp_path, calls):
        (tmp_path / ".a.md.swp").write_text("x", encoding="utf-8")
        (tmp_path / "a.md~").write_text("x", encoding="utf-8")
        time.sleep(1.5)
    assert calls.count == 0


def test_a_change_that_cannot_be_used_does_not_end_the_watch(tmp_path: Path) -> None:
    calls = Calls(fail=True)
    with watching(tmp_path, calls):
        (tmp_path / "a.md").write_text("坏", encoding="utf-8")
        assert calls.called.wait(10)
        calls.called.clear()
        time.sleep(0.5)
        (tmp_path / "a.md").write_text("更坏", encoding="utf-8")
        assert calls.called.wait(10)
    assert calls.count >= 2
