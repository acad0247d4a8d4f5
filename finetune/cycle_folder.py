"""The folder of the nightly cycle: a lock that one cycle holds, and what it leaves there.

var/cycle/
  .lock          held by the cycle that runs
  holder.json    who that is, for whoever finds the lock held
  state.json     the training set of a cycle that was killed; the next one goes on with it
  last.json      the summary of the last cycle that ended
  broken.json    why the one after it broke off, in both languages; gone when the next one begins
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from finetune.errors import CycleBusy, FinetuneError
from retrieval.publish import read_record, write_record

FOLDER = "cycle"  # below `var`
STATE, LAST, BROKEN = "state.json", "last.json", "broken.json"
_LOCK, _HOLDER = ".lock", "holder.json"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock, and say who holds it. The system frees it when its holder dies, however it dies.

    Raises:
        CycleBusy: another process holds it.
        FinetuneError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = read_record(folder / _HOLDER)
        raise CycleBusy(
            f"Another cycle is running: process {holder.get('pid', 'unknown')} on {holder.get('host', 'this machine')} "
            f"since {holder.get('since', 'an unknown time')}. Wait until it is done, or end that process; what it has "
            "done so far is kept."
        ) from error
    except OSError as error:
        raise FinetuneError(f"{folder} cannot be written: {error}. Make it writable.") from error
    try:
        write_record(folder / _HOLDER, {"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
        yield
    finally:
        (folder / _HOLDER).unlink(missing_ok=True)
        lock.release()


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
