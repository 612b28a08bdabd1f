"""Role queues: a case is opened instead of another attempt, its role decides, and trouble in between changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import total_s
from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.queue import check_case, check_decided, check_not_resolved, check_told
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts
from harness.core.compile.failures import choose_failure, find_failure, list_further, list_unasked
from harness.core.compile.frame import HORIZON
from harness.core.compile.occasion import CONTINUE, Occasion, bring_about, opened
from harness.core.compile.passage import list_before
from harness.core.compile.repeated import compile_repeated
from harness.core.compile.retry import bound_s, opens, paused_s, read_retry_after_s
from harness.core.compile.webhook_faults import build_crash
from harness.core.conditions import Alerted, Attempted, Received, Resolved
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Decide, Experiment, Gap, Lift, Place, Restart, Step, Watch
from harness.core.outcomes import Recover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.failures import Failure
    from harness.core.compile.frame import Frame
    from harness.core.outcomes import Decision, Queue, Retry
    from harness.core.stack import Handoff, Path

# The order at whose webhook the integration dies while another one waits for a decision.
OTHER = 2


def compile_queue(frame: Frame, path: Path, queue: Queue) -> Iterator[Experiment | Gap]:
    """Compile a path that a vendor's answer leads to a role queue; a trigger that cannot be brought about yields nothing."""
    failure = find_failure(frame, path.on)
    if failure is not None:
        yield from compile_occasion(frame, queue, Occasion(failure, calls=1))
    for shape, each in list_further(frame, path):
        yield build_opened(frame, queue, Occasion(each, calls=1, waiting_s=bound_s(frame, each, 0.0)), shape=shape)
    yield from list_unasked(frame, path)


def compile_asked_after(frame: Frame, path: Path, retry: Retry, queue: Queue) -> Iterator[Experiment | Gap]:
    """Compile the case that follows the last attempt of a retry, once it is there: what each decision leads to, and trouble."""
    failure = choose_failure(frame.handoff, path.on)
    if failure is None or failure.carries_out:
        return
    waiting_s = total_s(retry, scale=frame.scale) + paused_s(frame, failure, retry.attempts - 1)
    waiting_s += read_retry_after_s(frame, retry, failure) * (retry.attempts - 1)
    breaker = frame.handoff.breaker
    held_s = frame.lab_s(breaker.pause_s) if breaker is not None and opens(frame, failure, retry.attempts) else 0.0
    occasion = Occasion(
        failure, retry.attempts, waiting_s=bound_s(frame, failure, waiting_s), paused_s=held_s * HORIZON
    )
    yield from compile_occasion(frame, queue, occasion)


def compile_occasion(frame: Frame, queue: Queue, occasion: Occasion) -> Iterator[Experiment | Gap]:
    """Compile the case that an occasion opens, what each decision leads to, and trouble before and while one is taken."""
    yield build_opened(frame, queue, occasion)
    for decision in queue.decisions:
        yield _build_decided(frame, decision, occasion)
    yield from _compile_interrupted(frame, queue, occasion)
    yield from compile_repeated(frame, queue, occasion)


def build_opened(frame: Frame, queue: Queue, occasion: Occasion, *, shape: str = "opened") -> Experiment:
    """Bring the case about: its role is told, and nothing is sent until it decides."""
    handoff = frame.handoff.id
    case = partial(
        check_case,
        handoff=handoff,
        order=1,
        role=queue.role,
        sla_s=frame.find_sla_s(queue),
        horizon_s=frame.patience_s,
    )
    told = partial(check_told, handoff=handoff, order=1, role=queue.role, horizon_s=frame.patience_s)
    declared = f"{occasion.said}, then a case"
    sent = partial(check_attempts, sent=frame.sent(), expected=occasion.calls, declared=declared)
    aside = partial(check_no_dead_letter, handoff=handoff, orders=(1,))
    return frame.build(
        shape,
        faults=occasion.list_faults(frame),
        totals=occasion.list_totals(),
        steps=[
            *bring_about(frame, occasion),
            Await(Alerted(handoff), within_s=frame.patience_s),
            Watch(
                frame.horizon_s, "a further attempt", until=Attempted(frame.handoff.operations, occasion.calls + 1, 1)
            ),
        ],
        checks=[
            Check("attempts", sent),
            Check("case", case),
            Check("told", told),
            Check("no_dead_letter", aside),
        ],
        needs=["dead_letters", "queues"],
    )


def _build_decided(frame: Frame, decision: Decision, occasion: Occasion) -> Experiment:
    """Have the role decide once the cause is gone, and see the order go where that leads."""
    handoff = frame.handoff.id
    decided = Check("decided", partial(check_decided, handoff=handoff, order=1, decision=decision.name))
    goes_on = decision.to == CONTINUE
    ending = build_end(decision.resolved_when) if decision.resolved_when is not None else frame.end
    steps: list[Step] = [*bring_about(frame, occasion)]
    steps += [Lift(fault.id) for fault in occasion.list_faults(frame)]
    steps.append(Decide(handoff, 1, decision.name))
    led: list[Check] = []
    if goes_on or decision.resolved_when is not None:
        steps.append(Await(frame.resolved(1, end=ending), within_s=frame.patience_s + occasion.paused_s))
        led.append(Check("resolved_once", partial(check_resolved_once, end=ending, orders=(1,))))
    elif not occasion.carried_out:
        unmoved = partial(check_not_resolved, end=frame.end, order=1, horizon_s=frame.horizon_s)
        led.append(Check("not_resolved", unmoved))
    steps.append(Watch(frame.horizon_s, "a second record"))
    return frame.build(
        f"decided-{decision.name}",
        faults=occasion.list_faults(frame),
        totals=occasion.list_totals(),
        steps=steps,
        checks=[decided, *led],
        needs=["dead_letters", "queues"],
    )


def _compile_interrupted(frame: Frame, queue: Queue, occasion: Occasion) -> Iterator[Experiment | Gap]:
    """Compile trouble while a person is waited for, where there is a decision to go on by and somebody who recovers from it."""
    onward = next((decision for decision in queue.decisions if decision.to == CONTINUE), None)
    before = [each for each in frame.stack.handoffs if each.id in list_before(frame.stack, frame.handoff)]
    mortal = next((each for each in before if _recovers(each)), None)
    passing = next((path for path in frame.handoff.paths if path.retry is not None and path.retry.attempts > 1), None)
    failure = choose_failure(frame.handoff, passing.on) if passing is not None else None
    if onward is None or mortal is None:
        lacking = (
            "no decision lets the order go on"
            if onward is None
            else "no webhook before it declares that a crash is survived"
        )
        yield Gap("trouble while somebody decides", lacking)
    else:
        yield _build_interrupted(frame, queue, onward, occasion, (mortal, failure if passing is not None else None))


def _recovers(handoff: Handoff) -> bool:
    crash = (path.outcome for path in handoff.paths if path.on.condition == "crash")
    return handoff.protocol == "webhook" and any(isinstance(outcome, Recover) for outcome in crash)


def _build_interrupted(
    frame: Frame, queue: Queue, decision: Decision, occasion: Occasion, trouble: tuple[Handoff, Failure | None]
) -> Experiment:
    """
    Have the integration die while a case is open, then the role decide, and the first call after that fail where a retry is declared.

    Another order's webhook is what it dies at: nothing about the order that waits moves meanwhile.
    """
    mortal, failure = trouble
    handoff = frame.handoff.id
    crash = build_crash(replace(frame, handoff=mortal), (OTHER,), nth=1, fault_id="f2")
    faults = [*occasion.list_faults(frame), crash]
    steps: list[Step] = [*bring_about(frame, occasion)]
    steps += [Lift(fault.id) for fault in occasion.list_faults(frame)]
    steps += [Arm(crash.id), Place((OTHER,)), Await(Received(crash.id), within_s=frame.patience_s), Restart()]
    steps.append(Await(opened(frame), within_s=frame.patience_s, needs="queues"))
    if failure is not None:
        faults.append(failure.build(frame.handoff, orders=(1,), attempts=(1,), fault_id="f3"))
        steps.append(Arm("f3"))
    captured = build_end(mortal.resolved_when)
    recovered_s = frame.lab_s(mortal.within_s)
    steps += [
        Decide(handoff, 1, decision.name),
        Await(frame.resolved(1), within_s=frame.patience_s + frame.refused_s + occasion.paused_s),
        Await(Resolved(captured, (OTHER,)), within_s=recovered_s),
        Watch(frame.horizon_s, "a second record"),
    ]
    case = partial(
        check_case, handoff=handoff, order=1, role=queue.role, sla_s=frame.find_sla_s(queue), horizon_s=frame.patience_s
    )
    return frame.build(
        "interrupted",
        faults=faults,
        totals=occasion.list_totals(),
        steps=steps,
        checks=[
            Check("case", case),
            Check("decided", partial(check_decided, handoff=handoff, order=1, decision=decision.name)),
            Check("resolved_once", partial(check_resolved_once, end=frame.end, orders=(1,))),
            Check("no_dead_letter", partial(check_no_dead_letter, handoff=handoff, orders=(1,))),
        ],
        needs=["dead_letters", "queues"],
    )
