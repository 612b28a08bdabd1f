"""Small histories for tests: every builder makes one thing, `told` puts things together."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from harness.core.history import (
    Action,
    Alert,
    Change,
    Delivery,
    Exchange,
    History,
    Observation,
    Order,
    Receipt,
    Trouble,
)

HANDOFF = "order-to-erp"
ORDERS = tuple(Order(n, f"#100{n}", f"5100{n}", f"100{n}") for n in range(1, 10))
PLACES = {
    Exchange: "exchanges",
    Delivery: "deliveries",
    Change: "changes",
    Alert: "alerts",
    Observation: "observations",
    Receipt: "receipts",
    Action: "actions",
    Trouble: "troubles",
}


def told(*things: Any, now: float = 10.0, **more: Any) -> History:
    """Put things into a history, each where it belongs and in the order given."""
    given: dict[str, Any] = {name: [] for name in PLACES.values()}
    for thing in things:
        given[PLACES[type(thing)]].append(thing)
    parts = {name: tuple(found) for name, found in given.items()}
    known = {"orders": ORDERS, "observable": frozenset({"dead_letters"})}
    assert {field.name for field in fields(History)} >= more.keys()
    return History(now=now, **{**known, **parts, **more})


def call(t: float, status: int | None = 204, *, order: int | None = 1, took: float = 0.01, **more: Any) -> Exchange:
    """Make a call of the handoff that began at `t`."""
    given: dict[str, Any] = {
        "id": f"x{t:g}-{order}",
        "system": "erp",
        "operation": "sales_order.upsert",
        "method": "PUT",
        "path": f"/salesOrder/eid:SHP-{order}",
        "key": f"SHP-{order}",
        "entity": f"#100{order}",
        "body_sha256": f"body {order}",
        "end": "complete" if status is not None else "reset",
        **more,
    }
    return Exchange(order=order, started=t, ended=t + took, status=status, **given)


def sent(t: float, status: int | None = 200, *, order: int | None = 1, **more: Any) -> Delivery:
    """Make a webhook delivery that began at `t`."""
    given: dict[str, Any] = {
        "topic": "orders/create",
        "webhook_id": f"w{order}",
        "attempt": 1,
        "body_sha256": f"webhook {order}",
        **more,
    }
    return Delivery(order=order, started=t, ended=t + 0.01, status=status, **given)


def record(t: float, *, order: int | None = 1, record_id: str = "7", action: str = "created", **shown: Any) -> Change:
    """Make a change of a sales order."""
    return Change(t, "erp", "sales_orders", record_id, order, action, shown, f"#100{order}" if order else None)


def letter(order: int | None = 1, **more: Any) -> dict[str, Any]:
    """Make a waiting dead letter."""
    return {
        "id": f"letter {order}",
        "handoff": HANDOFF,
        "entity": f"#100{order}" if order else "",
        "payload_sha256": f"body {order}",
        "state": "waiting",
        **more,
    }


def shown(*letters: dict[str, Any], t: float = 9.0, error: str | None = None) -> Observation:
    """Make a reading of the dead letters."""
    return Observation(t, "dead_letters", letters, error)


def alert(t: float = 1.0, role: str | None = "oncall", handoff: str | None = HANDOFF, **more: Any) -> Alert:
    """Make an alert."""
    return Alert(t, role, handoff, more.pop("entity", None), more.pop("code", None), **more)


def did(kind: str, t: float, *orders: int, until: float | None = None, met: bool = True) -> Action:
    """Make an action of the driver."""
    return Action(t, t if until is None else until, kind, kind, met=met, orders=orders)


def met(fault: str = "f1", t: float = 0.0, order: int | None = 1) -> Receipt:
    """Make a receipt."""
    return Receipt(fault, t, "x1", "503", "503", order)


def made(system, collection, record_id="1", *, t=1.0, order=1, action="created", **fields):
    """Make a change of any record."""
    return Change(t, system, collection, record_id, order, action, fields, f"#100{order}")
