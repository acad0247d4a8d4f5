"""What every test starts from: a clean environment, no network beyond this machine, and nothing to wait for in vain."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

if "-m" not in sys.argv:
    # The default tests, whose models are tiny: on several threads they spend four times the work, most of it on waiting.
    # Here, because a conftest.py further down may import torch, which reads this once.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
for _size in ("COLUMNS", "LINES"):  # a terminal's; rich keeps them from its import on, whatever a test sets
    os.environ.pop(_size, None)
_PLAIN = [
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    if isinstance(processor, structlog.dev.ConsoleRenderer)
    else processor
    for processor in structlog.get_config()["processors"]
]


def pytest_collection_finish() -> None:
    """Set aside what the imports made: else each collection of garbage walks through its million objects again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KEFU_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test pulls the plug, so none needs its files on the disk rather than in its cache."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Structlog as it comes, but with plain tracebacks: to draw boxes around variables takes half a second each."""
    structlog.configure(processors=_PLAIN)
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails instead of waiting for it."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise PermissionError(f"This test reached for {address}; tests stay on this machine.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
