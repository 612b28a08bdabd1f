"""
The durable queue: what still has to pass which handoff, and what has passed.

All functions run inside a caller's transaction. Nothing marks an item as being sent: it stays `queued` until the outcome is
committed, so a process that dies while sending leaves the item queued, and it is sent again. That is harmless where the vendor
knows the item by an id of ours; where it does not, an item that may have been carried out is `doubtful`, and its sender looks first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection


@dataclass(frozen=True, slots=True)
class Wake:
    """Something was queued: the lane of `handoff` has to be told about `ref` once that is committed."""

    handoff: str
    ref: str


@dataclass(frozen=True, slots=True)
class Item:
    """
    What is to be sent: its document, how often this run has tried already, and how often a person had it sent anew (`round`).

    `due_at` is when it was to be sent, in epoch seconds. `digest` is the SHA-256 of the document; `doubtful` says that it may have
    been carried out already. A sender calls `taken` as soon as the vendor has said yes, where that is not yet the end of it.
    """

    handoff: str
    ref: str
    entity: str
    document: bytes
    digest: str
    attempts: int
    round: int
    doubtful: bool
    due_at: float
    first_failed_at: float | None
    trigger: str
    taken: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be queued. `held` puts it aside for a person instead."""

    handoff: str
    ref: str
    entity: str
    document: bytes
    trigger: str
    held: bool = False


def enqueue(conn: Connection, draft: Draft, *, now: float) -> bool:
    """
    Queue an item, or give one that is known its newest document; True when its worker has to be told.

    What has passed with the same document is not sent again. What a dead letter or a role queue holds is a person's to decide:
    a newer document waits with it and goes out when they do.
    """
    digest = sha256(draft.document).hexdigest()
    row = conn.execute(
        "SELECT state, digest FROM backlog WHERE handoff = ? AND ref = ?", (draft.handoff, draft.ref)
    ).fetchone()
    if row is None:
        state = "held" if draft.held else "queued"
        conn.execute(
            "INSERT INTO backlog (handoff, ref, entity, document, digest, state, due_at, trigger) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (draft.handoff, draft.ref, draft.entity, draft.document, digest, state, now, draft.trigger),
        )
        return not draft.held
    if row["digest"] == digest:
        return False
    rewrite(conn, draft.handoff, draft.ref, draft.document)
    return row["state"] == "done" and _requeue(conn, draft.handoff, draft.ref, "done", draft.trigger, now)


def requeue_dead(conn: Connection, handoff: str, ref: str, *, trigger: str, now: float) -> bool:
    """Queue an item that a dead letter held, as a new run; False when none held it."""
    return _requeue(conn, handoff, ref, "dead", trigger, now)


def requeue_held(conn: Connection, handoff: str, ref: str, *, trigger: str, now: float) -> bool:
    """Queue an item that a role queue held, as a new run in a new round; False when none held it."""
    conn.execute(
        "UPDATE backlog SET round = round + 1 WHERE handoff = ? AND ref = ? AND state = 'held'", (handoff, ref)
    )
    return _requeue(conn, handoff, ref, "held", trigger, now)


def _requeue(conn: Connection, handoff: str, ref: str, state: str, trigger: str, now: float) -> bool:
    updated = conn.execute(
        "UPDATE backlog SET state = 'queued', attempts = 0, due_at = ?, first_failed_at = NULL, trigger = ? "
        "WHERE handoff = ? AND ref = ? AND state = ?",
        (now, trigger, handoff, ref, state),
    )
    return updated.rowcount == 1


def doubt_queued(conn: Connection) -> None:
    """Mark everything queued as doubtful: the last process may have died while sending it."""
    conn.execute("UPDATE backlog SET doubtful = 1 WHERE state = 'queued'")


def load(conn: Connection, handoff: str, ref: str) -> Item | None:
    """Return a queued item with its newest document, or None when it is not queued."""
    row = conn.execute(
        "SELECT entity, document, digest, attempts, round, doubtful, due_at, first_failed_at, trigger FROM backlog "
        "WHERE handoff = ? AND ref = ? AND state = 'queued'",
        (handoff, ref),
    ).fetchone()
    if row is None:
        return None
    return Item(handoff, ref, **{**dict(row), "doubtful": bool(row["doubtful"])})


def list_queued(conn: Connection, handoff: str) -> list[tuple[str, float]]:
    """Return the key and due time of everything queued, the earliest first."""
    query = "SELECT ref, due_at FROM backlog WHERE handoff = ? AND state = 'queued' ORDER BY due_at"
    return [(row["ref"], row["due_at"]) for row in conn.execute(query, (handoff,))]


def list_aside(conn: Connection, handoff: str, entity: str) -> list[tuple[str, bytes]]:
    """Return the key and document of everything about an order that a dead letter or a role queue of a handoff holds."""
    query = "SELECT ref, document FROM backlog WHERE handoff = ? AND entity = ? AND state IN ('held', 'dead')"
    return [(row["ref"], row["document"]) for row in conn.execute(query, (handoff, entity))]


def rewrite(conn: Connection, handoff: str, ref: str, document: bytes) -> None:
    """Give an item another document, whatever its state; nothing is sent for it."""
    conn.execute(
        "UPDATE backlog SET document = ?, digest = ? WHERE handoff = ? AND ref = ?",
        (document, sha256(document).hexdigest(), handoff, ref),
    )


def read_states(conn: Connection, ref: str) -> dict[str, str]:
    """Return the state of an item at each handoff it has come to."""
    return {
        row["handoff"]: row["state"] for row in conn.execute("SELECT handoff, state FROM backlog WHERE ref = ?", (ref,))
    }


def mark_done(conn: Connection, item: Item, *, now: float) -> bool:
    """
    Take an item that was sent off the queue; True when it has to be sent again at once.

    That is so when a newer document came while it was being sent.
    """
    row = conn.execute(
        "SELECT digest, state FROM backlog WHERE handoff = ? AND ref = ?", (item.handoff, item.ref)
    ).fetchone()
    if row["state"] != "queued":
        return False  # it was completed or withdrawn meanwhile
    stale = bool(row["digest"] != item.digest)
    conn.execute(
        "UPDATE backlog SET state = ?, attempts = 0, first_failed_at = NULL, doubtful = 0, due_at = ? "
        "WHERE handoff = ? AND ref = ?",
        ("queued" if stale else "done", now, item.handoff, item.ref),
    )
    return stale


def mark_failed(conn: Connection, item: Item, *, attempts: int, due_at: float, now: float) -> bool:
    """Leave an item queued until `due_at` after a failed attempt; False when it is not queued any more."""
    updated = conn.execute(
        "UPDATE backlog SET attempts = ?, due_at = ?, first_failed_at = coalesce(first_failed_at, ?) "
        "WHERE handoff = ? AND ref = ? AND state = 'queued'",
        (attempts, due_at, now, item.handoff, item.ref),
    )
    return updated.rowcount == 1


def mark_stopped(conn: Connection, item: Item, state: str, *, attempts: int) -> bool:
    """Take an item off the queue because a dead letter (`dead`) or a role queue (`held`) has it; False when it left before."""
    updated = conn.execute(
        "UPDATE backlog SET state = ?, attempts = ? WHERE handoff = ? AND ref = ? AND state = 'queued'",
        (state, attempts, item.handoff, item.ref),
    )
    return updated.rowcount == 1


def mark_doubtful(conn: Connection, item: Item) -> None:
    """Note that an attempt may have been carried out although it failed."""
    conn.execute("UPDATE backlog SET doubtful = 1 WHERE handoff = ? AND ref = ?", (item.handoff, item.ref))


def complete(conn: Connection, handoff: str, ref: str) -> bool:
    """Mark an item as passed because the vendor says so by itself; False when that is known or the item is not."""
    updated = conn.execute(
        "UPDATE backlog SET state = 'done', attempts = 0, first_failed_at = NULL, doubtful = 0 "
        "WHERE handoff = ? AND ref = ? AND state IN ('queued', 'dead', 'held')",
        (handoff, ref),
    )
    return updated.rowcount == 1


def withdraw(conn: Connection, handoff: str, ref: str) -> None:
    """Take an item that has not passed off the queue for good."""
    conn.execute(
        "UPDATE backlog SET state = 'withdrawn' WHERE handoff = ? AND ref = ? AND state IN ('queued', 'dead', 'held')",
        (handoff, ref),
    )
