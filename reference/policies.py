"""
What this integration does about failures: the numbers, in production time.

These are the integration's own decisions. The stack description beside this package says the same in its own words, written by
hand; nothing reads the one from the other.
"""

from decimal import Decimal

from tenacity.wait import wait_exponential, wait_fixed, wait_none, wait_random_exponential

from reference import handoffs
from reference.outcomes import Kind
from reference.policy import (
    BreakerPolicy,
    CapturePolicy,
    Escalation,
    HandoffPolicy,
    QueuePath,
    ReconcilePolicy,
    RetryPath,
    Threshold,
    Way,
)

INTEGRATION_ONCALL = "integration-oncall"
ECOMMERCE_OPS = "ecommerce-ops"
PAYMENTS_OPS = "payments-ops"
WAREHOUSE_OPS = "warehouse-ops"
FINANCE_OPS = "finance-ops"
FRAUD_REVIEW = "fraud-review"
COMPLIANCE = "compliance"
CUSTOMER_SERVICE = "customer-service"

MALFORMED_PAYLOAD = "MALFORMED_PAYLOAD"
MALFORMED_RESPONSE = "MALFORMED_RESPONSE"
INSUFFICIENT_PERMISSION = "INSUFFICIENT_PERMISSION"
SERVICE_UNAVAILABLE = "service_unavailable_for_parcel"

_ANY = RetryPath(attempts=3, wait=wait_exponential(multiplier=4))
_RENEWED = RetryPath(attempts=2, wait=wait_fixed(2))
_AT_ONCE = RetryPath(attempts=1, wait=wait_none())
_WEB_PATHS = {
    Kind.RATE_LIMITED: RetryPath(attempts=4, wait=wait_exponential(multiplier=2), honour_retry_after=True),
    Kind.OTHER: _ANY,
}
_ERP_PATHS = {Kind.SESSION_EXPIRED: _RENEWED, Kind.OTHER: _ANY}
_APPROVAL = {"approve": Way.CONTINUE, "reject": Way.CANCEL_AND_REFUND}
_SECOND_TRY = {"retry": Way.CONTINUE, "cancel": Way.CANCEL_AND_REFUND}
_READDRESS = {"corrected": Way.CONTINUE, "pickup": Way.PICKUP_POINT}


def _after_three(role: str) -> tuple[Escalation, ...]:
    return (Escalation("dead-letters", role, after=3),)


def _breaker(role: str) -> BreakerPolicy:
    return BreakerPolicy(failures=5, pause_s=40.0, probes=1, role=role)


ORDER_CAPTURE = CapturePolicy(
    handoff=handoffs.ORDER_CAPTURE,
    escalations=(Escalation("malformed", ECOMMERCE_OPS, after=1, codes=frozenset({MALFORMED_PAYLOAD}), each=True),),
)

WMS_SHIPMENT = CapturePolicy(
    handoff=handoffs.WMS_SHIPMENT,
    escalations=(Escalation("malformed", WAREHOUSE_OPS, after=1, codes=frozenset({MALFORMED_PAYLOAD}), each=True),),
)

ORDER_TO_ERP = HandoffPolicy(
    handoff=handoffs.ORDER_TO_ERP,
    workers=4,
    timeout_s=20.0,
    paths={
        Kind.RATE_LIMITED: RetryPath(attempts=4, wait=wait_random_exponential(multiplier=4, max=100)),
        Kind.SESSION_EXPIRED: _RENEWED,
        # No waiting gives a permission back: a person looks first.
        Kind.PERMISSION_DENIED: _AT_ONCE,
        # The same bytes would be answered with the same nonsense, or were carried out already: a person looks first.
        Kind.MALFORMED: _AT_ONCE,
        Kind.NOT_PERSISTED: _ANY,
        Kind.RESTRICTED: QueuePath(COMPLIANCE, sla_s=14_400.0, decisions=_APPROVAL),
        Kind.OTHER: _ANY,
    },
    breaker=_breaker(INTEGRATION_ONCALL),
    escalations=(
        *_after_three(INTEGRATION_ONCALL),
        Escalation("malformed", INTEGRATION_ONCALL, after=1, codes=frozenset({MALFORMED_RESPONSE}), each=True),
        Escalation("permission", INTEGRATION_ONCALL, after=1, codes=frozenset({INSUFFICIENT_PERMISSION}), each=True),
    ),
)

PAYMENT_CAPTURE = HandoffPolicy(
    handoff=handoffs.PAYMENT_CAPTURE,
    workers=4,
    timeout_s=20.0,
    paths={
        Kind.RATE_LIMITED: RetryPath(attempts=4, wait=wait_random_exponential(multiplier=4, max=60)),
        Kind.DECLINED: QueuePath(FRAUD_REVIEW, sla_s=3_600.0, decisions=_SECOND_TRY),
        Kind.OTHER: _ANY,
    },
    breaker=_breaker(PAYMENTS_OPS),
    escalations=_after_three(PAYMENTS_OPS),
    threshold=Threshold(Decimal("500.00"), "EUR", QueuePath(FRAUD_REVIEW, sla_s=3_600.0, decisions=_APPROVAL)),
)

PAYMENT_WRITEBACK = HandoffPolicy(
    handoff=handoffs.PAYMENT_WRITEBACK,
    workers=4,
    timeout_s=20.0,
    paths=_WEB_PATHS,
    escalations=_after_three(ECOMMERCE_OPS),
)

ERP_TO_WMS = HandoffPolicy(
    handoff=handoffs.ERP_TO_WMS,
    workers=4,
    timeout_s=20.0,
    paths={Kind.OTHER: _ANY},
    breaker=_breaker(WAREHOUSE_OPS),
    escalations=_after_three(WAREHOUSE_OPS),
)

SHIPMENT_TO_ERP = HandoffPolicy(
    handoff=handoffs.SHIPMENT_TO_ERP,
    workers=4,
    timeout_s=20.0,
    paths=_ERP_PATHS,
    escalations=_after_three(INTEGRATION_ONCALL),
)

FULFILMENT_WRITEBACK = HandoffPolicy(
    handoff=handoffs.FULFILMENT_WRITEBACK,
    workers=4,
    timeout_s=20.0,
    paths=_WEB_PATHS,
    breaker=_breaker(ECOMMERCE_OPS),
    escalations=_after_three(ECOMMERCE_OPS),
)

SHIPMENT_TO_CARRIER = HandoffPolicy(
    handoff=handoffs.SHIPMENT_TO_CARRIER,
    workers=4,
    timeout_s=20.0,
    paths={
        **_WEB_PATHS,
        # Where a parcel can go instead is for the customer to say, not for another attempt.
        Kind.UNDELIVERABLE: QueuePath(CUSTOMER_SERVICE, sla_s=14_400.0, decisions=_READDRESS),
        # No waiting makes a parcel fit a service: a person packs it anew or takes another carrier.
        Kind.NOT_CARRIED: _AT_ONCE,
    },
    breaker=_breaker(WAREHOUSE_OPS),
    escalations=(
        *_after_three(WAREHOUSE_OPS),
        Escalation("not-carried", WAREHOUSE_OPS, after=1, codes=frozenset({SERVICE_UNAVAILABLE}), each=True),
    ),
)

INVENTORY_SYNC = HandoffPolicy(
    handoff=handoffs.INVENTORY_SYNC,
    workers=2,
    timeout_s=20.0,
    paths=_WEB_PATHS,
    escalations=_after_three(ECOMMERCE_OPS),
)

REFUND_TO_ERP = HandoffPolicy(
    handoff=handoffs.REFUND_TO_ERP,
    workers=2,
    timeout_s=20.0,
    paths=_ERP_PATHS,
    escalations=_after_three(FINANCE_OPS),
)

ORDER_TO_CRM = HandoffPolicy(
    handoff=handoffs.ORDER_TO_CRM,
    workers=2,
    timeout_s=20.0,
    paths=_WEB_PATHS,
    escalations=_after_three(ECOMMERCE_OPS),
)

CANCEL_AND_REFUND = HandoffPolicy(
    handoff=handoffs.CANCEL_AND_REFUND,
    workers=2,
    timeout_s=20.0,
    paths={**_ERP_PATHS, **_WEB_PATHS},
    escalations=(Escalation("dead-letters", INTEGRATION_ONCALL, after=1, each=True),),
)

RECONCILE_ORDERS = ReconcilePolicy(
    name="reconcile-orders",
    handoff=handoffs.ORDER_CAPTURE,
    every_s=60.0,
    expected_s=30.0,
    hold_s=60.0,
    timeout_s=20.0,
)

RECONCILE_SHIPMENTS = ReconcilePolicy(
    name="reconcile-shipments",
    handoff=handoffs.WMS_SHIPMENT,
    every_s=60.0,
    expected_s=30.0,
    hold_s=60.0,
    timeout_s=20.0,
)

SYNC_INVENTORY = ReconcilePolicy(
    name="sync-inventory",
    handoff=handoffs.INVENTORY_SYNC,
    every_s=20.0,
    expected_s=20.0,
    hold_s=0.0,
    timeout_s=20.0,
)

ALERT_WAIT = wait_random_exponential(multiplier=2, max=60)
"""Between two tries to deliver one alert or ticket; it is tried until the ops desk has it."""
ALERT_TIMEOUT_S = 20.0
