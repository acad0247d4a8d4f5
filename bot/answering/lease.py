"""A lock that its holder keeps no longer than the deadline it named, so that a stalled reader blocks nobody for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import GenerationError


class Lease:
    """Lets one caller at a time use a model.

    A draft is read by somebody who may stall between two pieces and never come back. A plain lock would then block
    the model for ever. Here each holder names its deadline; once that has passed, the next caller takes over. The
    old holder must look at the clock before each step, which a holder with a deadline does anyway.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holder: object | None = None
        self._until = 0.0

    @contextmanager
    def held(self, deadline: float) -> Iterator[None]:
        """Hold the lease inside the `with` block, at most until `deadline` (of `time.monotonic`).

        Raises:
            GenerationError: others held it until the deadline.
        """
        me = object()
        self._take(me, deadline)
        try:
            yield
        finally:
            self._give_back(me)

    def _take(self, me: object, deadline: float) -> None:
        asked = time.monotonic()
        with self._changed:
            while self._holder is not None and (now := time.monotonic()) < self._until:
                if now >= deadline:
                    raise GenerationError(
                        f"The language model was busy with other answers for {now - asked:.1f} s, until this one's "
                        "time was up. Fewer customers at a time, or a faster model, would help."
                    )
                self._changed.wait(min(self._until, deadline) - now)
            self._holder, self._until = me, deadline

    def _give_back(self, me: object) -> None:
        with self._changed:
            if self._holder is me:
                self._holder = None
                self._changed.notify()
