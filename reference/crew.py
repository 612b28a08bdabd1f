"""Who sends at which handoff, and which handoffs there are with the systems that are configured."""

from collections.abc import Awaitable, Callable, Mapping

from reference.books import Books
from reference.cancellation import Cancellation
from reference.catalogue import Names
from reference.config import Settings
from reference.contacts import Contacts
from reference.fulfilments import Fulfilments
from reference.labels import Labels
from reference.lane import Send
from reference.parts import Parts
from reference.payments import Payments
from reference.policies import FINANCE_OPS
from reference.policy import HandoffPolicy
from reference.stock import Levels
from reference.vendors import Vendors
from reference.warehouse import Warehouse


def choose_policies(settings: Settings, parts: Parts) -> Mapping[str, HandoffPolicy]:
    """Return the policies of the handoffs that are carried, by name."""
    chosen = [parts.order_to_erp, parts.cancel_and_refund]
    if settings.gateway_url:
        chosen += [parts.payment_capture, parts.payment_writeback]
    if settings.wms_url:
        chosen += [parts.erp_to_wms, parts.shipment_to_erp, parts.fulfilment_writeback, parts.inventory_sync]
        if settings.carrier_url:
            chosen.append(parts.shipment_to_carrier)
    if settings.crm_url:
        chosen.append(parts.order_to_crm)
    # A shop whose books nobody keeps by hand has nobody to tell of credit memos that fail, and gets none.
    if FINANCE_OPS in settings.role_keys:
        chosen.append(parts.refund_to_erp)
    return {policy.handoff: policy for policy in chosen}


def build_sends(
    vendors: Vendors, parts: Parts, names: Names, quiet: Callable[[str], Awaitable[None]]
) -> Mapping[str, Send]:
    """Return the call that sends, for every handoff whether it is carried or not."""

    def book(policy: HandoffPolicy) -> Books:
        return Books(vendors.erp(policy.timeout_s), parts.external_id, parts.already_exists)

    def pay(policy: HandoffPolicy) -> Payments:
        shop = vendors.storefront(policy.timeout_s)
        return Payments(vendors.gateway(policy.timeout_s), shop, parts.idempotency_key)

    return {
        parts.order_to_erp.handoff: book(parts.order_to_erp).post_order,
        parts.shipment_to_erp.handoff: book(parts.shipment_to_erp).post_shipment,
        parts.refund_to_erp.handoff: book(parts.refund_to_erp).post_refund,
        parts.payment_capture.handoff: pay(parts.payment_capture).capture,
        parts.payment_writeback.handoff: pay(parts.payment_writeback).write_back,
        parts.erp_to_wms.handoff: Warehouse(vendors.wms(parts.erp_to_wms.timeout_s), parts.second_location).place,
        parts.fulfilment_writeback.handoff: Fulfilments(
            vendors.storefront(parts.fulfilment_writeback.timeout_s)
        ).write_back,
        parts.shipment_to_carrier.handoff: Labels(
            vendors.carrier(parts.shipment_to_carrier.timeout_s), parts.label_key
        ).buy,
        parts.order_to_crm.handoff: Contacts(vendors.crm(parts.order_to_crm.timeout_s)).upsert,
        parts.inventory_sync.handoff: Levels(vendors.storefront(parts.inventory_sync.timeout_s), names).set_level,
        parts.cancel_and_refund.handoff: _undo(vendors, parts, quiet),
    }


def _undo(vendors: Vendors, parts: Parts, quiet: Callable[[str], Awaitable[None]]) -> Send:
    timeout_s = parts.cancel_and_refund.timeout_s
    return Cancellation(
        vendors.storefront(timeout_s),
        vendors.erp(timeout_s),
        vendors.gateway(timeout_s) if vendors.settings.gateway_url else None,
        vendors.wms(timeout_s) if vendors.settings.wms_url else None,
        parts.external_id,
        quiet,
    ).undo
