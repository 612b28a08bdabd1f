"""Where each job that lists what changed has come to."""

from sqlite3 import Connection

from reference.policy import ReconcilePolicy
from reference.store import Store


def find_start(store: Store, policy: ReconcilePolicy, *, now: float) -> float:
    """Return the moment to list changes from: that of the last successful run's start, less the overlap; the first looks back."""
    row = store.read(
        lambda conn: conn.execute("SELECT position FROM cursors WHERE name = ?", (policy.name,)).fetchone()
    )
    position = float(row["position"]) if row else now - policy.lookback_s
    return position - policy.overlap_s


def move(conn: Connection, policy: ReconcilePolicy, position: float) -> None:
    """Remember that a run that began at `position` has seen everything before it."""
    conn.execute("INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)", (policy.name, position))
