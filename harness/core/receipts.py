"""Receipts: what shows that a fault met traffic, by where the fault is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.faults import Layer
from harness.core.history import Receipt
from harness.core.reading import read_fault_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.core.faults import Fault
    from harness.core.history import Delivery, Exchange
    from harness.core.reading import Reader

    Data = Mapping[str, Any]

# The toxics after which a client never gets a whole answer.
CUTTING = frozenset({"reset_peer", "timeout", "limit_data"})


def list_receipts(fault: Fault, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> Iterable[Receipt]:
    """List the receipts of one fault that calls and deliveries are: all, but of what the tap alone wrote down."""
    match fault.layer:
        case Layer.VENDOR:
            yield from (_called(fault, call) for call in exchanges if fault.id in call.faults)
        case Layer.WIRE if not is_refusal(fault):
            yield from (_called(fault, call) for call in exchanges if _was_bitten(fault, call))
        case Layer.WEBHOOK:
            yield from (_delivered(fault, sent) for sent in deliveries if fault.id in sent.faults)
        case Layer.ACT if fault.kind == "forge":
            yield from (_delivered(fault, sent) for sent in deliveries if sent.order in fault.orders)
        case Layer.ACT:
            met = (call for call in exchanges if call.system == fault.system and call.status == 401)
            yield from (_called(fault, call) for call in met)


def is_refusal(fault: Fault) -> bool:
    """Tell whether a fault has the tap refuse what comes in."""
    return fault.layer is Layer.WIRE and bool(fault.params.get("refuse"))


def list_refusals(fault: Fault, reader: Reader, inbound: Iterable[Data]) -> Iterable[Receipt]:
    """List the receipts of a fault that refuses what comes in, from what the tap wrote of it."""
    for data in inbound:
        if data.get("rule") and read_fault_id(data["rule"]) == fault.id and data["started_mono"] >= reader.scope.origin:
            order = reader.find(data.get("entity"))
            yield Receipt(fault.id, reader.at(data["started_mono"]), data["id"], data["end"], "nothing", order)


def list_kills(fault: Fault, reader: Reader, signals: Iterable[Data]) -> Iterable[Receipt]:
    """List the receipts of a fault that kills the integration, from the signals the tap sent."""
    for data in signals:
        sent = not data.get("error") and data["mono"] >= reader.scope.origin
        if sent and read_fault_id(data["id"]) == fault.id:
            where, signal = str(data.get("exchange")), f"{data['signal']}"
            yield Receipt(fault.id, reader.at(data["mono"]), where, "an answer", signal)


def _was_bitten(fault: Fault, call: Exchange) -> bool:
    """Tell whether a fault of the wire hit a call: one that cuts calls short did not when the whole answer came through."""
    cuts = not CUTTING.isdisjoint(toxic.type for toxic in fault.toxics)
    return call.rule == fault.id and not (cuts and call.end == "complete")


def _called(fault: Fault, call: Exchange) -> Receipt:
    saw = str(call.status) if call.end == "complete" else call.end
    answered = str(call.server_status) if call.server_status is not None else "nothing"
    return Receipt(fault.id, call.started, call.id, saw, answered, call.order)


def _delivered(fault: Fault, sent: Delivery) -> Receipt:
    answer = str(sent.status) if sent.status is not None else "no answer"
    return Receipt(fault.id, sent.started, sent.webhook_id, sent.outcome, answer, sent.order)
