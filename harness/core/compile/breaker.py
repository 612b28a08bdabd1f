"""
Breaker: N-1 failures, N failures, its pause, its probe that passes, fails or is carried out unheard, and what it must not touch.

Failures are brought about one at a time, each order placed once the failure before it is on the wire: with several under
way at once nobody could tell which of them the breaker knew of.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.breaker import (
    check_one_alert,
    check_opens,
    check_probes,
    check_reopened,
    check_stays_closed,
)
from harness.core.checks.openings import UNDER_WAY_S
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.webhook import check_acknowledged
from harness.core.compile.failures import ANSWER_LOST, OUTAGES, RESET, Failure, choose_outage
from harness.core.compile.frame import HORIZON, PATIENCE_S, Frame
from harness.core.compile.retry import concluded
from harness.core.conditions import AllOf, CalledSince, Delivered, Failed, Received
from harness.core.experiments import Arm, Await, Check, Experiment, Lift, Step, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.core.conditions import Condition
    from harness.core.faults import Fault
    from harness.core.history import History
    from harness.core.outcomes import DeadLetter
    from harness.core.stack import Breaker
    from harness.core.verdict import CheckResult

# From the moment the last failure is on the wire, how long until what is sent can no longer have been under way.
SETTLED_S = UNDER_WAY_S * 1.5


def compile_breaker(frame: Frame, breaker: Breaker) -> Iterator[Experiment]:
    """Compile the breaker of a handoff whose calls are named."""
    if breaker.failures > 1:
        yield _build_below(frame, breaker)
        yield _build_reset(frame, breaker)
    outage = _outage(frame)
    yield _build_opening(frame, breaker, "opens", outage)
    yield _build_opening(frame, breaker, "opens-on-connection", RESET)
    yield _build_opening(frame, breaker, "closes", outage)
    yield _build_reopening(frame, breaker)
    if frame.handoff.effects == "exactly_once":
        yield _build_probe_lost(frame, breaker)
    if frame.handoff.after:
        yield _build_contained(frame, breaker)


def _build_below(frame: Frame, breaker: Breaker) -> Experiment:
    """Fail N-1 times in a row and then no more; one order more shows at once whether the handoff goes on."""
    failing, fresh = tuple(range(1, breaker.failures)), breaker.failures
    fault = _outage(frame).build(frame.handoff, attempts=failing, expected=len(failing))
    return frame.build(
        "below",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *_fail_in_turn(frame, failing),
            *frame.start(fresh),
            _await_concluded(frame, *failing, fresh),
            Watch(frame.horizon_s, "an alert"),
        ],
        checks=[_stays_closed(frame, breaker)],
        needs=["dead_letters"],
    )


def _build_reset(frame: Frame, breaker: Breaker) -> Experiment:
    """Fail N-1 times, let those orders through, and fail N-1 times again: never N in a row."""
    run = breaker.failures - 1
    first, second = tuple(range(1, run + 1)), tuple(range(run + 1, 2 * run + 1))
    fresh = 2 * run + 1
    once, again = (
        _outage(frame).build(frame.handoff, attempts=first, expected=run, fault_id=name) for name in ("f1", "f2")
    )
    return frame.build(
        "reset",
        faults=[once, again],
        steps=[
            Arm(once.id),
            *_fail_at_once(frame, first),
            _await_concluded(frame, *first),
            Lift(once.id),
            Arm(again.id),
            *_fail_at_once(frame, second, failed=2 * run),
            *frame.start(fresh),
            _await_concluded(frame, *second, fresh),
            Watch(frame.horizon_s, "an alert"),
        ],
        checks=[_stays_closed(frame, breaker)],
        needs=["dead_letters"],
    )


def _build_opening(frame: Frame, breaker: Breaker, shape: str, failure: Failure) -> Experiment:
    """
    Fail N times in a row, queue one order more, lift the outage, and see silence, one probe and the backlog drain.

    Exactly N calls fail: a breaker that waits for one failure more never sees it, goes on, and is seen going on.
    """
    failing, more, spare = _orders(breaker)
    fault = failure.build(frame.handoff, attempts=failing, expected=breaker.failures)
    checks = {
        "opens": [_check("opens", check_opens, frame, breaker), _one_alert(frame, breaker)],
        "opens-on-connection": [_check("opens", check_opens, frame, breaker), _one_alert(frame, breaker)],
        "closes": [
            _check("probes", check_probes, frame, breaker, latest_s=_latest_probe_s(frame, breaker)),
            Check("resolved_once", partial(check_resolved_once, end=frame.end, orders=(more, spare))),
        ],
    }[shape]
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            *_open(frame, fault, failing),
            Lift(fault.id),
            *frame.start(more),
            _await_probe(frame, breaker),
            *frame.start(spare),
            _await_drained(frame, breaker, *failing, more, spare),
        ],
        checks=checks,
        needs=["dead_letters"],
    )


def _build_reopening(frame: Frame, breaker: Breaker) -> Experiment:
    """Let the probe fail while work is queued: another pause, then one that passes."""
    fault = _outage(frame).build(frame.handoff, expected=breaker.failures + 1)
    failing, more, spare = _orders(breaker)
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
            *frame.start(more),
            _await_probe(frame, breaker),
            *frame.start(spare),
            Await(Failed(frame.handoff.operations, breaker.failures + 1), within_s=PATIENCE_S),
            Watch(SETTLED_S, "further probes"),
            Lift(fault.id),
            _await_probe(frame, breaker),
            *frame.start(spare + 1),
            _await_drained(frame, breaker, more, spare, spare + 1),
        ],
        checks=again,
        needs=["dead_letters"],
    )


def _build_probe_lost(frame: Frame, breaker: Breaker) -> Experiment:
    """Have the vendor carry the probe out and its answer get lost: another pause, and no second effect of it."""
    failing, more, spare = _orders(breaker)
    fault = _outage(frame).build(frame.handoff, attempts=failing, expected=breaker.failures)
    lost = ANSWER_LOST.build(frame.handoff, attempts=(1,), fault_id="f2")
    resolved = partial(check_resolved_once, end=frame.end, orders=(more, spare))
    return frame.build(
        "probe-answer-lost",
        faults=[fault, lost],
        steps=[
            *_open(frame, fault, failing),
            Lift(fault.id),
            Arm(lost.id),
            *frame.start(more),
            _await_probe(frame, breaker),
            *frame.start(spare),
            Await(Received(lost.id), within_s=PATIENCE_S),
            Watch(SETTLED_S, "further probes"),
            _await_probe(frame, breaker),
            _await_drained(frame, breaker, *failing, more, spare),
        ],
        checks=[
            _check("reopens", check_reopened, frame, breaker),
            _one_alert(frame, breaker),
            Check("resolved_once", resolved),
        ],
        needs=["dead_letters"],
    )


def _build_contained(frame: Frame, breaker: Breaker) -> Experiment:
    """While the handoff is paused, the one before it goes on, and nothing it took in is lost."""
    fault = _outage(frame).build(frame.handoff, expected=breaker.failures)
    failing, first, _ = _orders(breaker)
    meanwhile, spare = tuple(range(first, first + 3)), first + 3
    return frame.build(
        "contained",
        faults=[fault],
        steps=[
            *_open(frame, fault, failing),
            Lift(fault.id),
            *frame.start(*meanwhile),
            Await(AllOf(tuple(Delivered(order) for order in meanwhile)), within_s=PATIENCE_S),
            _await_probe(frame, breaker),
            *frame.start(spare),
            _await_drained(frame, breaker, *failing, *meanwhile, spare),
        ],
        checks=[
            *(Check(f"acknowledged {order}", partial(check_acknowledged, order=order)) for order in meanwhile),
            Check("resolved_once", partial(check_resolved_once, end=frame.end, orders=meanwhile)),
        ],
        needs=["dead_letters"],
    )


def _orders(breaker: Breaker) -> tuple[tuple[int, ...], int, int]:
    """Return the ordinals whose failures open the breaker, of one order queued meanwhile, and of one after the pause."""
    return tuple(range(1, breaker.failures + 1)), breaker.failures + 1, breaker.failures + 2


def _outage(frame: Frame) -> Failure:
    """Choose the failure that opens the breaker; which path it takes beside that matters little."""
    worst = Failure("status", params={"status": OUTAGES[0]}, counts_for_breaker=True)
    return choose_outage(frame.handoff) or worst


def _open(frame: Frame, fault: Fault, failing: tuple[int, ...]) -> list[Step]:
    return [Arm(fault.id), *_fail_at_once(frame, failing), Watch(SETTLED_S, "calls that were under way")]


def _fail_at_once(frame: Frame, orders: tuple[int, ...], *, failed: int | None = None) -> list[Step]:
    """Let calls fail all at once: in turn, the first order's further attempt would meet the last order's first."""
    return [*frame.start(*orders), Await(Failed(frame.handoff.operations, failed or len(orders)), within_s=PATIENCE_S)]


def _fail_in_turn(frame: Frame, orders: tuple[int, ...]) -> list[Step]:
    steps: list[Step] = []
    for count, order in enumerate(orders, start=1):
        steps += [*frame.start(order), Await(Failed(frame.handoff.operations, count), within_s=PATIENCE_S)]
    return steps


def _await_concluded(frame: Frame, *orders: int) -> Await:
    return Await(_concluded(frame, *orders), within_s=frame.horizon_s + PATIENCE_S, declared_s=frame.horizon_s)


def _concluded(frame: Frame, *orders: int) -> Condition:
    """
    Build the condition that each order is posted or put aside.

    On a slow machine one order may meet so many of the failures that its own attempts are used up; the ledger then asks
    for it in the dead letters.
    """
    return AllOf(tuple(concluded(frame, order) for order in orders))


def _await_probe(frame: Frame, breaker: Breaker) -> Await:
    """
    Await the probe a breaker sends when its pause is over, and not much longer.

    One that leaves the probe to new work is no worse: an order follows, and is the probe then.
    """
    pause_s = frame.lab_s(breaker.pause_s)
    return Await(CalledSince(frame.handoff.operations), within_s=pause_s * HORIZON - SETTLED_S, declared_s=pause_s)


def _await_drained(frame: Frame, breaker: Breaker, *orders: int) -> Await:
    """Await the end of everything queued, for as long as one further pause and a retry may take."""
    patience_s = frame.lab_s(breaker.pause_s) * HORIZON + frame.horizon_s + PATIENCE_S
    return Await(_concluded(frame, *orders), within_s=patience_s)


def _latest_probe_s(frame: Frame, breaker: Breaker) -> float:
    """Work is queued, so the first probe may take after the pause what its own retry gap and a busy lab add."""
    return (HORIZON - 1) * frame.lab_s(breaker.pause_s) + frame.horizon_s


def _one_alert(frame: Frame, breaker: Breaker) -> Check:
    return _check("one_alert", check_one_alert, frame, breaker, handoff=frame.handoff.id, rules=_rules(frame))


def _stays_closed(frame: Frame, breaker: Breaker) -> Check:
    return _check("stays_closed", check_stays_closed, frame, breaker, handoff=frame.handoff.id, rules=_rules(frame))


def _rules(frame: Frame) -> tuple[DeadLetter, ...]:
    """List the declarations by which dead letters of the handoff may raise alerts of their own."""
    declared = (frame.handoff.dead_letter, *(path.dead_letter for path in frame.handoff.paths))
    return tuple(dict.fromkeys(rule for rule in declared if rule is not None))


def _check(name: str, judge: Callable[..., CheckResult], frame: Frame, breaker: Breaker, **declared: object) -> Check:
    def bound(history: History) -> CheckResult:
        return judge(history, frame.handoff.operations, breaker, scale=frame.scale, **declared)

    return Check(name, bound)
