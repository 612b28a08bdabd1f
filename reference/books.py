"""Handing on to the ERP: sales orders, item fulfilments and credit memos, each one record by its external id."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from reference import refunds, shipments
from reference.backlog import Item
from reference.erp import CREDIT_MEMO, ITEM_FULFILMENT, SALES_ORDER, Erp
from reference.outcomes import Done, Failure, FailureError, Kind, Outcome
from reference.shipments import build_item_fulfilment, load_parcel

NOT_PERSISTED = "NOT_PERSISTED"


@dataclass(frozen=True, slots=True)
class Books:
    """
    The senders of the handoffs that end in the ERP.

    `external_id` names a sales order by its number and the attempt; `already_exists` tells a refusal that means it is there.
    """

    erp: Erp
    external_id: Callable[[str, int], str]
    already_exists: Callable[[Failure], bool]

    async def post_order(self, item: Item) -> Outcome:
        """Write a sales order and read it back: a success that wrote nothing is a failed attempt."""
        external_id = self.external_id(item.ref, item.attempts + 1)
        outcome = await self.erp.upsert(SALES_ORDER, external_id, item.document)
        if isinstance(outcome, Failure):
            return await self._believe(outcome, SALES_ORDER, external_id)
        item.taken()
        if await self.erp.exists(SALES_ORDER, external_id):
            return outcome
        return Failure(Kind.NOT_PERSISTED, NOT_PERSISTED, f"{external_id} was written and is not there")

    async def post_shipment(self, item: Item) -> Outcome:
        """Make an item fulfilment of the sales order."""
        order, shipment = load_parcel(item.document)
        document = build_item_fulfilment(order, shipment)
        sales_order = self.external_id(order.number, 1)
        outcome = await self.erp.transform(SALES_ORDER, sales_order, ITEM_FULFILMENT, document)
        if isinstance(outcome, Failure):
            believed = await self._believe(outcome, ITEM_FULFILMENT, shipments.build_external_id(shipment.id))
            return replace(believed, payload=document) if isinstance(believed, Failure) else believed
        return outcome

    async def post_refund(self, item: Item) -> Outcome:
        """Write a credit memo."""
        external_id = refunds.build_external_id(item.ref)
        outcome = await self.erp.upsert(CREDIT_MEMO, external_id, item.document)
        return await self._believe(outcome, CREDIT_MEMO, external_id) if isinstance(outcome, Failure) else outcome

    async def _believe(self, failure: Failure, record_type: str, external_id: str) -> Outcome:
        # That a record exists already is believed only once reading it back by its external id has found it.
        if not self.already_exists(failure):
            return failure
        try:
            return Done("existed") if await self.erp.exists(record_type, external_id) else failure
        except FailureError:
            return failure
