"""A parcel as this integration understands it: read from the WMS's JSON, kept as a document, written as the ERP's item fulfilment."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reference.fields import UnusableError, read_field
from reference.orders import Order, dump_order, load_order

TO_THE_DOOR, TO_A_PICKUP_POINT = "standard", "pickup_point"


@dataclass(frozen=True, slots=True)
class Shipment:
    """
    What left the warehouse in one parcel.

    `reference` is the order's number; `lines` are (sku, quantity); `service` is what the carrier is asked for.
    """

    id: str
    reference: str
    tracking: str
    carrier: str
    lines: tuple[tuple[str, int], ...]
    service: str = TO_THE_DOOR

    @property
    def entity(self) -> str:
        """The name of the order it belongs to."""
        return f"#{self.reference}"


def read_shipment(reference: Any, payload: Any) -> Shipment:
    """Read a shipment of the order with this reference; raise `UnusableError` when it is none."""
    if not isinstance(payload, Mapping):
        raise UnusableError("a shipment is not an object")
    if not isinstance(reference, str) or not reference:
        raise UnusableError("reference is missing")
    lines = read_field(payload, "lines", list)
    shipment_id = str(payload.get("id") or "")
    if not lines or not shipment_id:
        raise UnusableError("a shipment without an id or lines")
    return Shipment(
        id=shipment_id,
        reference=reference,
        # What has no tracking number yet is told apart from other parcels of its order all the same.
        tracking=str(payload.get("tracking") or shipment_id),
        carrier=str(payload.get("carrier") or ""),
        lines=tuple(_read_line(line) for line in lines),
    )


def dump_shipment(shipment: Shipment) -> bytes:
    """Return a shipment as the document it is kept as."""
    return json.dumps(asdict(shipment), separators=(",", ":"), sort_keys=True).encode()


def load_shipment(document: bytes) -> Shipment:
    """Return the shipment a document was made of."""
    kept = json.loads(document)
    return Shipment(**{**kept, "lines": tuple((sku, quantity) for sku, quantity in kept["lines"])})


def dump_parcel(order: Order, shipment: Shipment) -> bytes:
    """Return a shipment and the order it belongs to as the document that is handed on."""
    return b'{"order":%b,"shipment":%b}' % (dump_order(order), dump_shipment(shipment))


def load_parcel(document: bytes) -> tuple[Order, Shipment]:
    """Return the order and the shipment a document was made of."""
    parcel = json.loads(document)
    return load_order(json.dumps(parcel["order"]).encode()), load_shipment(json.dumps(parcel["shipment"]).encode())


def build_item_fulfilment(order: Order, shipment: Shipment) -> bytes:
    """Build the ERP's item fulfilment for a shipment, as the body of a transformation of the sales order."""
    return json.dumps(
        {
            "externalId": build_external_id(shipment.id),
            "memo": f"{order.name} shipment {shipment.id}",
            "package": {"items": [{"packageTrackingNumber": shipment.tracking}]},
            "item": {"items": [{"item": {"externalId": sku}, "quantity": count} for sku, count in shipment.lines]},
        },
        separators=(",", ":"),
    ).encode()


def build_external_id(ref: str) -> str:
    """Build the external id a shipment has in the ERP."""
    return f"SHP-{ref}"


def _read_line(payload: Any) -> tuple[str, int]:
    if not isinstance(payload, Mapping):
        raise UnusableError("a line of a shipment is not an object")
    sku, quantity = read_field(payload, "sku", str), read_field(payload, "quantity", int)
    if not sku or quantity < 1:
        raise UnusableError("a line of a shipment without a sku or a quantity")
    return sku, quantity
