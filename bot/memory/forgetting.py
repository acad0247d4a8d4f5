"""Deletes from the log what customers said: what is old, or all of one conversation or one customer. For ever.

A stored turn never changes, and it does not here: it goes, whole, with everything that points at it. What is left of it
elsewhere goes, too: a gap's title that is its question, the text that an entry of the audit log quotes, and what other
programs are still to be told of it. A conversation goes when nothing of it is left.

What is to go is first noted in temporary tables, so that what a person is told and what is then deleted are one thing.
What waits beside the log (`bot.memory.spill`) is chosen by the same notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import ConversationId
from bot.errors import CallRefused
from bot.memory.forgotten_gaps import renew_gaps
from bot.memory.reading import title_of
from bot.memory.records import Record, Row, stamp
from bot.memory.uploads import UploadId


@dataclass(frozen=True)
class Older:
    """What lies before a moment (UTC), each kind before its own; None keeps it.

    Files and visits never outlive the turns: they go before the later of their moment and that of the turns. What
    belongs to a conversation with an open call stays.
    """

    turns: datetime | None = None
    uploads: datetime | None = None
    visits: datetime | None = None


@dataclass(frozen=True)
class OfConversation:
    """All of one conversation."""

    id: ConversationId


@dataclass(frozen=True)
class OfCustomer:
    """All conversations of a user that a site vouches for, and what is known of them. `id` is the site's own.

    With them go those that were held in the same browser before or without signing in, unless another user of the site
    was known in it, too: then they may be that one's. A widget's or program's conversation that nobody was named in and
    that was followed by a new one is not among them: nothing in the log says whose it was.
    """

    id: str


What = Older | OfConversation | OfCustomer


@dataclass(frozen=True)
class Counts:
    """How much there is to go, or went. `files` and `bytes` are of what customers sent."""

    conversations: int
    turns: int
    ratings: int
    corrections: int
    calls: int
    messages: int  # said while a person had the talk
    visits: int
    files: int
    bytes: int
    customers: int
    waiting: int  # records that wait beside the log: turns, conversations, ratings and corrections

    @property
    def nothing(self) -> bool:
        """Whether there is nothing at all."""
        return not any(asdict(self).values())


_TABLES = (
    "with_open_call",  # conversations
    "still_used",  # conversations of which a turn that stays waits beside the log
    *(
        "going_conversations",
        "going_turns",
        "going_calls",
        "going_visits",
        "going_uploads",
        "going_customers",
    ),
    "going_waiting",
)
_OPEN = "INSERT INTO with_open_call SELECT conversation_id FROM calls WHERE state IN ('waiting', 'taken')"
_NEVER = ""  # before every stamp

# What is old, each table after those that it asks. A conversation goes if nothing of it stays.
_OLD = (
    """INSERT INTO going_turns SELECT id FROM turns
       WHERE asked_at < :turns AND conversation_id NOT IN (SELECT id FROM with_open_call)""",
    """INSERT INTO going_calls SELECT id FROM calls
       WHERE ended_at < :turns AND conversation_id NOT IN (SELECT id FROM with_open_call)""",
    """INSERT INTO going_visits SELECT number FROM visits
       WHERE seen_at < max(:turns, :visits) AND conversation_id NOT IN (SELECT id FROM with_open_call)""",
    """INSERT INTO going_uploads SELECT id FROM uploads
       WHERE uploaded_at < max(:turns, :uploads) AND conversation_id NOT IN (SELECT id FROM with_open_call)""",
    """INSERT INTO going_conversations SELECT id FROM conversations AS c
       WHERE opened_at < :turns AND id NOT IN (SELECT id FROM with_open_call) AND id NOT IN (SELECT id FROM still_used)
       AND NOT EXISTS (SELECT 1 FROM turns AS o WHERE o.conversation_id = c.id AND o.id NOT IN (SELECT id FROM going_turns))
       AND NOT EXISTS (SELECT 1 FROM calls AS o WHERE o.conversation_id = c.id AND o.id NOT IN (SELECT id FROM going_calls))
       AND NOT EXISTS (
           SELECT 1 FROM visits AS o WHERE o.conversation_id = c.id AND o.number NOT IN (SELECT id FROM going_visits))
       AND NOT EXISTS (
           SELECT 1 FROM uploads AS o WHERE o.conversation_id = c.id AND o.id NOT IN (SELECT id FROM going_uploads))""",
)
_OF_CONVERSATIONS = tuple(
    f"INSERT INTO going_{table} SELECT {key} FROM {table} WHERE conversation_id IN (SELECT id FROM going_conversations)"  # noqa: S608 — our own words
    for table, key in (("turns", "id"), ("calls", "id"), ("visits", "number"), ("uploads", "id"))
)
# A customer's conversations, and those that nobody is named in of browsers in which no other customer was named.
_OF_CUSTOMER = """
    INSERT INTO going_conversations SELECT conversation_id FROM conversation_customers WHERE customer_id = :id
    UNION SELECT c.id FROM conversation_customers AS o
    JOIN conversations AS known ON known.id = o.conversation_id
    JOIN conversations AS c ON c.visitor_sha256 = known.visitor_sha256
    WHERE o.customer_id = :id AND NOT EXISTS (
        SELECT 1 FROM conversations AS other JOIN conversation_customers AS named ON named.conversation_id = other.id
        WHERE other.visitor_sha256 = known.visitor_sha256 AND named.customer_id != :id)"""
# Browsers all of whose conversations go.
_BROWSERS = """
    SELECT DISTINCT visitor_sha256 AS v FROM conversations AS c WHERE id IN (SELECT id FROM going_conversations)
    AND NOT EXISTS (
        SELECT 1 FROM conversations
        WHERE visitor_sha256 = c.visitor_sha256 AND id NOT IN (SELECT id FROM going_conversations))"""
_CUSTOMERS_WITHOUT_ANY = """
    INSERT OR IGNORE INTO going_customers SELECT customer_id FROM conversation_customers AS o
    WHERE conversation_id IN (SELECT id FROM going_conversations) AND NOT EXISTS (
        SELECT 1 FROM conversation_customers
        WHERE customer_id = o.customer_id AND conversation_id NOT IN (SELECT id FROM going_conversations))"""
# What points at others before what it points at.
_DELETE = (
    *(
        f"DELETE FROM {table} WHERE turn_id IN (SELECT id FROM going_turns)"  # noqa: S608 — our own words
        for table in ("ratings", "corrections", "turn_intents", "turn_passages", "turn_sources", "gap_turns")
    ),
    "DELETE FROM turns WHERE id IN (SELECT id FROM going_turns)",
    "DELETE FROM call_events WHERE call_id IN (SELECT id FROM going_calls)",
    "DELETE FROM calls WHERE id IN (SELECT id FROM going_calls)",
    "DELETE FROM visits WHERE number IN (SELECT id FROM going_visits)",
    "DELETE FROM uploads WHERE id IN (SELECT id FROM going_uploads)",
    """DELETE FROM outbox WHERE json_extract(body, '$.data.conversation_id') IN (SELECT id FROM going_conversations)
       OR json_extract(body, '$.data.turn_id') IN (SELECT id FROM going_turns)""",
    """UPDATE audit SET subject = '', detail = ''
       WHERE subject IN (SELECT id FROM going_turns) OR subject IN (SELECT id FROM going_conversations)""",
    "DELETE FROM conversation_customers WHERE conversation_id IN (SELECT id FROM going_conversations)",
    "DELETE FROM conversations WHERE id IN (SELECT id FROM going_conversations)",
    "DELETE FROM customers WHERE id IN (SELECT id FROM going_customers)",
)
_COUNTS = {
    "conversations": "SELECT count(*) FROM going_conversations",
    "turns": "SELECT count(*) FROM going_turns",
    "ratings": "SELECT count(*) FROM ratings WHERE turn_id IN (SELECT id FROM going_turns)",
    "corrections": "SELECT count(*) FROM corrections WHERE turn_id IN (SELECT id FROM going_turns)",
    "calls": "SELECT count(*) FROM going_calls",
    "messages": "SELECT count(*) FROM call_events WHERE kind IN ('customer', 'person') AND call_id IN (SELECT id FROM going_calls)",
    "visits": "SELECT count(*) FROM going_visits",
    "files": "SELECT count(*) FROM going_uploads",
    "bytes": "SELECT coalesce(sum(bytes), 0) FROM uploads WHERE id IN (SELECT id FROM going_uploads)",
    "customers": "SELECT count(*) FROM going_customers",
    "waiting": "SELECT count(*) FROM going_waiting",
}


def mark(log: Database, what: What, waiting: Iterable[Record] = ()) -> Counts:
    """Note what is to go, in temporary tables of this connection, and count it. Nothing is deleted yet.

    Args:
        log: the log.
        what: what is to go.
        waiting: what waits beside the log.

    Raises:
        CallRefused: a conversation that was asked for has an open call.
    """
    for table in _TABLES:
        log.conn.execute(f"DROP TABLE IF EXISTS temp.{table}")
        log.conn.execute(f"CREATE TEMP TABLE {table} (id PRIMARY KEY) WITHOUT ROWID")
    log.conn.execute(_OPEN)
    rows: defaultdict[str, list[Row]] = defaultdict(list)  # what waits, by table
    for record in waiting:
        rows[record.head].append(record.first)
    if isinstance(what, Older):
        moments = {name: _moment(at) for name, at in vars(what).items()}
        used = [(row["conversation_id"],) for row in rows["turns"] if row["asked_at"] >= moments["turns"]]
        log.conn.executemany("INSERT OR IGNORE INTO still_used VALUES (?)", used)
        for sql in _OLD:
            log.conn.execute(sql, moments)
    else:
        _mark_conversations(log, what)
        for sql in _OF_CONVERSATIONS:
            log.conn.execute(sql)
    log.conn.execute(_CUSTOMERS_WITHOUT_ANY)
    _mark_waiting(log, what, rows)
    return Counts(**{name: log.conn.execute(sql).fetchone()[0] for name, sql in _COUNTS.items()})


def delete_marked(log: Database) -> tuple[UploadId, ...]:
    """Delete what `mark` noted, in the caller's transaction; the files whose rows are gone are returned."""
    files = tuple(UploadId(row["id"]) for row in log.query("SELECT id FROM going_uploads"))
    touched = [
        row["gap"]
        for row in log.query(
            "SELECT DISTINCT gap FROM gap_turns WHERE turn_id IN (SELECT id FROM going_turns)"
        )
    ]
    asked = {
        row["q"]
        for row in log.query("SELECT question AS q FROM turns WHERE id IN (SELECT id FROM going_turns)")
    }
    for sql in _DELETE:
        log.conn.execute(sql)
    renew_gaps(log, touched, asked | set(map(title_of, asked)))
    return files


def marked_waiting(log: Database) -> frozenset[str]:
    """The ids of the records beside the log that `mark` noted."""
    return frozenset(_ids(log, "going_waiting"))


def _mark_waiting(log: Database, what: What, rows: Mapping[str, Sequence[Row]]) -> None:
    """Note which of the records beside the log go with what has been noted in it. `rows` are their first ones by table."""
    if isinstance(what, Older):
        before, still_open = _moment(what.turns), _ids(log, "with_open_call")
        turns = {
            row["id"]
            for row in rows["turns"]
            if row["asked_at"] < before and row["conversation_id"] not in still_open
        }
        used = _ids(log, "still_used")
        conversations = {
            row["id"] for row in rows["conversations"] if row["opened_at"] < before and row["id"] not in used
        }
    else:
        browsers = {row["v"] for row in log.query(_BROWSERS)} if isinstance(what, OfCustomer) else set()
        conversations = _ids(log, "going_conversations") | {
            row["id"]
            for row in rows["conversations"]
            if row["id"] == what.id or row["visitor_sha256"] in browsers
        }
        turns = {row["id"] for row in rows["turns"] if row["conversation_id"] in conversations}
    judged = turns | _ids(log, "going_turns")
    said = {
        row["id"] for head in ("ratings", "corrections") for row in rows[head] if row["turn_id"] in judged
    }
    going = turns | said | {row["id"] for row in rows["conversations"] if row["id"] in conversations}
    log.conn.executemany("INSERT INTO going_waiting VALUES (?)", [(each,) for each in going])


def _moment(at: datetime | None) -> str:
    return _NEVER if at is None else stamp(at)


def _ids(log: Database, table: str) -> set[str]:
    return {row["id"] for row in log.query(f"SELECT id FROM {table}")}  # noqa: S608 — our own words


def _mark_conversations(log: Database, what: OfConversation | OfCustomer) -> None:
    if isinstance(what, OfConversation):
        log.conn.execute(
            "INSERT INTO going_conversations SELECT id FROM conversations WHERE id = ?", [what.id]
        )
    else:
        log.conn.execute("INSERT INTO going_customers SELECT id FROM customers WHERE id = ?", [what.id])
        log.conn.execute(_OF_CUSTOMER, {"id": what.id})
    sql = "SELECT count(*) FROM going_conversations WHERE id IN (SELECT id FROM with_open_call)"
    still_open = log.conn.execute(sql).fetchone()[0]
    if still_open:
        raise CallRefused(
            f"{still_open} of these talks have an open call for a person. Close them in the console first; nothing is deleted."
        )
