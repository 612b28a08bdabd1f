"""Variants whose policies hold another number or another name, in otherwise unchanged code."""

from dataclasses import replace
from random import triangular
from typing import Any

from tenacity import RetryCallState
from tenacity.wait import wait_exponential, wait_none

from reference.outcomes import Kind
from reference.parts import Parts
from reference.policies import ECOMMERCE_OPS, INTEGRATION_ONCALL, ORDER_TO_ERP, RECONCILE_ORDERS
from reference.policy import BreakerPolicy, Escalation, HandoffPolicy, RetryPath

A_YEAR_S = 365 * 86_400.0
FURTHER = range(4, 12)


def five_attempts() -> Parts:
    """Send rate limited orders once more than declared."""
    return Parts(order_to_erp=_with_path(Kind.RATE_LIMITED, attempts=5))


def three_attempts() -> Parts:
    """Give rate limited orders up one attempt early."""
    return Parts(order_to_erp=_with_path(Kind.RATE_LIMITED, attempts=3))


def no_wait_after_renewal() -> Parts:
    """Send again the moment the session is refused."""
    path = replace(_find_path(Kind.SESSION_EXPIRED), wait=wait_none())
    return Parts(order_to_erp=_replace_path(Kind.SESSION_EXPIRED, path))


def no_jitter() -> Parts:
    """Wait the full backoff each time, so that all who failed together come again together."""
    path = replace(_find_path(Kind.RATE_LIMITED), wait=wait_exponential(multiplier=4, max=100))
    return Parts(order_to_erp=_replace_path(Kind.RATE_LIMITED, path))


def other_jitter() -> Parts:
    """Draw the whole of each wait anew from all that is allowed, the middle of it more often than its ends."""
    path = replace(_find_path(Kind.RATE_LIMITED), wait=MiddlingWait(multiplier=4, max=100))
    return Parts(order_to_erp=_replace_path(Kind.RATE_LIMITED, path))


def every_letter_escalated() -> Parts:
    """Raise an alert of its own for every dead letter from the third one on."""
    more = tuple(Escalation(f"dead-letters-{count}", INTEGRATION_ONCALL, after=count) for count in FURTHER)
    return Parts(order_to_erp=replace(ORDER_TO_ERP, escalations=(*ORDER_TO_ERP.escalations, *more)))


def no_escalation() -> Parts:
    """Collect dead letters and tell nobody."""
    kept = tuple(rule for rule in ORDER_TO_ERP.escalations if rule.name != "dead-letters")
    return Parts(order_to_erp=replace(ORDER_TO_ERP, escalations=kept))


def wrong_role() -> Parts:
    """Tell another role than the one declared."""
    moved = tuple(
        replace(rule, role=ECOMMERCE_OPS) if rule.name == "dead-letters" else rule for rule in ORDER_TO_ERP.escalations
    )
    return Parts(order_to_erp=replace(ORDER_TO_ERP, escalations=moved))


def sixth_failure() -> Parts:
    """Open the breaker one failure late."""
    return Parts(order_to_erp=_with_breaker(failures=6))


def fourth_failure() -> Parts:
    """Open the breaker one failure early."""
    return Parts(order_to_erp=_with_breaker(failures=4))


def many_probes() -> Parts:
    """Let four orders through at once when the pause is over."""
    return Parts(order_to_erp=_with_breaker(probes=4))


def half_pause() -> Parts:
    """Probe when half of the pause is over."""
    return Parts(order_to_erp=_with_breaker(pause_s=20.0))


def no_schedule() -> Parts:
    """Have a reconciliation that only runs when an operator starts it."""
    return Parts(reconcile=replace(RECONCILE_ORDERS, every_s=A_YEAR_S))


def one_worker() -> Parts:
    """Send one order at a time."""
    return Parts(order_to_erp=replace(ORDER_TO_ERP, workers=1))


def many_workers() -> Parts:
    """Send up to twelve orders at once."""
    return Parts(order_to_erp=replace(ORDER_TO_ERP, workers=12))


class MiddlingWait(wait_exponential):
    """Full jitter by another draw: a triangle over everything between none and the backoff."""

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the wait in seconds."""
        return triangular(0.0, super().__call__(retry_state))  # noqa: S311 -- a wait, no secret


def _with_path(kind: Kind, *, attempts: int) -> HandoffPolicy:
    return _replace_path(kind, replace(_find_path(kind), attempts=attempts))


def _find_path(kind: Kind) -> RetryPath:
    path = ORDER_TO_ERP.path(kind)
    assert isinstance(path, RetryPath)
    return path


def _replace_path(kind: Kind, path: RetryPath) -> HandoffPolicy:
    return replace(ORDER_TO_ERP, paths={**ORDER_TO_ERP.paths, kind: path})


def _with_breaker(**changes: Any) -> HandoffPolicy:
    breaker = ORDER_TO_ERP.breaker
    assert isinstance(breaker, BreakerPolicy)
    return replace(ORDER_TO_ERP, breaker=replace(breaker, **changes))
