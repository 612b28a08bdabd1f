"""What a handoff owes whatever goes wrong: it works when nothing does, and an unknown outcome has no double effect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.placebo import NAME, Calm, check_no_exception
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts
from harness.core.compile.failures import ANSWER_HANGS, ANSWER_LOST
from harness.core.compile.retry import posted_checks
from harness.core.compile.threshold import CURRENCY
from harness.core.conditions import Received
from harness.core.experiments import Arm, Await, Check, Experiment, Watch
from harness.core.triggers import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from harness.core.compile.frame import Frame
    from harness.core.stack import Stack
    from harness.core.triggers import Threshold


def compile_clean(frame: Frame) -> Iterator[Experiment]:
    """Compile the placebo of the handoff's other experiments: one order, and several at once, and nothing goes wrong."""
    calm = list_calm(frame.stack)
    for shape, orders in (("one", (1,)), ("several", (1, 2, 3, 4, 5))):
        checks = [*posted_checks(frame, *orders)]
        checks[0] = Check(
            "resolved_once",
            partial(check_resolved_once, end=frame.end, orders=orders, within_s=frame.within_s),
        )
        if frame.handoff.protocol == "api":
            checks += [
                Check(
                    f"attempts {order}",
                    partial(check_attempts, sent=frame.sent(order), expected=1, declared="one attempt"),
                )
                for order in orders
            ]
        checks.append(Check(NAME, partial(check_no_exception, handoffs=calm, orders=orders)))
        yield frame.build(
            shape,
            steps=[
                *frame.start(*orders),
                Await(frame.resolved(*orders), within_s=frame.within_s),
                Watch(frame.horizon_s, "a second record, or an exception"),
            ],
            checks=checks,
            needs=["dead_letters", "breakers"],
        )


def list_calm(stack: Stack) -> tuple[Calm, ...]:
    """List every handoff of a stack as one at which nothing goes wrong."""
    return tuple(
        Calm(
            handoff.id,
            handoff.operations if handoff.protocol == "api" else (),
            tuple(partial(_may_hold, path.on.when) for path in handoff.paths if path.on.when is not None),
        )
        for handoff in stack.handoffs
    )


def _may_hold(limit: Threshold, total: Decimal | None) -> bool | None:
    """Tell whether an order that adds up to so much is beyond a limit; None where nobody can tell."""
    readable = limit.field in AMOUNTS and limit.unit in {"", CURRENCY}
    return limit.holds(total) if readable and total is not None else None


def compile_exactly_once(frame: Frame) -> Iterator[Experiment]:
    """Compile the ambiguous outcome: the vendor carried the call out, its answer is cut off or never comes."""
    for shape, failure in (("answer-lost", ANSWER_LOST), ("answer-hangs", ANSWER_HANGS)):
        fault = failure.build(frame.handoff, orders=(1,), attempts=(1,))
        yield frame.build(
            shape,
            faults=[fault],
            steps=[
                Arm(fault.id),
                *frame.start(1),
                Await(frame.resolved(1), within_s=frame.patience_s),
                # How long a client waits for an answer is its own affair; only then can it send again.
                Await(Received(fault.id), within_s=frame.within_s),
                # A vendor may refuse what it has done already: then nothing is doubled, but nothing needs to be put aside.
                Watch(max(frame.horizon_s, frame.refused_s), "a second record, or a dead letter"),
            ],
            checks=posted_checks(frame),
            needs=["dead_letters"],
        )
