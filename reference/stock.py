"""Keeping the storefront's stock levels at what the WMS has: a job that finds what changed, and a sender that sets one level."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

from reference import backlog, cursors
from reference.backlog import Draft, Item, Wake
from reference.catalogue import Names
from reference.fields import UnusableError, read_field
from reference.handoffs import INVENTORY_SYNC
from reference.outcomes import Done, FailureError, Outcome
from reference.policy import ReconcilePolicy
from reference.runs import JobError
from reference.store import Store
from reference.storefront import Storefront
from reference.wms import Wms


@dataclass(frozen=True, slots=True)
class StockSync:
    """
    The work of the job `sync-inventory`: each run lists what changed since the last one, less an overlap.

    A level that changes while another value of it waits or is being sent replaces that: the newest value is what counts.
    """

    store: Store
    wms: Wms
    policy: ReconcilePolicy
    wake: Callable[[Iterable[Wake]], None]

    async def run(self, trigger: str) -> int:
        """List, queue what changed, and return how many levels that were; raise `JobError` if listing fails."""
        started_at = time.time()
        since = cursors.find_start(self.store, self.policy, now=started_at)
        queued = 0
        try:
            async for page in self.wms.list_inventory(updated_since=since, size=self.policy.page_size):
                wakes = await self.store.write(lambda conn, page=page: _queue(conn, page, trigger))  # type: ignore[misc] # the page is bound now, not when the lambda runs
                self.wake(wakes)
                queued += len(wakes)
        except FailureError as error:
            raise JobError(error.failure.code, error.failure.text) from error
        except UnusableError as error:
            raise JobError("MALFORMED_RESPONSE", str(error)) from error
        await self.store.write(lambda conn: cursors.move(conn, self.policy, started_at))
        return queued


@dataclass(frozen=True, slots=True)
class Levels:
    """The sender of inventory-sync."""

    storefront: Storefront
    names: Names

    async def set_level(self, item: Item) -> Outcome:
        """Set what the storefront has of one item at one location; what it does not sell there is left alone."""
        level = json.loads(item.document)
        location = await self.names.locations.find(level["location"], as_of=item.due_at)
        inventory_item = await self.names.items.find(level["sku"], as_of=item.due_at)
        if location is None or inventory_item is None:
            return Done("not sold")
        body = json.dumps(
            {"inventory_item_id": inventory_item, "location_id": location, "available": level["available"]},
            separators=(",", ":"),
        ).encode()
        try:
            await self.storefront.write("/inventory_levels/set.json", body, "inventory_level")
        except FailureError as error:
            return replace(error.failure, payload=body)
        return Done()


def _queue(conn: Connection, page: list[Any], trigger: str) -> list[Wake]:
    now = time.time()
    drafts = [_build_draft(row, trigger) for row in page]
    return [Wake(draft.handoff, draft.ref) for draft in drafts if backlog.enqueue(conn, draft, now=now)]


def _build_draft(row: Any, trigger: str) -> Draft:
    if not isinstance(row, dict):
        raise UnusableError("a stock level is not an object")
    sku, location = read_field(row, "sku", str), read_field(row, "location", str)
    level = {"sku": sku, "location": location, "available": read_field(row, "available", int)}
    return Draft(INVENTORY_SYNC, f"{sku}@{location}", sku, json.dumps(level, separators=(",", ":")).encode(), trigger)
