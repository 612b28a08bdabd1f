"""Thresholds: an order whose value is just beyond the limit goes where the path leads, and the one next to it does not."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.dead_letter import check_dead_letter, check_no_dead_letter
from harness.core.checks.queue import check_not_resolved
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts
from harness.core.compile.occasion import Occasion, opened
from harness.core.compile.passage import list_passed
from harness.core.compile.queue import compile_occasion
from harness.core.compile.retry import concluded, posted_checks
from harness.core.conditions import AnyOf, Attempted, DeadLettered
from harness.core.ends import build_end
from harness.core.experiments import Await, Check, Experiment, Gap, Watch
from harness.core.outcomes import Branch, DeadLetter, Queue
from harness.core.triggers import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.stack import Path
    from harness.core.triggers import Threshold

# The currency the storefront sells in.
CURRENCY = "EUR"
CENT = Decimal("0.01")


def compile_threshold(frame: Frame, path: Path, threshold: Threshold) -> Iterator[Experiment | Gap]:
    """Compile a value that is beyond the limit, and the one nearest to it that is not."""
    found = _find_values(frame, threshold)
    if isinstance(found, str):
        yield Gap("both sides of the limit", found)
        return
    beyond, within = found
    match path.outcome:
        case Queue():
            yield from compile_occasion(frame, path.outcome, Occasion(None, calls=0, total=beyond))
        case Branch():
            yield _build_branched(frame, path.outcome, beyond)
        case DeadLetter():
            yield _build_aside(frame, beyond)
        case _:
            yield Gap(
                "both sides of the limit",
                "a value is no failure: sending the same order again changes nothing about it",
            )
            return
    yield _build_within(frame, path, within)


def _find_values(frame: Frame, threshold: Threshold) -> tuple[Decimal, Decimal] | str:
    """Find the value that is just beyond the limit and the one that is just within, or say why there are none."""
    if threshold.field not in AMOUNTS:
        return f"the {threshold.field} of an order is not the harness's to choose"
    if threshold.unit not in {"", CURRENCY}:
        return f"orders are in {CURRENCY}, not in {threshold.unit}"
    if frame.begins.subject != "order":
        return "items have no amount"
    limit = threshold.value.quantize(CENT)
    nearest = [limit + step for step in (Decimal(0), CENT, -CENT)]
    beyond = next((value for value in nearest if value > 0 and threshold.holds(value)), None)
    within = next((value for value in nearest if value > 0 and not threshold.holds(value)), None)
    if beyond is None or within is None:
        return "no order has a value on the other side of it"
    for each in list_passed(frame.stack, frame.handoff):
        limits = (path.on.when for path in each.paths if path.on.when is not None and path.on.when.field in AMOUNTS)
        if any(limit.holds(value) for limit in limits for value in (beyond, within)):
            return f"{each.id} holds up an order of that value before it comes here"
    return beyond, within


def _build_within(frame: Frame, path: Path, within: Decimal) -> Experiment:
    """Have an order of just about the limit pass as any other."""
    once = partial(check_attempts, sent=frame.sent(), expected=1, declared="one attempt, no exception")
    asked = isinstance(path.outcome, Queue)
    through = AnyOf((frame.resolved(1), opened(frame))) if asked else concluded(frame)
    return frame.build(
        "within-limit",
        totals={1: str(within)},
        steps=[
            *frame.start(1),
            Await(through, within_s=frame.patience_s),
            Watch(frame.horizon_s, "a case" if asked else "another way"),
        ],
        checks=[Check("attempts", once), *posted_checks(frame)],
        needs=["dead_letters", *(["queues"] if asked else [])],
    )


def _build_branched(frame: Frame, branch: Branch, beyond: Decimal) -> Experiment:
    """Have an order beyond the limit take the other way, and only that."""
    end = build_end(branch.resolved_when) if branch.resolved_when is not None else frame.end
    elsewhere = (end.system, end.record) != (frame.end.system, frame.end.record)
    unmoved = partial(check_not_resolved, end=frame.end, order=1, horizon_s=frame.horizon_s)
    return frame.build(
        "beyond-limit",
        totals={1: str(beyond)},
        steps=[
            *frame.start(1),
            Await(frame.resolved(1, end=end), within_s=frame.within_s),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[
            Check("resolved_once", partial(check_resolved_once, end=end, orders=(1,))),
            Check("no_dead_letter", partial(check_no_dead_letter, handoff=frame.handoff.id, orders=(1,))),
            *([Check("not_resolved", unmoved)] if elsewhere else []),
        ],
        needs=["dead_letters"],
    )


def _build_aside(frame: Frame, beyond: Decimal) -> Experiment:
    """Have an order beyond the limit put aside unsent."""
    none = partial(check_attempts, sent=frame.sent(), expected=0, declared="no attempt, then dead letter")
    aside = partial(check_dead_letter, sent=frame.sent(), handoff=frame.handoff.id, horizon_s=frame.patience_s)
    return frame.build(
        "beyond-limit",
        totals={1: str(beyond)},
        steps=[
            *frame.start(1),
            Await(DeadLettered(frame.handoff.id, (1,)), within_s=frame.patience_s, needs="dead_letters"),
            Watch(frame.horizon_s, "an attempt", until=Attempted(frame.handoff.operations, 1, 1)),
        ],
        checks=[Check("attempts", none), Check("dead_letter", aside)],
        needs=["dead_letters"],
    )
