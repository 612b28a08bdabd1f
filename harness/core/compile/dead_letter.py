"""Dead letters: put aside at the first failure, escalated at the Nth and not before, replayed once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, total_s
from harness.core.checks.dead_letter import (
    check_dead_letter,
    check_escalation,
    check_replay,
    check_replayed_once,
)
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts
from harness.core.compile.failures import (
    Failure,
    choose_failure,
    choose_refusal,
    find_failure,
    list_further,
    list_unasked,
)
from harness.core.compile.frame import HORIZON, Frame
from harness.core.compile.retry import bound_s
from harness.core.conditions import Alerted, AnyOf, Attempted, DeadLettered
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Lift, Replay, Step, Watch
from harness.core.outcomes import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.stack import Path


def compile_at_once(frame: Frame, path: Path, rule: DeadLetter) -> Iterator[Experiment | Gap]:
    """Compile a path that puts an order aside at the first failure."""
    failure = find_failure(frame, path.on)
    if failure is not None:
        yield build_first(frame, rule, failure, shape="first")
    for shape, each in list_further(frame, path):
        yield build_first(frame, rule, each, shape=shape)
    yield from list_unasked(frame, path)
    yield from compile_own_escalation(frame, path)


def compile_own_escalation(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """
    Compile when the dead letters of a path are escalated that says so itself: at N of them, and not again at one more.

    Where that is the first, another experiment of the path shows it, and only the second is left to ask for.
    """
    rule = path.dead_letter
    after = rule.escalate_after if rule is not None and rule != frame.handoff.dead_letter else None
    # What a breaker does not count leads to as many dead letters as there are to be.
    refusal = choose_refusal(frame.handoff) if path.on.condition == "any" else None
    failure = refusal or find_failure(frame, path.on)
    if rule is None or rule.to is None or after is None or failure is None:
        return
    attempts = path.retry.attempts if path.retry is not None else 1
    breaker = frame.handoff.breaker
    if breaker is not None and failure.counts_for_breaker and attempts * (after + 1) >= breaker.failures:
        yield Gap(f"{after} dead letters of its own", "the failures that lead to them open the breaker before")
        return
    waiting_s = total_s(path.retry, scale=frame.scale) if path.retry is not None else 0.0
    filling = failure, waiting_s, attempts
    leads = isinstance(path.outcome, DeadLetter)
    if after > 1 and not (leads and after == 2):
        yield _build_escalation(frame, filling, rule, shape="below", waiting=after - 1)
    if after > 1 or not leads:
        yield _build_escalation(frame, filling, rule, shape="at", waiting=after)
    yield _build_escalation(frame, filling, rule, shape="beyond", waiting=after + 1)


def build_first(frame: Frame, rule: DeadLetter, failure: Failure, *, shape: str) -> Experiment:
    """Build an experiment in which the first attempt fails, and the order is put aside at once."""
    fault = failure.build(frame.handoff, orders=(1,))
    within_s = bound_s(frame, failure, frame.patience_s)
    attempts = partial(check_attempts, sent=frame.sent(), expected=1, declared="one attempt, then dead letter")
    checks = [Check("attempts", attempts), _put_aside(frame, within_s)]
    if rule.escalate_after is not None and rule.to is not None:
        checks.append(_escalated(frame, rule, waiting=1))
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(DeadLettered(frame.handoff.id, (1,)), within_s=within_s, needs="dead_letters"),
            *_await_alert(frame, rule, waiting=1),
            Watch(frame.horizon_s, "a further attempt", until=Attempted(frame.handoff.operations, 2, 1)),
        ],
        checks=checks,
        needs=["dead_letters"],
    )


def compile_escalation(frame: Frame, rule: DeadLetter) -> Iterator[Experiment]:
    """Compile the handoff's own dead letters: N-1, N and N+1 of them, and a replay; nothing when none can be filled."""
    filling = choose_filling(frame.handoff.paths, frame)
    if filling is None:
        return
    if rule.escalate_after is not None and rule.to is not None:
        if rule.escalate_after > 1:
            yield _build_escalation(frame, filling, rule, shape="below", waiting=rule.escalate_after - 1)
        yield _build_escalation(frame, filling, rule, shape="at", waiting=rule.escalate_after)
        yield _build_escalation(frame, filling, rule, shape="beyond", waiting=rule.escalate_after + 1)
    yield _build_replay(frame, filling)


def choose_filling(paths: tuple[Path, ...], frame: Frame) -> tuple[Failure, float, int] | None:
    """
    Choose the failure that fills the handoff's dead letters soonest without opening its breaker.

    Returns the failure, the declared waiting until an order is put aside in lab seconds, and its attempts.
    """
    candidates: list[tuple[float, int, Failure]] = []
    for path in paths:
        ends_there = isinstance(path.then or path.outcome, DeadLetter)
        unlisted = path.on.condition == "any"
        failure = choose_refusal(frame.handoff) if unlisted else choose_failure(frame.handoff, path.on)
        if not ends_there or path.dead_letter != frame.handoff.dead_letter or failure is None:
            continue
        if not failure.counts_for_breaker or frame.handoff.breaker is None:
            waiting_s = total_s(path.retry, scale=frame.scale) if path.retry is not None else 0.0
            candidates.append((waiting_s, path.retry.attempts if path.retry is not None else 1, failure))
    if not candidates:
        return None
    waiting_s, attempts, failure = min(candidates, key=lambda candidate: candidate[:2])
    return failure, waiting_s, attempts


def _build_escalation(
    frame: Frame, filling: tuple[Failure, float, int], rule: DeadLetter, *, shape: str, waiting: int
) -> Experiment:
    failure, waiting_s, attempts = filling
    after = rule.escalate_after or 1
    orders = tuple(range(1, waiting + 1))
    fault = failure.build(frame.handoff, orders=orders, expected=attempts * waiting)
    first, rest = orders[:after], orders[after:]
    steps: list[Step] = [Arm(fault.id), *_fill(frame, first, waiting_s, attempts)]
    steps += _await_alert(frame, rule, waiting=waiting)
    if rest:
        steps += _fill(frame, rest, waiting_s, attempts)
    steps.append(Watch(frame.horizon_s, "a further alert", until=Alerted(frame.handoff.id, 2)))
    return frame.build(
        shape,
        faults=[fault],
        steps=steps,
        checks=[_escalated(frame, rule, waiting=waiting)],
        needs=["dead_letters"],
    )


def _build_replay(frame: Frame, filling: tuple[Failure, float, int]) -> Experiment:
    failure, waiting_s, attempts = filling
    handoff = frame.handoff.id
    fault = failure.build(frame.handoff, orders=(1,), expected=attempts)
    # Without sight of the dead letters none can be replayed, and that the order is missing is nobody's fault.
    shown = frame.stack.integration.observe.dead_letters is not None
    resolved = [Check("resolved_once", partial(check_resolved_once, end=frame.end, orders=(1,)))][:shown]
    return frame.build(
        "replay",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *_fill(frame, (1,), waiting_s, attempts),
            Lift(fault.id),
            Replay(handoff, 1),
            Await(frame.resolved(1), within_s=frame.patience_s),
            Watch(frame.horizon_s, "a second send", until=Attempted(frame.handoff.operations, attempts + 2, 1)),
        ],
        checks=[
            Check("replay", partial(check_replay, handoff=handoff, order=1)),
            Check("replayed_once", partial(check_replayed_once, sent=frame.sent(), handoff=handoff)),
            *resolved,
        ],
        needs=["dead_letters"],
    )


def _fill(frame: Frame, orders: tuple[int, ...], waiting_s: float, attempts: int) -> list[Step]:
    within_s = waiting_s * HORIZON + attempts * HANDLING_S + frame.patience_s
    put_aside = DeadLettered(frame.handoff.id, orders)
    used_up = [Attempted(frame.handoff.operations, attempts, order) for order in orders]
    return [
        *frame.start(*orders),
        *(
            Await(
                AnyOf((put_aside, attempted)), within_s=within_s, declared_s=waiting_s if attempted is used_up[0] else 0
            )
            for attempted in used_up
        ),
        Await(put_aside, within_s=frame.patience_s, needs="dead_letters"),
    ]


def _await_alert(frame: Frame, rule: DeadLetter, *, waiting: int) -> list[Step]:
    due = rule.to is not None and rule.escalate_after is not None and waiting >= rule.escalate_after
    return [Await(Alerted(frame.handoff.id), within_s=frame.patience_s)] if due else []


def _put_aside(frame: Frame, horizon_s: float) -> Check:
    judge = partial(check_dead_letter, sent=frame.sent(), handoff=frame.handoff.id, horizon_s=horizon_s)
    return Check("dead_letter", judge)


def _escalated(frame: Frame, rule: DeadLetter, *, waiting: int) -> Check:
    after = rule.escalate_after or 1
    judge = partial(
        check_escalation,
        handoff=frame.handoff.id,
        role=rule.to or "",
        expected=1 if waiting >= after else 0,
        after=after,
        horizon_s=frame.horizon_s,
        waiting=waiting,
    )
    return Check("escalation", judge)
