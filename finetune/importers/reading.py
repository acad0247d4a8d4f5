"""What every importer starts from and reports to: the file, talks as it tells them, and what could not be read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from finetune.errors import ImportFailed
from retrieval.cleaning import decode

Role = Literal["customer", "agent", "bot", "system"]
Row = dict[str, Any]

MAX_BYTES = 100 * 1024 * 1024
_UNDECODABLE = "\ufffd"
_ARCHIVES = (
    (b"PK", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
)


@dataclass(frozen=True)
class Problem:
    """Something that could not be read: where (`file:line`, `file Sheet!row`, `file conversation 12`) and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class Message:
    """One message. `rejected` is what the bot had said instead, where the file says so."""

    role: Role
    text: str
    at: datetime | None = None  # with time zone
    rating: int | None = None  # +1 or -1
    intent: str | None = None
    rejected: str | None = None


@dataclass(frozen=True)
class Talk:
    """A conversation as a file tells it, in order, with its own ids and names; those are replaced before it is stored.

    `key` is the id that a program gives it for ever, or one that `Reading.key` made. `rating` judges the whole talk.
    """

    key: str
    place: str
    messages: tuple[Message, ...]
    customer: str | None = None
    channel: str = ""
    rating: int | None = None
    people: frozenset[str] = frozenset()  # names that may stand in the texts


@dataclass
class Reading:
    """One file that is being read, and what its reader has to say about it.

    `skipped` counts what was left out on purpose (system notices, private notes), by kind; `problems` holds what should
    have been read.
    """

    path: Path
    zone: tzinfo = UTC  # of times that name none
    problems: list[Problem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @cached_property
    def data(self) -> bytes:
        """The file's bytes.

        Raises:
            ImportFailed: it is missing, no file, empty, unreadable, or larger than 100 MB.
        """
        try:
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                raise ImportFailed(
                    f"{self.path} has {size / 1e6:.0f} MB; {MAX_BYTES / 1e6:.0f} MB are read at most. Split it."
                )
            data = self.path.read_bytes()
        except OSError as error:
            raise ImportFailed(
                f"{self.path} cannot be read: {error.strerror or error}. Check its name and rights."
            ) from error
        if not data.strip():
            raise ImportFailed(f"{self.path} is empty. Export it again.")
        return data

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, as 64 hex digits."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def text(self) -> str:
        """The file's text, in UTF-8, UTF-16 with a mark, GB18030 or Big5; what cannot be decoded is U+FFFD.

        Raises:
            ImportFailed: it is no text.
        """
        for mark, what in _ARCHIVES:
            if self.data.startswith(mark):
                raise ImportFailed(f"{self.path} is {what}. Unpack it, or save it as CSV, JSON or .xlsx.")
        text = _mostly_utf8(self.data)
        if text is None:
            text = decode(self.data)
        if text is None or "\0" in text:
            raise ImportFailed(f"{self.path} is no text in UTF-8 or GB18030. Save it as UTF-8.")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def place(self, where: str | int) -> str:
        """How problems name a line or another place in the file."""
        return f"{self.path.name}:{where}" if isinstance(where, int) else f"{self.path.name} {where}"

    def key(self, where: str | int) -> str:
        """The key of a talk whose id, or place, means something in this file only: 1, 2, 3 are in every table."""
        return f"{self.digest}:{where}"

    def problem(self, place: str, reason: str) -> None:
        """Note what could not be read."""
        self.problems.append(Problem(place, reason))

    def skip(self, what: str, count: int = 1) -> None:
        """Note what was left out on purpose."""
        self.skipped[what] += count


def readable(text: str) -> bool:
    """Whether every character of a text could be decoded."""
    return _UNDECODABLE not in text


def json_rows(reading: Reading) -> Iterator[tuple[str, Row]]:
    """The objects of a JSON or JSON Lines file with their places; an array counts as its items.

    Raises:
        ImportFailed: it is JSON throughout, but broken; says where.
    """
    text = reading.text.removeprefix("\ufeff")
    whole, broken = _parse(text)
    if broken is None:
        yield from _items(reading, whole)
    elif _is_json_lines(text):
        yield from _json_lines(reading, text)
    else:
        raise ImportFailed(f"{reading.path} is broken JSON: {broken}. Export it again.")


def _items(reading: Reading, whole: object) -> Iterator[tuple[str, Row]]:
    if isinstance(whole, dict):
        yield reading.path.name, whole
        return
    if not isinstance(whole, list):
        raise ImportFailed(f"{reading.path} holds {type(whole).__name__}, no object or array of objects.")
    for number, item in enumerate(whole, start=1):
        yield from _if_object(reading, reading.place(f"item {number}"), item)


def _json_lines(reading: Reading, text: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row, broken = _parse(line)
        if broken is not None:
            reading.problem(reading.place(number), f"broken JSON ({broken})")
            continue
        yield from _if_object(reading, reading.place(number), row)


def _if_object(reading: Reading, place: str, item: object) -> Iterator[tuple[str, Row]]:
    if isinstance(item, dict):
        yield place, item
    else:
        reading.problem(place, f"a JSON object is expected, not {type(item).__name__}")


def _is_json_lines(text: str) -> bool:
    """Whether some line is an object by itself; in JSON that is spread over lines, none of the outer ones is."""
    lines = [line for line in text.split("\n")[:200] if line.strip()]
    return sum(isinstance(_parse(line)[0], dict) for line in lines) * 2 >= min(len(lines), 4)


def _parse(text: str) -> tuple[object, str | None]:
    """The value, or why there is none."""
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        return None, f"line {error.lineno}, column {error.colno}: {error.msg}"
    except ValueError as error:  # a number of thousands of digits
        return None, str(error).partition(";")[0]
    except RecursionError:
        return None, "nested too deeply"


def _mostly_utf8(data: bytes) -> str | None:
    """The text if it is UTF-8 but for a few broken places, as a log with one damaged line is; None if it is not.

    Guessed as another encoding, the whole file would turn into garbage for the sake of one line.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    broken = sum(_is_broken(line) for line in lines)
    return data.decode("utf-8-sig", "replace") if broken * 4 < len(lines) else None


def _is_broken(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
