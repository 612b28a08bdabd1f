"""What went wrong and what was changed, kept for whoever has to explain it: the exceptions and the changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection

KEPT = 5000


@dataclass(frozen=True, slots=True)
class Trouble:
    """One exception: the job it happened in, and who or what had started that."""

    job_id: str
    handoff: str
    entity: str
    code: str
    text: str
    trigger: str


def add_trouble(conn: Connection, trouble: Trouble, *, now: float) -> None:
    """Record an exception and forget the oldest beyond the latest 5,000."""
    cursor = conn.execute(
        "INSERT INTO exceptions (job_id, handoff, entity, code, text, at, trigger) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (trouble.job_id, trouble.handoff, trouble.entity, trouble.code, trouble.text, now, trouble.trigger),
    )
    conn.execute("DELETE FROM exceptions WHERE id <= ?", ((cursor.lastrowid or 0) - KEPT,))


def record_changes(conn: Connection, fingerprints: Mapping[str, str], *, now: float) -> list[str]:
    """Compare the settings with those of the last start, record what changed, and return the names of what did."""
    known = {row["name"]: row["digest"] for row in conn.execute("SELECT name, digest FROM fingerprints")}
    changed = sorted(name for name, digest in fingerprints.items() if known and known.get(name) != digest)
    for name in changed:
        conn.execute("INSERT INTO changes (at, what, by) VALUES (?, ?, 'environment')", (now, f"setting {name}"))
    conn.executemany("INSERT OR REPLACE INTO fingerprints (name, digest) VALUES (?, ?)", fingerprints.items())
    return changed


def list_troubles(conn: Connection) -> list[dict[str, object]]:
    """Return the exceptions that are kept, the oldest first."""
    query = "SELECT id, job_id, handoff, entity, code, text, at, trigger FROM exceptions ORDER BY id"
    return [dict(row) for row in conn.execute(query)]


def list_changes(conn: Connection) -> list[dict[str, object]]:
    """Return all recorded changes, the oldest first."""
    return [dict(row) for row in conn.execute("SELECT at, what, by FROM changes ORDER BY id")]
