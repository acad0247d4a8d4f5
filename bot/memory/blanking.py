"""Takes records that wait beside the log away for ever: their lines in spill files are overwritten with blanks.

It is done in place, whoever's file it is. The process that a file belongs to only adds lines at its end, and sees that a line
is gone before it writes the record that it holds in memory into the log (`bot.memory.waiting`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from bot.memory.records import Record
from bot.memory.spill import parse


def records_in(files: Iterable[Path]) -> Iterator[Record]:
    """Everything that can be read in spill files of our own user."""
    for path in filter(_is_ours, files):
        with suppress(OSError), path.open("rb") as lines:
            yield from filter(None, map(_record, lines))


def blank(files: Iterable[Path], ids: Collection[str]) -> None:
    """Overwrite the lines of these records with blanks.

    Raises:
        OSError: a file cannot be written.
    """
    for path in filter(_is_ours, files):
        with path.open("r+b") as file:
            start = 0
            for line in iter(file.readline, b""):
                record = _record(line)
                if record is not None and record.id in ids:
                    file.seek(start)
                    file.write(b" " * len(line.rstrip(b"\n")))
                    file.seek(start + len(line))
                start += len(line)
            file.flush()
            os.fsync(file.fileno())


def out_of_reach(files: Iterable[Path]) -> tuple[Path, ...]:
    """Those with a line of which nobody can say whose it is, and those of other users."""
    return tuple(path for path in files if not _is_ours(path) or _has_torn_line(path))


def _record(line: bytes) -> Record | None:
    return parse(line.decode(errors="replace"))


def _has_torn_line(path: Path) -> bool:
    try:
        with path.open("rb") as lines:
            return any(line.strip() and _record(line) is None for line in lines)
    except OSError:
        return True


def _is_ours(path: Path) -> bool:
    """Whether it is a file of our own user and no link: others may put files into the temporary directory, too."""
    try:
        found = path.lstat()
    except OSError:  # gone by now
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
