"""The lock that a stalled reader cannot keep."""

from __future__ import annotations

import threading
import time

import pytest

from bot.answering.lease import Lease
from bot.errors import GenerationError


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


def test_one_after_the_other() -> None:
    lease = Lease()
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with lease.held(soon(5)):
            order.append("second")

    thread = threading.Thread(target=second)
    with lease.held(soon(5)):
        thread.start()
        started.wait()
        time.sleep(0.05)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_who_cannot_get_it_in_time_is_told() -> None:
    lease = Lease()
    with (
        lease.held(soon(5)),
        pytest.raises(GenerationError, match="busy"),
        lease.held(soon(0.05)),
    ):
        pass


def test_a_holder_past_its_deadline_blocks_nobody() -> None:
    lease = Lease()
    stalled = lease.held(soon(0.1))
    stalled.__enter__()
    began = time.monotonic()
    with lease.held(soon(5)):
        assert 0.05 < time.monotonic() - began < 1
        stalled.__exit__(None, None, None)  # comes back late: must not free what is no longer its own
        with pytest.raises(GenerationError, match="busy"), lease.held(soon(0.05)):
            pass


def test_it_is_free_again_after_a_failure() -> None:
    lease = Lease()
    with pytest.raises(RuntimeError, match="broke"), lease.held(soon(5)):
        raise RuntimeError("broke")
    with lease.held(soon(0.01)):
        pass
