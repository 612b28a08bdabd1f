"""Role queues under repetition: the same trouble told several times of several orders at once, the same decision taken twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.queue import check_case, check_decided, check_resumed_once, check_told
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts
from harness.core.compile.occasion import CONTINUE, bring_about
from harness.core.compile.passage import list_before
from harness.core.compile.webhook_faults import build_duplicate
from harness.core.conditions import AllOf, Delivered, Queued
from harness.core.experiments import Arm, Await, Check, Decide, Experiment, Gap, Lift, Watch
from harness.core.outcomes import Deduplicate
from harness.core.starts import Start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.compile.occasion import Occasion
    from harness.core.outcomes import Decision, Queue
    from harness.core.stack import Handoff

ORDERS, COPIES = (1, 2, 3), 3
BURST = "a burst of the same trouble"


def compile_repeated(frame: Frame, queue: Queue, occasion: Occasion) -> Iterator[Experiment | Gap]:
    """Compile a burst of orders that all need the role, and a decision that reaches the integration twice."""
    if occasion.carried_out:
        yield Gap("a burst, and a decision taken twice", "what is carried out already need not go on after a decision")
        return
    before = list_before(frame.stack, frame.handoff)
    sender = next((each for each in frame.stack.handoffs if each.id in before and _deduplicates(each)), None)
    breaker = frame.handoff.breaker
    if sender is None or frame.begins is not Start.PLACED:
        yield Gap(BURST, "no webhook before it declares that duplicates are known")
    elif breaker is not None and occasion.counts and occasion.calls * len(ORDERS) >= breaker.failures:
        yield Gap(BURST, "the failures that lead there open the breaker before")
    else:
        yield _build_burst(frame, queue, occasion, sender)
    onward = next((decision for decision in queue.decisions if decision.to == CONTINUE), None)
    if onward is None:
        yield Gap("a decision taken twice", "no decision lets the order go on")
    else:
        yield _build_resumed(frame, onward, occasion)


def _deduplicates(handoff: Handoff) -> bool:
    known = (path.outcome for path in handoff.paths if path.on.condition == "duplicate")
    return handoff.protocol == "webhook" and any(isinstance(outcome, Deduplicate) for outcome in known)


def _build_burst(frame: Frame, queue: Queue, occasion: Occasion, sender: Handoff) -> Experiment:
    """Have several orders need the role at once, each told three times: one case and one notice of each."""
    handoff, capture = frame.handoff.id, replace(frame, handoff=sender)
    doubled = replace(build_duplicate(capture, copies=COPIES), id="f2", orders=ORDERS)
    faults = [*occasion.list_faults(frame, ORDERS), doubled]
    within_s = occasion.within_s + frame.patience_s
    topics = capture.topics[:1]
    case = partial(
        check_case, handoff=handoff, role=queue.role, sla_s=frame.find_sla_s(queue), horizon_s=frame.patience_s
    )
    told = partial(check_told, handoff=handoff, role=queue.role, horizon_s=frame.patience_s)
    once = partial(check_attempts, expected=occasion.calls, declared=f"{occasion.said}, then a case")
    return frame.build(
        "burst",
        faults=faults,
        totals=occasion.list_totals(ORDERS),
        steps=[
            *(Arm(fault.id) for fault in faults),
            *frame.start(*ORDERS),
            *(Await(Delivered(order, COPIES, topics=topics), within_s=frame.patience_s) for order in ORDERS),
            Await(
                AllOf(tuple(Queued(handoff, (order,)) for order in ORDERS)),
                within_s=within_s,
                declared_s=occasion.waiting_s,
            ),
            Watch(frame.horizon_s, "a further attempt or case"),
        ],
        checks=[
            *(Check(f"attempts {order}", partial(once, sent=frame.sent(order))) for order in ORDERS),
            *(Check(f"case {order}", partial(case, order=order)) for order in ORDERS),
            *(Check(f"told {order}", partial(told, order=order)) for order in ORDERS),
            Check("no_dead_letter", partial(check_no_dead_letter, handoff=handoff, orders=ORDERS)),
        ],
        needs=["dead_letters", "queues"],
    )


def _build_resumed(frame: Frame, decision: Decision, occasion: Occasion) -> Experiment:
    """Have the role take the same decision twice, as by a second press of the button: the order goes on once."""
    handoff = frame.handoff.id
    return frame.build(
        "resumed-once",
        faults=occasion.list_faults(frame),
        totals=occasion.list_totals(),
        steps=[
            *bring_about(frame, occasion),
            *(Lift(fault.id) for fault in occasion.list_faults(frame)),
            Decide(handoff, 1, decision.name, times=2),
            Await(frame.resolved(1), within_s=frame.patience_s + occasion.paused_s),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[
            Check("decided", partial(check_decided, handoff=handoff, order=1, decision=decision.name)),
            Check("resumed_once", partial(check_resumed_once, sent=frame.sent(), handoff=handoff)),
            Check("resolved_once", partial(check_resolved_once, end=frame.end, orders=(1,))),
        ],
        needs=["dead_letters", "queues"],
    )
