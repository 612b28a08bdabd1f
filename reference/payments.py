"""Handing on payments: the capture at the gateway, and the word of it at the storefront."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlencode

from reference.backlog import Item
from reference.gateway import Gateway
from reference.orders import Order, load_order
from reference.outcomes import Done, Failure, FailureError, Outcome
from reference.storefront import Storefront

MINOR_UNITS = {"JPY": 0, "KRW": 0, "ISK": 0, "KWD": 3, "BHD": 3, "TND": 3}


def build_key(item: Item, attempt: int) -> str:  # noqa: ARG001 -- one item, one key, whatever the attempt
    """
    Build the idempotency key of an item: the same for every attempt and replay, so that carrying it out again changes nothing.

    Only a person's decision to try anew, after the gateway has said no for good, makes another: the first answer is kept under the old.
    """
    return f"{item.handoff}:{item.ref}" if not item.round else f"{item.handoff}:{item.ref}:{item.round}"


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in the smallest unit of its currency."""
    return int(amount.scaleb(MINOR_UNITS.get(currency, 2)).to_integral_value())


@dataclass(frozen=True, slots=True)
class Payments:
    """The senders of payment-capture and payment-writeback."""

    gateway: Gateway
    storefront: Storefront
    build_key: Callable[[Item, int], str]

    async def capture(self, item: Item) -> Outcome:
        """Capture what was authorised for an order."""
        order = load_order(item.document)
        body = urlencode({"amount_to_capture": to_minor(order.total, order.currency)}).encode()
        key = self.build_key(item, item.attempts + 1)
        try:
            outcome = await self.gateway.capture(find_payment(order), body, key=key)
        except FailureError as error:
            outcome = error.failure
        return replace(outcome, payload=body) if isinstance(outcome, Failure) else outcome

    async def write_back(self, item: Item) -> Outcome:
        """Tell the storefront that an order's payment was captured; look first where that may have been told already."""
        order = load_order(item.document)
        path = f"/orders/{order.id}/transactions.json"
        if item.doubtful and await self._is_written(path, order):
            return Done("existed")
        body = _build_transaction(order)
        try:
            await self.storefront.write(path, body, "transaction")
        except FailureError as error:
            return replace(error.failure, payload=body)
        return Done()

    async def _is_written(self, path: str, order: Order) -> bool:
        transactions = await self.storefront.read(path, "transactions")
        return any(
            one.get("kind") == "capture"
            and one.get("status") == "success"
            and one.get("authorization") in {order.payment, None}
            for one in transactions
        )


def find_payment(order: Order) -> str:
    """Return the gateway's id of an order's payment, of an order that has one."""
    assert order.payment is not None  # noqa: S101 -- the graph queues no other
    return order.payment


def _build_transaction(order: Order) -> bytes:
    transaction = {
        "kind": "capture",
        "status": "success",
        "authorization": find_payment(order),
        "amount": f"{order.total:.2f}",
        "currency": order.currency,
    }
    return json.dumps({"transaction": transaction}, separators=(",", ":")).encode()
