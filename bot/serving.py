"""The language model that drafts just now, and the watch that sees when another adapter is to serve."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.answering.generator import Generator

_LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Drafting:
    """Holds the model that drafts; it may be exchanged between two turns.

    A turn keeps the model that it began with, so an old one must not be closed while a turn writes with it. It need
    not be: all that it holds is memory, which goes with the last turn that refers to it.
    """

    def __init__(self, generator: Generator | None) -> None:
        self._generator = generator
        self._exchanging = threading.RLock()

    @property
    def generator(self) -> Generator | None:
        """The model that drafts; None if answers are composed."""
        return self._generator

    @property
    def exchanging(self) -> threading.RLock:
        """To be held from reading `generator` until what was made with it is in use, lest an exchange is undone."""
        return self._exchanging

    def exchange(self, generator: Generator | None) -> None:
        """Draft with another model from the next turn on."""
        with self._exchanging:
            self._generator = generator


def watch_file(path: Path, on_change: Callable[[], None], stop: threading.Event) -> None:
    """Call `on_change` each time that `path` was replaced, made or deleted, until `stop` is set. Blocks.

    Looks twice a second, which also works where no system tells of changes (network drives, some containers). A file
    that is there already counts as a change, so that none is missed that came before the watch. An error that
    `on_change` raises is logged, and the watch goes on.

    Args:
        path: a file; neither it nor its folder need exist.
        on_change: called from this thread; a change during the call is reported after it.
        stop: ends the watch.
    """
    seen = None
    while not stop.is_set():
        now = _version(path)
        if now != seen:
            seen = now
            try:
                on_change()
            except Exception as error:  # whatever it is, serving goes on with what there was
                log.exception("file_change_failed", file=path.name, error=type(error).__name__)
        stop.wait(_LOOK_SECONDS)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What differs between two files that were moved to `path` one after another; None for no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
