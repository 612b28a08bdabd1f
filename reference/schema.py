"""The tables of the integration's own state."""

from sqlite3 import Connection

_TABLES = """
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY, topic TEXT NOT NULL, entity TEXT, outcome TEXT NOT NULL, received_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_age ON deliveries (received_at);

-- The newest state of each order seen; (updated_at, observed_at) says which of two states is newer.
CREATE TABLE IF NOT EXISTS orders (
  ref TEXT PRIMARY KEY, entity TEXT NOT NULL, document BLOB NOT NULL, digest TEXT NOT NULL, updated_at REAL NOT NULL,
  observed_at REAL NOT NULL, source TEXT NOT NULL, shop_id INTEGER NOT NULL, payment TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_shop_id ON orders (shop_id);
CREATE INDEX IF NOT EXISTS orders_by_payment ON orders (payment) WHERE payment IS NOT NULL;

-- Refunds wait here until their order is in the ERP.
CREATE TABLE IF NOT EXISTS refunds (
  ref TEXT PRIMARY KEY, shop_id INTEGER NOT NULL, document BLOB NOT NULL, source TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_by_order ON refunds (shop_id);

-- Shipments wait here while their order is not known.
CREATE TABLE IF NOT EXISTS parcels (ref TEXT PRIMARY KEY, number TEXT NOT NULL, document BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parcels_by_order ON parcels (number);

-- When an inbound handoff last brought something usable about an order.
CREATE TABLE IF NOT EXISTS sightings (
  handoff TEXT NOT NULL, entity TEXT NOT NULL, seen_at REAL NOT NULL, PRIMARY KEY (handoff, entity)
) WITHOUT ROWID;

-- One row an item and handoff, for good: queued, done, dead while a dead letter holds it, held while a role queue does,
-- withdrawn because its order was cancelled.
CREATE TABLE IF NOT EXISTS backlog (
  handoff TEXT NOT NULL, ref TEXT NOT NULL, entity TEXT NOT NULL, document BLOB NOT NULL, digest TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead', 'held', 'withdrawn')),
  attempts INTEGER NOT NULL DEFAULT 0, round INTEGER NOT NULL DEFAULT 0, doubtful INTEGER NOT NULL DEFAULT 0,
  due_at REAL NOT NULL, first_failed_at REAL, trigger TEXT NOT NULL, PRIMARY KEY (handoff, ref)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS backlog_queued ON backlog (handoff, due_at) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS backlog_by_ref ON backlog (ref);
CREATE INDEX IF NOT EXISTS backlog_aside ON backlog (handoff, entity) WHERE state IN ('held', 'dead');

-- What a person has to decide: open, decided, done once what was decided has been carried out.
CREATE TABLE IF NOT EXISTS cases (
  id TEXT PRIMARY KEY, role TEXT NOT NULL, handoff TEXT NOT NULL, ref TEXT NOT NULL, entity TEXT NOT NULL, code TEXT NOT NULL,
  text TEXT NOT NULL, opened_at REAL NOT NULL, sla_s REAL NOT NULL, decisions TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'decided', 'done')), decision TEXT
);
CREATE INDEX IF NOT EXISTS cases_undone ON cases (ref) WHERE state <> 'done';

CREATE TABLE IF NOT EXISTS dead_letters (
  id TEXT PRIMARY KEY, handoff TEXT NOT NULL, ref TEXT, entity TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_failed_at REAL NOT NULL, parked_at REAL NOT NULL, payload BLOB NOT NULL,
  payload_sha256 TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waiting', 'replayed', 'discarded')),
  episode TEXT, escalated_at REAL, resolved_at REAL
);
CREATE INDEX IF NOT EXISTS dead_letters_waiting ON dead_letters (handoff) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS dead_letters_by_ref ON dead_letters (ref) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS dead_letters_by_age ON dead_letters (parked_at);

-- An escalation that was raised and holds until its dead letters are resolved.
CREATE TABLE IF NOT EXISTS episodes (
  handoff TEXT NOT NULL, escalation TEXT NOT NULL, dedup_key TEXT NOT NULL, opened_at REAL NOT NULL, sent_at REAL,
  PRIMARY KEY (handoff, escalation)
) WITHOUT ROWID;

-- Alerts and tickets that the ops desk has still to take.
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, role TEXT NOT NULL, dedup_key TEXT NOT NULL, event TEXT NOT NULL,
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
