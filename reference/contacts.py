"""Handing on customers to the CRM: one contact a customer, with the order that was placed last."""

import json
from dataclasses import dataclass
from hashlib import sha256

from reference.backlog import Item
from reference.crm import Crm
from reference.orders import Order
from reference.outcomes import Outcome


def build_external_id(email: str) -> str:
    """Build the external id a customer has in the CRM; the address itself has no place in paths, which are logged."""
    return f"customer-{sha256(email.strip().casefold().encode()).hexdigest()[:20]}"


def build_contact(order: Order) -> bytes:
    """Build the contact of an order's customer, always the same bytes for the same order."""
    properties = {"last_order": order.name, "last_order_total": f"{order.total:.2f} {order.currency}"}
    return json.dumps({**order.customer, "properties": properties}, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Contacts:
    """The sender of order-to-crm."""

    crm: Crm

    async def upsert(self, item: Item) -> Outcome:
        """Write the contact of an order's customer."""
        email = str(json.loads(item.document)["email"])
        return await self.crm.upsert(build_external_id(email), item.document)
