"""Variants that hand something on along the chain in another way: other ids, other places, failures kept to themselves."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from reference import handoffs
from reference.backlog import Item
from reference.books import NOT_PERSISTED
from reference.gateway import UNEXPECTED_STATE
from reference.lane import Lane, LaneParts, Send
from reference.outcomes import Done, Failure, Outcome
from reference.parts import Parts
from reference.store import Store

Carry = Callable[[Send, Item], Awaitable[Outcome]]
ELSEWHERE = {"MAIN": "EAST", "EAST": "MAIN"}


def write_believed() -> Parts:
    """Believe that what the ERP has accepted is there."""
    return _at(handoffs.ORDER_TO_ERP, _believe(NOT_PERSISTED))


def resumed_twice() -> Parts:
    """Make two records of an order that goes on by a decision."""
    return _at(handoffs.ORDER_TO_ERP, _send_decided_twice)


def state_believed() -> Parts:
    """Take every payment in an unexpected state for captured."""
    return _at(handoffs.PAYMENT_CAPTURE, _believe(UNEXPECTED_STATE))


def new_key_per_attempt() -> Parts:
    """Capture under another idempotency key with every attempt."""
    return Parts(idempotency_key=lambda item, attempt: f"{item.handoff}:{item.ref}:{item.round}:{attempt}")


def write_back_blind() -> Parts:
    """Never look whether a write-back was carried out before sending it again."""
    return _at(handoffs.PAYMENT_WRITEBACK, _send_undoubting)


def write_back_dropped() -> Parts:
    """Forget a write-back that fails."""
    return _at(handoffs.PAYMENT_WRITEBACK, _drop_failure)


def placed_anew() -> Parts:
    """Place an order under another reference with every attempt."""
    return _at(handoffs.ERP_TO_WMS, _send_renumbered)


def fulfilled_anew() -> Parts:
    """Give a shipment another external id with every attempt."""
    return _at(handoffs.SHIPMENT_TO_ERP, _send_reshipped)


def fulfilment_dropped() -> Parts:
    """Forget an item fulfilment that fails."""
    return _at(handoffs.SHIPMENT_TO_ERP, _drop_failure)


def tracking_dropped() -> Parts:
    """Forget a fulfilment that the storefront does not take."""
    return _at(handoffs.FULFILMENT_WRITEBACK, _drop_failure)


def label_dropped() -> Parts:
    """Forget a label that the carrier does not sell."""
    return _at(handoffs.SHIPMENT_TO_CARRIER, _drop_failure)


def contact_dropped() -> Parts:
    """Forget a contact that the CRM does not take."""
    return _at(handoffs.ORDER_TO_CRM, _drop_failure)


def stock_elsewhere() -> Parts:
    """Set the level of one location at the other."""
    return _at(handoffs.INVENTORY_SYNC, _send_elsewhere)


def credited_anew() -> Parts:
    """Write another credit memo with every attempt."""
    return _at(handoffs.REFUND_TO_ERP, _send_as_another)


def credit_dropped() -> Parts:
    """Forget a credit memo that fails."""
    return _at(handoffs.REFUND_TO_ERP, _drop_failure)


def always_looking() -> Parts:
    """Look before every write whether it was made already."""
    return Parts(wrap_send=lambda _handoff, send: lambda item: send(replace(item, doubtful=True)))


def one_worker_everywhere() -> Parts:
    """Send one item at a time at every handoff."""
    return Parts(make_lane=_make_narrow_lane)


def _at(chosen: str, carry: Carry) -> Parts:
    def wrap(handoff: str, send: Send) -> Send:
        return (lambda item: carry(send, item)) if handoff == chosen else send

    return Parts(wrap_send=wrap)


def _believe(code: str) -> Carry:
    async def carry(send: Send, item: Item) -> Outcome:
        outcome = await send(item)
        return Done("believed") if isinstance(outcome, Failure) and outcome.code == code else outcome

    return carry


async def _send_decided_twice(send: Send, item: Item) -> Outcome:
    if item.trigger.startswith("decision:"):
        await send(replace(item, ref=f"{item.ref}-2"))
    return await send(item)


async def _send_undoubting(send: Send, item: Item) -> Outcome:
    return await send(replace(item, doubtful=False))


async def _drop_failure(send: Send, item: Item) -> Outcome:
    outcome = await send(item)
    return Done("dropped") if isinstance(outcome, Failure) else outcome


async def _send_renumbered(send: Send, item: Item) -> Outcome:
    order = json.loads(item.document)
    order["number"] = _number(order["number"], item)
    return await send(replace(item, document=json.dumps(order).encode()))


async def _send_reshipped(send: Send, item: Item) -> Outcome:
    parcel = json.loads(item.document)
    parcel["shipment"]["id"] = _number(parcel["shipment"]["id"], item)
    return await send(replace(item, document=json.dumps(parcel).encode()))


async def _send_elsewhere(send: Send, item: Item) -> Outcome:
    level = json.loads(item.document)
    level["location"] = ELSEWHERE[level["location"]]
    return await send(replace(item, document=json.dumps(level).encode()))


async def _send_as_another(send: Send, item: Item) -> Outcome:
    return await send(replace(item, ref=_number(item.ref, item)))


def _number(text: str, item: Item) -> str:
    return f"{text}-{item.attempts + 1}" if item.attempts else text


def _make_narrow_lane(store: Store, parts: LaneParts) -> Lane:
    return Lane(store, replace(parts, policy=replace(parts.policy, workers=1)))
