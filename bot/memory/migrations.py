"""The shape of the log, as numbered steps. A step that has been released is never edited; a change is a new step.

Each step runs inside one transaction together with the record that it ran, so a process that dies in between leaves
the log as it was. A log that records a step this Kefu does not know was written by a newer one and is refused.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from bot.errors import StoreTooNew
from bot.memory.desk_tables import DESK_TABLES

_STEPS = Migrations("kefu-log")


def migrate(log: Database) -> None:
    """Bring the log to the newest shape. The caller holds the write lock.

    Raises:
        StoreTooNew: the log was written by a newer Kefu.
    """
    refuse_newer(log)
    if _STEPS.pending(log):
        _STEPS.apply(log)


def refuse_newer(log: Database) -> None:
    """Raise StoreTooNew when the log records a step that this Kefu does not know."""
    unknown = [name for name in applied_steps(log) if name not in ALL_STEPS]
    if unknown:
        raise StoreTooNew(
            f"The log was written by a newer Kefu: it has the step(s) {', '.join(unknown)}, and this one knows up to "
            f"{ALL_STEPS[-1]}. Start the newer Kefu, or set `var` to another folder and keep this log as it is."
        )


def applied_steps(log: Database) -> list[str]:
    """Names of the steps that the log has been through, in order."""
    return [step.name for step in _STEPS.applied(log)]


def migrate_up_to(log: Database, step: str) -> None:
    """Apply the steps before `step` only: makes a log of an older Kefu, to prove that it can be read."""
    _STEPS.apply(log, stop_before=step)


@_STEPS()
def s001_conversations_and_turns(log: Database) -> None:
    """One row a turn with what people filter and plot; its ranked parts as rows, the rest as JSON."""
    log.executescript(
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            visitor_sha256 TEXT NOT NULL,  -- never the visitor's id itself: it is the key to their history
            channel TEXT NOT NULL,         -- "web", "api", …
            opened_at TEXT NOT NULL        -- UTC, ISO 8601 with microseconds, so that text order is time order
        ) STRICT;
        CREATE TABLE turns (
            number INTEGER PRIMARY KEY,    -- order of writing; breaks ties of asked_at
            id TEXT NOT NULL UNIQUE,
            conversation_id TEXT NOT NULL REFERENCES conversations(id),
            asked_at TEXT NOT NULL,
            customer_text TEXT NOT NULL,   -- masked, like every text here
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            language TEXT NOT NULL,
            mixed INTEGER NOT NULL,
            route TEXT NOT NULL,
            reason TEXT NOT NULL,
            intent TEXT,
            score REAL NOT NULL,
            margin REAL NOT NULL,
            in_scope REAL NOT NULL,
            missing_slot TEXT,
            generation TEXT,
            kefu TEXT NOT NULL,            -- provenance: which parts made this answer
            index_id TEXT NOT NULL,
            encoder TEXT NOT NULL,
            model TEXT,
            adapter TEXT,
            prompt_version INTEGER,
            thresholds TEXT NOT NULL,      -- JSON from here on
            slots TEXT NOT NULL,
            options TEXT NOT NULL,
            actions TEXT NOT NULL,
            timings_ms TEXT NOT NULL,
            masked TEXT NOT NULL,
            flags TEXT NOT NULL
        ) STRICT;
        CREATE TABLE turn_intents (
            turn_id TEXT NOT NULL REFERENCES turns(id),
            place INTEGER NOT NULL,        -- 1 is the best
            intent TEXT NOT NULL,
            score REAL NOT NULL,
            PRIMARY KEY (turn_id, place)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE turn_passages (
            turn_id TEXT NOT NULL REFERENCES turns(id),
            place INTEGER NOT NULL,
            rank INTEGER NOT NULL,
            passage_id TEXT NOT NULL,
            article_id TEXT NOT NULL,
            content_hash TEXT NOT NULL,
            score REAL NOT NULL,
            cited INTEGER NOT NULL,
            PRIMARY KEY (turn_id, place)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE turn_sources (
            turn_id TEXT NOT NULL REFERENCES turns(id),
            place INTEGER NOT NULL,
            number INTEGER NOT NULL,
            article_id TEXT NOT NULL,
            passage_id TEXT NOT NULL,
            title TEXT NOT NULL,
            language TEXT NOT NULL,
            score REAL NOT NULL,
            PRIMARY KEY (turn_id, place)
        ) STRICT, WITHOUT ROWID;
        """
    )


@_STEPS()
def s002_ratings_and_corrections(log: Database) -> None:
    """Judgements point at turns and never change them; the last one of a turn counts, all are kept."""
    log.executescript(
        """
        CREATE TABLE ratings (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            turn_id TEXT NOT NULL REFERENCES turns(id),
            value INTEGER NOT NULL CHECK (value IN (-1, 1)),
            reason TEXT NOT NULL,
            given_at TEXT NOT NULL
        ) STRICT;
        CREATE TABLE corrections (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            turn_id TEXT NOT NULL REFERENCES turns(id),
            text TEXT NOT NULL,
            author TEXT NOT NULL,
            given_at TEXT NOT NULL
        ) STRICT;
        """
    )


@_STEPS()
def s003_paths_to_rows(log: Database) -> None:
    """Indexes for what is read while a customer waits, and for an export by time."""
    log.executescript(
        """
        CREATE INDEX turns_by_conversation ON turns (conversation_id, asked_at, number);
        CREATE INDEX turns_by_time ON turns (asked_at, number);
        CREATE INDEX conversations_by_visitor ON conversations (visitor_sha256, opened_at);
        CREATE INDEX ratings_by_turn ON ratings (turn_id, given_at, number);
        CREATE INDEX corrections_by_turn ON corrections (turn_id, given_at, number);
        """
    )


@_STEPS()
def s004_gaps(log: Database) -> None:
    """What the bot could not answer: questions of one meaning, under an id that stays, with what people decided on it."""
    log.executescript(
        """
        CREATE TABLE gaps (
            number INTEGER PRIMARY KEY AUTOINCREMENT,  -- people type it, so it is never given twice
            title TEXT NOT NULL,           -- the most typical question, masked
            state TEXT NOT NULL CHECK (state IN ('new', 'accepted', 'dismissed')),
            reason TEXT NOT NULL,          -- why it was dismissed
            outcome TEXT NOT NULL,         -- what it was accepted as
            merged_into INTEGER REFERENCES gaps(number),
            found_at TEXT NOT NULL,
            decided_at TEXT
        ) STRICT;
        CREATE TABLE gap_turns (
            turn_id TEXT PRIMARY KEY REFERENCES turns(id),
            gap INTEGER NOT NULL REFERENCES gaps(number)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX gap_turns_by_gap ON gap_turns (gap);
        """
    )


@_STEPS()
def s005_desk(log: Database) -> None:
    """Calls for a person and what is said then; who works here; where a customer is; what other programs are told."""
    log.executescript(DESK_TABLES)


@_STEPS()
def s006_paths_to_what_is_forgotten(log: Database) -> None:
    """Indexes for deleting: SQLite looks for rows that point at each one that goes."""
    log.executescript(
        """
        CREATE INDEX calls_by_conversation ON calls (conversation_id);
        CREATE INDEX call_events_by_call ON call_events (call_id);
        """
    )


@_STEPS()
def s007_figures(log: Database) -> None:
    """An index that holds all that the overview counts, so that it does not read what was said; the time as a column.

    It begins with the columns of `turns_by_time`, whose place it takes. The record is asked for one action at a time.
    """
    log.executescript(
        """
        ALTER TABLE turns ADD COLUMN total_ms REAL GENERATED ALWAYS AS (
            CASE WHEN json_valid(timings_ms) THEN CAST(json_extract(timings_ms, '$.total') AS REAL) END) VIRTUAL;
        CREATE INDEX turns_for_figures
            ON turns (asked_at, number, route, conversation_id, id, intent, language, margin, total_ms);
        DROP INDEX turns_by_time;
        CREATE INDEX audit_by_action ON audit (action, done_at, subject);
        """
    )


def _names_of_all_steps() -> tuple[str, ...]:
    with Database(memory=True) as empty:
        return tuple(step.name for step in _STEPS.pending(empty))


ALL_STEPS: tuple[str, ...] = _names_of_all_steps()
