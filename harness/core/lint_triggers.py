"""Findings about triggers: what cannot happen, what another trigger takes first, what looks like another on the wire."""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

from harness.core.findings import build_finding
from harness.core.stack import INTEGRATION
from harness.core.triggers import AMOUNTS
from harness.core.vendors import VENDORS, find_vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Path, Stack
    from harness.core.triggers import Threshold

_WEBHOOK_ONLY = frozenset(
    {
        "dropped",
        "duplicate",
        "out_of_order",
        "bad_signature",
        "stale",
        "receiver_down",
        "subscription_removed",
    }
)
_CALL_ONLY = frozenset(
    {
        "rate_limited",
        "session_expired",
        "permission_denied",
        "timeout",
        "connection",
        "lost_response",
        "not_persisted",
    }
)
_FILE_ONLY = frozenset({"file_truncated", "file_duplicate", "file_missing", "file_rejected", "ack_missing"})
_NEVER = {
    "api": _WEBHOOK_ONLY | _FILE_ONLY,
    "webhook": _CALL_ONLY | _FILE_ONLY,
    "edi_batch": _WEBHOOK_ONLY - {"duplicate", "out_of_order"},
    "file_transfer": _WEBHOOK_ONLY - {"duplicate", "out_of_order"},
    "manual_export": _WEBHOOK_ONLY | _CALL_ONLY,
}
# What a vendor announces by a status of its own: the condition is the more specific trigger of the two.
_ANNOUNCED = {429: "rate_limited", 401: "session_expired", 403: "permission_denied"}
# Whether the vendor carried the call out is what the caller cannot see.
_ALIKE = frozenset({"lost_response", "timeout", "connection"})
# What an order has of these is never below zero.
_POSITIVE = AMOUNTS | {"quantity"}
# So like a code of the vendor's that it must be a slip.
_NEARLY = 0.85
_MOST = Decimal(10) ** 16


def find_in_triggers(stack: Stack) -> Iterator[Problem]:
    """Yield triggers that never fire, always fire, or cannot be told apart."""
    for handoff in stack.handoffs:
        for path in handoff.paths:
            yield from _never(stack, handoff, path)
            yield from _unknown_code(stack, handoff, path)
            yield from _covered(handoff, path)
            yield from _always(path)
        yield from _alike(handoff)


def _never(stack: Stack, handoff: Handoff, path: Path) -> Iterator[Problem]:
    trigger = path.on
    inbound = handoff.protocol == "webhook" and handoff.target == INTEGRATION
    wrong_way = inbound and (trigger.status is not None or trigger.code is not None)
    if trigger.condition in _NEVER[handoff.protocol] or wrong_way:
        yield build_finding(
            "trigger-never-fires",
            f"`{trigger.slug}` cannot happen on a handoff by {handoff.protocol}",
            trigger.location,
            "remove the path, or move it to the handoff where it happens",
        )
    elif trigger.condition == "partial_allocation" and _cannot_allocate(stack, handoff):
        yield build_finding(
            "trigger-never-fires",
            f"`{trigger.slug}` cannot happen at {handoff.target}: only a warehouse allocates",
            trigger.location,
            "remove the path, or move it to the handoff to the warehouse",
        )
    elif trigger.when is not None and trigger.when.field in _POSITIVE and not any(_hits(trigger.when)):
        yield build_finding(
            "trigger-never-fires",
            f"`{trigger.slug}` cannot happen: no order has less than nothing",
            trigger.location,
            "compare with a value that orders have",
        )
    if trigger.status is not None and trigger.status < 400:
        yield build_finding(
            "trigger-no-failure",
            f"`{trigger.status}` is no failure, so nothing is to be resolved",
            trigger.location,
            "name the status, code or condition of the failure",
        )


def _unknown_code(stack: Stack, handoff: Handoff, path: Path) -> Iterator[Problem]:
    """Yield a code that is another vendor's, or nearly one of this vendor's; an account may have codes of its own."""
    target, code = stack.systems.get(handoff.target), path.on.code
    fake = target.fake if target is not None else None
    vendor = find_vendor(fake)
    if vendor is None or code is None or code in vendor.codes:
        return
    near = next(iter(get_close_matches(code.casefold(), [each.casefold() for each in vendor.codes], 1, _NEARLY)), "")
    meant = next((each for each in vendor.codes if each.casefold() == near), "")
    others = [name for name, other in VENDORS.items() if code in other.codes]
    if meant or others:
        yield build_finding(
            "code-unknown",
            f"{handoff.target} ({fake}) has no code `{code}`"
            + (f": it has `{meant}`" if meant else f": that is one of {others[0]}'s"),
            path.on.location,
            f"write `{meant}`" if meant else "name the code this vendor answers with",
        )


def _cannot_allocate(stack: Stack, handoff: Handoff) -> bool:
    target = stack.systems.get(handoff.target)
    return target is not None and target.fake not in {None, "wms"}


def _covered(handoff: Handoff, path: Path) -> Iterator[Problem]:
    status = path.on.status or 0
    condition = _ANNOUNCED.get(status)
    if condition is not None and condition in {other.on.condition for other in handoff.paths}:
        yield build_finding(
            "trigger-covered",
            f"`{status}` is never reached: `{condition}` is more specific and takes every {status}",
            path.on.location,
            "merge the two paths",
        )


def _always(path: Path) -> Iterator[Problem]:
    when = path.on.when
    if when is not None and when.field in _POSITIVE and all(_hits(when)):
        yield build_finding(
            "trigger-always-fires",
            f"`{path.on.slug}` is true of every order: the paths of statuses and conditions beside it are never taken",
            path.on.location,
            "compare with the value from which another role has to decide",
        )


def _hits(when: Threshold) -> list[bool]:
    """Tell of nothing at all, of both sides of the limit and of more than any order has whether each would be hit."""
    step = Decimal("0.000001")
    values = {Decimal(0), step, _MOST} | {when.value + delta for delta in (-step, Decimal(0), step)}
    return [when.holds(value) for value in sorted(values) if value > 0 or (value == 0 and when.operator != ">")]


def _alike(handoff: Handoff) -> Iterator[Problem]:
    first: Path | None = None
    for path in handoff.paths:
        if path.on.condition not in _ALIKE:
            continue
        if first is None:
            first = path
        elif (path.outcome, path.then) != (first.outcome, first.then):
            yield build_finding(
                "triggers-overlap",
                f"`{path.on.slug}` and `{first.on.slug}` (line {first.on.location.line}) look the same to the integration, "
                "and lead to different outcomes",
                path.on.location,
                "give both the same outcome, one that does no harm where the vendor carried the call out",
            )
