"""Variants that receive, verify or write down webhooks in another way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from sqlite3 import Connection
from typing import Any

from reference import backlog
from reference.backlog import Draft, Wake
from reference.capture import Captured, Delivery, Intake, record_delivery
from reference.fields import UnusableError
from reference.handoffs import ORDER_CAPTURE, ORDER_TO_ERP
from reference.orders import parse_order
from reference.parts import Parts
from reference.receiver import Receive
from reference.reconcile import Listing

FLUSH_AFTER_S = 0.1
SLOWNESS_S = 0.05


def write_behind() -> Parts:
    """Acknowledge first and write down a moment later."""
    return Parts(wrap_receive=_write_behind)


def slow_receiver() -> Parts:
    """Take its time before it acknowledges."""
    return Parts(wrap_receive=_slow_down)


def no_signature() -> Parts:
    """Believe whoever posts."""
    return Parts(verify=lambda _secret, _body, _signature: True)


def every_delivery_anew() -> Parts:
    """Post an order again, as another one, for each redelivery of its creation."""
    return Parts(record=_record_anew)


def known_by_body() -> Parts:
    """Tell deliveries apart by their bodies alone: what reads otherwise is another order."""
    return Parts(record=_record_by_body)


def first_page_skipped() -> Parts:
    """Have the reconciliation begin with the second page of what the storefront lists."""
    return Parts(wrap_listing=_skip_first_page)


def malformed_ignored() -> Parts:
    """Acknowledge what cannot be read and forget it."""
    return Parts(record=_record_readable)


def last_one_wins() -> Parts:
    """Take whatever arrives last for the newest state."""
    return Parts(record=_record_last)


def _write_behind(receive: Receive) -> Receive:
    pending: set[asyncio.Task[None]] = set()

    async def flush(delivery: Delivery) -> None:
        await asyncio.sleep(FLUSH_AFTER_S)
        await receive(delivery)

    async def acknowledge(delivery: Delivery) -> Captured:
        if delivery.source != "storefront":
            return await receive(delivery)
        task = asyncio.create_task(flush(delivery))
        pending.add(task)
        task.add_done_callback(pending.discard)
        return Captured("accepted", delivery.id)

    return acknowledge


def _slow_down(receive: Receive) -> Receive:
    async def slowly(delivery: Delivery) -> Captured:
        await asyncio.sleep(SLOWNESS_S)
        return await receive(delivery)

    return slowly


def _record_anew(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    captured = record_delivery(conn, delivery, intake, now=now)
    if captured.outcome not in {"duplicate", "unchanged"} or delivery.topic != "orders/create":
        return captured
    try:
        ref = parse_order(delivery.body).number
    except UnusableError:
        return captured
    copies = conn.execute("SELECT count(*) FROM backlog WHERE ref LIKE ?", (f"{ref}-%",)).fetchone()[0]
    return Captured(captured.outcome, captured.entity, copy_order(conn, ref, f"{ref}-{copies + 2}", now=now))


def _record_by_body(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    captured = record_delivery(
        conn, replace(delivery, id=f"sha256:{sha256(delivery.body).hexdigest()}"), intake, now=now
    )
    if captured.outcome not in {"changed", "unchanged", "stale"} or not delivery.topic.startswith("orders/"):
        return captured
    ref = parse_order(delivery.body).number
    copies = conn.execute("SELECT count(*) FROM backlog WHERE ref LIKE ?", (f"{ref}-%",)).fetchone()[0]
    wakes = copy_order(conn, ref, f"{ref}-{copies + 2}", now=now)
    return Captured(captured.outcome, captured.entity, (*captured.wake, *wakes))


def _skip_first_page(handoff: str, listing: Listing) -> Listing:
    if handoff != ORDER_CAPTURE:
        return listing

    async def skip(*, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        first = True
        async for page in listing(updated_since=updated_since, size=size):
            if not first:
                yield page
            first = False

    return skip


def copy_order(conn: Connection, ref: str, other: str, *, now: float) -> tuple[Wake, ...]:
    """Queue an order for the ERP once more under another key, hence under another external id; return what to wake."""
    row = conn.execute(
        "SELECT entity, document FROM backlog WHERE handoff = ? AND ref = ?", (ORDER_TO_ERP, ref)
    ).fetchone()
    draft = Draft(ORDER_TO_ERP, other, row["entity"], row["document"], trigger="copy")
    return (Wake(ORDER_TO_ERP, other),) if backlog.enqueue(conn, draft, now=now) else ()


def _record_readable(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    try:
        if delivery.topic.startswith("orders/"):
            parse_order(delivery.body)
    except UnusableError:
        return Captured("ignored", delivery.id)
    return record_delivery(conn, delivery, intake, now=now)


def _record_last(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    try:
        ref = parse_order(delivery.body).number
    except UnusableError:
        ref = ""
    conn.execute("UPDATE orders SET updated_at = 0, observed_at = 0 WHERE ref = ?", (ref,))
    return record_delivery(conn, delivery, intake, now=now)
