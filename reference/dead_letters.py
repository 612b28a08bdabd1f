"""Dead letters: what could not be handed on, kept with the exact bytes that failed until someone decides."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection, Row

from reference.escalation import Parked, close_episodes, escalate
from reference.policy import Escalation

LONGEST_LIST = 2000


class NotWaitingError(Exception):
    """The dead letter was replayed or discarded already."""


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A dead letter to be parked.

    `payload` is the body that failed, byte for byte: the request body outbound, the raw webhook body inbound. `ref` is the
    item's key at the handoff; inbound letters have none.
    """

    handoff: str
    entity: str
    code: str
    text: str
    payload: bytes
    attempts: int
    first_failed_at: float
    ref: str | None = None


def park(conn: Connection, letter: Letter, escalations: Iterable[Escalation], *, now: float) -> str:
    """Keep a dead letter and escalate as declared, in the caller's transaction; return its id."""
    letter_id = f"dl-{uuid.uuid4().hex[:12]}"
    conn.execute(
        "INSERT INTO dead_letters (id, handoff, ref, entity, code, text, attempts, first_failed_at, parked_at, payload, "
        "payload_sha256, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
        (
            letter_id,
            letter.handoff,
            letter.ref,
            letter.entity,
            letter.code,
            letter.text,
            letter.attempts,
            letter.first_failed_at,
            now,
            letter.payload,
            sha256(letter.payload).hexdigest(),
        ),
    )
    escalate(conn, Parked(letter_id, letter.handoff, letter.entity, letter.code), escalations, now=now)
    return letter_id


def find(conn: Connection, letter_id: str) -> Row | None:
    """Return one dead letter with its payload, or None."""
    row: Row | None = conn.execute("SELECT * FROM dead_letters WHERE id = ?", (letter_id,)).fetchone()
    return row


def resolve(conn: Connection, letter_id: str, state: str, escalations: Iterable[Escalation], *, now: float) -> None:
    """Set a waiting dead letter to `replayed` or `discarded`; raise `NotWaitingError` when it is not waiting any more."""
    row = conn.execute(
        "UPDATE dead_letters SET state = ?, resolved_at = ? WHERE id = ? AND state = 'waiting' RETURNING handoff",
        (state, now, letter_id),
    ).fetchone()
    if row is None:
        raise NotWaitingError(letter_id)
    close_episodes(conn, row["handoff"], escalations)


def is_waiting(conn: Connection, handoff: str, payload: bytes) -> bool:
    """Tell whether a dead letter of the handoff waits with exactly these bytes."""
    query = "SELECT 1 FROM dead_letters WHERE handoff = ? AND state = 'waiting' AND payload_sha256 = ?"
    return conn.execute(query, (handoff, sha256(payload).hexdigest())).fetchone() is not None


def list_waiting(conn: Connection, handoff: str, ref: str) -> list[str]:
    """Return the ids of the waiting dead letters that hold an item of a handoff."""
    query = "SELECT id FROM dead_letters WHERE handoff = ? AND ref = ? AND state = 'waiting'"
    return [row["id"] for row in conn.execute(query, (handoff, ref))]


def list_superseded(conn: Connection, handoff: str, *, parked_before: float) -> list[str]:
    """
    Return the ids of waiting dead letters whose order has been captured by another way since.

    Only those count that were escalated, so that somebody heard of them, and whose order was seen in good shape after they were
    parked. What cannot be attributed to an order stays until a person decides.
    """
    query = (
        "SELECT id FROM dead_letters AS d WHERE handoff = ? AND state = 'waiting' AND escalated_at IS NOT NULL AND parked_at < ? "
        "AND EXISTS (SELECT 1 FROM sightings AS s WHERE s.handoff = d.handoff AND s.entity = d.entity AND s.seen_at > d.parked_at)"
    )
    return [row["id"] for row in conn.execute(query, (handoff, parked_before))]


def list_all(conn: Connection) -> list[Row]:
    """Return the waiting dead letters and the latest resolved ones, without payloads, the oldest first."""
    query = (
        "SELECT id, handoff, entity, code, text, attempts, first_failed_at, parked_at, payload_sha256, escalated_at, state, "
        "resolved_at FROM dead_letters ORDER BY state = 'waiting' DESC, parked_at DESC LIMIT ?"
    )
    return sorted(conn.execute(query, (LONGEST_LIST,)).fetchall(), key=lambda row: row["parked_at"])
