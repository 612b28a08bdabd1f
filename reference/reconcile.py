"""
Reconciliation: asks the storefront which orders there are, since webhooks may be late, lost, or unreadable.

Each run lists what was updated since the last successful run began, less an overlap; what is known already changes nothing.
"""

import json
import time
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from reference import capture, dead_letters
from reference.capture import Captured
from reference.orders import UnusableOrderError, guess_name, read_order
from reference.policies import CapturePolicy, ReconcilePolicy
from reference.runs import JobError
from reference.store import Store
from reference.storefront import Storefront, StorefrontError


class Reconciler:
    """The work of the job `reconcile-orders`. `wake` is told the keys of orders it queued."""

    def __init__(
        self,
        store: Store,
        storefront: Storefront,
        policy: ReconcilePolicy,
        capture_policy: CapturePolicy,
        *,
        wake: Callable[[Captured], None],
        hold_s: float,
    ) -> None:
        self._store = store
        self._storefront = storefront
        self._policy = policy
        self._capture_policy = capture_policy
        self._wake = wake
        self._hold_s = hold_s

    async def run(self, trigger: str) -> int:  # noqa: ARG002 -- whatever started it, it looks at the same
        """List, capture what is missing, and return how many orders that were; raise `JobError` if listing fails."""
        started_at = time.time()
        since = self._store.read(self._read_cursor) or started_at - self._policy.lookback_s
        captured = 0
        try:
            async for page in self._storefront.list_orders(updated_since=since - self._policy.overlap_s):
                captured += await self._capture(page, started_at)
        except StorefrontError as error:
            raise JobError(error.code, str(error)) from error
        await self._store.write(lambda conn: self._conclude(conn, started_at))
        return captured

    async def _capture(self, page: list[Any], started_at: float) -> int:
        results = await self._store.write(lambda conn: [self._record(conn, payload, started_at) for payload in page])
        for result in results:
            self._wake(result)
        return sum(result.outcome in {"new", "changed"} for result in results)

    def _record(self, conn: Connection, payload: Any, started_at: float) -> Captured:
        now = time.time()
        try:
            order = read_order(payload)
        except UnusableOrderError as error:
            return self._park(conn, payload, str(error), now)
        return capture.record_order(conn, order, observed_at=started_at, source="reconcile", now=now)

    def _park(self, conn: Connection, payload: Any, why: str, now: float) -> Captured:
        body = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
        entity = guess_name(body) or "reconcile-orders"
        # It is listed again at every run, and is one dead letter all the same.
        if dead_letters.is_waiting(conn, self._capture_policy.handoff, body):
            return Captured("unchanged", entity)
        return capture.park_unusable(conn, entity, body, why, self._capture_policy, now=now)

    def _read_cursor(self, conn: Connection) -> float | None:
        row = conn.execute("SELECT position FROM cursors WHERE name = ?", (self._policy.name,)).fetchone()
        return float(row["position"]) if row else None

    def _conclude(self, conn: Connection, started_at: float) -> None:
        conn.execute("INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)", (self._policy.name, started_at))
        now = time.time()
        handoff = self._capture_policy.handoff
        for letter_id in dead_letters.list_superseded(conn, handoff, parked_before=now - self._hold_s):
            dead_letters.resolve(conn, letter_id, "discarded", self._capture_policy.escalations, now=now)
