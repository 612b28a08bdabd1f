"""
When dead letters reach a person: an episode opens with the alert and lasts until the handoff holds none of its dead letters.

All functions run inside a caller's transaction, so a dead letter and the alert it causes are committed together.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from reference.alerts import Alert, add_alert
from reference.policy import Escalation


@dataclass(frozen=True, slots=True)
class Parked:
    """The dead letter an escalation looks at."""

    id: str
    handoff: str
    entity: str
    code: str


def escalate(conn: Connection, parked: Parked, escalations: Iterable[Escalation], *, now: float) -> None:
    """Raise what a new dead letter gives reason to raise."""
    for escalation in escalations:
        if not escalation.codes or parked.code in escalation.codes:
            _apply(conn, parked, escalation, now)


def close_episodes(conn: Connection, handoff: str, escalations: Iterable[Escalation]) -> None:
    """End the episodes whose last dead letter was resolved; the next one opens a new episode with a new alert."""
    for escalation in escalations:
        if not _count_waiting(conn, handoff, escalation):
            conn.execute("DELETE FROM episodes WHERE handoff = ? AND escalation = ?", (handoff, escalation.name))


def _apply(conn: Connection, parked: Parked, escalation: Escalation, now: float) -> None:
    waiting = _count_waiting(conn, parked.handoff, escalation)
    episode = conn.execute(
        "SELECT dedup_key, sent_at FROM episodes WHERE handoff = ? AND escalation = ?",
        (parked.handoff, escalation.name),
    ).fetchone()
    if episode is None and waiting < escalation.after:
        return
    if episode is None:
        dedup_key = _open_episode(conn, parked, escalation, now)
        add_alert(conn, _build_alert(parked, escalation, waiting, dedup_key), now=now)
        return
    conn.execute(
        "UPDATE dead_letters SET episode = ?, escalated_at = coalesce(escalated_at, ?) WHERE id = ?",
        (episode["dedup_key"], None if escalation.each else episode["sent_at"], parked.id),
    )
    if escalation.each:
        add_alert(conn, _build_alert(parked, escalation, waiting, episode["dedup_key"]), now=now)


def _open_episode(conn: Connection, parked: Parked, escalation: Escalation, now: float) -> str:
    dedup_key = f"{parked.handoff}:{escalation.name}:{uuid.uuid4().hex[:12]}"
    conn.execute(
        "INSERT INTO episodes (handoff, escalation, dedup_key, opened_at) VALUES (?, ?, ?, ?)",
        (parked.handoff, escalation.name, dedup_key, now),
    )
    only, codes = _narrow(escalation)
    conn.execute(
        f"UPDATE dead_letters SET episode = ? WHERE handoff = ? AND state = 'waiting'{only}",  # noqa: S608 -- placeholders only
        (dedup_key, parked.handoff, *codes),
    )
    return dedup_key


def _build_alert(parked: Parked, escalation: Escalation, waiting: int, dedup_key: str) -> Alert:
    return Alert(
        role=escalation.role,
        handoff=parked.handoff,
        entity=parked.entity,
        code=parked.code,
        summary=f"{parked.handoff}: {waiting} dead letters unresolved, the latest {parked.entity} ({parked.code})",
        dedup_key=dedup_key,
    )


def _count_waiting(conn: Connection, handoff: str, escalation: Escalation) -> int:
    only, codes = _narrow(escalation)
    query = f"SELECT count(*) FROM dead_letters WHERE handoff = ? AND state = 'waiting'{only}"  # noqa: S608 -- placeholders only
    return int(conn.execute(query, (handoff, *codes)).fetchone()[0])


def _narrow(escalation: Escalation) -> tuple[str, tuple[str, ...]]:
    if not escalation.codes:
        return "", ()
    return f" AND code IN ({', '.join('?' * len(escalation.codes))})", tuple(sorted(escalation.codes))
