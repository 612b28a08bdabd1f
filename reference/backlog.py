"""
The durable queue: which orders still have to pass which handoff.

All functions run inside a caller's transaction. Nothing marks an order as being sent: it stays `queued` until the outcome is
committed, so a process that dies while sending leaves the order queued, and it is sent again. That is harmless since
the ERP is written by external id.
"""

from dataclasses import dataclass
from sqlite3 import Connection


@dataclass(frozen=True, slots=True)
class Item:
    """An order to be sent: the bytes, their SHA-256, and how often this run has tried already."""

    handoff: str
    ref: str
    entity: str
    document: bytes
    digest: str
    attempts: int
    first_failed_at: float | None
    trigger: str


def enqueue(conn: Connection, handoff: str, ref: str, entity: str, *, trigger: str, now: float) -> bool:
    """
    Queue an order, unless it is queued already or a dead letter holds it; True when its worker has to be told.

    A dead letter is a person's to decide: newer data of its order wait with it and go out when it is replayed.
    """
    row = conn.execute(
        "INSERT INTO backlog (handoff, ref, entity, state, attempts, due_at, trigger) VALUES (?, ?, ?, 'queued', 0, ?, ?) "
        "ON CONFLICT (handoff, ref) DO UPDATE SET state = 'queued', attempts = 0, due_at = excluded.due_at, "
        "first_failed_at = NULL, trigger = excluded.trigger WHERE state = 'done' RETURNING ref",
        (handoff, ref, entity, now, trigger),
    ).fetchone()
    return row is not None


def requeue_dead(conn: Connection, handoff: str, ref: str, *, trigger: str, now: float) -> bool:
    """Queue an order that a dead letter held, as a new run; False when none held it."""
    return (
        conn.execute(
            "UPDATE backlog SET state = 'queued', attempts = 0, due_at = ?, first_failed_at = NULL, trigger = ? "
            "WHERE handoff = ? AND ref = ? AND state = 'dead'",
            (now, trigger, handoff, ref),
        ).rowcount
        == 1
    )


def load(conn: Connection, handoff: str, ref: str) -> Item | None:
    """Return a queued order with its newest data, or None when it is not queued."""
    row = conn.execute(
        "SELECT b.ref, b.entity, o.document, o.digest, b.attempts, b.first_failed_at, b.trigger FROM backlog b "
        "JOIN orders o USING (ref) WHERE b.handoff = ? AND b.ref = ? AND b.state = 'queued'",
        (handoff, ref),
    ).fetchone()
    return Item(handoff, *row) if row else None


def list_queued(conn: Connection, handoff: str) -> list[tuple[str, float]]:
    """Return the key and due time of everything queued, the earliest first."""
    query = "SELECT ref, due_at FROM backlog WHERE handoff = ? AND state = 'queued' ORDER BY due_at"
    return [(row["ref"], row["due_at"]) for row in conn.execute(query, (handoff,))]


def mark_done(conn: Connection, item: Item, *, now: float) -> bool:
    """
    Take an order that was sent off the queue; True when it has to be sent again at once.

    That is so when newer data were captured while it was being sent.
    """
    row = conn.execute("SELECT digest FROM orders WHERE ref = ?", (item.ref,)).fetchone()
    stale = row["digest"] != item.digest
    conn.execute(
        "UPDATE backlog SET state = ?, attempts = 0, first_failed_at = NULL, due_at = ? WHERE handoff = ? AND ref = ?",
        ("queued" if stale else "done", now, item.handoff, item.ref),
    )
    return bool(stale)


def mark_failed(conn: Connection, item: Item, *, attempts: int, due_at: float, now: float) -> None:
    """Leave an order queued until `due_at` after a failed attempt."""
    conn.execute(
        "UPDATE backlog SET attempts = ?, due_at = ?, first_failed_at = coalesce(first_failed_at, ?) WHERE handoff = ? AND ref = ?",
        (attempts, due_at, now, item.handoff, item.ref),
    )


def mark_dead(conn: Connection, item: Item, *, attempts: int) -> None:
    """Take an order off the queue because a dead letter holds it from now on."""
    conn.execute(
        "UPDATE backlog SET state = 'dead', attempts = ? WHERE handoff = ? AND ref = ?",
        (attempts, item.handoff, item.ref),
    )
