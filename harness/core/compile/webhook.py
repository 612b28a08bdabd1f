"""Webhooks: dropped, doubled, out of order, forged, malformed, met by a receiver that is down or dies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.core.backoff import HANDLING_S
from harness.core.checks.dead_letter import check_escalation, check_payload_kept
from harness.core.checks.resolution import (
    check_recovered,
    check_resolved_once,
    check_same_end_state,
)
from harness.core.checks.webhook import check_acknowledged, check_refused_again
from harness.core.compile.frame import HORIZON, PATIENCE_S, Frame
from harness.core.compile.retry import posted_checks
from harness.core.compile.signatures import compile_bad_signature, compile_stale
from harness.core.compile.webhook_faults import (
    build_crash,
    build_dropped,
    build_duplicate,
    build_refusal,
    build_webhook_fault,
)
from harness.core.conditions import Alerted, CalledSince, Delivered, PayloadDeadLettered, Received
from harness.core.experiments import Act, Arm, Await, Check, Experiment, Gap, Restart, Step, Watch
from harness.core.faults import Fault, Layer
from harness.core.outcomes import DeadLetter, Deduplicate, Queue, Reconcile, Recover, Reject, Reorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.core.stack import Path

UPDATED, MALFORMED = "orders/updated", "malformed"
# The listing that a reconciliation reads, in the catalogue of each fake.
LISTINGS = {"shopify": ("order.list",), "wms": ("wms_order.list",), "stripe": ("event.list",)}


def compile_webhook(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """Compile a path of a webhook handoff; a trigger that happens to no webhook yields nothing."""
    condition = str(path.on.condition)
    rest = condition == "any"
    # What nobody names may be anything, but a body that cannot be understood is always one of them.
    if not rest or MALFORMED not in {other.on.condition for other in frame.handoff.paths}:
        yield from _compile_condition(frame, path, MALFORMED if rest else condition)
    if rest:
        yield Gap("what else may happen to a webhook", "each condition is asked where it is named, and by its own path")


def _compile_condition(frame: Frame, path: Path, condition: str) -> Iterator[Experiment | Gap]:
    family = FAMILIES.get(condition)
    if family is None:
        return
    compiled = tuple(family(frame, path))
    if not compiled:
        yield Gap("the outcome", _explain_outcome(path, condition))
    yield from compiled


def _explain_outcome(path: Path, condition: str) -> str:
    """Say why nothing is asked of what a path does about its webhook."""
    match condition, path.outcome:
        case "malformed", Reject():
            return "what is refused comes again until its vendor gives up, and where its order must be then is not said"
        case "malformed", Queue():
            return "what cannot be read names no order, and a case does not show the payload it is about"
        case "bad_signature" | "stale", _:
            return (
                f"of what its vendor never sent, or sent long ago, `reject` alone is asked, not `{path.outcome_slug}`"
            )
        case _:
            return f"`{path.outcome_slug}` is nothing that shows where a webhook is `{path.on.slug}`"


def _compile_dropped(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Never deliver one webhook, or three of five."""
    if isinstance(path.outcome, Reconcile | Recover):
        for shape, orders, dropped in (("one", (1,), (1,)), ("some", (1, 2, 3, 4, 5), (1, 3, 5))):
            fault = build_dropped(frame, dropped)
            yield _build_reconciled(frame, path.outcome, fault, orders, shape=shape)


def _compile_removed(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Have the vendor end the subscription, so that no webhook of it comes any more."""
    if isinstance(path.outcome, Reconcile | Recover):
        orders = (1, 2)
        fault = Fault("f1", "subscription_removed", Layer.WEBHOOK, frame.handoff.source, frame.topics[:1], expected=2)
        yield _build_reconciled(frame, path.outcome, fault, orders, shape="silent")


def _build_reconciled(
    frame: Frame, outcome: Reconcile | Recover, fault: Fault, orders: tuple[int, ...], *, shape: str
) -> Experiment:
    within_s = frame.lab_s(outcome.within_s)
    every_s = frame.lab_s(outcome.every_s) if isinstance(outcome, Reconcile) else 0.0
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*orders),
            Await(frame.resolved(*orders), within_s=within_s + PATIENCE_S, declared_s=within_s),
            # The next reconciliation must find nothing left to do.
            Watch(max(frame.horizon_s, HORIZON * every_s), "a second record"),
        ],
        checks=[_resolved(frame, *orders, within_s=within_s + HANDLING_S)],
    )


def _compile_duplicate(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Deliver the same webhook three times: at once, one after another, and under new ids."""
    if isinstance(path.outcome, Reject):
        yield _build_refused_again(frame, path.outcome)
    if not isinstance(path.outcome, Deduplicate):
        return
    shapes: Mapping[str, Mapping[str, Any]] = {
        "together": {"copies": 3, "same_id": True, "together": True},
        "one-after-another": {"copies": 3, "same_id": True, "together": False},
        "new-id": {"copies": 3, "same_id": False, "together": True},
    }
    for shape, params in shapes.items():
        fault = build_duplicate(frame, **params)
        yield frame.build(
            shape,
            faults=[fault],
            steps=[
                Arm(fault.id),
                *frame.start(1),
                Await(Delivered(1, params["copies"], topics=frame.topics[:1]), within_s=PATIENCE_S),
                Await(frame.resolved(1), within_s=PATIENCE_S),
                Watch(max(frame.horizon_s, frame.refused_s), "a second effect, or a dead letter"),
            ],
            checks=[
                *posted_checks(frame),
                Check(
                    "acknowledged",
                    partial(check_acknowledged, order=1, at_least=params["copies"], topics=frame.topics[:1]),
                ),
            ],
            needs=["dead_letters"],
        )


def _build_refused_again(frame: Frame, reject: Reject) -> Experiment:
    """Deliver the same webhook three times, one after another: the first is taken, the others are refused."""
    fault = build_duplicate(frame, copies=3, together=False)
    topics = frame.topics[:1]
    refused = partial(check_refused_again, order=1, status=reject.status, topics=topics)
    return frame.build(
        "one-after-another",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(Delivered(1, 3, acked=False, topics=topics), within_s=PATIENCE_S),
            Await(frame.resolved(1), within_s=PATIENCE_S),
            Watch(max(frame.horizon_s, frame.refused_s), "a second effect, or a dead letter"),
        ],
        checks=[*posted_checks(frame), Check("answer", refused)],
        needs=["dead_letters"],
    )


def _compile_out_of_order(frame: Frame, path: Path) -> Iterator[Experiment]:
    """
    Deliver an update before the creation, beside a twin that gets both in order.

    Where reconciliation runs, it is awaited first: the next one would put right what was done in the wrong order.
    """
    if not isinstance(path.outcome, Reorder) or (frame.handoff.operations and UPDATED not in frame.handoff.operations):
        return
    fault = build_webhook_fault(frame, "webhook_out_of_order", (2,), params={"after_topic": UPDATED})
    note = "leave it at the door"
    yield frame.build(
        "update-first",
        faults=[fault],
        twins=True,
        steps=[
            *_await_reconciliation(frame),
            Arm(fault.id),
            *frame.start(1, 2),
            Await(frame.resolved(1), within_s=PATIENCE_S),
            *(Act(frame.handoff.source, "update-order", {"order": order, "note": note}) for order in (1, 2)),
            *(
                Await(Delivered(order, topics=(topic,)), within_s=PATIENCE_S)
                for order in (1, 2)
                for topic in (frame.topics[0], UPDATED)
            ),
            Await(frame.resolved(1, 2), within_s=PATIENCE_S),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[
            Check("same_end_state", partial(check_same_end_state, end=frame.end, order=2, twin=1)),
            _resolved(frame, 1, 2),
        ],
    )


def _compile_malformed(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Deliver correctly signed bodies that cannot be understood."""
    if not isinstance(path.outcome, DeadLetter):
        return
    rule = path.outcome
    handoff = frame.handoff.id
    kept = Check(
        "dead_letter", partial(check_payload_kept, handoff=handoff, order=1, horizon_s=PATIENCE_S, topics=frame.topics)
    )
    for mutation in ("truncated", "wrong_types", "missing_fields", "empty"):
        fault = build_webhook_fault(frame, "webhook_malformed", (1,), params={"mutation": mutation})
        steps: list[Step] = [
            Arm(fault.id),
            *frame.start(1),
            Await(Delivered(1, acked=False, topics=frame.topics[:1]), within_s=PATIENCE_S),
            Await(PayloadDeadLettered(handoff, 1, frame.topics), within_s=PATIENCE_S, needs="dead_letters"),
        ]
        checks = [kept]
        if rule.escalate_after is not None and rule.to is not None:
            due = rule.escalate_after == 1
            steps += [Await(Alerted(handoff), within_s=PATIENCE_S)] if due else []
            told = partial(
                check_escalation,
                handoff=handoff,
                role=rule.to,
                expected=int(due),
                after=rule.escalate_after,
                horizon_s=frame.horizon_s,
            )
            checks.append(Check("escalation", told))
        steps.append(Watch(frame.horizon_s, "a further alert", until=Alerted(handoff, 2)))
        yield frame.build(
            mutation.replace("_", "-"), faults=[fault], steps=steps, checks=checks, needs=["dead_letters"]
        )
    if rule.escalate_after is not None and rule.to is not None:
        if rule.escalate_after > 1:
            yield _build_malformed_escalation(frame, rule, shape="at", waiting=rule.escalate_after)
        yield _build_malformed_escalation(frame, rule, shape="beyond", waiting=rule.escalate_after + 1)


def _build_malformed_escalation(frame: Frame, rule: DeadLetter, *, shape: str, waiting: int) -> Experiment:
    """Deliver as many bodies that cannot be understood as are escalated, or one more: the role is told once."""
    handoff, orders = frame.handoff.id, tuple(range(1, waiting + 1))
    fault = build_webhook_fault(
        frame, "webhook_malformed", orders, params={"mutation": "missing_fields"}, expected=waiting
    )
    told = partial(
        check_escalation,
        handoff=handoff,
        role=rule.to or "",
        expected=1,
        after=rule.escalate_after or 1,
        horizon_s=frame.horizon_s,
    )
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*orders),
            *(
                Await(PayloadDeadLettered(handoff, order, frame.topics), within_s=PATIENCE_S, needs="dead_letters")
                for order in orders
            ),
            Await(Alerted(handoff), within_s=PATIENCE_S),
            Watch(frame.horizon_s, "a further alert", until=Alerted(handoff, 2)),
        ],
        checks=[Check("escalation", told)],
        needs=["dead_letters"],
    )


def _compile_receiver_down(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Refuse the first delivery, or the first two: the sender's own ladder brings it again."""
    if not isinstance(path.outcome, Recover | Reconcile):
        return
    within_s = frame.lab_s(path.outcome.within_s)
    for shape, refused in (("once", 1), ("twice", 2)):
        fault = build_refusal(frame, refused)
        yield frame.build(
            shape,
            faults=[fault],
            steps=[
                Arm(fault.id),
                *frame.start(1),
                Await(Received(fault.id, refused), within_s=within_s + PATIENCE_S, declared_s=within_s),
                # Whether the sender brings it again or a reconciliation finds it first is all the same.
                Await(frame.resolved(1), within_s=within_s + PATIENCE_S, declared_s=within_s),
                Watch(frame.horizon_s, "a second record"),
            ],
            checks=[_resolved(frame, 1, within_s=within_s + HANDLING_S)],
        )


def _compile_crash(frame: Frame, path: Path) -> Iterator[Experiment]:
    """
    Kill the integration the moment its acknowledgement is on the wire: of one order, and of the third of five.

    Where reconciliation runs, it is awaited first: the next one would heal what was lost, and is then as far away as can be.
    What was not acknowledged comes again on the sender's own ladder, and may take as long as the handoff as a whole.
    """
    if not isinstance(path.outcome, Recover | Reconcile):
        return
    within_s = frame.lab_s(path.outcome.within_s)
    for shape, orders, deadly in (("after-ack", (1,), 1), ("in-a-burst", (1, 2, 3, 4, 5), 3)):
        fault = build_crash(frame, orders, nth=deadly)
        yield frame.build(
            shape,
            faults=[fault],
            steps=[
                *_await_reconciliation(frame),
                Arm(fault.id),
                *frame.start(*orders),
                Await(Received(fault.id), within_s=PATIENCE_S),
                Restart(),
                Await(frame.resolved(*orders), within_s=within_s + HANDLING_S, declared_s=within_s),
                *([Await(frame.resolved(*orders), within_s=frame.within_s)] if deadly > 1 else []),
                Watch(frame.horizon_s, "a second record"),
            ],
            checks=[
                Check(
                    "recovered",
                    partial(check_recovered, end=frame.end, within_s=within_s + HANDLING_S, topics=frame.topics),
                ),
                _resolved(frame, *orders),
            ],
        )


def _await_reconciliation(frame: Frame) -> list[Step]:
    every_s = [path.outcome.every_s for path in frame.handoff.paths if isinstance(path.outcome, Reconcile)]
    if not every_s:
        return []
    listing = LISTINGS.get(frame.source_fake or "")
    if listing is None:
        return []
    declared_s = frame.lab_s(every_s[0])
    return [Await(CalledSince(listing), within_s=declared_s + PATIENCE_S, declared_s=declared_s)]


def _resolved(frame: Frame, *orders: int, within_s: float | None = None) -> Check:
    since = frame.begins.action
    judge = partial(check_resolved_once, end=frame.end, orders=orders, within_s=within_s, since=since)
    return Check("resolved_once", judge)


FAMILIES: Mapping[str, Callable[[Frame, Path], Iterator[Experiment | Gap]]] = {
    "dropped": _compile_dropped,
    "subscription_removed": _compile_removed,
    "duplicate": _compile_duplicate,
    "out_of_order": _compile_out_of_order,
    "bad_signature": compile_bad_signature,
    "stale": compile_stale,
    "malformed": _compile_malformed,
    "receiver_down": _compile_receiver_down,
    "crash": _compile_crash,
}
