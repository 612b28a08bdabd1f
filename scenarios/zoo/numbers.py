"""Variants whose policies hold another number or another name, in otherwise unchanged code."""

from dataclasses import replace
from typing import Any

from tenacity.wait import wait_none

from reference.outcomes import Kind
from reference.parts import Parts
from reference.policies import ECOMMERCE_OPS, ORDER_TO_ERP, RECONCILE_ORDERS
from reference.policy import BreakerPolicy, HandoffPolicy, RetryPath

A_YEAR_S = 365 * 86_400.0


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
