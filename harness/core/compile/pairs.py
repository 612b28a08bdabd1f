"""
Pairs: what goes wrong at two handoffs about one order, which each of them gets over when it is alone.

One order is led through all handoffs, and every one of them fails it once, in one of the ways it declares. A covering array
chooses the ways, so that each way of each handoff meets each way of every other one in some row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, longest_s
from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.resolution import check_resolved_once
from harness.core.compile.covering import cover_pairs
from harness.core.compile.failures import ANSWER_LOST, Failure, ask_to_wait, choose_failure
from harness.core.compile.frame import HORIZON, Frame
from harness.core.compile.passage import build_cause, is_driven
from harness.core.compile.webhook_faults import build_crash, build_dropped, build_duplicate, build_refusal
from harness.core.conditions import AllOf, Received, Resolved
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Place, Restart, Step, Watch
from harness.core.faults import Layer
from harness.core.outcomes import Deduplicate, Reconcile, Recover, Renew
from harness.core.starts import Start, choose_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.core.faults import Fault
    from harness.core.stack import Handoff, Path, Stack

# How many ways to fail of one handoff are paired: the number of rows grows with the square of it.
MOST_WAYS = 3
ORDER = 1
JOURNEY = (Start.PLACED, Start.SHIPPED, Start.REFUNDED)
ROW_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a handoff fails an order once; `waiting_s` is how long that may hold it up, in lab seconds."""

    name: str
    fault: Fault
    waiting_s: float


@dataclass(frozen=True, slots=True)
class Leg:
    """A handoff on the way of an order, and the ways in which it fails it."""

    handoff: Handoff
    ways: tuple[Way, ...]
    left_out: tuple[str, ...] = ()

    @property
    def start(self) -> Start:
        """Return what sets it in motion."""
        return choose_start(self.handoff.resolved_when)


def begins_journey(stack: Stack, handoff: Handoff) -> bool:
    """Tell whether orders begin their way at this handoff, and have another one before them."""
    legs = _list_handoffs(stack)
    return len(legs) > 1 and legs[0].id == handoff.id


def compile_pairs(frame: Frame) -> Iterator[Experiment | Gap]:
    """Compile the rows of a covering array over the handoffs of a stack, for the first of them."""
    legs = [_build_leg(replace(frame, handoff=handoff)) for handoff in _list_handoffs(frame.stack)]
    failing = [leg for leg in legs if leg.ways]
    if len(failing) > 1:
        for number, row in enumerate(cover_pairs([leg.ways for leg in failing]), start=1):
            yield _build_row(frame, legs, dict(zip((leg.handoff.id for leg in failing), row, strict=True)), number)
    yield from _list_gaps(frame.stack, legs)


def _list_handoffs(stack: Stack) -> list[Handoff]:
    return [
        handoff
        for handoff in stack.handoffs
        if is_driven(stack, handoff) and choose_start(handoff.resolved_when).subject == "order"
    ]


def _list_gaps(stack: Stack, legs: Iterable[Leg]) -> Iterator[Gap]:
    for leg in legs:
        if not leg.ways:
            yield Gap(leg.handoff.id, "no path of it gets over a failure without somebody's help")
        elif leg.left_out:
            yield Gap(f"{leg.handoff.id} {', '.join(leg.left_out)}", f"{len(leg.ways)} of its failures are paired")
    for handoff in stack.handoffs:
        if is_driven(stack, handoff) and choose_start(handoff.resolved_when).subject != "order":
            yield Gap(handoff.id, "it moves items, and what is paired is what one order meets")


def _build_leg(frame: Frame) -> Leg:
    webhook = frame.handoff.protocol == "webhook"
    ways = list(_list_deliveries(frame) if webhook else _list_calls(frame))
    return Leg(frame.handoff, tuple(ways[:MOST_WAYS]), tuple(way.name for way in ways[MOST_WAYS:]))


def _list_deliveries(frame: Frame) -> list[Way]:
    """List what may happen to the webhook of an order that the integration makes good by itself; the most telling first."""
    ways: list[Way] = []
    for path in frame.handoff.paths:
        outcome = path.outcome
        within_s = frame.lab_s(outcome.within_s) if isinstance(outcome, Reconcile | Recover) else 0.0
        match path.on.condition, outcome:
            case "crash", Recover() | Reconcile():
                ways.append(Way("crash", build_crash(frame, (ORDER,), nth=1), within_s))
            case "duplicate", Deduplicate():
                ways.append(Way("duplicate", build_duplicate(frame, copies=2, together=False), within_s))
            case "dropped", Reconcile() | Recover():
                ways.append(Way("dropped", build_dropped(frame, (ORDER,)), within_s))
            case "receiver_down", Recover() | Reconcile():
                ways.append(Way("receiver_down", build_refusal(frame, 1), within_s))
    return sorted(ways, key=lambda way: way.name)


def _list_calls(frame: Frame) -> Iterator[Way]:
    """List how a call may fail once: carried out and its answer lost, not carried out, refused by name; the most telling first."""
    handoff = frame.handoff
    taken = [path for path in handoff.paths if path.retry is not None and path.retry.attempts > 1]
    gap_s = max((_first_gap_s(frame, path) for path in taken), default=0.0)
    named = any(path.on.condition == "lost_response" for path in taken)
    if taken and (handoff.effects == "exactly_once" or named):
        yield Way("lost_response", _aim(frame, ANSWER_LOST), gap_s)
    for path in sorted(taken, key=_rank):
        failure = choose_failure(handoff, path.on)
        if failure is not None and not failure.carries_out:
            if path.retry is not None and path.retry.honour_retry_after and failure.kind == "rate_limited":
                failure = ask_to_wait(failure, path.retry.initial_s)
            yield Way(path.on.slug, _aim(frame, failure), _first_gap_s(frame, path))


def _rank(path: Path) -> int:
    """Rank what is declared for all the rest first, then what renews a session, then what is named."""
    return 0 if path.on.condition == "any" else 1 if isinstance(path.outcome, Renew) else 2


def _first_gap_s(frame: Frame, path: Path) -> float:
    return longest_s(replace(path.retry, attempts=2), scale=frame.scale) if path.retry is not None else 0.0


def _aim(frame: Frame, failure: Failure) -> Fault:
    return failure.build(frame.handoff, orders=(ORDER,), attempts=(1,))


def _build_row(frame: Frame, legs: Sequence[Leg], ways: dict[str, Way], number: int) -> Experiment:
    """Lead one order through all handoffs; each fails it in its way of this row, and all the same it arrives once."""
    numbered = {
        name: replace(way, fault=replace(way.fault, id=f"f{at}"))
        for at, (name, way) in enumerate(ways.items(), start=1)
    }
    steps: list[Step] = []
    for start in JOURNEY:
        passing = [leg for leg in legs if leg.start is start]
        if passing:
            steps += _lead(frame, start, passing, [numbered[leg.handoff.id] for leg in passing if leg.ways])
    steps.append(Watch(frame.horizon_s, "a second record"))
    return frame.build(
        f"{number:0{ROW_DIGITS}d}",
        faults=[way.fault for way in numbered.values()],
        steps=steps,
        checks=[check for leg in legs for check in _list_checks(frame, leg)],
        needs=["dead_letters"],
    )


def _lead(frame: Frame, start: Start, legs: Sequence[Leg], ways: Sequence[Way]) -> Iterator[Step]:
    """Arm what these handoffs fail by, set them in motion, and wait until the order is through all of them."""
    yield from (Arm(way.fault.id) for way in ways)
    yield from (Place((ORDER,)),) if start is Start.PLACED else build_cause(frame.stack, start, (ORDER,))
    for way in ways:
        if way.fault.layer is Layer.PROCESS:
            yield Await(Received(way.fault.id), within_s=frame.patience_s)
            yield Restart()
    waiting_s = sum(way.waiting_s for way in ways)
    ends = dict.fromkeys(Resolved(build_end(leg.handoff.resolved_when), (ORDER,)) for leg in legs)
    within_s = waiting_s * HORIZON + len(ways) * HANDLING_S + frame.patience_s
    yield Await(AllOf(tuple(ends)), within_s=within_s, declared_s=waiting_s, decisive=True)


def _list_checks(frame: Frame, leg: Leg) -> Iterator[Check]:
    end = build_end(leg.handoff.resolved_when)
    name = leg.handoff.id
    yield Check(f"resolved_once {name}", partial(check_resolved_once, end=end, orders=(ORDER,)))
    if frame.stack.integration.observe.dead_letters is not None:
        yield Check(f"no_dead_letter {name}", partial(check_no_dead_letter, handoff=name, orders=(ORDER,)))
