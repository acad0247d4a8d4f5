"""The tables of step 5 of the log's shape: the desk, the team, where customers are, and what other programs are told.

A step that has been released is never edited; see `bot.memory.migrations`.
"""

DESK_TABLES = """
CREATE TABLE staff (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,            -- as customers see it
    role TEXT NOT NULL CHECK (role IN ('agent', 'editor', 'admin')),
    password_hash TEXT NOT NULL,
    created_at TEXT NOT NULL,
    disabled_at TEXT
) STRICT;
CREATE TABLE staff_sessions (
    token_sha256 TEXT PRIMARY KEY, -- never the token itself
    staff_id TEXT NOT NULL REFERENCES staff(id),
    opened_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE TABLE login_failures (
    number INTEGER PRIMARY KEY,
    login TEXT NOT NULL COLLATE NOCASE,
    address TEXT NOT NULL,
    failed_at TEXT NOT NULL
) STRICT;
CREATE INDEX login_failures_by_login ON login_failures (login, failed_at);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    done_at TEXT NOT NULL,
    staff_id TEXT REFERENCES staff(id),  -- NULL: nobody was logged in, e.g. a refused login
    action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations(id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'returned', 'closed')),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    language TEXT NOT NULL,
    called_at TEXT NOT NULL,
    taken_at TEXT,
    agent TEXT REFERENCES staff(id),
    ended_at TEXT,
    contact TEXT NOT NULL,         -- how to reach the customer; emptied when the call ends
    outcome TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_open_call ON calls (conversation_id) WHERE state IN ('waiting', 'taken');
CREATE INDEX calls_by_time ON calls (called_at);
CREATE TABLE call_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- a reader asks for what came after it, so it is never given twice
    id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL REFERENCES calls(id),
    conversation_id TEXT NOT NULL REFERENCES conversations(id),
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'person', 'joined', 'left', 'closed')),
    name TEXT NOT NULL,
    text TEXT NOT NULL,            -- as it was written while the call is open, masked when it ends
    turn_id TEXT,                  -- of the customer's words
    sent_at TEXT NOT NULL
) STRICT;
CREATE INDEX call_events_by_conversation ON call_events (conversation_id, number);
CREATE TABLE visits (
    number INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations(id),
    page TEXT NOT NULL,            -- the address where the customer is, without what follows a '?'
    title TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX visits_by_conversation ON visits (conversation_id, number);
CREATE TABLE customers (
    id TEXT PRIMARY KEY,           -- the site's own id of its user
    name TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
CREATE TABLE conversation_customers (
    conversation_id TEXT PRIMARY KEY REFERENCES conversations(id),
    customer_id TEXT NOT NULL REFERENCES customers(id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_customer ON conversation_customers (customer_id);
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,           -- also the name of the file under var/uploads
    conversation_id TEXT NOT NULL REFERENCES conversations(id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    uploaded_at TEXT NOT NULL
) STRICT;
CREATE INDEX uploads_by_conversation ON uploads (conversation_id, uploaded_at);
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,            -- JSON, as it is sent
    made_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    delivered_at TEXT, gave_up_at TEXT,
    last_error TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL AND gave_up_at IS NULL;
"""
