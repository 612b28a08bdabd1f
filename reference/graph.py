"""
The graph: which work follows which.

```
order captured ──┬─► order-to-erp ────────────┬─► erp-to-wms
                 ├─► payment-capture ─────────┤
                 │                            └─► payment-writeback
                 └─► order-to-crm
order-to-erp done ∧ refund known ───────────────► refund-to-erp
parcel shipped ──┬─► shipment-to-erp
                 ├─► fulfilment-writeback
                 └─► shipment-to-carrier
order cancelled, or a decision to cancel it ────► cancel-and-refund, everything else of the order is withdrawn
```

Everything here runs in the transaction of what caused it, so a crash leaves either both or neither. Asking twice changes nothing: an
item is queued once, whatever brings it up. A handoff that has no lane, since its vendor is not configured, is left out together with
the waiting for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection

from reference import backlog, cases, dead_letters
from reference.backlog import Draft, Wake
from reference.cases import Question
from reference.contacts import build_contact
from reference.handoffs import (
    CANCEL_AND_REFUND,
    ERP_TO_WMS,
    FULFILMENT_WRITEBACK,
    ORDER_TO_CRM,
    ORDER_TO_ERP,
    PAYMENT_CAPTURE,
    PAYMENT_WRITEBACK,
    REFUND_TO_ERP,
    SHIPMENT_TO_CARRIER,
    SHIPMENT_TO_ERP,
)
from reference.orders import Order, build_sales_order, dump_order, load_order
from reference.policy import HandoffPolicy
from reference.refunds import build_credit_memo, load_refund
from reference.shipments import TO_A_PICKUP_POINT, Shipment, dump_parcel, dump_shipment, load_parcel, load_shipment

ABOVE_THRESHOLD = "AMOUNT_ABOVE_THRESHOLD"


@dataclass(frozen=True, slots=True)
class Step:
    """
    One handoff on an order's way: what has to be done before, for which orders it is, and what is sent of them.

    `follows` says that a changed order is sent anew.
    """

    handoff: str
    after: tuple[str, ...] = ()
    applies: Callable[[Order], bool] = lambda _order: True
    build: Callable[[Order], bytes] = dump_order
    follows: bool = False


def is_paid_here(order: Order) -> bool:
    """Tell whether the order's payment is at the gateway; otherwise it was paid elsewhere."""
    return order.payment is not None


def has_customer(order: Order) -> bool:
    """Tell whether anybody said who ordered."""
    return bool(order.customer)


STEPS = (
    Step(ORDER_TO_ERP, build=build_sales_order, follows=True),
    Step(PAYMENT_CAPTURE, applies=is_paid_here),
    Step(PAYMENT_WRITEBACK, after=(PAYMENT_CAPTURE,), applies=is_paid_here),
    Step(ERP_TO_WMS, after=(ORDER_TO_ERP, PAYMENT_CAPTURE)),
    # Nothing comes after it: whatever the CRM does, the order goes its way.
    Step(ORDER_TO_CRM, applies=has_customer, build=build_contact, follows=True),
)
_ON_THE_WAY = frozenset(step.handoff for step in STEPS)
AFTER_SHIPPING = (SHIPMENT_TO_ERP, FULFILMENT_WRITEBACK, SHIPMENT_TO_CARRIER)


class Graph:
    """Queues what comes next. `policies` are those of the handoffs that have a lane."""

    def __init__(self, policies: Mapping[str, HandoffPolicy]) -> None:
        self._policies = policies

    def advance(self, conn: Connection, order: Order, *, trigger: str, now: float) -> list[Wake]:
        """Queue whatever of an order is due: what nothing has to precede, and what everything before is done of."""
        states = backlog.read_states(conn, order.number)
        if order.cancelled or CANCEL_AND_REFUND in states:
            return []
        wakes = []
        for step in self._applicable(order):
            ready = all(states.get(earlier) == "done" for earlier in self._before(step, order))
            if ready and (step.handoff not in states or step.follows):
                wakes += self._queue(conn, step, order, trigger=trigger, now=now)
        if states.get(ORDER_TO_ERP) == "done":
            wakes += self._queue_refunds(conn, order, trigger=trigger, now=now)
        return wakes

    def follow(self, conn: Connection, handoff: str, ref: str, *, trigger: str, now: float) -> list[Wake]:
        """Queue what comes after an item that has passed, and close what was asked about it."""
        cases.close_cases(conn, ref, handoff=None if handoff == CANCEL_AND_REFUND else handoff)
        order = find_order(conn, ref) if handoff in _ON_THE_WAY else None
        return self.advance(conn, order, trigger=trigger, now=now) if order else []

    def ship(self, conn: Connection, order: Order, shipment: Shipment, *, trigger: str, now: float) -> list[Wake]:
        """Queue what follows a shipment; the same shipment twice is one."""
        states = backlog.read_states(conn, shipment.id)
        open_to = [handoff for handoff in AFTER_SHIPPING if handoff in self._policies and handoff not in states]
        document = dump_parcel(order, shipment) if open_to else b""
        return _put(conn, [Draft(handoff, shipment.id, order.name, document, trigger) for handoff in open_to], now)

    def ship_waiting(self, conn: Connection, order: Order, *, trigger: str, now: float) -> list[Wake]:
        """Queue what follows shipments that were told of before their order."""
        rows = conn.execute("DELETE FROM parcels WHERE number = ? RETURNING document", (order.number,)).fetchall()
        shipments = [load_shipment(row["document"]) for row in rows]
        return [wake for one in shipments for wake in self.ship(conn, order, one, trigger=trigger, now=now)]

    def readdress(self, conn: Connection, order: Order) -> None:
        """Send parcels whose label was put aside to where the order says now, once a person has them sent."""
        for ref, document in backlog.list_aside(conn, SHIPMENT_TO_CARRIER, order.name):
            _, shipment = load_parcel(document)
            backlog.rewrite(conn, SHIPMENT_TO_CARRIER, ref, dump_parcel(order, shipment))

    def redirect(self, conn: Connection, entity: str, ref: str) -> None:
        """Send one parcel whose label was put aside to a pickup point, once a person has it sent."""
        for aside, document in backlog.list_aside(conn, SHIPMENT_TO_CARRIER, entity):
            order, shipment = load_parcel(document)
            if aside == ref:
                elsewhere = dump_parcel(order, replace(shipment, service=TO_A_PICKUP_POINT))
                backlog.rewrite(conn, SHIPMENT_TO_CARRIER, ref, elsewhere)

    def confirm_capture(self, conn: Connection, payment: str, *, trigger: str, now: float) -> list[Wake]:
        """Take the gateway's word that a payment is captured: whatever held its capture up is settled."""
        row = conn.execute("SELECT ref FROM orders WHERE payment = ?", (payment,)).fetchone()
        if row is None or not backlog.complete(conn, PAYMENT_CAPTURE, row["ref"]):
            return []
        self._settle_letters(conn, PAYMENT_CAPTURE, row["ref"], now)
        return self.follow(conn, PAYMENT_CAPTURE, row["ref"], trigger=trigger, now=now)

    def cancel(self, conn: Connection, ref: str, *, trigger: str, now: float) -> list[Wake]:
        """Withdraw what has not passed of an order and queue the undoing of what has."""
        order = find_order(conn, ref)
        if order is None or CANCEL_AND_REFUND in backlog.read_states(conn, ref):
            return []
        for step in STEPS:
            backlog.withdraw(conn, step.handoff, ref)
            self._settle_letters(conn, step.handoff, ref, now)
        return _put(conn, [Draft(CANCEL_AND_REFUND, ref, order.name, dump_order(order), trigger)], now)

    def _applicable(self, order: Order) -> Iterable[Step]:
        return (step for step in STEPS if step.handoff in self._policies and step.applies(order))

    def _before(self, step: Step, order: Order) -> Iterable[str]:
        applicable = {earlier.handoff for earlier in self._applicable(order)}
        return (handoff for handoff in step.after if handoff in applicable)

    def _queue(self, conn: Connection, step: Step, order: Order, *, trigger: str, now: float) -> list[Wake]:
        threshold = self._policies[step.handoff].threshold
        held = threshold is not None and threshold.is_exceeded(order.total, order.currency)
        if threshold is not None and held:
            text = f"{order.total} {order.currency} is above {threshold.above} {threshold.currency}"
            question = Question(step.handoff, order.number, order.name, ABOVE_THRESHOLD, text)
            cases.open_case(conn, question, threshold.queue, now=now)
        return _put(conn, [Draft(step.handoff, order.number, order.name, step.build(order), trigger, held=held)], now)

    def _queue_refunds(self, conn: Connection, order: Order, *, trigger: str, now: float) -> list[Wake]:
        if REFUND_TO_ERP not in self._policies:
            return []
        rows = conn.execute("SELECT ref, document FROM refunds WHERE shop_id = ?", (order.id,)).fetchall()
        memos = ((row["ref"], build_credit_memo(load_refund(row["document"]), order)) for row in rows)
        return _put(conn, (Draft(REFUND_TO_ERP, ref, order.name, memo, trigger) for ref, memo in memos), now)

    def _settle_letters(self, conn: Connection, handoff: str, ref: str, now: float) -> None:
        escalations = self._policies[handoff].escalations if handoff in self._policies else ()
        for letter_id in dead_letters.list_waiting(conn, handoff, ref):
            dead_letters.resolve(conn, letter_id, "discarded", escalations, now=now)


def find_order(conn: Connection, ref: str) -> Order | None:
    """Return an order as it was last seen, or None."""
    row = conn.execute("SELECT document FROM orders WHERE ref = ?", (ref,)).fetchone()
    return load_order(row["document"]) if row else None


def keep_parcel(conn: Connection, shipment: Shipment) -> bool:
    """Keep a shipment until its order is known; False when it is kept already."""
    kept = conn.execute(
        "INSERT OR IGNORE INTO parcels (ref, number, document) VALUES (?, ?, ?)",
        (shipment.id, shipment.reference, dump_shipment(shipment)),
    )
    return kept.rowcount == 1


def _put(conn: Connection, drafts: Iterable[Draft], now: float) -> list[Wake]:
    return [Wake(draft.handoff, draft.ref) for draft in drafts if backlog.enqueue(conn, draft, now=now)]
