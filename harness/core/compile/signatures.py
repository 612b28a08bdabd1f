"""
Signatures of webhooks: forged, of another body, or made too long ago; and what only looks old.

Three clocks are told apart: when a webhook was signed, of which time it tells, and which rung of its sender's ladder brings it.
Only the first makes it stale.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.resolution import check_untouched
from harness.core.checks.webhook import check_acknowledged, check_answer
from harness.core.compile.frame import PATIENCE_S
from harness.core.compile.retry import posted_checks
from harness.core.compile.webhook_faults import build_aged, build_forgery
from harness.core.conditions import Delivered
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Watch
from harness.core.outcomes import Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.faults import Fault
    from harness.core.stack import Path

# Whose signatures say when they were made, and how far from an age no delay can be mistaken for it.
DATED, SLACK_S = frozenset({"stripe", "wms"}), 15.0
# How old what comes on a late rung says it is: a rung of both that date their signatures, 72 h (stripe) and 27.6 h (wms) long.
LATE_S = 4 * 3600.0


def compile_bad_signature(frame: Frame, path: Path) -> Iterator[Experiment]:
    """Post webhooks the vendor never sent, about an order that does not exist."""
    if isinstance(path.outcome, Reject):
        yield from _list_forgeries(frame, path.outcome.status, ("forged", "missing", "other_body"))


def compile_stale(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """
    Post a webhook that was signed too long ago, about an order that does not exist; and deliver two that are not stale.

    One was signed not quite as long ago, the other is signed afresh and says itself that it is old: so is what comes on the
    last rung of its sender's ladder.
    """
    if not isinstance(path.outcome, Reject):
        return
    older_than_s = path.outcome.older_than_s
    beyond_s = older_than_s + SLACK_S if older_than_s is not None else None
    yield from _list_forgeries(frame, path.outcome.status, ("stale",), age_s=beyond_s)
    if frame.source_fake not in DATED:
        yield Gap("old, but signed afresh", f"the signatures of {frame.handoff.source} are not dated")
        return
    yield _build_taken(frame, "late-rung", build_aged(frame, LATE_S, signed="now"))
    if older_than_s is None:
        yield Gap("just within its age", "no `older_than` says from which age a signature is stale")
    elif older_than_s <= SLACK_S:
        yield Gap("just within its age", f"an age below {SLACK_S:g} s cannot be told from a busy machine's delay")
    else:
        yield _build_taken(frame, "within", build_aged(frame, older_than_s - SLACK_S, signed="then"))


def _build_taken(frame: Frame, shape: str, fault: Fault) -> Experiment:
    """Deliver a webhook that only looks like one to be refused: it is taken."""
    topics = frame.topics[:1]
    taken = partial(check_acknowledged, order=1, topics=topics)
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(Delivered(1, acked=False, topics=topics), within_s=PATIENCE_S),
            Await(frame.resolved(1), within_s=PATIENCE_S),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[*posted_checks(frame), Check("acknowledged", taken)],
        needs=["dead_letters"],
    )


def _list_forgeries(
    frame: Frame, status: int, ways: tuple[str, ...], *, age_s: float | None = None
) -> Iterator[Experiment]:
    for how in ways:
        fault = build_forgery(frame, how, age_s=age_s)
        yield frame.build(
            how.replace("_", "-"),
            faults=[fault],
            steps=[
                Arm(fault.id),
                Await(Delivered(1, acked=False, topics=frame.topics[:1]), within_s=PATIENCE_S),
                Watch(frame.horizon_s, "any change"),
            ],
            checks=[
                Check("answer", partial(check_answer, order=1, status=status, topics=frame.topics[:1])),
                Check("untouched", partial(check_untouched, orders=(1,), horizon_s=frame.horizon_s)),
            ],
        )
