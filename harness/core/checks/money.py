"""Money: whether what was captured, written back, refunded and credited for an order adds up across the systems."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.history import Change, History

MINOR = Decimal(100)
NONE = Decimal(0)


def captured(history: History, order: int) -> Decimal:
    """Return what the gateway has taken for an order, in major units."""
    return sum(map(read_captured, _payments(history, order)), NONE)


def refunded(history: History, order: int) -> Decimal:
    """Return what the gateway has given back for an order, in major units."""
    return sum(map(read_refunded, _payments(history, order)), NONE)


def read_captured(payment: Change) -> Decimal:
    """Read what was taken by a payment, in major units."""
    return _amount(payment.record.get("amount_received")) / MINOR


def read_refunded(payment: Change) -> Decimal:
    """Read what was given back of a payment, in major units."""
    return _amount(payment.record.get("amount_refunded")) / MINOR


def read_written(transaction: Change) -> Decimal:
    """Read what a transaction says was captured; nothing where it is of another kind, or did not succeed."""
    record = transaction.record
    is_capture = record.get("kind") == "capture" and record.get("status") == "success"
    return _amount(record.get("amount")) if is_capture else NONE


def read_given(refund: Change) -> Decimal:
    """Read what a refund of an order gives back; nothing of a payment's."""
    return _amount(refund.record.get("amount")) if is_cause(refund) else NONE


def read_credited(memo: Change) -> Decimal:
    """Read what a credit memo is over."""
    return _amount(memo.record.get("total"))


def read_price(order: Change) -> Decimal:
    """Read what an order is worth; nothing where that is not shown."""
    return _amount(order.record.get("total_price"))


def are_summed(history: History, order: int, records: Iterable[Change]) -> bool:
    """Tell whether what these records add up to tells of one too many, not their number: a capture may be written back in parts."""
    told = (each.collection == "transactions" and _amount(each.record.get("amount")) > 0 for each in records)
    return all(told) and _total(history, order) is not None


def is_cancelled(order: Change) -> bool:
    """
    Tell whether an order was cancelled.

    A warehouse has orders too, by the reference it was given: that one is cancelled there says nothing of the sale.
    """
    return bool(order.record.get("cancelled_at")) and "reference" not in order.record


def is_cause(change: Change) -> bool:
    """Tell whether a shipment or a refund is of an order, and not of a payment."""
    return "order_id" in change.record


def describe_surplus_money(history: History, order: int) -> str:
    """Say where more money moved than the order is worth; nothing where none did."""
    total = _total(history, order)
    if total is None:
        return ""
    taken, back = captured(history, order), refunded(history, order)
    written = _written_back(history, order)
    credited = sum(map(read_credited, history.records("credit_memos", order)), NONE)
    given = _given_back(history, order)
    found = (
        ("captured", taken, total),
        ("refunded", back, taken),
        ("written back as captured", written, min(total, taken) if _payments(history, order) else total),
        ("credited", credited, given),
    )
    return "; ".join(f"{what} {moved:.2f} of {most:.2f}" for what, moved, most in found if moved > most)


def describe_missing_money(history: History, order: int) -> str:
    """Say what of a cancelled order was captured and not given back; nothing where nothing was kept."""
    taken, back = captured(history, order), refunded(history, order)
    return f"captured {taken:.2f}, only {back:.2f} refunded" if taken > back else ""


def describe_short_money(history: History, order: int) -> str:
    """
    Say what is missing of an order's money that was taken, or given back, and told of as all there was; nothing where it is whole.

    What was shipped short may rightly be paid short: then nobody but the integration knows what was due. So may what is not
    shipped yet, where a payment of its own took a deposit.
    """
    total, taken = _total(history, order), captured(history, order)
    memos, given = history.records("credit_memos", order), _given_back(history, order)
    credited = sum(map(read_credited, memos), NONE)
    if memos and credited < given and all("total" in each.record for each in memos):
        return f"credited {credited:.2f} of {given:.2f}"
    if total is None or not taken or not _is_whole(history, order):
        return ""
    if taken < total and not _is_deposit(history, order):
        return f"captured {taken:.2f} of {total:.2f}"
    written = _written_back(history, order)
    return f"written back as captured {written:.2f} of {taken:.2f}" if written and written < taken else ""


def _is_deposit(history: History, order: int) -> bool:
    """
    Tell whether what was taken of an order is all that was asked for before it is shipped.

    A payment is captured once, and what a capture leaves of it is released: one of which less was taken than it was made
    for is no deposit, nor is one that still waits to be captured. Source:
    https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
    """
    return not _shipped(history, order) and all(map(_took_all, _payments(history, order)))


def _took_all(payment: Change) -> bool:
    names = ("amount", "amount_capturable", "amount_received")
    asked, waiting, taken = (_amount(payment.record.get(name)) for name in names)
    return not waiting and taken in {NONE, asked}


def _is_whole(history: History, order: int) -> bool:
    """Tell whether nothing was shipped of an order yet, or all of it."""
    shipped = _shipped(history, order)
    ordered = [_units(each) for each in history.records("orders", order) if each.record.get("total_price")]
    return not shipped or shipped in ordered


def _shipped(history: History, order: int) -> Decimal:
    return sum((_units(each) for each in list_causes(history, order, "shipments")), NONE)


def _units(change: Change) -> Decimal:
    lines = change.record.get("lines")
    return sum((_amount(line.get("quantity")) for line in lines or ()), NONE)


def list_causes(history: History, order: int, collection: str) -> tuple[Change, ...]:
    """
    List the records about an order by which a merchant or a warehouse makes more work due: its shipments, its refunds.

    The gateway keeps refunds too, of payments; those of an order name it.
    """
    return tuple(filter(is_cause, history.records(collection, order)))


def _written_back(history: History, order: int) -> Decimal:
    return sum(map(read_written, history.records("transactions", order)), NONE)


def _given_back(history: History, order: int) -> Decimal:
    return sum(map(read_given, history.records("refunds", order)), NONE)


def _payments(history: History, order: int) -> tuple[Change, ...]:
    return history.records("payment_intents", order)


def _total(history: History, order: int) -> Decimal | None:
    shown = [each.record["total_price"] for each in history.records("orders", order) if each.record.get("total_price")]
    return _amount(shown[-1]) if shown else None


def _amount(value: object) -> Decimal:
    if value is None:
        return NONE
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return NONE
    return amount if amount.is_finite() else NONE
