"""Findings about what a handoff promises: its end state, the calls it makes, and whether they may be made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.ends import EXISTING
from harness.core.findings import build_finding
from harness.core.lint_vendors import find_facts
from harness.core.stack import INTEGRATION
from harness.core.wording import says_no_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.outcomes import ResolvedWhen
    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Stack

# What stands at a vendor once an order is placed and its payment held, or an item taken in, and in which states.
_BEFORE: dict[tuple[str | None, str], frozenset[str]] = {
    ("shopify", "order"): frozenset(),
    ("shopify", "transaction"): frozenset({"success"}),
    ("shopify", "fulfillment_order"): frozenset({"open"}),
    ("shopify", "item"): frozenset(),
    ("shopify", "inventory_level"): frozenset(),
    ("stripe", "payment_intent"): frozenset(),
    ("stripe", "charge"): frozenset({"succeeded"}),
}
_TROUBLES = frozenset({"error", "exception", "failure", "alert"})


def find_in_ends(stack: Stack) -> Iterator[Problem]:
    """Yield end states that are none, calls nobody can tell, and effects that cannot be had exactly once."""
    for handoff in stack.handoffs:
        if handoff.resolved_when is None:
            yield build_finding(
                "end-state-missing",
                f"handoff `{handoff.id}` does not say which end state means resolved",
                handoff.location,
                "add `resolved_when: {system, record, state}`; that the error went away is no end state",
            )
        for end in _list_ends(handoff):
            yield from _meaningless(end)
            yield from _there_before(stack, end)
        yield from _operations(stack, handoff)
        yield from _repeatable(stack, handoff)


def _list_ends(handoff: Handoff) -> Iterator[ResolvedWhen]:
    if handoff.resolved_when is not None:
        yield handoff.resolved_when
    for path in handoff.paths:
        yield from path.ends


def _meaningless(end: ResolvedWhen) -> Iterator[Problem]:
    if says_no_error(end.state) or end.record.casefold() in _TROUBLES:
        yield build_finding(
            "end-state-no-error",
            f"`{end.record}` as `{end.state}` says that an error is gone, not what is there in its place",
            end.location,
            "name the record that must exist, or the state it must be in",
        )
    elif end.system == INTEGRATION:
        yield build_finding(
            "end-state-unseen",
            f"the end state `{end.record}` stands in the integration itself, where no other system sees it",
            end.location,
            "name the system that receives the work, and its record",
        )


def _there_before(stack: Stack, end: ResolvedWhen) -> Iterator[Problem]:
    system = stack.systems.get(end.system)
    before = _BEFORE.get((system.fake, end.record)) if system is not None else None
    if before is not None and end.state in EXISTING | before:
        yield build_finding(
            "end-state-before",
            f"a `{end.record}` of {end.system} is `{end.state}` from the moment the order is placed, whatever the handoff does",
            end.location,
            "name the record the handoff makes, or the state it brings this one into",
        )


def _operations(stack: Stack, handoff: Handoff) -> Iterator[Problem]:
    if handoff.protocol == "api" and not handoff.operations:
        yield build_finding(
            "operation-missing",
            f"handoff `{handoff.id}` does not say which calls it makes, so no exchange can be told to be its own",
            handoff.location,
            "add `operation:` with names of the fake's catalogue",
        )
    receives = handoff.protocol == "webhook" and handoff.target == INTEGRATION
    if receives and handoff.source not in stack.integration.webhooks:
        yield build_finding(
            "receiver-missing",
            f"handoff `{handoff.id}` takes webhooks of {handoff.source}, and the integration has no receiver for them",
            handoff.location,
            f"add `{handoff.source}:` and the path under `integration.webhooks`",
        )


def _repeatable(stack: Stack, handoff: Handoff) -> Iterator[Problem]:
    if handoff.effects != "exactly_once":
        return
    if handoff.protocol == "manual_export":
        what = "an export by hand carries nothing that tells the second from the first"
    else:
        once_more = find_facts(stack, handoff.target).unrepeatable
        calls = [name for name in handoff.operations if name in once_more]
        if not calls:
            return
        what = (
            f"{handoff.target} carries `{calls[0]}` out again each time it is sent, and takes no key that would stop it"
        )
    yield build_finding(
        "effect-not-repeatable",
        f"handoff `{handoff.id}` promises each effect exactly once, but {what}",
        handoff.operation_location,
        "use a call that takes a key or an id of yours, or declare `effects: at_least_once`",
    )
