"""The replaceable parts of the service, with those of the reference as defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Protocol

import httpx2

from reference import policies
from reference.capture import Captured, Delivery, record_delivery
from reference.config import Settings
from reference.erp import says_already_exists
from reference.lane import Lane, LaneParts, MakeBreaker, make_breaker
from reference.orders import build_external_id
from reference.outcomes import Failure
from reference.policies import CapturePolicy, HandoffPolicy, ReconcilePolicy
from reference.receiver import Receive, Verify, verify_signature
from reference.replay import Requeue, requeue
from reference.session import ErpSession, TokenSource
from reference.store import Store


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

    def __call__(self, conn: Connection, delivery: Delivery, policy: CapturePolicy, *, now: float) -> Captured:
        """Return what came of it."""


class MakeSession(Protocol):
    """Makes the source of ERP tokens."""

    def __call__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> Session:
        """Return it; nothing is sent yet."""


def keep_receive(receive: Receive) -> Receive:
    """Leave the receiving of a delivery as it is: acknowledged once it is committed."""
    return receive


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is composed of. `reconcile` is None for a service without that job."""

    capture: CapturePolicy = policies.ORDER_CAPTURE
    order_to_erp: HandoffPolicy = policies.ORDER_TO_ERP
    reconcile: ReconcilePolicy | None = policies.RECONCILE_ORDERS
    verify: Verify = verify_signature
    record: Record = record_delivery
    wrap_receive: Callable[[Receive], Receive] = keep_receive
    external_id: Callable[[str, int], str] = build_external_id
    already_exists: Callable[[Failure], bool] = says_already_exists
    requeue: Requeue = requeue
    make_breaker: MakeBreaker = make_breaker
    make_lane: Callable[[Store, LaneParts], Lane] = Lane
    make_session: MakeSession = ErpSession

    def roles(self) -> set[str]:
        """Return every role these policies may alert."""
        escalations = (*self.capture.escalations, *self.order_to_erp.escalations)
        return {self.order_to_erp.breaker.role, *(escalation.role for escalation in escalations)}
