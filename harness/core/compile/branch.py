"""Branch: the declared code and text take the branch at the first answer; the same code with another text does not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.retry import check_attempts
from harness.core.compile.failures import PARTIAL_ALLOCATION, Failure, choose_failure, choose_unlisted
from harness.core.compile.retry import build_recovering, compile_exhausted, concluded, posted_checks
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Experiment, Watch
from harness.core.outcomes import Branch, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.ends import EndState
    from harness.core.stack import Path
    from harness.core.triggers import Trigger

OTHER_TEXT = "A value of this record is not acceptable"


def compile_branch(frame: Frame, path: Path, branch: Branch) -> Iterator[Experiment]:
    """Compile a branch that ends in the handoff's own end state."""
    failure = choose_failure(frame.handoff, path.on, commit=True)
    if path.on.condition == "partial_allocation" and frame.target_fake == "wms":
        failure = PARTIAL_ALLOCATION
    declared = branch.resolved_when or frame.handoff.resolved_when
    if failure is None or declared is None:
        return
    end = build_end(declared)
    yield _build_taken(frame, failure, end, shape="taken")
    if failure is PARTIAL_ALLOCATION:
        yield _build_taken(frame, replace(failure, params={"allocated": "none"}), end, shape="none-allocated")
    fallback = _fallback(frame, path.on)
    if fallback is not None and isinstance(fallback.outcome, Retry):
        other = Failure("error", params={"code": path.on.code, "text": OTHER_TEXT})
        # A gateway keeps what it answered under the key of the call: every attempt meets the refusal, not only the first.
        if frame.target_fake == "stripe":
            yield from compile_exhausted(frame, fallback.outcome, other, fallback.then, shape="other-text")
        else:
            yield build_recovering(frame, fallback.outcome, other, shape="other-text", failures=1)


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
            Await(concluded(frame, end=end), within_s=frame.patience_s),
            Watch(frame.horizon_s, "a further attempt or a dead letter"),
        ],
        checks=[Check("attempts", once), posted_checks(frame, end=end)[0], Check("no_dead_letter", aside)],
        needs=["dead_letters"],
    )


def _fallback(frame: Frame, trigger: Trigger) -> Path | None:
    """
    Find the path that the same code with another text falls to: the next one, by specificity, that matches it.

    None where a path might catch it by the status it comes with.
    """
    if trigger.text is None or choose_unlisted(frame.handoff) is None:
        return None
    for path in frame.handoff.by_specificity:
        same_code = path.on.code == trigger.code and path.on.text is None
        if same_code or path.on.condition == "any":
            return path
    return None
