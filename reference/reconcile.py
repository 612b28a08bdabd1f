"""
Reconciliation: asks the storefront which orders there are and the WMS which parcels, since webhooks may be late, lost, or unreadable.

Each run lists what was updated since the last successful run began, less an overlap; what is known already changes nothing.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Protocol

from reference import capture, cursors, dead_letters, parcels
from reference.capture import Captured, Intake
from reference.fields import UnusableError
from reference.orders import guess_name, read_order
from reference.outcomes import FailureError
from reference.policy import ReconcilePolicy
from reference.runs import JobError
from reference.store import Store


class Listing(Protocol):
    """Lists records that changed since an epoch second, page by page; raises `FailureError`."""

    def __call__(self, *, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        """Return the pages."""


Record = Callable[[Connection, Any, Intake, float], list[Captured]]
"""Writes one listed record down, seen at this moment; raises `UnusableError` when it is none."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """
    The work of a job that looks for what no webhook brought. `wake` is told what came of each record.

    `hold_s` is how long a dead letter stays before data that superseded it discard it, in this process's time.
    """

    store: Store
    listing: Listing
    record: Record
    policy: ReconcilePolicy
    intake: Intake
    wake: Callable[[Captured], None]
    hold_s: float

    async def run(self, trigger: str) -> int:  # noqa: ARG002 -- whatever started it, it looks at the same
        """List, capture what is missing, and return how many records that were; raise `JobError` if listing fails."""
        started_at = time.time()
        since = cursors.find_start(self.store, self.policy, now=started_at)
        captured = 0
        try:
            async for page in self.listing(updated_since=since, size=self.policy.page_size):
                captured += await self._capture(page, started_at)
        except FailureError as error:
            raise JobError(error.failure.code, error.failure.text) from error
        await self.store.write(lambda conn: self._conclude(conn, started_at))
        return captured

    async def _capture(self, page: list[Any], started_at: float) -> int:
        results = await self.store.write(
            lambda conn: [result for payload in page for result in self._record(conn, payload, started_at)]
        )
        for result in results:
            self.wake(result)
        return sum(result.outcome in {"new", "changed"} for result in results)

    def _record(self, conn: Connection, payload: Any, started_at: float) -> list[Captured]:
        try:
            return self.record(conn, payload, self.intake, started_at)
        except UnusableError as error:
            return [self._park(conn, payload, str(error))]

    def _park(self, conn: Connection, payload: Any, why: str) -> Captured:
        body = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
        entity = guess_name(body) or parcels.guess_listed(payload) or self.policy.name
        # It is listed again at every run, and is one dead letter all the same.
        if dead_letters.is_waiting(conn, self.intake.policy.handoff, body):
            return Captured("unchanged", entity)
        return capture.park_unusable(conn, entity, body, why, self.intake.policy, now=time.time())

    def _conclude(self, conn: Connection, started_at: float) -> None:
        cursors.move(conn, self.policy, started_at)
        now = time.time()
        policy = self.intake.policy
        for letter_id in dead_letters.list_superseded(conn, policy.handoff, parked_before=now - self.hold_s):
            dead_letters.resolve(conn, letter_id, "discarded", policy.escalations, now=now)


def record_listed_order(conn: Connection, payload: Any, intake: Intake, seen_at: float) -> list[Captured]:
    """Write down an order of the storefront's listing."""
    order = read_order(payload)
    return [capture.record_order(conn, order, intake, observed_at=seen_at, source="reconcile", now=time.time())]


def record_listed_parcels(conn: Connection, payload: Any, intake: Intake, seen_at: float) -> list[Captured]:  # noqa: ARG001 -- shipments do not change
    """Write down the shipments of an order of the WMS's listing."""
    shipments = parcels.read_listed(payload)
    return [parcels.record_shipment(conn, one, intake, source="reconcile", now=time.time()) for one in shipments]
