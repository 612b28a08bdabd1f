"""The tables of the integration's own state."""

from sqlite3 import Connection

_TABLES = """
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY, topic TEXT NOT NULL, entity TEXT, outcome TEXT NOT NULL, received_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_age ON deliveries (received_at);

-- The newest state of each order seen; (updated_at, observed_at) says which of two states is newer.
CREATE TABLE IF NOT EXISTS orders (
  ref TEXT PRIMARY KEY, entity TEXT NOT NULL, document BLOB NOT NULL, digest TEXT NOT NULL,
  updated_at REAL NOT NULL, observed_at REAL NOT NULL, seen_at REAL NOT NULL, source TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_entity ON orders (entity);

-- One row an order and handoff, for good: queued, done, or dead while a dead letter holds it.
CREATE TABLE IF NOT EXISTS backlog (
  handoff TEXT NOT NULL, ref TEXT NOT NULL, entity TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead')),
  attempts INTEGER NOT NULL, due_at REAL NOT NULL, first_failed_at REAL, trigger TEXT NOT NULL,
  PRIMARY KEY (handoff, ref)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS backlog_queued ON backlog (handoff, due_at) WHERE state = 'queued';

CREATE TABLE IF NOT EXISTS dead_letters (
  id TEXT PRIMARY KEY, handoff TEXT NOT NULL, ref TEXT, entity TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_failed_at REAL NOT NULL, parked_at REAL NOT NULL, payload BLOB NOT NULL,
  payload_sha256 TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waiting', 'replayed', 'discarded')),
  episode TEXT, escalated_at REAL, resolved_at REAL
);
CREATE INDEX IF NOT EXISTS dead_letters_waiting ON dead_letters (handoff) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS dead_letters_by_age ON dead_letters (parked_at);

-- An escalation that was raised and holds until its dead letters are resolved.
CREATE TABLE IF NOT EXISTS episodes (
  handoff TEXT NOT NULL, escalation TEXT NOT NULL, dedup_key TEXT NOT NULL, opened_at REAL NOT NULL, sent_at REAL,
  PRIMARY KEY (handoff, escalation)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, role TEXT NOT NULL, dedup_key TEXT NOT NULL, event TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, state TEXT NOT NULL DEFAULT 'queued', sent_at REAL
);
CREATE INDEX IF NOT EXISTS outbox_queued ON outbox (due_at) WHERE state = 'queued';

CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, started_at REAL NOT NULL, finished_at REAL,
  expected_s REAL NOT NULL, trigger TEXT NOT NULL, captured INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, position REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS exceptions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL, handoff TEXT NOT NULL, entity TEXT NOT NULL, code TEXT NOT NULL,
  text TEXT NOT NULL, at REAL NOT NULL, trigger TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, what TEXT NOT NULL, by TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fingerprints (name TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
"""


def create_tables(conn: Connection) -> None:
    """Create what is not there yet; existing rows stay."""
    conn.executescript(_TABLES)
