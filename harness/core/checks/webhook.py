"""Webhooks: what the receiver answered, and that an acknowledgement is worth something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.history import Delivery, History


def check_answer(history: History, *, order: int, status: int, topics: tuple[str, ...] = ()) -> CheckResult:
    """Judge that every delivery about an order was answered with the declared status."""
    declared = f"answered {status}"
    sent = history.sent_by(order, topics)
    evidence = [_show(delivery) for delivery in sent]
    if not sent:
        return build_unknown("answer", declared, "nothing was delivered", UnknownKind.VACUOUS)
    other = [delivery for delivery in sent if delivery.status != status]
    if other:
        return build_violated("answer", declared, f"answered {other[0].status or 'nothing'}", evidence)
    return build_held("answer", declared, f"answered {status}", evidence)


def check_refused_again(history: History, *, order: int, status: int, topics: tuple[str, ...] = ()) -> CheckResult:
    """Judge that the first delivery about an order was acknowledged, and every further one answered with the declared status."""
    declared = f"the first acknowledged, the others answered {status}"
    sent = sorted(history.sent_by(order, topics), key=lambda delivery: delivery.started)
    evidence = [_show(delivery) for delivery in sent]
    if len(sent) < 2:
        return build_unknown("answer", declared, f"{len(sent)} delivered", UnknownKind.VACUOUS)
    if not _is_acknowledged(sent[0]):
        return build_violated("answer", declared, f"the first answered {sent[0].status or 'nothing'}", evidence)
    other = next((delivery for delivery in sent[1:] if delivery.status != status), None)
    if other is not None:
        return build_violated("answer", declared, f"another answered {other.status or 'nothing'}", evidence)
    return build_held("answer", declared, f"{len(sent) - 1} answered {status}", evidence)


def check_acknowledged(history: History, *, order: int, at_least: int = 1, topics: tuple[str, ...] = ()) -> CheckResult:
    """Judge that deliveries about an order were acknowledged with a 2xx, as often as declared."""
    plural = "ies" if at_least > 1 else "y"
    declared = f"{at_least} deliver{plural} acknowledged"
    sent = history.sent_by(order, topics)
    evidence = [_show(delivery) for delivery in sent]
    acked = [delivery for delivery in sent if _is_acknowledged(delivery)]
    if len(acked) >= at_least:
        return build_held("acknowledged", declared, f"{len(acked)} of {len(sent)}", evidence)
    if not sent:
        return build_unknown("acknowledged", declared, "nothing was delivered", UnknownKind.VACUOUS)
    return build_violated("acknowledged", declared, f"{len(acked)} of {len(sent)}", evidence)


def _is_acknowledged(delivery: Delivery) -> bool:
    return delivery.status is not None and 200 <= delivery.status < 300


def _show(delivery: Delivery) -> Evidence:
    answer = delivery.status if delivery.status is not None else "no answer"
    return Evidence(f"{delivery.topic} attempt {delivery.attempt} → {answer}", delivery.started)
