"""Where a record waits while the log cannot be written: one JSON line each in a file beside the log.

When that disk is the trouble, the file lies in the temporary directory instead. Each process has files of its own and
holds a lock on them, so that a starting process takes over only what a dead one left. A record has an id and is
written into the log once, however often its line is read.

A line that is to be forgotten is blanked in its place, in files of any process (`bot.memory.blanking`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.memory.migrations import ALL_STEPS
from bot.memory.records import TABLES, Record

_log = structlog.get_logger(__name__)

_FORMAT = 1
_WAITING, _REJECTED = ".jsonl", ".rejected"


@dataclass(frozen=True)
class Abandoned:
    """A spill file that no process holds any more; `descriptor` holds its lock."""

    path: Path
    descriptor: int


class Spill:
    """The spill files of one log."""

    def __init__(self, log: Path) -> None:
        resolved = log.resolve()
        name = hashlib.sha256(str(resolved).encode()).hexdigest()[:16]
        self._places = (
            (resolved.parent, f"{resolved.name}.spill-"),
            (Path(tempfile.gettempdir()), f"kefu-{name}.spill-"),
        )
        self._own: dict[Path, int] = {}  # open files of this process: path → descriptor
        self._written: dict[Path, int] = {}  # when this process wrote to them last: path → st_mtime_ns

    def append(self, record: Record) -> Path:
        """Write the record as one line, on disk before this returns, and say in which file.

        Raises:
            OSError: neither beside the log nor in the temporary directory can anything be written.
        """
        line = json.dumps(
            {
                "kefu_spill": _FORMAT,
                "schema": len(ALL_STEPS),
                "head": record.head,
                "id": record.id,
                "rows": record.rows,
            }
        )  # ASCII only: no line separator of Unicode can cut the line
        trouble: OSError | None = None
        for folder, prefix in self._places:
            try:
                path = self._own_file(folder, prefix)
                _append_line(self._own[path], line.encode() + b"\n")
                self._written[path] = os.fstat(self._own[path]).st_mtime_ns
            except OSError as error:
                trouble = error
            else:
                return path
        raise trouble if trouble is not None else OSError("no place to spill to")

    def waiting(self) -> tuple[Path, ...]:
        """Files that hold records not yet in the log: of this process, of others, and abandoned ones."""
        return tuple(sorted(path for folder, prefix in self._places for path in _listed(folder, prefix)))

    def files(self) -> tuple[Path, ...]:
        """Files that wait and those that were set aside for a person, of whatever process."""
        rejected = (path for folder, prefix in self._places for path in _listed(folder, prefix, _REJECTED))
        return (*self.waiting(), *sorted(rejected))

    def left_of_own(self, *, look: bool) -> frozenset[str] | None:
        """The ids that this process's files still hold, if somebody else has written into them; else None.

        `look` reads them whatever their times say: two writes within some milliseconds may have the same.
        """
        changed = any(os.fstat(own).st_mtime_ns != self._written.get(path) for path, own in self._own.items())
        if not self._own or not (look or changed):
            return None
        left: set[str] = set()
        for path, own in self._own.items():
            found = os.fstat(own)
            lines = os.pread(own, found.st_size, 0).decode(errors="replace").splitlines()
            left |= {record.id for record in map(parse, lines) if record is not None}
            self._written[path] = found.st_mtime_ns
        return frozenset(left)

    @contextmanager
    def abandoned(self) -> Iterator[tuple[Abandoned, ...]]:
        """Files that a dead process left, locked for us while they are looked at."""
        with ExitStack() as open_files:
            found = []
            for path in self.waiting():
                descriptor = None if path in self._own else _take(path)
                if descriptor is not None:
                    open_files.callback(os.close, descriptor)
                    found.append(Abandoned(path, descriptor))
            yield tuple(found)

    def forget_own(self, *, keep: bool) -> None:
        """Remove this process's files: their records are in the log now. `keep` sets them aside for a person."""
        for path, descriptor in self._own.items():
            discard(path, keep=keep)
            os.close(descriptor)
        self._own.clear()
        self._written.clear()

    def close(self) -> None:
        """Let go of this process's files without removing them: the next start takes them over."""
        for path, descriptor in self._own.items():
            if os.fstat(descriptor).st_size == 0:
                path.unlink(missing_ok=True)
            os.close(descriptor)
        self._own.clear()

    def _own_file(self, folder: Path, prefix: str) -> Path:
        for path in self._own:
            if path.parent == folder:
                return path
        path = folder / f"{prefix}{secrets.token_hex(8)}.jsonl"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._own[path] = descriptor
        return path


def _take(path: Path) -> int | None:
    """Open and lock a spill file; None when its process lives, it is another user's, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        _log.warning("spill_unreadable", path=str(path), error=str(error))
        return None
    try:
        # The temporary directory is open to everybody: only a file of our own user may write into the log.
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except BlockingIOError:
        _log.info("spill_in_use", path=str(path))
    os.close(descriptor)
    return None


def read_records(file: Abandoned) -> Iterator[Record | None]:
    """Each line's record; None for a line that cannot be used (torn, foreign, or of a newer Kefu)."""
    with open(file.descriptor, encoding="utf-8", errors="replace", closefd=False) as lines:
        yield from (parse(line) for line in lines if line.strip())  # blank: forgotten


def discard(path: Path, *, keep: bool) -> None:
    """Remove a file that has been read; `keep` leaves it under a name that is not read again, for a person."""
    try:
        if keep:
            path.replace(path.with_suffix(_REJECTED))
        else:
            path.unlink()
    except OSError as error:  # harmless: its records are skipped when they are read again
        _log.warning("spill_not_removed", path=str(path), error=str(error))


def _append_line(descriptor: int, line: bytes) -> None:
    """Append all of the line or none of it."""
    size = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _listed(folder: Path, prefix: str, ending: str = _WAITING) -> list[Path]:
    try:
        return [
            entry for entry in folder.iterdir() if entry.name.startswith(prefix) and entry.suffix == ending
        ]
    except OSError:  # no such folder (yet), or not readable
        return []


def parse(line: str) -> Record | None:
    """The record in a line of a spill file; None for a line that is none."""
    try:
        fields: Any = json.loads(line)
    except ValueError:
        return None
    if (
        not isinstance(fields, dict)
        or fields.get("kefu_spill") != _FORMAT
        or not _are_rows(fields.get("rows"))
    ):
        return None
    schema, head, key, rows = fields.get("schema"), fields.get("head"), fields.get("id"), fields["rows"]
    if (
        not isinstance(schema, int)
        or schema > len(ALL_STEPS)
        or not isinstance(head, str)
        or not isinstance(key, str)
    ):
        return None
    first = rows.get(head, [])
    return Record(head, key, rows) if len(first) == 1 and first[0].get("id") == key else None


def _are_rows(rows: Any) -> bool:
    return (
        isinstance(rows, dict)
        and set(rows) <= set(TABLES)
        and all(isinstance(part, list) and all(_is_row(row) for row in part) for part in rows.values())
    )


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and all(
        value is None or isinstance(value, str | int | float) for value in row.values()
    )
