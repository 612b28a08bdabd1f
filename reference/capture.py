"""
Order capture: what is written down about a delivery or a listed order before anything else happens.

All functions run inside one transaction each. An order is one however often and in whichever order it is told: deliveries are
deduplicated by the vendor's id, orders by their number and by what would be sent for them, and an older state never replaces a
newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection
from typing import Self

from reference import backlog, dead_letters
from reference.orders import Order, UnusableOrderError, build_sales_order, guess_name, parse_order, read_stamp
from reference.policies import MALFORMED_PAYLOAD, CapturePolicy

ORDER_TO_ERP = "order-to-erp"
TOPICS = frozenset({"orders/create", "orders/updated"})
KEPT_DELIVERIES_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived, its signature verified. `triggered_at` is the vendor's stamp, in epoch seconds, if it gave one."""

    id: str
    topic: str
    body: bytes
    triggered_at: float | None

    @classmethod
    def read(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """Read a delivery; without the vendor's id, the body's hash stands for it."""
        try:
            triggered_at = read_stamp(headers.get("x-shopify-triggered-at", ""))
        except UnusableOrderError:
            triggered_at = None
        webhook_id = headers.get("x-shopify-webhook-id") or f"sha256:{sha256(body).hexdigest()}"
        return cls(webhook_id, headers.get("x-shopify-topic", ""), body, triggered_at)


@dataclass(frozen=True, slots=True)
class Captured:
    """
    What came of it.

    `outcome` is one of `new`, `changed`, `unchanged`, `stale`, `duplicate`, `dead_letter`, `ignored`; `wake` the keys whose
    workers have to be told once this is committed.
    """

    outcome: str
    entity: str
    wake: tuple[str, ...] = ()


def record_delivery(conn: Connection, delivery: Delivery, policy: CapturePolicy, *, now: float) -> Captured:
    """Write down a webhook: as an order to be sent, as a dead letter, or as seen before."""
    known = conn.execute("SELECT entity FROM deliveries WHERE id = ?", (delivery.id,)).fetchone()
    if known:
        return Captured("duplicate", known["entity"] or delivery.id)
    captured = _capture_delivery(conn, delivery, policy, now)
    conn.execute(
        "INSERT INTO deliveries (id, topic, entity, outcome, received_at) VALUES (?, ?, ?, ?, ?)",
        (delivery.id, delivery.topic, captured.entity, captured.outcome, now),
    )
    conn.execute("DELETE FROM deliveries WHERE received_at < ?", (now - KEPT_DELIVERIES_S,))
    return captured


def record_order(conn: Connection, order: Order, *, observed_at: float, source: str, now: float) -> Captured:
    """
    Write down an order's state and queue it if that changes what the ERP should hold.

    The storefront stamps whole seconds, so states of the same second are told apart by `observed_at`: when the webhook was triggered,
    or when the listing was made.
    """
    document = build_sales_order(order)
    digest = sha256(document).hexdigest()
    known = conn.execute("SELECT digest, updated_at, observed_at FROM orders WHERE ref = ?", (order.number,)).fetchone()
    if known and (order.updated_at, observed_at) < (known["updated_at"], known["observed_at"]):
        return Captured("stale", order.name)
    conn.execute(
        "INSERT OR REPLACE INTO orders (ref, entity, document, digest, updated_at, observed_at, seen_at, source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (order.number, order.name, document, digest, order.updated_at, observed_at, now, source),
    )
    if known and known["digest"] == digest:
        return Captured("unchanged", order.name)
    woken = backlog.enqueue(conn, ORDER_TO_ERP, order.number, order.name, trigger=source, now=now)
    return Captured("changed" if known else "new", order.name, (order.number,) if woken else ())


def park_unusable(
    conn: Connection, entity: str, body: bytes, why: str, policy: CapturePolicy, *, now: float
) -> Captured:
    """Keep a body that is no order as a dead letter."""
    letter = dead_letters.Letter(policy.handoff, entity, MALFORMED_PAYLOAD, why, body, attempts=1, first_failed_at=now)
    dead_letters.park(conn, letter, policy.escalations, now=now)
    return Captured("dead_letter", entity)


def _capture_delivery(conn: Connection, delivery: Delivery, policy: CapturePolicy, now: float) -> Captured:
    if delivery.topic not in TOPICS:
        return Captured("ignored", delivery.id)
    try:
        order = parse_order(delivery.body)
    except UnusableOrderError as error:
        entity = guess_name(delivery.body) or delivery.id
        return park_unusable(conn, entity, delivery.body, str(error), policy, now=now)
    observed_at = now if delivery.triggered_at is None else delivery.triggered_at
    return record_order(conn, order, observed_at=observed_at, source="webhook", now=now)
