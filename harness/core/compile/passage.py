"""Passage: how an order comes to a handoff, through the ones before it, and what sets the handoff itself in motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.conditions import AllOf, Resolved
from harness.core.ends import build_end
from harness.core.experiments import Act, Await, Place, Step
from harness.core.stack import INTEGRATION, Handoff, Stack
from harness.core.starts import Start, choose_start
from harness.core.vendors import find_vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.outcomes import ResolvedWhen

# How long an undisturbed order may take through the handoffs before the one under test.
ARRIVED_WITHIN_S = 10.0


def is_driven(stack: Stack, handoff: Handoff) -> bool:
    """Tell whether the harness can drive this handoff: vendors on its ends, named calls, an order to follow."""
    return explain_undriven(stack, handoff) is None


def explain_undriven(stack: Stack, handoff: Handoff) -> str | None:
    """Say why the harness cannot drive a handoff, or None where it can."""
    if handoff.resolved_when is None:
        return "the handoff says no end state (resolved_when)"
    if handoff.protocol not in {"api", "webhook"}:
        return f"handoffs over {handoff.protocol} are not driven"
    if is_unseen(handoff.resolved_when):
        return "it cannot be driven: nobody but the integration shows its end state"
    missing = _miss_in_webhook(stack, handoff) if handoff.protocol == "webhook" else _miss_in_call(handoff)
    return f"it cannot be driven: {missing}" if missing else None


def is_unseen(end: ResolvedWhen) -> bool:
    """Tell whether an end state stands where no journal of a vendor shows it."""
    return end.system == INTEGRATION


def _miss_in_webhook(stack: Stack, handoff: Handoff) -> str:
    source = stack.systems.get(handoff.source)
    if handoff.target != INTEGRATION:
        return f"a webhook to {handoff.target} does not come by the integration"
    if source is None:
        return "the integration would be its own sender"
    if source.is_mapped:
        return f"mappings play {handoff.source}, and they tell nobody anything by themselves"
    vendor = find_vendor(source.fake)
    return "" if vendor is not None and vendor.topics else f"{handoff.source} ({source.fake}) sends no webhooks"


def _miss_in_call(handoff: Handoff) -> str:
    if not handoff.operations:
        return "its operations are not named"
    return "nobody makes calls to the integration itself" if handoff.target == INTEGRATION else ""


def list_before(stack: Stack, handoff: Handoff) -> tuple[str, ...]:
    """List the handoffs that must have passed before this one, directly or not, in the order of the stack."""
    wanted, open_ = set[str](), list(handoff.after)
    by_id = {each.id: each for each in stack.handoffs}
    while open_:
        name = open_.pop()
        if name in by_id and name not in wanted:
            wanted.add(name)
            open_ += by_id[name].after
    return tuple(each.id for each in stack.handoffs if each.id in wanted)


def build_start(stack: Stack, handoff: Handoff, orders: tuple[int, ...]) -> list[Step]:
    """List the steps that set a handoff in motion for these orders, or items."""
    start = choose_start(handoff.resolved_when)
    steps: list[Step] = [Place(orders)]
    if start in {Start.PLACED, Start.ADJUSTED}:
        return steps
    arrived = tuple(dict.fromkeys(_list_arrivals(stack, handoff, orders)))
    if arrived:
        steps.append(Await(AllOf(arrived), within_s=ARRIVED_WITHIN_S))
    return [*steps, *build_cause(stack, start, orders)]


def build_cause(stack: Stack, start: Start, orders: tuple[int, ...]) -> list[Step]:
    """List what vendors do that has orders shipped or refunded."""
    verb, fakes = ("ship", ("wms",)) if start is Start.SHIPPED else ("refund", ("stripe", "shopify"))
    # The shop's own payment provider pays back; what is left to the integration is to tell the ERP.
    actors = [name for fake in fakes for name, system in stack.systems.items() if system.fake == fake]
    return [Act(name, verb, {"order": order}) for order in orders for name in actors]


def list_passed(stack: Stack, handoff: Handoff) -> list[Handoff]:
    """List the handoffs that an order has passed when this one is set in motion."""
    before = set(list_before(stack, handoff))
    led = choose_start(handoff.resolved_when) not in {Start.PLACED, Start.ADJUSTED}
    return [each for each in stack.handoffs if each.id in before or (led and _is_awaited(stack, handoff, each))]


def _list_arrivals(stack: Stack, handoff: Handoff, orders: tuple[int, ...]) -> Iterator[Resolved]:
    """List what must be true of orders before anything can be shipped or refunded: all that placing them sets off."""
    for each in stack.handoffs:
        if _is_awaited(stack, handoff, each):
            yield Resolved(build_end(each.resolved_when), orders)


def _is_awaited(stack: Stack, handoff: Handoff, each: Handoff) -> bool:
    placed = choose_start(each.resolved_when) is Start.PLACED and is_driven(stack, each)
    return placed and (each.id in list_before(stack, handoff) or each.target != handoff.target)
