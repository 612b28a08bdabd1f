"""Branch: the declared answer takes the branch at once, to the end it declares."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.retry import check_attempts
from harness.core.compile.failures import PARTIAL_ALLOCATION, Failure, find_failure, list_further, list_unasked
from harness.core.compile.retry import (
    bound_s,
    build_healed,
    concluded,
    posted_checks,
)
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Watch
from harness.core.outcomes import Branch, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.ends import EndState
    from harness.core.stack import Path


def compile_branch(frame: Frame, path: Path, branch: Branch) -> Iterator[Experiment | Gap]:
    """
    Compile a branch that a vendor's answer leads to.

    Where it ends in the handoff's own record, a code says that the vendor holds that record already; where it ends in another
    one, nothing of the call was carried out.
    """
    declared = branch.resolved_when or frame.handoff.resolved_when
    if declared is None:
        return
    end = build_end(declared)
    elsewhere = (end.system, end.record) != (frame.end.system, frame.end.record)
    failure = find_failure(frame, path.on, commit=not elsewhere)
    if failure is None:
        return
    if elsewhere or failure.carries_out or path.on.code is not None:
        yield _build_taken(frame, failure, end, shape="taken")
    elif path.on.status is not None:
        yield Gap(
            "taken",
            f"a bare {path.on.status} does not say whether {frame.handoff.target} holds the record: name its code",
        )
    else:
        # What was not carried out has to be done in the other way, by whatever calls.
        yield build_healed(frame, Retry(attempts=1), failure, branch, shape="taken")
    for shape, further in list_further(frame, path):
        if elsewhere:
            yield _build_taken(frame, further, end, shape=shape)
        else:
            yield build_healed(frame, Retry(attempts=1), further, branch, shape=shape)
    yield from list_unasked(frame, path)
    if failure is PARTIAL_ALLOCATION:
        yield _build_taken(frame, replace(failure, params={"allocated": "none"}), end, shape="none-allocated")


def _build_taken(frame: Frame, failure: Failure, end: EndState, *, shape: str) -> Experiment:
    """Have the vendor hold the record and answer as the branch says: nothing is to be sent again."""
    fault = failure.build(frame.handoff, orders=(1,))
    # The vendor holds the record whatever the integration makes of it: only that nothing is put aside shows the branch.
    aside = partial(check_no_dead_letter, handoff=frame.handoff.id, orders=(1,))
    once = partial(
        check_attempts, sent=frame.sent(), expected=1, declared="the branch taken at the first answer, no retry"
    )
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(concluded(frame, end=end), within_s=bound_s(frame, failure, frame.patience_s)),
            Watch(frame.horizon_s, "a further attempt or a dead letter"),
        ],
        checks=[Check("attempts", once), posted_checks(frame, end=end)[0], Check("no_dead_letter", aside)],
        needs=["dead_letters"],
    )
