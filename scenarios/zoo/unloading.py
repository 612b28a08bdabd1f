"""Variants that receive or write down the webhooks of the warehouse or the gateway in another way."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection

from reference import backlog
from reference.capture import Captured, Delivery, Intake
from reference.fields import UnusableError
from reference.parcels import parse_shipped, record_parcel_delivery
from reference.parts import Parts
from reference.policies import RECONCILE_SHIPMENTS
from reference.senders import WmsSender
from scenarios.zoo.numbers import A_YEAR_S


def any_parcel_believed() -> Parts:
    """Believe whoever posts a shipment."""
    return Parts(make_wms_sender=TrustingSender)


def every_parcel_anew() -> Parts:
    """Take each further delivery about a shipment for another shipment."""
    return Parts(record_parcel=_record_anew)


def malformed_parcel_ignored() -> Parts:
    """Acknowledge what cannot be read of a shipment and forget it."""
    return Parts(record_parcel=_record_readable)


def events_ignored() -> Parts:
    """Acknowledge the gateway's events and do without them."""
    return Parts(record_event=_ignore)


def no_shipment_schedule() -> Parts:
    """Have a reconciliation of shipments that only runs when an operator starts it."""
    return Parts(reconcile_shipments=replace(RECONCILE_SHIPMENTS, every_s=A_YEAR_S))


@dataclass(frozen=True, slots=True)
class TrustingSender(WmsSender):
    """A sender whose signature nobody looks at."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:  # noqa: ARG002 -- that is the defect
        """Believe it."""
        return True


def _record_anew(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    try:
        shipment = parse_shipped(delivery.body)
    except UnusableError:
        shipment = None
    if shipment is None or not backlog.read_states(conn, shipment.id):
        return record_parcel_delivery(conn, delivery, intake, now=now)
    payload = json.loads(delivery.body)
    payload["data"]["shipment"]["id"] = f"{shipment.id}-{uuid.uuid4().hex[:6]}"
    anew = replace(delivery, id=f"{delivery.id}:{uuid.uuid4().hex[:6]}", body=json.dumps(payload).encode())
    return record_parcel_delivery(conn, anew, intake, now=now)


def _record_readable(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    try:
        parse_shipped(delivery.body)
    except UnusableError:
        return Captured("ignored", delivery.id)
    return record_parcel_delivery(conn, delivery, intake, now=now)


def _ignore(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:  # noqa: ARG001 -- it does without
    return Captured("ignored", delivery.id)
