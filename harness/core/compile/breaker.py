"""
Breaker: N-1 failures, N failures, its pause, its probe that passes and its probe that fails, and what it must not touch.

Failures are brought about one at a time, each order placed once the failure before it is on the wire: with several under
way at once nobody could tell which of them the breaker knew of.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.breaker import (
    UNDER_WAY_S,
    check_one_alert,
    check_opens,
    check_probes,
    check_reopened,
    check_stays_closed,
)
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.webhook import check_acknowledged
from harness.core.compile.failures import RESET, UNAVAILABLE, Failure
from harness.core.compile.frame import HORIZON, PATIENCE_S, Frame
from harness.core.compile.retry import concluded
from harness.core.conditions import AllOf, Attempted, CalledSince, Delivered, Failed
from harness.core.experiments import Arm, Await, Check, Experiment, Lift, Place, Step, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.core.conditions import Condition
    from harness.core.faults import Fault
    from harness.core.history import History
    from harness.core.stack import Breaker
    from harness.core.verdict import CheckResult

# From the moment the last failure is on the wire, how long until what is sent can no longer have been under way.
SETTLED_S = UNDER_WAY_S * 1.5


def compile_breaker(frame: Frame, breaker: Breaker) -> Iterator[Experiment]:
    """Compile the breaker of a handoff whose calls are named."""
    yield _build_below(frame, breaker)
    yield _build_reset(frame, breaker)
    yield _build_opening(frame, breaker, "opens", UNAVAILABLE)
    yield _build_opening(frame, breaker, "opens-on-connection", RESET)
    yield _build_opening(frame, breaker, "closes", UNAVAILABLE)
    yield _build_reopening(frame, breaker)
    if frame.handoff.after:
        yield _build_contained(frame, breaker)


def _build_below(frame: Frame, breaker: Breaker) -> Experiment:
    """Fail N-1 times in a row and then no more."""
    failures = breaker.failures - 1
    fault = UNAVAILABLE.build(frame.handoff, attempts=tuple(range(1, failures + 1)), expected=failures)
    orders = tuple(range(1, max(failures, 1) + 1))
    return frame.build(
        "below",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *_fail_in_turn(frame, orders),
            Await(_concluded(frame, *orders), within_s=frame.horizon_s + PATIENCE_S, declared_s=frame.horizon_s),
            Watch(frame.horizon_s, "an alert"),
        ],
        checks=[_check("stays_closed", check_stays_closed, frame, breaker, handoff=frame.handoff.id)],
        needs=["dead_letters"],
    )


def _build_reset(frame: Frame, breaker: Breaker) -> Experiment:
    """Fail N-1 times, let one call through, and fail N-1 times again: never N in a row."""
    run = breaker.failures - 1
    first, second = range(1, run + 1), range(run + 2, 2 * run + 2)
    fault = UNAVAILABLE.build(frame.handoff, attempts=(*first, *second), expected=2 * run)
    orders = tuple(range(1, 2 * run + 2))
    steps: list[Step] = [Arm(fault.id), *_fail_in_turn(frame, orders[:run])]
    steps += [Place(orders[run : run + 1]), Await(_sent(frame, run + 1), within_s=PATIENCE_S)]
    for count, order in enumerate(orders[run + 1 :], start=run + 2):
        steps += [Place((order,)), Await(_sent(frame, count), within_s=PATIENCE_S)]
    steps += [
        Await(CalledSince(frame.handoff.operations), within_s=frame.horizon_s + PATIENCE_S, declared_s=frame.horizon_s),
        Watch(frame.horizon_s, "an alert"),
    ]
    closed = _check("stays_closed", check_stays_closed, frame, breaker, handoff=frame.handoff.id)
    return frame.build("reset", faults=[fault], steps=steps, checks=[closed])


def _build_opening(frame: Frame, breaker: Breaker, shape: str, failure: Failure) -> Experiment:
    """
    Fail N times in a row, queue one order more, lift the outage, and see silence, one probe and the backlog drain.

    Exactly N calls fail: a breaker that waits for one failure more never sees it, goes on, and is seen going on.
    """
    failing, more = _orders(breaker)
    fault = failure.build(frame.handoff, attempts=failing, expected=breaker.failures)
    checks = {
        "opens": [_check("opens", check_opens, frame, breaker), _one_alert(frame, breaker)],
        "opens-on-connection": [_check("opens", check_opens, frame, breaker), _one_alert(frame, breaker)],
        "closes": [
            _check("probes", check_probes, frame, breaker, latest_s=_latest_probe_s(frame, breaker)),
            Check("resolved_once", partial(check_resolved_once, collection=frame.collection, orders=(more,))),
        ],
    }[shape]
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            *_open(frame, fault, failing),
            Lift(fault.id),
            Place((more,)),
            _await_probe(frame, breaker),
            Await(_concluded(frame, *failing, more), within_s=frame.horizon_s + PATIENCE_S),
        ],
        checks=checks,
        needs=["dead_letters"],
    )


def _build_reopening(frame: Frame, breaker: Breaker) -> Experiment:
    """Let the probe fail: another pause, then one that passes."""
    fault = UNAVAILABLE.build(frame.handoff, expected=breaker.failures + 1)
    failing, more = _orders(breaker)
    again = [
        _check("reopens", check_reopened, frame, breaker),
        _check("probes", check_probes, frame, breaker, latest_s=_latest_probe_s(frame, breaker)),
        _one_alert(frame, breaker),
    ]
    return frame.build(
        "reopens",
        faults=[fault],
        steps=[
            *_open(frame, fault, failing),
            Place((more,)),
            _await_probe(frame, breaker),
            Watch(SETTLED_S, "further probes"),
            Lift(fault.id),
            _await_probe(frame, breaker),
            Await(frame.resolved(more), within_s=frame.horizon_s + PATIENCE_S),
        ],
        checks=again,
    )


def _build_contained(frame: Frame, breaker: Breaker) -> Experiment:
    """While the handoff is paused, the one before it goes on, and nothing it took in is lost."""
    fault = UNAVAILABLE.build(frame.handoff, expected=breaker.failures)
    failing, first = _orders(breaker)
    meanwhile = tuple(range(first, first + 3))
    return frame.build(
        "contained",
        faults=[fault],
        steps=[
            *_open(frame, fault, failing),
            Lift(fault.id),
            Place(meanwhile),
            Await(AllOf(tuple(Delivered(order) for order in meanwhile)), within_s=PATIENCE_S),
            _await_probe(frame, breaker),
            Await(_concluded(frame, *failing, *meanwhile), within_s=frame.horizon_s + PATIENCE_S),
        ],
        checks=[
            *(Check(f"acknowledged {order}", partial(check_acknowledged, order=order)) for order in meanwhile),
            Check("resolved_once", partial(check_resolved_once, collection=frame.collection, orders=meanwhile)),
        ],
        needs=["dead_letters"],
    )


def _orders(breaker: Breaker) -> tuple[tuple[int, ...], int]:
    """Return the ordinals whose failures open the breaker, and that of one order more."""
    return tuple(range(1, breaker.failures + 1)), breaker.failures + 1


def _open(frame: Frame, fault: Fault, failing: tuple[int, ...]) -> list[Step]:
    return [Arm(fault.id), *_fail_in_turn(frame, failing), Watch(SETTLED_S, "calls that were under way")]


def _fail_in_turn(frame: Frame, orders: tuple[int, ...]) -> list[Step]:
    steps: list[Step] = []
    for count, order in enumerate(orders, start=1):
        steps += [Place((order,)), Await(Failed(frame.handoff.operations, count), within_s=PATIENCE_S)]
    return steps


def _concluded(frame: Frame, *orders: int) -> Condition:
    """
    Build the condition that each order is posted or put aside.

    On a slow machine one order may meet so many of the failures that its own attempts are used up; the ledger then asks
    for it in the dead letters.
    """
    return AllOf(tuple(concluded(frame, order) for order in orders))


def _await_probe(frame: Frame, breaker: Breaker) -> Await:
    pause_s = frame.lab_s(breaker.pause_s)
    probe = CalledSince(frame.handoff.operations)
    return Await(probe, within_s=_latest_probe_s(frame, breaker) + pause_s + PATIENCE_S, declared_s=pause_s)


def _latest_probe_s(frame: Frame, breaker: Breaker) -> float:
    """Work is queued, so the first probe may take after the pause what its own retry gap and a busy lab add."""
    return (HORIZON - 1) * frame.lab_s(breaker.pause_s) + frame.horizon_s


def _sent(frame: Frame, count: int) -> Attempted:
    return Attempted(frame.handoff.operations, count)


def _one_alert(frame: Frame, breaker: Breaker) -> Check:
    return _check("one_alert", check_one_alert, frame, breaker, handoff=frame.handoff.id)


def _check(name: str, judge: Callable[..., CheckResult], frame: Frame, breaker: Breaker, **declared: object) -> Check:
    def bound(history: History) -> CheckResult:
        return judge(history, frame.handoff.operations, breaker, scale=frame.scale, **declared)

    return Check(name, bound)
