"""
A past as a long soak test of the reference stack leaves it: orders that pass the whole chain, written as history.ndjson.

Some calls fail and are repeated, some orders are put aside and stay there. The same seed and count give the same past.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.journals import EPOCH, FAULT, Journals
from bench.orders import Order, digest
from harness.core.archive import DRIVEN, JUDGED, RESTED
from harness.core.record import DRIVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.orders import Data

# How many orders are placed a second, and how many are put aside.
ORDERS_A_SECOND, PUT_ASIDE = 50, 0.002
# After how many orders the integration asks for stock; the driver asks for what was put aside after the square of it.
EVERY = 20
SKUS = ("SOCKS-RED-42", "MUG-WHITE", "TEE-BLACK-M", "POSTER-A2", "CAP-NAVY")
API = "/admin/api/2026-10"


@dataclass(slots=True)
class Past(Journals):
    """Orders one after another, and what waits of them."""

    orders: int = 0
    letters: list[Data] = field(default_factory=list)

    def list_entries(self, count: int) -> Iterator[tuple[str, Data]]:
        """List about so many entries of the journals and of the driver, in the order of time, and both moments at the end."""
        yield self.write(
            DRIVER, "action", began_mono=0.0, until_mono=0.0, kind="lift", met=True, orders=[], what="lift f1"
        )
        for source in ("gateway", "storefront", "erp", "wms", "carrier"):
            yield self.write(source, "fault", event="armed", fault=FAULT, kind="status")
        yield from self._list_orders(count)
        yield from self._look()
        yield self.write(DRIVER, "disturbance", seconds=0.01)
        for moment in (DRIVEN, RESTED):
            yield self.write(DRIVER, JUDGED, moment=moment, now=self.now, journals=self.written)

    def _list_orders(self, count: int) -> Iterator[tuple[str, Data]]:
        while self.written + 3 * self.orders < count:
            self.orders += 1
            self.now = self.orders / ORDERS_A_SECOND
            yield from self._pass(Order(self.orders, self._lines()))
            if self.orders % EVERY == 0:
                yield from self._poll()
            if self.orders % (EVERY * EVERY) == 0:
                yield from self._look()

    def _lines(self) -> list[Data]:
        chosen = self.chance.sample(SKUS, self.chance.randint(1, 3))
        return [{"price": "10.00", "quantity": self.chance.randint(1, 3), "sku": sku} for sku in chosen]

    def _pass(self, order: Order) -> Iterator[tuple[str, Data]]:
        """Let an order pass the chain; one that is put aside at the ERP comes no further than that and its capture."""
        yield self.write(DRIVER, "order", **order.named())
        yield from self._pay(order)
        yield self._act(order, "place", "place")
        yield from self._place(order)
        yield from self._capture(order)
        yield from self.call(order, "crm", "contact.upsert", "PUT", f"/v3/contacts/{order.id}", order.name)
        yield self.change(order, "crm", "contacts", f"cnt_{order.id}", email=f"<email:{order.token[:8]}>", orders=1)
        if self.chance.random() < PUT_ASIDE:
            yield from self._put_aside(order)
            return
        yield from self._post(order)
        yield from self._store(order)
        yield from self._ship(order)

    def _pay(self, order: Order) -> Iterator[tuple[str, Data]]:
        yield self.change(order, "gateway", "payment_intents", f"pi_{order.token}", **order.payment("requires_capture"))
        yield self.change(
            order, "gateway", "charges", f"ch_{order.token}", amount=order.minor, captured=False, status="succeeded"
        )

    def _place(self, order: Order) -> Iterator[tuple[str, Data]]:
        yield self.change(order, "storefront", "orders", order.id, **order.shown("authorized"))
        yield self.change(
            order,
            "storefront",
            "transactions",
            f"{order.id}1",
            amount=order.total,
            kind="authorization",
            order_id=order.id,
            status="success",
        )
        yield self.change(
            order,
            "storefront",
            "fulfillment_orders",
            f"{order.id}2",
            lines=order.lines,
            location="MAIN",
            order_id=order.id,
            status="open",
        )
        yield from self.deliver(order, "storefront", "orders/create")

    def _capture(self, order: Order) -> Iterator[tuple[str, Data]]:
        path = f"/v1/payment_intents/pi_{order.token}/capture"
        yield from self.call(
            order, "gateway", "payment_intent.capture", "POST", path, f"payment-capture:{order.number}"
        )
        yield self.change(
            order,
            "gateway",
            "payment_intents",
            f"pi_{order.token}",
            "updated",
            **order.payment("succeeded", captured=True),
        )
        for number, kind in enumerate(("charge.captured", "payment_intent.succeeded")):
            yield self.change(
                order,
                "gateway",
                "events",
                f"evt_{number}{order.token}",
                created=int(EPOCH),
                object=f"pi_{order.token}",
                type=kind,
            )
        yield from self.call(
            order, "storefront", "transaction.create", "POST", f"{API}/orders/{order.id}/transactions.json", None
        )
        yield self.change(
            order,
            "storefront",
            "transactions",
            f"{order.id}3",
            amount=order.total,
            kind="capture",
            order_id=order.id,
            parent_id=f"{order.id}1",
            status="success",
        )
        yield self.change(order, "storefront", "orders", order.id, "updated", **order.shown("paid"))

    def _post(self, order: Order) -> Iterator[tuple[str, Data]]:
        path = f"/services/rest/record/v1/salesOrder/eid:SHP-{order.number}?replace=item"
        yield from self.call(order, "erp", "sales_order.upsert", "PUT", path, f"SHP-{order.number}")
        lines = [{**line, "fulfilled": 0} for line in order.lines]
        yield self.change(
            order,
            "erp",
            "sales_orders",
            f"{order.id}4",
            external_id=f"SHP-{order.number}",
            lines=lines,
            memo=order.name,
            status="Pending Fulfillment",
            total=order.total,
        )

    def _store(self, order: Order) -> Iterator[tuple[str, Data]]:
        yield from self.call(order, "wms", "order.create", "POST", "/orders", f"wms:{order.number}")
        for status in ("received", "allocated"):
            lines = [{**line, "allocated": 0, "picked": 0, "shipped": 0} for line in order.lines]
            action = "created" if status == "received" else "updated"
            yield self.change(
                order, "wms", "orders", f"ord_{order.token}", action, lines=lines, reference=order.name, status=status
            )

    def _act(self, order: Order, kind: str, what: str) -> tuple[str, Data]:
        at = {"began_mono": self.now, "until_mono": self.now}
        return self.write(DRIVER, "action", **at, kind=kind, met=True, orders=[order.ordinal], what=what)

    def _ship(self, order: Order) -> Iterator[tuple[str, Data]]:
        yield self._act(order, "act", "wms: ship")
        for line in order.lines:
            yield self.move(line["sku"], line["quantity"])
        goods = [{"quantity": line["quantity"], "sku": line["sku"]} for line in order.lines]
        yield self.change(
            order,
            "wms",
            "orders",
            f"ord_{order.token}",
            "updated",
            lines=order.lines,
            reference=order.name,
            status="shipped",
        )
        yield self.change(
            order,
            "wms",
            "shipments",
            f"shp_{order.token}",
            lines=goods,
            order_id=f"ord_{order.token}",
            location="MAIN",
            tracking=order.tracking,
        )
        yield from self.deliver(order, "wms", "order.shipped")
        path = f"/services/rest/record/v1/salesOrder/eid:SHP-{order.number}/!transform/itemFulfillment?replace=item"
        yield from self.call(order, "erp", "item_fulfillment.transform", "POST", path, f"SHP-shp_{order.token}")
        yield self.change(
            order,
            "erp",
            "item_fulfillments",
            f"{order.id}5",
            lines=goods,
            sales_order=f"SHP-{order.number}",
            status="Shipped",
            tracking=[order.tracking],
        )
        yield from self.call(order, "storefront", "fulfillment.create", "POST", f"{API}/fulfillments.json", None)
        yield self.change(
            order,
            "storefront",
            "fulfillments",
            f"{order.id}6",
            lines=goods,
            location="MAIN",
            order_id=order.id,
            status="success",
            tracking_number=order.tracking,
        )
        yield self.change(order, "storefront", "orders", order.id, "updated", **order.shown("paid", "fulfilled"))
        yield from self.deliver(order, "storefront", "orders/updated")
        yield from self.call(order, "carrier", "label.create", "POST", "/v1/labels", f"label:shp_{order.token}")
        yield self.change(
            order,
            "carrier",
            "labels",
            f"lbl_{order.token}",
            cost={"amount": "6.40", "currency": "EUR"},
            order=order.name,
            reference=f"{order.name}-shp_{order.token}",
            status="purchased",
            tracking=order.tracking,
        )

    def _put_aside(self, order: Order) -> Iterator[tuple[str, Data]]:
        path = f"/services/rest/record/v1/salesOrder/eid:SHP-{order.number}?replace=item"
        for _ in range(4):
            yield from self.exchange(
                order, "erp", "sales_order.upsert", "PUT", path, f"SHP-{order.number}", failing=True
            )
        self.letters.append(
            {
                "id": f"dl-{order.token}",
                "handoff": "order-to-erp",
                "entity": order.name,
                "code": "UNEXPECTED_ERROR",
                "attempts": 4,
                "payload_sha256": digest(path),
                "state": "waiting",
            }
        )
        yield self.change(
            order,
            "opsdesk",
            "alerts",
            f"al_{order.token}",
            code="UNEXPECTED_ERROR",
            handoff="order-to-erp",
            role="integration-oncall",
        )

    def _poll(self) -> Iterator[tuple[str, Data]]:
        yield from self.exchange(
            None,
            "wms",
            "inventory.list",
            "GET",
            f"/inventory?updated_since={self.orders // 500}&limit=250",
            None,
            failing=False,
        )

    def _look(self) -> Iterator[tuple[str, Data]]:
        """Have the driver ask what was put aside."""
        yield self.write(DRIVER, "observation", what="queues", items=[])
        yield self.write(DRIVER, "observation", what="dead_letters", items=[*self.letters])
