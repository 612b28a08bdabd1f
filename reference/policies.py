"""
What this integration does about failures: the numbers, in production time.

These are the integration's own decisions. The stack description beside this package says the same in its own words, written by
hand; nothing reads the one from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tenacity.wait import wait_base, wait_exponential, wait_fixed, wait_none, wait_random_exponential

from reference.outcomes import Kind

INTEGRATION_ONCALL = "integration-oncall"
ECOMMERCE_OPS = "ecommerce-ops"

MALFORMED_PAYLOAD = "MALFORMED_PAYLOAD"
MALFORMED_RESPONSE = "MALFORMED_RESPONSE"


@dataclass(frozen=True, slots=True)
class RetryPath:
    """How often one failing order is sent in all, and the wait after each failure; then it becomes a dead letter."""

    attempts: int
    wait: wait_base


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """
    When a handoff is paused: after `failures` in a row on the wire, for `pause_s`, until one of `probes` succeeds.

    `role` is alerted when it opens.
    """

    failures: int
    pause_s: float
    probes: int
    role: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """
    When dead letters are brought to a role: once the handoff holds `after` unresolved ones, once until it holds none.

    `codes` narrows it to dead letters with these codes. With `each`, every further dead letter triggers the same alert
    again, so that the role sees it, under the same deduplication key.
    """

    name: str
    role: str
    after: int
    codes: frozenset[str] = frozenset()
    each: bool = False


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """How the inbound handoff treats what it cannot use."""

    handoff: str
    escalations: tuple[Escalation, ...]


@dataclass(frozen=True, slots=True)
class HandoffPolicy:
    """How an outbound handoff sends: by how many workers, with which patience, and what it does about each kind of failure."""

    handoff: str
    workers: int
    timeout_s: float
    paths: Mapping[Kind, RetryPath]
    breaker: BreakerPolicy
    escalations: tuple[Escalation, ...]


@dataclass(frozen=True, slots=True)
class ReconcilePolicy:
    """
    How missing orders are looked for.

    `overlap_s` and `lookback_s` are subtracted from time stamps of the storefront's data, so they are never scaled.
    """

    name: str
    every_s: float
    expected_s: float
    hold_s: float
    timeout_s: float
    page_size: int = 250
    overlap_s: float = 120.0
    lookback_s: float = 86_400.0
    throttled_tries: int = 5


ORDER_CAPTURE = CapturePolicy(
    handoff="order-capture",
    escalations=(Escalation("malformed", ECOMMERCE_OPS, after=1, codes=frozenset({MALFORMED_PAYLOAD}), each=True),),
)

ORDER_TO_ERP = HandoffPolicy(
    handoff="order-to-erp",
    workers=4,
    timeout_s=20.0,
    paths={
        Kind.RATE_LIMITED: RetryPath(attempts=4, wait=wait_random_exponential(multiplier=4, max=100)),
        Kind.SESSION_EXPIRED: RetryPath(attempts=2, wait=wait_fixed(2)),
        # The same bytes would be answered with the same nonsense, or were carried out already: a person looks first.
        Kind.MALFORMED: RetryPath(attempts=1, wait=wait_none()),
        Kind.OTHER: RetryPath(attempts=3, wait=wait_exponential(multiplier=4)),
    },
    breaker=BreakerPolicy(failures=5, pause_s=40.0, probes=1, role=INTEGRATION_ONCALL),
    escalations=(
        Escalation("dead-letters", INTEGRATION_ONCALL, after=3),
        Escalation("malformed", INTEGRATION_ONCALL, after=1, codes=frozenset({MALFORMED_RESPONSE}), each=True),
    ),
)

RECONCILE_ORDERS = ReconcilePolicy(name="reconcile-orders", every_s=60.0, expected_s=30.0, hold_s=60.0, timeout_s=20.0)

ALERT_WAIT = wait_random_exponential(multiplier=2, max=60)
"""Between two tries to deliver one alert; it is tried until the ops desk has it."""
ALERT_TIMEOUT_S = 20.0
