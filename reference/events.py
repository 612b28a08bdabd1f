"""Events of the gateway: a payment that was captured is captured here too, whatever became of our own call."""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any

from reference.capture import Captured, Delivery, Intake, record_once
from reference.fields import UnusableError, parse_json

SUCCEEDED = "payment_intent.succeeded"


def record_event(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    """
    Write down an event of the gateway.

    One that cannot be read is acknowledged and left: nothing depends on it, since our own call is repeated until its outcome is known.
    """
    return record_once(conn, delivery, intake, _capture_event, now=now)


def read_event(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """Return an event's type and the object it is about; raise `UnusableError` when it is no event."""
    event = parse_json(body)
    data = event.get("data") if isinstance(event, Mapping) else None
    about = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(event, Mapping) or not isinstance(event.get("type"), str) or not isinstance(about, Mapping):
        raise UnusableError("not an event")
    return event["type"], about


def _capture_event(conn: Connection, delivery: Delivery, intake: Intake, now: float) -> Captured:
    try:
        kind, about = read_event(delivery.body)
    except UnusableError:
        return Captured("ignored", delivery.id)
    payment = about.get("id")
    if kind != SUCCEEDED or not isinstance(payment, str):
        return Captured("ignored", delivery.id)
    wake = intake.graph.confirm_capture(conn, payment, trigger="webhook", now=now)
    return Captured("changed" if wake else "unchanged", payment, tuple(wake))
