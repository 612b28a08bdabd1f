"""Faults of webhooks: what happens to a delivery on its way, or to who receives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.faults import Fault, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.compile.frame import Frame


def build_webhook_fault(
    frame: Frame, kind: str, orders: tuple[int, ...], *, params: Mapping[str, Any] | None = None, expected: int = 1
) -> Fault:
    """Have the sender do something to the webhooks that begin the handoff, for each of these orders."""
    return Fault(
        "f1",
        kind,
        Layer.WEBHOOK,
        frame.handoff.source,
        frame.topics[:1],
        orders=orders,
        params=params or {},
        minimum=len(orders),
        expected=expected,
    )


def build_dropped(frame: Frame, orders: tuple[int, ...]) -> Fault:
    """Never send them."""
    return build_webhook_fault(frame, "webhook_dropped", orders, expected=len(orders))


def build_duplicate(frame: Frame, *, copies: int, same_id: bool = True, together: bool = True) -> Fault:
    """Send the first order's so many times."""
    params = {"copies": copies, "same_id": same_id, "together": together}
    return build_webhook_fault(frame, "webhook_duplicate", (1,), params=params)


def build_refusal(frame: Frame, refused: int) -> Fault:
    """Have the receiver refuse the first so many deliveries of the first order."""
    return Fault(
        "f1",
        "receiver_down",
        Layer.WIRE,
        frame.handoff.source,
        frame.topics[:1],
        orders=(1,),
        attempts=tuple(range(1, refused + 1)),
        params={"refuse": True},
        minimum=refused,
        expected=refused,
    )


def build_crash(frame: Frame, orders: tuple[int, ...], *, nth: int, fault_id: str = "f1") -> Fault:
    """Kill the integration in the instant its nth acknowledgement of these orders is on the wire."""
    return Fault(
        fault_id,
        "crash",
        Layer.PROCESS,
        frame.handoff.source,
        frame.topics[:1],
        orders=orders,
        params={"nth": nth},
    )


def build_aged(frame: Frame, age_s: float, *, signed: str) -> Fault:
    """Have the first order's look so old: signed `then`, or `now` and only what it says is old."""
    return build_webhook_fault(frame, "webhook_stale", (1,), params={"age_s": age_s, "signed": signed})


def build_forgery(frame: Frame, how: str, *, age_s: float | None = None) -> Fault:
    """Post what the vendor never sent, about an order that nobody placed; a stale one signed so long ago, or long enough."""
    params: dict[str, Any] = {"how": how} | ({"age_s": age_s} if age_s is not None else {})
    return Fault("f1", "forge", Layer.ACT, frame.handoff.source, frame.topics[:1], orders=(1,), params=params)
