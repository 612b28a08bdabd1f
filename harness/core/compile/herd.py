"""Herd: orders fail at the same time, in groups too small for the breaker, and are watched coming back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, build_gap
from harness.core.checks.herd import check_herd
from harness.core.compile.failures import choose_failure
from harness.core.compile.frame import HORIZON
from harness.core.compile.retry import posted_checks
from harness.core.experiments import Arm, Await, Check, Experiment, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.outcomes import Retry
    from harness.core.stack import Path

# How many orders show that waits are spread, and how many at once are a herd.
ORDERS, LARGEST, SMALLEST = 16, 4, 2
TOGETHER = "orders that fail together"


def compile_herd(frame: Frame, path: Path, retry: Retry) -> Iterator[Experiment | Gap]:
    """Compile the herd of a retry with jitter: nothing where none is declared, or what fails cannot be brought about."""
    failure = choose_failure(frame.handoff, path.on)
    if retry.jitter == "none" or retry.attempts == 1 or failure is None:
        return
    if retry.honour_retry_after:
        yield Gap(TOGETHER, "the vendor says when each of them is to come again, and that may be at one time")
        return
    if failure.carries_out:
        yield Gap(TOGETHER, "they are carried out at once, and need not come back")
        return
    breaker = frame.handoff.breaker
    counted = breaker is not None and failure.counts_for_breaker
    together = min(LARGEST, breaker.failures - 1) if breaker is not None and counted else LARGEST
    if together < SMALLEST or frame.begins.subject != "order":
        yield Gap(TOGETHER, "so few may fail before the breaker opens, or be had, that none is a herd")
        return
    groups = [tuple(range(first, first + together)) for first in range(1, ORDERS + 1, together)]
    orders = tuple(order for group in groups for order in group)
    waiting_s = build_gap(retry, 1, scale=frame.scale).highest_s
    within_s = waiting_s * HORIZON + retry.attempts * HANDLING_S + frame.patience_s
    fault = failure.build(frame.handoff, orders=orders, attempts=(1,), expected=len(orders))
    judge = partial(check_herd, operations=frame.handoff.operations, orders=orders, retry=retry, scale=frame.scale)
    yield frame.build(
        "herd",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *(
                step
                for group in groups
                for step in (
                    *frame.start(*group),
                    Await(frame.resolved(*group), within_s=within_s, declared_s=waiting_s),
                )
            ),
        ],
        checks=[Check("herd", judge), *posted_checks(frame, *orders)],
        needs=["dead_letters"],
    )
