"""How many CPU threads torch computes with, for as long as somebody needs it so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def drafting_threads(chosen: int | None) -> int:
    """How many threads draft: what was chosen, by default all cores but one, which is left to the customers' other questions."""
    return max(1, cores() - 1) if chosen is None else chosen


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, and leave the setting as it was for whoever else uses torch in this thread."""
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
