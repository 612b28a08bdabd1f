"""Containment and recovery: an outage of one handoff's vendor, what goes on beside it, and how the backlog drains after it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, total_s
from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.checks.resolution import check_resolved_once
from harness.core.compile.failures import OUTAGES, Failure, choose_outage
from harness.core.compile.frame import HORIZON, PATIENCE_S, Frame
from harness.core.compile.passage import is_driven, list_before
from harness.core.compile.retry import concluded
from harness.core.conditions import AllOf, Failed, Resolved
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Experiment, Lift, Watch
from harness.core.starts import choose_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.stack import Handoff

ORDERS, LATER = (1, 2, 3), (4, 5)


def compile_containment(frame: Frame) -> Iterator[Experiment]:
    """Compile the outage of a handoff's calls: while it lasts, and once it is over; nothing where it has no neighbour."""
    if _list_neighbours(frame):
        yield _build_contained(frame)
    yield _build_drained(frame)


def _build_contained(frame: Frame) -> Experiment:
    """
    Fail every call of the handoff, often enough for any breaker, and only then let further orders come.

    What does not depend on the handoff takes them as if nothing was wrong, well before a breaker that had opened for all
    could close again; the rest only waits.
    """
    fault = _outage(frame).build(frame.handoff, expected=len(ORDERS))
    beside = [handoff for handoff in _list_handoffs(frame) if _goes_on(frame, handoff)]
    ends = {build_end(handoff.resolved_when): choose_start(handoff.resolved_when).action for handoff in beside}
    within_s = _soon_s(frame)
    everybody = (*ORDERS, *LATER)
    return frame.build(
        "others-go-on",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*ORDERS),
            Await(Failed(frame.handoff.operations, _count_failures(frame)), within_s=frame.patience_s),
            *frame.start(*LATER),
            *(Await(Resolved(end, everybody), within_s=frame.patience_s) for end in ends),
            Watch(frame.horizon_s, "an exception elsewhere"),
        ],
        checks=[
            Check(
                "contained",
                partial(check_contained, neighbours=tuple(_list_neighbours(frame)), orders=everybody, end=frame.end),
            ),
            *(Check(f"goes_on {end}", partial(check_resolved_once, end=end, orders=ORDERS)) for end in ends),
            *(
                Check(
                    f"unhindered {end}",
                    partial(check_resolved_once, end=end, orders=LATER, within_s=within_s, since=since),
                )
                for end, since in ends.items()
            ),
        ],
        needs=["dead_letters"],
    )


def _count_failures(frame: Frame) -> int:
    """Count the failures after which any breaker of the stack would have opened, as far as the orders bring them about."""
    own = frame.handoff.breaker
    if own is not None:
        return own.failures
    breakers = [each.breaker.failures for each in frame.stack.handoffs if each.breaker is not None]
    unnamed = [path.retry.attempts for path in frame.handoff.paths if path.on.condition == "any" and path.retry]
    return min(max([len(ORDERS), *breakers]), len(ORDERS) * max([1, *unnamed]))


def _soon_s(frame: Frame) -> float | None:
    """Return how soon an order must be through elsewhere: in half the shortest pause of any breaker, in lab seconds."""
    pauses = [each.breaker.pause_s for each in frame.stack.handoffs if each.breaker is not None]
    return frame.lab_s(min(pauses)) / 2 + HANDLING_S if pauses else None


def _build_drained(frame: Frame) -> Experiment:
    """Lift the outage after the first failures: everything held up is resolved or put aside, and the breaker closes."""
    fault = _outage(frame).build(frame.handoff, expected=len(ORDERS))
    within_s = _drain_s(frame)
    breaks = frame.handoff.breaker is not None and "breakers" in _observed(frame)
    judge = partial(
        check_drained,
        handoff=frame.handoff.id,
        end=frame.end,
        orders=ORDERS,
        breaks=breaks,
        within_s=within_s,
        asks=frame.asks_roles,
    )
    return frame.build(
        "drained",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*ORDERS),
            Await(Failed(frame.handoff.operations, len(ORDERS)), within_s=frame.patience_s),
            Lift(fault.id),
            Await(
                AllOf(tuple(concluded(frame, order) for order in ORDERS)),
                within_s=within_s + PATIENCE_S,
                declared_s=within_s,
            ),
        ],
        checks=[Check("drained", judge)],
        needs=["dead_letters", *(["breakers"] if breaks else [])],
    )


def _outage(frame: Frame) -> Failure:
    worst = Failure("status", params={"status": OUTAGES[0]}, counts_for_breaker=True)
    return choose_outage(frame.handoff) or worst


def _drain_s(frame: Frame) -> float:
    """Return how long a declared retry, and a pause of the breaker, may hold the last order up."""
    retries = [path.retry for path in frame.handoff.paths if path.retry is not None]
    waiting_s = max((total_s(retry, scale=frame.scale) for retry in retries), default=0.0)
    breaker = frame.handoff.breaker
    paused_s = frame.lab_s(breaker.pause_s * (breaker.probes + 1)) if breaker is not None else 0.0
    return (waiting_s + paused_s) * HORIZON + len(ORDERS) * HANDLING_S


def _observed(frame: Frame) -> set[str]:
    observe = frame.stack.integration.observe
    return {"breakers"} if observe.breakers is not None else set()


def _list_handoffs(frame: Frame) -> list[Handoff]:
    """List the other handoffs that orders of this one's kind pass."""
    subject = frame.begins.subject
    return [
        handoff
        for handoff in frame.stack.handoffs
        if handoff.id != frame.handoff.id
        and is_driven(frame.stack, handoff)
        and choose_start(handoff.resolved_when).subject == subject
    ]


def _list_neighbours(frame: Frame) -> list[Neighbour]:
    return [
        Neighbour(
            handoff.id,
            handoff.operations if handoff.protocol == "api" else (),
            starves=frame.handoff.id in list_before(frame.stack, handoff),
        )
        for handoff in _list_handoffs(frame)
    ]


def _goes_on(frame: Frame, handoff: Handoff) -> bool:
    """Tell whether a handoff does not depend on the one in trouble, and is set in motion by the same thing."""
    independent = frame.handoff.id not in list_before(frame.stack, handoff)
    started = choose_start(handoff.resolved_when) in {frame.begins, choose_start(None)}
    return independent and started and build_end(handoff.resolved_when) != frame.end
