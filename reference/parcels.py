"""Capture of shipments: what the WMS tells by webhook, and what its listing shows that no webhook told."""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any

from reference.capture import Captured, Delivery, Intake, note_sighting, park_unusable, record_once
from reference.fields import UnusableError, parse_json
from reference.graph import find_order, keep_parcel
from reference.shipments import Shipment, read_shipment

SHIPPED = "order.shipped"


def record_parcel_delivery(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    """Write down a webhook of the WMS: as a shipment to be handed on, as a dead letter, or as seen before."""
    return record_once(conn, delivery, intake, _capture_delivery, now=now)


def record_shipment(conn: Connection, shipment: Shipment, intake: Intake, *, source: str, now: float) -> Captured:
    """Write down a shipment and queue what follows it; one whose order is not known yet waits for it."""
    note_sighting(conn, intake.policy.handoff, shipment.entity, now=now)
    order = find_order(conn, shipment.reference)
    if order is None:
        new = keep_parcel(conn, shipment)
        return Captured("new" if new else "unchanged", shipment.entity)
    wake = intake.graph.ship(conn, order, shipment, trigger=source, now=now)
    return Captured("new" if wake else "unchanged", order.name, tuple(wake))


def parse_shipped(body: bytes) -> Shipment | None:
    """Read the shipment a webhook tells of, None when it tells of something else; raise `UnusableError` when it is none."""
    payload = parse_json(body)
    if not isinstance(payload, Mapping):
        raise UnusableError("not an object")
    kind = payload.get("type")
    if not isinstance(kind, str):
        raise UnusableError("type is missing")
    if kind != SHIPPED:
        return None
    data = payload.get("data")
    if not isinstance(data, Mapping):
        raise UnusableError("data is not an object")
    return read_shipment(data.get("reference"), data.get("shipment"))


def read_listed(payload: Any) -> list[Shipment]:
    """Read the shipments of an order as the WMS lists it; raise `UnusableError` when it is none."""
    if not isinstance(payload, Mapping):
        raise UnusableError("an order is not an object")
    shipments = payload.get("shipments") or []
    if not isinstance(shipments, list):
        raise UnusableError("shipments is not a list")
    return [read_shipment(payload.get("reference"), shipment) for shipment in shipments]


def guess_listed(payload: Any) -> str | None:
    """Return the name of the order that a listed record is about, if it says so."""
    reference = payload.get("reference") if isinstance(payload, Mapping) else None
    return _name(reference)


def guess_entity(body: bytes) -> str | None:
    """Return the name of the order an unusable body is about, if it parses and says so."""
    try:
        payload: Any = parse_json(body)
    except UnusableError:
        return None
    data = payload.get("data") if isinstance(payload, Mapping) else None
    return guess_listed(data)


def _capture_delivery(conn: Connection, delivery: Delivery, intake: Intake, now: float) -> Captured:
    try:
        shipment = parse_shipped(delivery.body)
        if shipment is None:
            return Captured("ignored", delivery.id)
        return record_shipment(conn, shipment, intake, source="webhook", now=now)
    except UnusableError as error:
        entity = guess_entity(delivery.body) or delivery.id
        return park_unusable(conn, entity, delivery.body, str(error), intake.policy, now=now)


def _name(reference: Any) -> str | None:
    return f"#{reference}" if isinstance(reference, str) and reference.isalnum() and len(reference) <= 40 else None
