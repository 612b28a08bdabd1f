"""Money given back at the storefront: read from its JSON, written as the ERP's credit memo."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reference.fields import UnusableError, read_field, read_money

if TYPE_CHECKING:
    from reference.orders import Order

REFUND_ITEM = "REFUND"


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order, in major units of the order's currency; `order_id` is the storefront's."""

    id: int
    order_id: int
    amount: Decimal


def read_refund(payload: Any) -> Refund:
    """Read a refund from the storefront's JSON; raise `UnusableError` when it is none."""
    if not isinstance(payload, Mapping):
        raise UnusableError("a refund is not an object")
    amounts = [_read_amount(transaction) for transaction in read_field(payload, "transactions", list)]
    return Refund(
        id=read_field(payload, "id", int), order_id=read_field(payload, "order_id", int), amount=sum(amounts, Decimal())
    )


def dump_refund(refund: Refund) -> bytes:
    """Return a refund as the document it is kept as."""
    return json.dumps(asdict(refund), default=str, separators=(",", ":")).encode()


def load_refund(document: bytes) -> Refund:
    """Return the refund a document was made of."""
    kept = json.loads(document)
    return Refund(**{**kept, "amount": Decimal(kept["amount"])})


def build_credit_memo(refund: Refund, order: "Order") -> bytes:
    """Build the ERP's credit memo for a refund; its external id stands in the address of the upsert."""
    return json.dumps(
        {
            "entity": {"externalId": "WEB-STORE"},
            "otherRefNum": order.name,
            "memo": f"{order.name} refund {refund.id}",
            "currency": {"refName": order.currency},
            "item": {"items": [{"item": {"externalId": REFUND_ITEM}, "quantity": 1, "rate": float(refund.amount)}]},
        },
        separators=(",", ":"),
    ).encode()


def build_external_id(ref: str) -> str:
    """Build the external id a refund has in the ERP."""
    return f"RF-{ref}"


def _read_amount(transaction: Any) -> Decimal:
    if not isinstance(transaction, Mapping):
        raise UnusableError("a transaction is not an object")
    counts = transaction.get("kind") == "refund" and transaction.get("status", "success") == "success"
    return read_money(transaction, "amount") if counts else Decimal()
