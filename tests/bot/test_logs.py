"""What Kefu writes about itself: events, never customers' words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import structlog

from bot.logs import configure_logs


def test_a_traceback_carries_no_customers_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")

    def answer(message: str) -> None:
        del message
        raise RuntimeError("broken part")

    try:
        answer("我的手机是13812345678")
    except RuntimeError:
        structlog.get_logger().exception("turn_failed", turn="t1")
    line = capsys.readouterr().err
    assert "13812345678" not in line
    assert json.loads(line)["exception"][0]["exc_value"] == "broken part"


def test_events_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("error")
    structlog.get_logger().info("nothing to see")
    assert capsys.readouterr().err == ""


def test_a_library_that_turns_its_own_debugging_on_stays_quiet_and_its_warnings_are_seen() -> None:
    code = (
        "import logging; from bot.logs import configure_logs; configure_logs('info'); library = logging.getLogger('bm25s'); "
        "library.setLevel(logging.DEBUG); library.debug('building'); library.warning('running out of room')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "running out of room" in run.stderr
    assert "building" not in run.stderr
