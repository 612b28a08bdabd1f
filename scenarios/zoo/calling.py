"""Variants that make calls the reference does not make."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2

from reference.backlog import Item
from reference.calls import Caller
from reference.config import Settings, read_settings
from reference.handoffs import ERP_TO_WMS, PAYMENT_CAPTURE
from reference.lane import Send
from reference.orders import load_order
from reference.outcomes import Done, Failure, Outcome
from reference.parts import Parts
from reference.payments import to_minor
from reference.policies import ERP_TO_WMS as PLACING
from reference.policies import PAYMENT_CAPTURE as CAPTURING
from reference.warehouse import Warehouse
from reference.wms import Wms

FORM = "application/x-www-form-urlencoded"
SAVED_CARD = "pm_card_visa"


def charged_anew() -> Parts:
    """Make another payment of an order whose capture may or may not have been carried out."""
    return Parts(wrap_send=_charge_when_unsure)


def part_captured_again() -> Parts:
    """Take half of the amount once more, by a payment of its own, before each further attempt."""
    return Parts(wrap_send=_take_part_before_retrying)


def duplicate_retried() -> Parts:
    """Retry an order that the warehouse has already."""
    return Parts(wrap_send=_place_without_looking)


class BlindWms(Wms):
    """A client that finds no orders."""

    async def find(self, reference: str) -> Mapping[str, Any] | None:  # noqa: ARG002 -- that is the defect
        """Find nothing."""
        return None


def _charge_when_unsure(handoff: str, send: Send) -> Send:
    if handoff != PAYMENT_CAPTURE:
        return send
    return _once_open(lambda http, settings: _charge(_call_gateway(http, settings), send))


def _place_without_looking(handoff: str, send: Send) -> Send:
    if handoff != ERP_TO_WMS:
        return send
    return _once_open(lambda http, settings: Warehouse(BlindWms(_call_wms(http, settings))).place)


def _take_part_before_retrying(handoff: str, send: Send) -> Send:
    if handoff != PAYMENT_CAPTURE:
        return send
    return _once_open(lambda http, settings: _take_part(_call_gateway(http, settings), send))


def _charge(gateway: Caller, send: Send) -> Send:
    async def charge(item: Item) -> Outcome:
        outcome = await send(item)
        if not isinstance(outcome, Failure) or not outcome.unknown:
            return outcome
        return Done("charged anew") if await _pay(gateway, item) else outcome

    return charge


def _take_part(gateway: Caller, send: Send) -> Send:
    async def take(item: Item) -> Outcome:
        if item.attempts:
            await _pay(gateway, item, parts=2)
        return await send(item)

    return take


async def _pay(gateway: Caller, item: Item, *, parts: int = 1) -> bool:
    """Make and capture another payment of an order, or of a part of its amount; tell whether that went through."""
    order = load_order(item.document)
    form = {
        "amount": to_minor(order.total, order.currency) // parts,
        "currency": order.currency.lower(),
        "payment_method": SAVED_CARD,
        "confirm": "true",
        "metadata[order_id]": order.id,
        "metadata[order_name]": order.name,
    }
    body = urlencode(form).encode()
    answer = await gateway.call("POST", "/v1/payment_intents", content=body, media_type=FORM)
    return answer.status_code == 200


def _once_open(build: Callable[[httpx2.AsyncClient, Settings], Send]) -> Send:
    """Build a sender with a client of its own, at its first send: before, there is no loop the client could belong to."""
    built: list[Send] = []

    async def send(item: Item) -> Outcome:
        if not built:
            built.append(build(httpx2.AsyncClient(timeout=None, trust_env=False), read_settings(os.environ)))
        sending: Awaitable[Outcome] = built[0](item)
        return await sending

    return send


def _call_gateway(http: httpx2.AsyncClient, settings: Settings) -> Caller:
    headers = {"Authorization": f"Bearer {settings.gateway_api_key}"}
    return Caller(http, settings.gateway_url, settings.scaled(CAPTURING.timeout_s), headers)


def _call_wms(http: httpx2.AsyncClient, settings: Settings) -> Caller:
    headers = {"Authorization": f"Bearer {settings.wms_token}"}
    return Caller(http, settings.wms_url, settings.scaled(PLACING.timeout_s), headers)
