"""Handing on shipments to the carrier: one label a parcel, whatever becomes of the answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from reference.backlog import Item
from reference.carrier import Carrier
from reference.orders import Order
from reference.outcomes import Failure, FailureError, Outcome
from reference.shipments import Shipment, load_parcel

# The shop keeps no weights: what the carrier weighs otherwise, it charges afterwards.
UNIT_G = 500
# What the carrier calls the parts of an address, and what the shop does.
_ADDRESS = {
    "name": "name",
    "street1": "address1",
    "street2": "address2",
    "city": "city",
    "zip": "zip",
    "state": "province_code",
    "country": "country_code",
    "phone": "phone",
}


def build_key(item: Item, attempt: int) -> str:  # noqa: ARG001 -- one parcel, one key, whatever the attempt
    """
    Build the idempotency key of a parcel: the same for every attempt, replay and decision.

    A refusal buys nothing, so nothing of it is kept under the key; a label that was bought, though its answer was lost, is.
    """
    return f"label:{item.ref}"


@dataclass(frozen=True, slots=True)
class Labels:
    """The sender of shipment-to-carrier."""

    carrier: Carrier
    build_key: Callable[[Item, int], str]

    async def buy(self, item: Item) -> Outcome:
        """Buy the label of a parcel."""
        body = build_label(*load_parcel(item.document))
        try:
            outcome = await self.carrier.buy(body, key=self.build_key(item, item.attempts + 1))
        except FailureError as error:
            outcome = error.failure
        return replace(outcome, payload=body) if isinstance(outcome, Failure) else outcome


def build_label(order: Order, shipment: Shipment) -> bytes:
    """Build the purchase of a parcel's label, always the same bytes for the same parcel."""
    units = sum(quantity for _, quantity in shipment.lines)
    label = {
        "reference": f"{order.name}-{shipment.id}",
        "order": order.name,
        "service": shipment.service,
        "to": {name: order.ship_to[given] for name, given in _ADDRESS.items() if order.ship_to.get(given)},
        "parcels": [{"weight_g": units * UNIT_G}],
    }
    return json.dumps(label, separators=(",", ":")).encode()
