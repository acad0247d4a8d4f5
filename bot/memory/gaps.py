"""Gaps in the log: which turns without an answer belong together, under which id, and what people decided on them.

A gap's id is given once. Two that turn out to be one are merged: the id that goes leads to the one that stays.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NewType

from sqlite_utils import Database

from bot.conversation import TurnId
from bot.errors import GapUnknown, StoreError
from bot.memory.connection import busy_error, immediate, is_busy, open_for_writing
from bot.memory.records import Row, stamp

GapId = NewType("GapId", int)

_WAIT_SECONDS = 10.0


class GapState(StrEnum):
    """What people decided on a gap."""

    NEW = "new"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class StoredGap:
    """A gap as the log holds it. `title` is the most typical of its questions, masked."""

    id: GapId
    title: str
    state: GapState
    reason: str  # why it was dismissed
    outcome: str  # what it was accepted as
    found_at: datetime  # UTC
    decided_at: datetime | None  # UTC; None while it is new

    @property
    def decided(self) -> bool:
        """Whether a person has said what becomes of it."""
        return self.state is not GapState.NEW


@dataclass(frozen=True)
class GatheredQuestion:
    """A turn that belongs to a gap."""

    gap: GapId
    turn: TurnId
    question: str  # masked
    asked_at: datetime  # UTC


@dataclass(frozen=True)
class NewGap:
    """Turns that belong together and to no gap that there is."""

    title: str
    turns: tuple[TurnId, ...]


@dataclass(frozen=True)
class Gathered:
    """What one gathering adds to the log."""

    new: tuple[NewGap, ...] = ()
    joined: Mapping[TurnId, GapId] = field(default_factory=dict)
    merged: Mapping[GapId, GapId] = field(default_factory=dict)  # what goes → what stays
    titles: Mapping[GapId, str] = field(default_factory=dict)


@contextmanager
def gap_log(path: Path) -> Iterator[Database]:
    """The log, open for what is done here, beside whoever else uses it.

    Raises:
        StoreTooNew: a newer Kefu wrote it.
        StoreBusy: another process holds it for too long.
        StoreError: it cannot be opened or written.
    """
    try:
        log = open_for_writing(path, wait_seconds=_WAIT_SECONDS)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error
    with closing(log):
        try:
            yield log
        except sqlite3.Error as error:
            raise _unusable(path, error) from error


@contextmanager
def one_write(log: Database) -> Iterator[None]:
    """One transaction: what is written inside is written whole, or not at all if something is raised."""
    with immediate(log, wait_seconds=_WAIT_SECONDS):
        yield


def read_gaps(log: Database) -> list[StoredGap]:
    """Every gap that was not merged into another, by id."""
    return [_read(row) for row in log.query("SELECT * FROM gaps WHERE merged_into IS NULL ORDER BY number")]


def read_gap(log: Database, gap: GapId) -> StoredGap:
    """One gap; the id of one that was merged leads to the one that stayed.

    Raises:
        GapUnknown: there is none with this id.
    """
    number = int(gap)
    while True:
        row = next(log.query("SELECT * FROM gaps WHERE number = ?", [number]), None)
        if row is None:
            raise GapUnknown(f"There is no gap {gap}. `kefu unanswered --all` lists them with their ids.")
        if row["merged_into"] is None:
            return _read(row)
        number = row["merged_into"]


def gap_of_turns(log: Database) -> dict[TurnId, GapId]:
    """Which gap each gathered turn belongs to."""
    rows = log.query("SELECT turn_id, gap FROM gap_turns")
    return {TurnId(row["turn_id"]): GapId(row["gap"]) for row in rows}


def gathered_questions(log: Database) -> list[GatheredQuestion]:
    """Every turn that was gathered, oldest first."""
    rows = log.query(
        """
        SELECT g.gap, t.id, t.question, t.asked_at FROM gap_turns AS g JOIN turns AS t ON t.id = g.turn_id
        ORDER BY t.asked_at, t.number
        """
    )
    return [
        GatheredQuestion(
            GapId(row["gap"]), TurnId(row["id"]), row["question"], datetime.fromisoformat(row["asked_at"])
        )
        for row in rows
    ]


def first_asked(log: Database, gap: GapId) -> datetime | None:
    """When the oldest of a gap's turns was asked, UTC; None if it has none."""
    sql = (
        "SELECT min(t.asked_at) AS at FROM gap_turns AS g JOIN turns AS t ON t.id = g.turn_id WHERE g.gap = ?"
    )
    found = next(log.query(sql, [gap]))["at"]
    return None if found is None else datetime.fromisoformat(found)


def write_gathered(log: Database, gathered: Gathered, *, at: datetime) -> None:
    """Write new gaps, what joined old ones, merges and titles, all or nothing.

    A turn that another process has gathered meanwhile stays where that one put it, and a gap that it has merged is
    found under the id that stayed.
    """
    with one_write(log):
        for new in gathered.new:
            _write_new(log, new, at)
        joined: defaultdict[GapId, list[TurnId]] = defaultdict(list)
        for turn, gap in gathered.joined.items():
            joined[gap].append(turn)
        for gap, turns in joined.items():
            _place(log, turns, read_gap(log, gap).id)
        for gone, stays in gathered.merged.items():
            _merge(log, read_gap(log, gone), read_gap(log, stays))
        for gap, title in gathered.titles.items():
            log.conn.execute("UPDATE gaps SET title = ? WHERE number = ?", [title, gap])


def choose_turn(log: Database, turn: TurnId, title: str, *, at: datetime) -> StoredGap:
    """The gap of a turn that a person chose, a new one called `title` if it is in none; in the caller's transaction."""
    row = next(log.query("SELECT gap FROM gap_turns WHERE turn_id = ?", [turn]), None)
    if row is not None:
        return read_gap(log, GapId(row["gap"]))
    _write_new(log, NewGap(title, (turn,)), at)
    return choose_turn(log, turn, title, at=at)


def merge_gaps(log: Database, stays: GapId, gone: GapId) -> StoredGap:
    """Put the turns of `gone` to `stays`, whose state and title remain; return it.

    Raises:
        GapUnknown: one of them does not exist, or both are the same.
    """
    with one_write(log):
        target, source = read_gap(log, stays), read_gap(log, gone)
        if target.id == source.id:
            raise GapUnknown(f"{stays} and {gone} are one gap already, {target.id}. Name two different ones.")
        _merge(log, source, target)
    return target


def decide_on(
    log: Database, gap: GapId, state: GapState, *, at: datetime, reason: str = "", outcome: str = ""
) -> StoredGap:
    """Set what becomes of a gap, inside the caller's `one_write`; return it as it is then.

    Raises:
        GapUnknown: there is none with this id.
    """
    found = read_gap(log, gap)
    decided_at = None if state is GapState.NEW else stamp(at)
    log.conn.execute(
        "UPDATE gaps SET state = ?, reason = ?, outcome = ?, decided_at = ? WHERE number = ?",
        [state.value, reason, outcome, decided_at, found.id],
    )
    return read_gap(log, found.id)


def _write_new(log: Database, new: NewGap, at: datetime) -> None:
    cursor = log.conn.execute(
        "INSERT INTO gaps (title, state, reason, outcome, found_at) VALUES (?, 'new', '', '', ?)",
        [new.title, stamp(at)],
    )
    number = GapId(int(cursor.lastrowid or 0))
    if not _place(log, new.turns, number):
        log.conn.execute("DELETE FROM gaps WHERE number = ?", [number])


def _place(log: Database, turns: Sequence[TurnId], gap: GapId) -> int:
    """Put turns to a gap; how many of them were in none before."""
    cursor = log.conn.executemany(
        "INSERT OR IGNORE INTO gap_turns (turn_id, gap) VALUES (?, ?)", [(turn, gap) for turn in turns]
    )
    return int(cursor.rowcount)


def _merge(log: Database, gone: StoredGap, stays: StoredGap) -> None:
    if gone.id != stays.id:
        log.conn.execute("UPDATE gap_turns SET gap = ? WHERE gap = ?", [stays.id, gone.id])
        log.conn.execute("UPDATE gaps SET merged_into = ? WHERE number = ?", [stays.id, gone.id])


def _read(row: Row) -> StoredGap:
    decided_at: str | None = row["decided_at"]
    return StoredGap(
        id=GapId(row["number"]),
        title=row["title"],
        state=GapState(row["state"]),
        reason=row["reason"],
        outcome=row["outcome"],
        found_at=datetime.fromisoformat(row["found_at"]),
        decided_at=None if decided_at is None else datetime.fromisoformat(decided_at),
    )


def _unusable(path: Path, error: Exception) -> StoreError:
    if isinstance(error, sqlite3.Error) and is_busy(error):
        return busy_error(path, _WAIT_SECONDS)
    return StoreError(f"The log {path} cannot be used: {error}. `kefu doctor` says what is wrong with it.")
