"""Calls that are made good without a retry of their own: found by a reconciliation, taken up again, repeated without harm."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S
from harness.core.checks.resolution import check_resolved_once
from harness.core.compile.failures import ANSWER_LOST, choose_failure, list_further, list_unasked
from harness.core.compile.frame import HORIZON, Frame
from harness.core.compile.retry import bound_s, compile_retry, posted_checks
from harness.core.conditions import Attempted, Received
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Lift, Restart, Watch
from harness.core.faults import Fault, Layer
from harness.core.outcomes import Deduplicate, Reconcile, Recover, Resend, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.failures import Failure
    from harness.core.stack import Path

CRASH = "crash"
ORDERS = (1, 2, 3)
# After these nobody knows whether the vendor carried the call out.
UNCERTAIN = frozenset({"lost_response", "timeout", "connection"})


def compile_healing(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """Compile a path of an API whose outcome makes a failure good in another way than by a retry."""
    outcome = path.outcome
    failure = choose_failure(frame.handoff, path.on)
    match outcome:
        case Reconcile() | Recover() if path.on.condition == CRASH:
            yield _build_crashed(frame, outcome.within_s)
        case _ if failure is None:
            return
        case Reconcile() | Recover():
            yield from _compile_healed(frame, path, outcome, failure)
        case Deduplicate() if path.on.condition in UNCERTAIN:
            yield _build_repeated(frame)
        case Deduplicate():
            yield Gap("repeated", "what the vendor has not done is not there twice when it is sent again")
        case Resend(after_s=None):
            yield Gap("sent again", "it does not say how long is waited before that: `after`")
        case Resend():
            again = Retry(outcome.attempts + 1, outcome.after_s or 0.0, factor=1.0, location=outcome.location)
            yield from compile_retry(frame, path, again)
        case _:
            yield Gap("the outcome", f"`{path.outcome_slug}` is nothing that can be done about a call")


def _compile_healed(
    frame: Frame, path: Path, outcome: Reconcile | Recover, failure: Failure
) -> Iterator[Experiment | Gap]:
    first = "found" if isinstance(outcome, Reconcile) else "outage"
    for shape, each in [(first, failure), *list_further(frame, path)]:
        if isinstance(outcome, Reconcile):
            yield _build_reconciled(frame, outcome, each, shape)
        else:
            yield _build_recovered(frame, outcome, each, shape)
    yield from list_unasked(frame, path)


def _build_crashed(frame: Frame, declared_s: float) -> Experiment:
    """Kill the integration when the vendor has carried the call out and before a byte of its answer has come back."""
    within_s = frame.lab_s(declared_s)
    fault = Fault(
        "f1",
        CRASH,
        Layer.PROCESS,
        frame.handoff.target,
        frame.handoff.operations,
        orders=(1,),
        params={"outbound": True},
    )
    return frame.build(
        "after-commit",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(Received(fault.id), within_s=frame.patience_s),
            Restart(),
            Await(frame.resolved(1), within_s=within_s + HANDLING_S, declared_s=within_s),
            # The vendor holds the record before the integration knows of it: what it makes of that comes after its start.
            Watch(max(frame.horizon_s, frame.refused_s), "a second record, or a dead letter"),
        ],
        checks=posted_checks(frame),
        needs=["dead_letters"],
    )


def _build_reconciled(frame: Frame, reconcile: Reconcile, failure: Failure, shape: str) -> Experiment:
    """Fail the first call of an order for good, and see the next comparison of both sides find it."""
    within_s, patience_s = frame.lab_s(reconcile.within_s), bound_s(frame, failure, frame.patience_s)
    fault = failure.build(frame.handoff, orders=(1,), attempts=(1,))
    found = partial(
        check_resolved_once,
        end=frame.end,
        orders=(1,),
        within_s=bound_s(frame, failure, within_s * HORIZON + HANDLING_S),
        since=frame.begins.action,
    )
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(Received(fault.id), within_s=patience_s),
            Await(frame.resolved(1), within_s=within_s + patience_s, declared_s=within_s),
            # The next comparison must find nothing left to do.
            Watch(max(frame.horizon_s, HORIZON * frame.lab_s(reconcile.every_s)), "a second record"),
        ],
        checks=[Check("resolved_once", found), *posted_checks(frame)[1:]],
        needs=["dead_letters"],
    )


def _build_recovered(frame: Frame, recover: Recover, failure: Failure, shape: str) -> Experiment:
    """Fail every call for as long as it takes each order to meet that, and see all of them arrive once it is over."""
    within_s, patience_s = frame.lab_s(recover.within_s), bound_s(frame, failure, frame.patience_s)
    fault = failure.build(frame.handoff, orders=ORDERS, expected=len(ORDERS))
    limit_s = bound_s(frame, failure, within_s + HANDLING_S)
    recovered = partial(check_resolved_once, end=frame.end, orders=ORDERS, within_s=limit_s, since="lift")
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*ORDERS),
            *(Await(Attempted(frame.handoff.operations, 1, order), within_s=patience_s) for order in ORDERS),
            Lift(fault.id),
            Await(frame.resolved(*ORDERS), within_s=within_s + patience_s, declared_s=within_s),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[Check("recovered", recovered), *posted_checks(frame, *ORDERS)],
        needs=["dead_letters"],
    )


def _build_repeated(frame: Frame) -> Experiment:
    """Lose the answer to a call that was carried out; whoever sends it again changes nothing."""
    fault = ANSWER_LOST.build(frame.handoff, orders=(1,), attempts=(1,))
    return frame.build(
        "repeated",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(frame.resolved(1), within_s=frame.patience_s),
            Await(Received(fault.id), within_s=frame.within_s),
            Watch(max(frame.horizon_s, frame.refused_s), "a second record, or a dead letter"),
        ],
        checks=posted_checks(frame),
        needs=["dead_letters"],
    )
