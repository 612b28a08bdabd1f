"""Findings about resolution paths: triggers that cannot fire, outcomes that cannot resolve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.findings import build_finding
from harness.core.outcomes import Reconcile, Recover, Renew, Resend, Retry
from harness.core.stack import INTEGRATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Path, Stack

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
_GOES_ON = (Retry, Renew, Resend, Reconcile, Recover)


def find_in_paths(stack: Stack) -> Iterator[Problem]:
    """Yield triggers that never fire and outcomes that resolve nothing."""
    for handoff in stack.handoffs:
        for path in handoff.paths:
            yield from _unreachable(handoff, path)
            yield from _pointless(path)
        yield from _rest(handoff)
        yield from _breaker(handoff)


def _unreachable(handoff: Handoff, path: Path) -> Iterator[Problem]:
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
    conditions = {other.on.condition for other in handoff.paths}
    if trigger.status == 429 and "rate_limited" in conditions:
        yield build_finding(
            "trigger-covered",
            "`429` is never reached: `rate_limited` is more specific and takes every 429",
            trigger.location,
            "merge the two paths",
        )
    if trigger.status is not None and trigger.status < 400:
        yield build_finding(
            "trigger-no-failure",
            f"`{trigger.status}` is no failure, so nothing is to be resolved",
            trigger.location,
            "name the status, code or condition of the failure",
        )


def _pointless(path: Path) -> Iterator[Problem]:
    if path.kind == "business_rule" and path.retry is not None:
        yield build_finding(
            "retry-on-business-rule",
            f"`{path.on.slug}` is a business rule: sending the same order again can never resolve it",
            path.outcome.location,
            "route it to a role with `queue:`, or decide it with `branch:`",
            severity="error",
        )
    if isinstance(path.outcome, Retry) and path.outcome.attempts == 1:
        yield build_finding(
            "retry-of-one",
            f"`{path.slug}` sends once, so nothing is retried",
            path.outcome.location,
            "raise `attempts` (the first send counts), or drop the retry",
        )
    if isinstance(path.outcome, Retry | Renew | Resend) and path.then is None:
        yield build_finding(
            "no-end",
            f"`{path.slug}` does not say what happens once every attempt has failed",
            path.outcome.location,
            "add `then: dead_letter`, or another outcome",
        )
    if path.then is not None and not isinstance(path.outcome, _GOES_ON):
        yield build_finding(
            "then-never-reached",
            f"what follows `{path.slug}` is never reached: that outcome is final",
            path.then.location,
            "remove `then`, or make it the outcome",
        )
    if isinstance(path.then, Retry | Renew | Resend):
        yield build_finding(
            "no-end",
            f"`{path.slug}` ends in further attempts and does not say what happens once they have failed",
            path.then.location,
            "end it in `dead_letter`, `queue` or `branch`",
        )


def _rest(handoff: Handoff) -> Iterator[Problem]:
    if handoff.protocol == "api" and handoff.paths and not any(path.on.condition == "any" for path in handoff.paths):
        yield build_finding(
            "no-path-for-the-rest",
            f"handoff `{handoff.id}` says nothing about failures it does not name",
            handoff.location,
            "add a path `on: any`",
        )


def _breaker(handoff: Handoff) -> Iterator[Problem]:
    breaker = handoff.breaker
    if breaker is not None and (handoff.protocol != "api" or handoff.target == INTEGRATION):
        yield build_finding(
            "breaker-never-opens",
            f"the breaker of `{handoff.id}` can never open: the integration makes no calls at a handoff by "
            f"{handoff.protocol} to {handoff.target}",
            breaker.location,
            "move it to the handoff whose calls fail",
        )
