"""What tap, fakes and driver write of calls, deliveries and changes: with the fields, and about the length, of the real ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.orders import digest
from harness.core.record import DRIVER, TAP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.orders import Data, Order

ORIGIN = 36_000.0
EPOCH = 1_795_337_600.0
# How many calls meet a fault; no call to the spared system does: nothing that happens elsewhere may reach it.
FAILING, SPARED = 0.02, "crm"
FAULT = "soak#f1~0"


@dataclass(slots=True)
class Journals:
    """
    The journals of a lab, entry by entry.

    `written` counts those of tap and fakes, `last` is the number of the newest of each; `shipped` counts units by SKU.
    """

    seed: int
    written: int = 0
    now: float = 0.0
    last: dict[str, int] = field(default_factory=dict)
    shipped: dict[str, int] = field(default_factory=dict)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - the same seed, the same past

    def write(self, source: str, kind: str, /, **fields: Any) -> tuple[str, Data]:
        """Write an entry; what is named after a moment of the experiment becomes a time of the monotonic clock."""
        for name in [each for each in fields if each.endswith("_mono") and fields[each] is not None]:
            fields[name] += ORIGIN
        data = {"type": kind, "mono": ORIGIN + self.now, "at": EPOCH + self.now, **fields}
        if source != DRIVER:
            self.written += 1
            data["seq"] = self.last[source] = self.last.get(source, 0) + 1
        return source, data

    def call(
        self, order: Order, system: str, operation: str, method: str, path: str, key: str | None
    ) -> Iterator[tuple[str, Data]]:
        """Call, and once more where it fails."""
        if system != SPARED and self.chance.random() < FAILING:
            yield from self.exchange(order, system, operation, method, path, key, failing=True)
        yield from self.exchange(order, system, operation, method, path, key, failing=False)

    def exchange(
        self,
        order: Order | None,
        system: str,
        operation: str,
        method: str,
        path: str,
        key: str | None,
        *,
        failing: bool,
    ) -> Iterator[tuple[str, Data]]:
        """Write a call as both witnesses do, the fake first."""
        began = self.now = self.now + 0.0004
        entity = order.name if order is not None else None
        status, faults = (503, [FAULT]) if failing else (200, [])
        body = digest(f"{order.token if order is not None else ''}{path}")
        call = {
            "method": method,
            "operation": operation,
            "path": path,
            "request_bytes": 300,
            "request_sha256": body,
            "response_bytes": 400,
            "status": status,
        }
        times = {"received_mono": began + 0.0001, "answered_mono": began + 0.0002}
        number = self.last.get(TAP, 0)
        yield self.write(
            system,
            "exchange",
            id=f"9b926e80-{number}",
            code=None,
            entity=entity,
            faults=faults,
            key=key,
            shared=order is None,
            **call,
            **times,
        )
        times = {
            "started_mono": began,
            "request_mono": began + 0.0001,
            "response_mono": began + 0.0002,
            "ended_mono": began + 0.0003,
        }
        rest = {
            "connection": f"c{number % 40}-fb14db37",
            "direction": "outbound",
            "end": "complete",
            "entity": None,
            "listener": system,
            "ordinal": None,
            "response_sha256": digest(f"answer {number}"),
            "rule": None,
            "system": system,
        }
        yield self.write(TAP, "exchange", id=f"x{number}-fb14db37", **call, **times, **rest)

    def deliver(self, order: Order, system: str, topic: str) -> Iterator[tuple[str, Data]]:
        """Write the delivery of a webhook as both witnesses do."""
        began = self.now = self.now + 0.0004
        body = digest(f"{topic} {order.id} {self.now}")
        number = self.last.get(TAP, 0)
        times = {
            "started_mono": began + 0.0001,
            "request_mono": began + 0.0001,
            "response_mono": began + 0.0002,
            "ended_mono": began + 0.0002,
        }
        rest = {
            "connection": f"c{number % 40}-fb14db37",
            "end": "complete",
            "entity": None,
            "listener": f"inbound-{system}",
            "operation": None,
            "ordinal": None,
            "request_bytes": 2200,
            "response_bytes": 17,
            "response_sha256": digest("ok"),
            "rule": None,
            "status": 200,
            "system": system,
        }
        yield self.write(
            TAP,
            "exchange",
            id=f"x{number}-fb14db37",
            direction="inbound",
            method="POST",
            path=f"/webhooks/{system}",
            request_sha256=body,
            **times,
            **rest,
        )
        times = {"sent_mono": began, "ended_mono": began + 0.0003}
        sent = {
            "address": f"http://127.0.0.1:38723/webhooks/{system}",
            "attempt": 1,
            "body_sha256": body,
            "entity": order.name,
            "error": None,
            "event_id": f"evt-{order.token}-{topic}",
            "faults": [],
            "outcome": "delivered",
            "status": 200,
            "topic": topic,
            "webhook_id": f"wh-{order.token}-{topic}",
        }
        yield self.write(system, "delivery", **sent, **times)

    def change(
        self, order: Order, system: str, collection: str, record_id: str, action: str = "created", /, **record: Any
    ) -> tuple[str, Data]:
        """Write that a record about an order was changed."""
        self.now += 0.00005
        shown = {
            "id": record_id,
            "entity": order.name,
            "currency": "EUR",
            "note": None,
            "created_at": EPOCH,
            "updated_at": EPOCH + self.now,
            **record,
        }
        return self.write(
            system,
            "change",
            action=action,
            collection=collection,
            entity=order.name,
            exchange=None,
            record=shown,
            record_id=record_id,
        )

    def move(self, sku: str, units: int) -> tuple[str, Data]:
        """Write that the warehouse sent so many units."""
        self.shipped[sku] = self.shipped.get(sku, 0) + units
        shipped, opening = self.shipped[sku], 10_000_000
        held = {"on_hand": opening - shipped, "available": opening - shipped, "allocated": 0}
        record = {
            "id": f"{sku}@MAIN",
            "entity": sku,
            "sku": sku,
            "location": "MAIN",
            "opening": opening,
            "received": 0,
            "adjusted": 0,
            "shipped": shipped,
            **held,
        }
        return self.write(
            "wms",
            "change",
            action="updated",
            collection="stock",
            entity=sku,
            exchange=None,
            record=record,
            record_id=f"{sku}@MAIN",
        )
