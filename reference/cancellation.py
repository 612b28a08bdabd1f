"""Undoing an order everywhere: cancelled at the storefront, its payment given back, its sales order closed, its parcel stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reference.backlog import Item
from reference.erp import SALES_ORDER, Erp
from reference.gateway import SUCCEEDED, Gateway
from reference.orders import Order, load_order
from reference.outcomes import Done, Failure, FailureError, Outcome
from reference.storefront import Storefront
from reference.wms import Wms

CANCELLED_STATUS = b'{"orderStatus":{"id":"C"}}'
_REASON = b'{"reason":"declined","email":false}'


@dataclass(frozen=True, slots=True)
class Cancellation:
    """
    The sender of cancel-and-refund. Each step can be made again; a system that is not configured has nothing to undo.

    `quiet` waits until nothing of an order is being sent; what was withdrawn is not sent again, so nothing can come after.
    """

    storefront: Storefront
    erp: Erp
    gateway: Gateway | None
    wms: Wms | None
    external_id: Callable[[str, int], str]
    quiet: Callable[[str], Awaitable[None]]

    async def undo(self, item: Item) -> Outcome:
        """Undo an order, first where it could still be shipped, last where it is shown."""
        order = load_order(item.document)
        await self.quiet(item.ref)
        steps = (self._stop_parcel, self._give_back, self._close_sales_order, self._cancel_order)
        for step in steps:
            outcome = await step(order)
            if isinstance(outcome, Failure):
                return outcome
        return Done("undone")

    async def _stop_parcel(self, order: Order) -> Outcome:
        found = await self.wms.find(order.number) if self.wms else None
        if self.wms is None or found is None or found.get("status") == "cancelled":
            return Done()
        # What has left the warehouse already cannot be stopped; the money is given back all the same.
        return Done() if await self.wms.cancel(str(found["id"])) else Done("shipped")

    async def _give_back(self, order: Order) -> Outcome:
        if self.gateway is None or order.payment is None:
            return Done()
        outcome = await self.gateway.void(order.payment, key=f"void:{order.number}")
        if isinstance(outcome, Done):
            return outcome
        if await self.gateway.read_status(order.payment) != SUCCEEDED:
            return outcome
        return await self.gateway.refund(order.payment, key=f"refund:{order.number}")

    async def _close_sales_order(self, order: Order) -> Outcome:
        external_id = self.external_id(order.number, 1)
        if not await self.erp.exists(SALES_ORDER, external_id):
            return Done("none")
        return await self.erp.update(SALES_ORDER, external_id, CANCELLED_STATUS)

    async def _cancel_order(self, order: Order) -> Outcome:
        if order.cancelled:
            return Done("existed")
        try:
            await self.storefront.write(f"/orders/{order.id}/cancel.json", _REASON, "order")
        except FailureError as error:
            if "already been cancelled" in error.failure.text:
                return Done("existed")
            raise
        return Done()
