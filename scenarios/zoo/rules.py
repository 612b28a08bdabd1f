"""Variants whose policies on the chain hold another number, role or path, in otherwise unchanged code."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference import policies
from reference.outcomes import Kind
from reference.parts import Parts
from reference.policy import Escalation, HandoffPolicy, QueuePath, RetryPath

NEVER = 1_000_000


def restricted_retried() -> Parts:
    """Send a restricted product again instead of asking."""
    return Parts(order_to_erp=_retried(policies.ORDER_TO_ERP, Kind.RESTRICTED))


def restricted_asked_of_others() -> Parts:
    """Ask another role than the one declared about a restricted product."""
    path = policies.ORDER_TO_ERP.path(Kind.RESTRICTED)
    assert isinstance(path, QueuePath)
    return Parts(order_to_erp=_with(policies.ORDER_TO_ERP, Kind.RESTRICTED, replace(path, role=policies.FRAUD_REVIEW)))


def permission_retried() -> Parts:
    """Send again what may not be written."""
    return Parts(order_to_erp=_retried(policies.ORDER_TO_ERP, Kind.PERMISSION_DENIED))


def fifth_capture() -> Parts:
    """Send a rate limited capture once more than declared."""
    return Parts(payment_capture=_changed(policies.PAYMENT_CAPTURE, Kind.RATE_LIMITED, attempts=5))


def declined_retried() -> Parts:
    """Send a declined capture again instead of asking."""
    return Parts(payment_capture=_retried(policies.PAYMENT_CAPTURE, Kind.DECLINED))


def no_threshold() -> Parts:
    """Capture any amount without asking."""
    return Parts(payment_capture=replace(policies.PAYMENT_CAPTURE, threshold=None))


def write_back_impatient() -> Parts:
    """Wait as long as ever before a write-back, whatever the storefront asks for."""
    return Parts(payment_writeback=_impatient(policies.PAYMENT_WRITEBACK))


def fulfilment_impatient() -> Parts:
    """Wait as long as ever before a fulfilment, whatever the storefront asks for."""
    return Parts(fulfilment_writeback=_impatient(policies.FULFILMENT_WRITEBACK))


def undeliverable_retried() -> Parts:
    """Send a parcel to an address again that nobody can deliver to."""
    return Parts(shipment_to_carrier=_retried(policies.SHIPMENT_TO_CARRIER, Kind.UNDELIVERABLE))


def unfit_retried() -> Parts:
    """Send a parcel again that no service takes."""
    return Parts(shipment_to_carrier=_retried(policies.SHIPMENT_TO_CARRIER, Kind.NOT_CARRIED))


def carrier_impatient() -> Parts:
    """Wait as long as ever before a label, whatever the carrier asks for."""
    return Parts(shipment_to_carrier=_impatient(policies.SHIPMENT_TO_CARRIER))


def stock_impatient() -> Parts:
    """Wait as long as ever before a stock level, whatever the storefront asks for."""
    return Parts(inventory_sync=_impatient(policies.INVENTORY_SYNC))


def left_short() -> Parts:
    """Leave an order short that its first location cannot fill."""
    return Parts(second_location=None)


def warehouse_breaker_shut() -> Parts:
    """Have a breaker at the warehouse that never opens."""
    breaker = policies.ERP_TO_WMS.breaker
    assert breaker is not None
    return Parts(erp_to_wms=replace(policies.ERP_TO_WMS, breaker=replace(breaker, failures=NEVER)))


def fourth_fulfilment() -> Parts:
    """Send an item fulfilment once more than declared."""
    return Parts(shipment_to_erp=_changed(policies.SHIPMENT_TO_ERP, Kind.OTHER, attempts=4))


def shipments_told_to_others() -> Parts:
    """Tell the dead letters of shipments to another role."""
    escalations = _told_to(policies.FINANCE_OPS, policies.FULFILMENT_WRITEBACK.escalations)
    return Parts(fulfilment_writeback=replace(policies.FULFILMENT_WRITEBACK, escalations=escalations))


def stock_untold() -> Parts:
    """Collect dead letters of stock levels and tell nobody."""
    return Parts(inventory_sync=replace(policies.INVENTORY_SYNC, escalations=()))


def refunds_told_late() -> Parts:
    """Tell of dead letters of refunds once there are four."""
    late = tuple(replace(rule, after=rule.after + 1) for rule in policies.REFUND_TO_ERP.escalations)
    return Parts(refund_to_erp=replace(policies.REFUND_TO_ERP, escalations=late))


def _told_to(role: str, escalations: Iterable[Escalation]) -> tuple[Escalation, ...]:
    return tuple(replace(rule, role=role) for rule in escalations)


def _impatient(policy: HandoffPolicy) -> HandoffPolicy:
    return _changed(policy, Kind.RATE_LIMITED, honour_retry_after=False)


def _retried(policy: HandoffPolicy, kind: Kind) -> HandoffPolicy:
    return _with(policy, kind, policy.path(Kind.OTHER))


def _changed(policy: HandoffPolicy, kind: Kind, **changes: Any) -> HandoffPolicy:
    path = policy.path(kind)
    assert isinstance(path, RetryPath)
    return _with(policy, kind, replace(path, **changes))


def _with(policy: HandoffPolicy, kind: Kind, path: RetryPath | QueuePath) -> HandoffPolicy:
    return replace(policy, paths={**policy.paths, kind: path})
