"""
Capture: what is written down about a delivery or a listed record before anything else happens.

All functions run inside one transaction each. An order is one however often and in whichever order it is told: deliveries are
deduplicated by the vendor's id, records by their own and by what would be sent for them, and an older state never replaces a
newer one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection

from reference import dead_letters
from reference.backlog import Wake
from reference.fields import UnusableError, parse_json
from reference.graph import Graph
from reference.orders import Order, build_sales_order, dump_order, guess_name, load_order, parse_order
from reference.policies import MALFORMED_PAYLOAD
from reference.policy import CapturePolicy
from reference.refunds import Refund, dump_refund, read_refund

ORDER_TOPICS = frozenset({"orders/create", "orders/updated", "orders/cancelled"})
REFUND_TOPIC = "refunds/create"
KEPT_DELIVERIES_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One webhook as it arrived, its signature verified. `source` is the system that sent it.

    `triggered_at` is the vendor's stamp, in epoch seconds, if it gave one.
    """

    id: str
    topic: str
    body: bytes
    triggered_at: float | None
    source: str = "storefront"


@dataclass(frozen=True, slots=True)
class Intake:
    """What deliveries of one system are written down by: the handoff's policy, and what follows."""

    policy: CapturePolicy
    graph: Graph


@dataclass(frozen=True, slots=True)
class Captured:
    """
    What came of it.

    `outcome` is one of `new`, `changed`, `unchanged`, `stale`, `duplicate`, `dead_letter`, `ignored`; `wake` the items whose
    lanes have to be told once this is committed.
    """

    outcome: str
    entity: str
    wake: tuple[Wake, ...] = ()


Capture = Callable[[Connection, Delivery, Intake, float], Captured]


def record_once(conn: Connection, delivery: Delivery, intake: Intake, capture: Capture, *, now: float) -> Captured:
    """Write a delivery down by `capture`, unless it was seen before; what it cannot use becomes a dead letter."""
    known = conn.execute("SELECT entity FROM deliveries WHERE id = ?", (delivery.id,)).fetchone()
    if known:
        return Captured("duplicate", known["entity"] or delivery.id)
    captured = capture(conn, delivery, intake, now)
    conn.execute(
        "INSERT INTO deliveries (id, topic, entity, outcome, received_at) VALUES (?, ?, ?, ?, ?)",
        (delivery.id, delivery.topic, captured.entity, captured.outcome, now),
    )
    conn.execute("DELETE FROM deliveries WHERE received_at < ?", (now - KEPT_DELIVERIES_S,))
    return captured


def record_delivery(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    """Write down a webhook of the storefront: as an order or a refund to be sent, as a dead letter, or as seen before."""
    return record_once(conn, delivery, intake, _capture_delivery, now=now)


def record_order(
    conn: Connection, order: Order, intake: Intake, *, observed_at: float, source: str, now: float
) -> Captured:
    """
    Write down an order's state and queue what that gives reason to.

    The storefront stamps whole seconds, so states of the same second are told apart by `observed_at`: when the webhook was triggered,
    or when the listing was made.
    """
    digest = sha256(build_sales_order(order)).hexdigest()
    known = conn.execute("SELECT digest, updated_at, observed_at FROM orders WHERE ref = ?", (order.number,)).fetchone()
    if known and (order.updated_at, observed_at) < (known["updated_at"], known["observed_at"]):
        return Captured("stale", order.name)
    conn.execute(
        "INSERT OR REPLACE INTO orders (ref, entity, document, digest, updated_at, observed_at, source, shop_id, payment) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.number,
            order.name,
            dump_order(order),
            digest,
            order.updated_at,
            observed_at,
            source,
            order.id,
            order.payment,
        ),
    )
    note_sighting(conn, intake.policy.handoff, order.name, now=now)
    for refund in () if order.cancelled else order.refunds:
        _keep_refund(conn, refund, source)
    if order.cancelled:
        wake = intake.graph.cancel(conn, order.number, trigger=source, now=now)
    else:
        wake = intake.graph.advance(conn, order, trigger=source, now=now)
        intake.graph.readdress(conn, order)
    if known is None:
        wake += intake.graph.ship_waiting(conn, order, trigger=source, now=now)
    outcome = "new" if known is None else "unchanged" if known["digest"] == digest else "changed"
    return Captured(outcome, order.name, tuple(wake))


def note_sighting(conn: Connection, handoff: str, entity: str, *, now: float) -> None:
    """Remember that an inbound handoff has brought something usable about an order."""
    conn.execute("INSERT OR REPLACE INTO sightings (handoff, entity, seen_at) VALUES (?, ?, ?)", (handoff, entity, now))


def park_unusable(
    conn: Connection, entity: str, body: bytes, why: str, policy: CapturePolicy, *, now: float
) -> Captured:
    """Keep a body that cannot be used as a dead letter."""
    letter = dead_letters.Letter(policy.handoff, entity, MALFORMED_PAYLOAD, why, body, attempts=1, first_failed_at=now)
    dead_letters.park(conn, letter, policy.escalations, now=now)
    return Captured("dead_letter", entity)


def _capture_delivery(conn: Connection, delivery: Delivery, intake: Intake, now: float) -> Captured:
    if delivery.topic == REFUND_TOPIC:
        return _capture_refund(conn, delivery, intake, now)
    if delivery.topic not in ORDER_TOPICS:
        return Captured("ignored", delivery.id)
    try:
        order = parse_order(delivery.body)
    except UnusableError as error:
        entity = guess_name(delivery.body) or delivery.id
        return park_unusable(conn, entity, delivery.body, str(error), intake.policy, now=now)
    observed_at = now if delivery.triggered_at is None else delivery.triggered_at
    return record_order(conn, order, intake, observed_at=observed_at, source="webhook", now=now)


def _capture_refund(conn: Connection, delivery: Delivery, intake: Intake, now: float) -> Captured:
    try:
        refund = read_refund(parse_json(delivery.body))
    except UnusableError as error:
        return park_unusable(conn, delivery.id, delivery.body, str(error), intake.policy, now=now)
    new = _keep_refund(conn, refund, "webhook")
    row = conn.execute("SELECT document, entity FROM orders WHERE shop_id = ?", (refund.order_id,)).fetchone()
    if row is None:
        return Captured("new", delivery.id)  # it waits for its order
    wake = intake.graph.advance(conn, load_order(row["document"]), trigger="webhook", now=now)
    return Captured("new" if new else "unchanged", row["entity"], tuple(wake))


def _keep_refund(conn: Connection, refund: Refund, source: str) -> bool:
    if not refund.amount:
        return False  # goods came back, no money went: nothing to credit
    kept = conn.execute(
        "INSERT OR IGNORE INTO refunds (ref, shop_id, document, source) VALUES (?, ?, ?, ?)",
        (str(refund.id), refund.order_id, dump_refund(refund), source),
    )
    return kept.rowcount == 1
