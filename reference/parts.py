"""The replaceable parts of the service, with those of the reference as defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Protocol

import httpx2

from reference import policies
from reference.backlog import Item
from reference.capture import Captured, Delivery, Intake, record_delivery
from reference.config import Settings
from reference.erp import says_already_exists
from reference.events import record_event
from reference.graph import Graph
from reference.labels import build_key as build_label_key
from reference.lane import Lane, LaneParts, MakeBreaker, Send, make_breaker
from reference.orders import build_external_id
from reference.outcomes import Failure
from reference.parcels import record_parcel_delivery
from reference.payments import build_key
from reference.policy import CapturePolicy, HandoffPolicy, ReconcilePolicy
from reference.receiver import Receive
from reference.reconcile import Listing
from reference.replay import Requeue, requeue
from reference.senders import Sender, Verify, WmsSender, verify_signature
from reference.session import ErpSession, TokenSource
from reference.store import Store
from reference.warehouse import SECOND_LOCATION


class Session(TokenSource, Protocol):
    """A source of ERP tokens that operators can look into."""

    def prepare(self) -> None:
        """Load what is slow to load; called in a thread."""

    def view(self) -> dict[str, object]:
        """Return the session as it is shown."""

    def view_cache(self) -> dict[str, object]:
        """Return the kept token as the cache it is."""


class Record(Protocol):
    """Writes a delivery down, in one transaction."""

    def __call__(self, conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
        """Return what came of it."""


class MakeSession(Protocol):
    """Makes the source of ERP tokens."""

    def __call__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> Session:
        """Return it; nothing is sent yet."""


def keep_receive(receive: Receive) -> Receive:
    """Leave the receiving of a delivery as it is: acknowledged once it is committed."""
    return receive


def keep_send(handoff: str, send: Send) -> Send:  # noqa: ARG001 -- others look at it
    """Leave the sending at a handoff as it is."""
    return send


def keep_listing(handoff: str, listing: Listing) -> Listing:  # noqa: ARG001 -- others look at it
    """Leave the listing that a reconciliation reads as it is."""
    return listing


@dataclass(frozen=True, slots=True)
class Parts:
    """
    What the service is composed of. A job without a policy is left out.

    `wrap_receive`, `make_lane`, `make_breaker`, `wrap_send` and `wrap_listing` are asked for every handoff: what a part is for
    stands in the delivery's `source`, the lane's policy or the handoff's name.
    """

    capture: CapturePolicy = policies.ORDER_CAPTURE
    order_to_erp: HandoffPolicy = policies.ORDER_TO_ERP
    payment_capture: HandoffPolicy = policies.PAYMENT_CAPTURE
    payment_writeback: HandoffPolicy = policies.PAYMENT_WRITEBACK
    erp_to_wms: HandoffPolicy = policies.ERP_TO_WMS
    wms_shipment: CapturePolicy = policies.WMS_SHIPMENT
    shipment_to_erp: HandoffPolicy = policies.SHIPMENT_TO_ERP
    fulfilment_writeback: HandoffPolicy = policies.FULFILMENT_WRITEBACK
    shipment_to_carrier: HandoffPolicy = policies.SHIPMENT_TO_CARRIER
    inventory_sync: HandoffPolicy = policies.INVENTORY_SYNC
    refund_to_erp: HandoffPolicy = policies.REFUND_TO_ERP
    order_to_crm: HandoffPolicy = policies.ORDER_TO_CRM
    cancel_and_refund: HandoffPolicy = policies.CANCEL_AND_REFUND
    reconcile: ReconcilePolicy | None = policies.RECONCILE_ORDERS
    reconcile_shipments: ReconcilePolicy | None = policies.RECONCILE_SHIPMENTS
    sync_inventory: ReconcilePolicy | None = policies.SYNC_INVENTORY
    verify: Verify = verify_signature
    make_wms_sender: Callable[[str], Sender] = WmsSender
    record: Record = record_delivery
    record_parcel: Record = record_parcel_delivery
    record_event: Record = record_event
    wrap_receive: Callable[[Receive], Receive] = keep_receive
    external_id: Callable[[str, int], str] = build_external_id
    idempotency_key: Callable[[Item, int], str] = build_key
    label_key: Callable[[Item, int], str] = build_label_key
    already_exists: Callable[[Failure], bool] = says_already_exists
    second_location: str | None = SECOND_LOCATION
    requeue: Requeue = requeue
    make_graph: Callable[[Mapping[str, HandoffPolicy]], Graph] = Graph
    wrap_send: Callable[[str, Send], Send] = keep_send
    wrap_listing: Callable[[str, Listing], Listing] = keep_listing
    make_breaker: MakeBreaker = make_breaker
    make_lane: Callable[[Store, LaneParts], Lane] = Lane
    make_session: MakeSession = ErpSession
