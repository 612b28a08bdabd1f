"""Findings about outcomes: what resolves nothing, what ends nowhere, what only tells somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.findings import build_finding
from harness.core.lint_vendors import find_facts
from harness.core.outcomes import Branch, Reconcile, Recover, Reject, Renew, Resend, Retry
from harness.core.vendors import find_vendor
from harness.core.wording import says_refusal, tells_somebody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.outcomes import Outcome
    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Path, Stack

_GOES_ON = (Retry, Renew, Resend, Reconcile, Recover)
_SENDS = (Retry, Renew, Resend)
# From so many sends on it is not one more try at once.
_MANY = 3
# What the vendor refuses for what the payload or the caller is; 404, 408, 409 and 425 may pass with time.
_REFUSALS = frozenset({400, 401, 402, 403, 405, 406, 410, 411, 413, 414, 415, 422, 501})
# What the vendor's answer says in words of its own, as a code does.
_ANSWERED = frozenset({"file_rejected", "partial_allocation", "permission_denied", "rate_limited", "session_expired"})


def find_in_paths(stack: Stack) -> Iterator[Problem]:
    """Yield outcomes that resolve nothing."""
    for handoff in stack.handoffs:
        for path in handoff.paths:
            yield from _pointless(stack, handoff, path)
            yield from _storming(path)
            yield from _endless(path)
            yield from _dating(path)
            yield from _telling(path)
            yield from _deciding(path)
        yield from _rest(handoff)


def _pointless(stack: Stack, handoff: Handoff, path: Path) -> Iterator[Problem]:
    sending = next((step for step in _steps(path) if isinstance(step, _SENDS)), None)
    undecided = next((step for step in _steps(path) if isinstance(step, _GOES_ON)), None)
    if undecided is not None and (path.kind == "business_rule" or path.on.when is not None):
        what = "a business rule" if path.kind == "business_rule" else "about the order's own value"
        how = "carrying on by itself" if isinstance(undecided, Reconcile | Recover) else "sending the same order again"
        yield build_finding(
            "retry-on-business-rule",
            f"`{path.on.slug}` is {what}: {how} can never resolve it",
            undecided.location,
            "route it to a role with `queue:`, or decide it with `branch:`",
        )
    elif sending is not None and _is_refusal(stack, handoff, path):
        yield build_finding(
            "retry-on-refusal",
            f"`{path.on.slug}` refuses the call for what it is, and sending it again changes nothing about that",
            sending.location,
            "put it aside with `dead_letter:`, decide it with `branch:`, or renew the session first",
        )
    if isinstance(path.outcome, Retry) and path.outcome.attempts == 1:
        yield build_finding(
            "retry-of-one",
            f"`{path.slug}` sends once, so nothing is retried",
            path.outcome.location,
            "raise `attempts` (the first send counts), or drop the retry",
        )


def _is_refusal(stack: Stack, handoff: Handoff, path: Path) -> bool:
    if isinstance(path.outcome, Renew):
        return False
    trigger = path.on
    return (
        trigger.condition in {"permission_denied", "session_expired"}
        or trigger.status in _REFUSALS
        or (trigger.code is not None and _is_final(stack, handoff.target, trigger.code))
    )


def _is_final(stack: Stack, system: str, code: str) -> bool:
    """Tell whether a code says that the same call is refused again: by what is known of the vendor, else by its words."""
    if code in find_facts(stack, system).final_codes:
        return True
    declared = stack.systems.get(system)
    vendor = find_vendor(declared.fake) if declared is not None else None
    return (vendor is None or code not in vendor.codes) and says_refusal(code)


def _storming(path: Path) -> Iterator[Problem]:
    retry = path.retry
    if retry is not None and retry.attempts >= _MANY and retry.budget_s == 0 and not retry.honour_retry_after:
        yield build_finding(
            "retry-without-backoff",
            f"`{path.slug}` sends {retry.attempts} times and never waits in between",
            path.outcome.location,
            "raise `initial`, and let `factor` and `max` do the rest",
        )


def _endless(path: Path) -> Iterator[Problem]:
    if isinstance(path.outcome, _SENDS) and path.then is None:
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


def _dating(path: Path) -> Iterator[Problem]:
    for step in _steps(path):
        if isinstance(step, Reject) and step.older_than_s is not None and path.on.condition != "stale":
            yield build_finding(
                "age-unasked",
                f"`{path.slug}` is refused at whatever age: `older_than` is asked of `stale` alone",
                step.location,
                "move `older_than` to a path `on: stale`, or leave it out",
            )


def _telling(path: Path) -> Iterator[Problem]:
    for step in _steps(path):
        if isinstance(step, Branch) and tells_somebody(step.to):
            yield build_finding(
                "branch-notifies",
                f"`{path.slug}` goes to `{step.to}`: that tells somebody and resolves nothing",
                step.location,
                "say what is done instead, or route it to a role with `queue:` and its `decisions`",
            )


def _deciding(path: Path) -> Iterator[Problem]:
    branch = next((step for step in _steps(path) if isinstance(step, Branch)), None)
    queue = path.queue
    decided_by = (queue and queue.decided_by) or (branch and branch.decided_by) or path.decided_by
    if decided_by == "human" and queue is None:
        yield build_finding(
            "decision-without-role",
            f"`{path.slug}` is decided by a human, and no role is named",
            path.location,
            "route it to a role with `queue:`",
        )
    coded = path.on.code is not None or path.on.condition in _ANSWERED
    if (decided_by == "code" and not coded) or (decided_by == "threshold" and path.on.when is None):
        what = "an error code" if decided_by == "code" else "a value"
        yield build_finding(
            "decision-without-data",
            f"`{path.slug}` is decided by {what}, and `{path.on.slug}` gives none",
            path.location,
            "name the data in `on:`, or say what else decides",
        )


def _steps(path: Path) -> tuple[Outcome, ...]:
    return (path.outcome,) if path.then is None else (path.outcome, path.then)


def _rest(handoff: Handoff) -> Iterator[Problem]:
    if handoff.protocol == "api" and handoff.paths and not any(path.on.condition == "any" for path in handoff.paths):
        yield build_finding(
            "no-path-for-the-rest",
            f"handoff `{handoff.id}` says nothing about failures it does not name",
            handoff.location,
            "add a path `on: any`",
        )
