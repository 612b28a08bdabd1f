"""
The menu: every fault that a schedule may be made of, by name, as the compiler knows them.

A name is `<handoff>/<what happens>`. What happens need not be declared: no failure of a call may lose or double an order. Left
out is what nobody can notice unless it was promised to be noticed, such as a webhook that never came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core.compile.failures import (
    ANSWER_HANGS,
    ANSWER_LOST,
    HANG,
    NAMED,
    PARTIAL_ALLOCATION,
    RESET,
    UNANSWERED,
    Failure,
    ask_to_wait,
    choose_failure,
    choose_outage,
    choose_unlisted,
)
from harness.core.compile.passage import is_driven
from harness.core.faults import Fault, Layer
from harness.core.outcomes import Branch, DeadLetter, Reconcile, Recover
from harness.core.starts import Start, choose_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.core.stack import Handoff, Path, Stack

MALFORMED_AFTER = Failure("malformed", params={"mutation": "html", "commit": True}, carries_out=True)
# Where a session ends, every handoff to that system notices.
SPREADING = "session_expired"
LATE_S = 0.3


@dataclass(frozen=True, slots=True)
class Offer:
    """
    One fault of the menu, at its handoff, aimed at nothing yet.

    `stays` tells that a correct integration shows it at its own handoff alone.
    """

    name: str
    handoff: Handoff
    fault: Fault
    stays: bool = True

    def build(self, fault_id: str, *, orders: tuple[int, ...], attempts: tuple[int, ...] | None, minimum: int) -> Fault:
        """Aim it at calls of orders."""
        return replace(self.fault, id=fault_id, orders=orders, attempts=attempts, minimum=minimum, expected=minimum)


def build_menu(stack: Stack) -> Mapping[str, Offer]:
    """Build the menu of a stack, in its order; what happens to items, which no ledger counts, is not on it."""
    offers: dict[str, Offer] = {}
    for handoff in stack.handoffs:
        if is_driven(stack, handoff) and choose_start(handoff.resolved_when).subject == "order":
            found = _list_webhook(handoff) if handoff.protocol == "webhook" else _list_api(stack, handoff)
            offers |= {offer.name: offer for offer in found}
    return offers


def list_pools(menu: Mapping[str, Offer]) -> tuple[tuple[str, ...], ...]:
    """
    List which faults are worth drawing together: those of one handoff, and of two that the same thing sets in motion.

    What has to happen between two handoffs before the second is set in motion would be kept from happening by the first.
    """
    own: dict[str, list[str]] = {}
    begins: dict[str, Start] = {}
    for offer in menu.values():
        own.setdefault(offer.handoff.id, []).append(offer.name)
        begins[offer.handoff.id] = choose_start(offer.handoff.resolved_when)
    handoffs = list(own)
    pairs = [
        (one, other)
        for place, one in enumerate(handoffs)
        for other in handoffs[place + 1 :]
        if begins[one] is begins[other]
    ]
    return tuple(tuple(own[name]) for name in handoffs) + tuple((*own[one], *own[other]) for one, other in pairs)


def _list_api(stack: Stack, handoff: Handoff) -> Iterator[Offer]:
    seen: list[Failure] = []
    for slug, failure in (*_list_declared(stack, handoff), *_list_undeclared(stack, handoff)):
        # What is done twice may rightly be there twice where nobody promised otherwise.
        doubles = failure.carries_out and handoff.effects != "exactly_once"
        if failure in seen or doubles:
            continue
        seen.append(failure)
        fault = failure.build(handoff)
        yield Offer(f"{handoff.id}/{slug}", handoff, fault, stays=failure.kind != SPREADING)


def _list_declared(stack: Stack, handoff: Handoff) -> Iterator[tuple[str, Failure]]:
    target = stack.systems.get(handoff.target)
    for path in handoff.paths:
        if path.on.condition == "any":
            continue
        failure = choose_failure(handoff, path.on, commit=isinstance(path.outcome, Branch))
        if path.on.condition == "partial_allocation" and target is not None and target.fake == "wms":
            failure = PARTIAL_ALLOCATION
        if failure is not None:
            yield path.on.slug, _with_wait(path, failure)


def _with_wait(path: Path, failure: Failure) -> Failure:
    """Have the vendor ask for no longer a wait than the policy's own."""
    asks = failure.kind == "rate_limited" and path.retry is not None and path.retry.honour_retry_after
    return ask_to_wait(failure, path.retry.initial_s) if asks and path.retry is not None else failure


def _list_undeclared(stack: Stack, handoff: Handoff) -> Iterator[tuple[str, Failure]]:
    named = {path.on.condition for path in handoff.paths} | {path.on.status for path in handoff.paths}
    outage, unlisted = choose_outage(handoff), choose_unlisted(handoff)
    if outage is not None:
        yield "outage", outage
    if unlisted is not None:
        yield "unlisted_code", unlisted
    if named.isdisjoint({"rate_limited", 429}):
        yield "rate_limited", NAMED["rate_limited"]
    yield from ((name, NAMED[name]) for name in ("session_expired", "permission_denied", "malformed"))
    yield from (("connection", RESET), ("timeout", HANG), ("lost_response", ANSWER_LOST))
    yield from (("answer_hangs", ANSWER_HANGS), ("malformed_after", MALFORMED_AFTER))
    system = stack.systems.get(handoff.target)
    if system is not None and system.is_mapped:
        yield from ((failure.kind, failure) for failure in UNANSWERED)


def _list_webhook(handoff: Handoff) -> Iterator[Offer]:
    """List what happens to the webhooks that begin a handoff, each where the stack says what becomes of it."""
    outcomes = {path.on.condition: path.outcome for path in handoff.paths}
    yield _webhook(handoff, "delayed", Fault("", "webhook_delayed", Layer.WEBHOOK, "", params={"seconds": LATE_S}))
    if "duplicate" in outcomes:
        for slug, same_id in (("duplicate", True), ("duplicate_new_id", False)):
            params: dict[str, Any] = {"copies": 2, "same_id": same_id, "together": True}
            yield _webhook(handoff, slug, Fault("", "webhook_duplicate", Layer.WEBHOOK, "", params=params))
    if isinstance(outcomes.get("dropped"), Reconcile):
        yield _webhook(handoff, "dropped", Fault("", "webhook_dropped", Layer.WEBHOOK, ""))
        if isinstance(outcomes.get("malformed"), DeadLetter):
            cut = Fault("", "webhook_malformed", Layer.WEBHOOK, "", params={"mutation": "truncated"})
            yield _webhook(handoff, "malformed", cut)
    if isinstance(outcomes.get("receiver_down"), Recover):
        yield _webhook(handoff, "receiver_down", Fault("", "receiver_down", Layer.WIRE, "", params={"refuse": True}))


def _webhook(handoff: Handoff, slug: str, fault: Fault) -> Offer:
    topics = (handoff.operations or ("orders/create",))[:1]
    aimed = replace(fault, system=handoff.source, operations=topics)
    return Offer(f"{handoff.id}/{slug}", handoff, aimed, stays=False)
