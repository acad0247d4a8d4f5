"""Notices that content was edited, and says so once for a burst of changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog
import watchfiles

from retrieval.readers import is_content

_QUIET_MS = 400  # a save in an editor is several changes; they count as one when nothing follows for so long
_LONGEST_MS = 3_000  # but a folder that never rests (a long copy) is reported at least so often
_LOOK_UP_MS = 500  # how soon `stop` is noticed

log = structlog.get_logger(__name__)


def watch(folder: Path, on_change: Callable[[], None], stop: threading.Event) -> None:
    """Call `on_change` after each burst of changes in `folder`, until `stop` is set. Blocks: run it in a thread.

    What editors and Python keep for themselves (hidden files, `~` copies, caches) does not count. An error that
    `on_change` raises is logged and the watch goes on, since the next edit may mend it.

    Args:
        folder: watched with its subfolders; must exist.
        on_change: called from this thread, one call at a time; changes during a call are reported after it.
        stop: ends the watch within half a second.
    """
    bursts = watchfiles.watch(
        folder,
        watch_filter=lambda _, path: is_content(Path(path), folder),
        debounce=_LONGEST_MS,
        step=_QUIET_MS,
        stop_event=stop,
        rust_timeout=_LOOK_UP_MS,
        raise_interrupt=False,
    )
    for changes in bursts:
        log.info("content_changed", files=len({path for _, path in changes}))
        try:
            on_change()
        except Exception as error:  # whatever it is, serving goes on with what there was
            log.exception("content_change_failed", error=type(error).__name__)
