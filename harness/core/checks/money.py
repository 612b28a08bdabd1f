"""Money: whether what was captured, written back, refunded and credited for an order adds up across the systems."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.history import Change, History

MINOR = Decimal(100)


def captured(history: History, order: int) -> Decimal:
    """Return what the gateway has taken for an order, in major units."""
    return sum((_amount(each.record.get("amount_received")) / MINOR for each in _payments(history, order)), Decimal(0))


def refunded(history: History, order: int) -> Decimal:
    """Return what the gateway has given back for an order, in major units."""
    return sum((_amount(each.record.get("amount_refunded")) / MINOR for each in _payments(history, order)), Decimal(0))


def describe_surplus_money(history: History, order: int) -> str:
    """Say where more money moved than the order is worth; nothing where none did."""
    total = _total(history, order)
    if total is None:
        return ""
    taken, back = captured(history, order), refunded(history, order)
    written = _written_back(history, order)
    credited = sum((_amount(each.record.get("total")) for each in history.records("credit_memos", order)), Decimal(0))
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

    What was shipped short may rightly be paid short: then nobody but the integration knows what was due.
    """
    total, taken = _total(history, order), captured(history, order)
    memos, given = history.records("credit_memos", order), _given_back(history, order)
    credited = sum((_amount(each.record.get("total")) for each in memos), Decimal(0))
    if memos and credited < given and all("total" in each.record for each in memos):
        return f"credited {credited:.2f} of {given:.2f}"
    if total is None or not taken or not _is_whole(history, order):
        return ""
    if taken < total:
        return f"captured {taken:.2f} of {total:.2f}"
    written = _written_back(history, order)
    return f"written back as captured {written:.2f} of {taken:.2f}" if written and written < taken else ""


def _is_whole(history: History, order: int) -> bool:
    """Tell whether nothing was shipped of an order yet, or all of it."""
    shipped = sum((_units(each) for each in list_causes(history, order, "shipments")), Decimal(0))
    ordered = [_units(each) for each in history.records("orders", order) if each.record.get("total_price")]
    return not shipped or shipped in ordered


def _units(change: Change) -> Decimal:
    lines = change.record.get("lines")
    return sum((_amount(line.get("quantity")) for line in lines or ()), Decimal(0))


def list_causes(history: History, order: int, collection: str) -> tuple[Change, ...]:
    """
    List the records about an order by which a merchant or a warehouse makes more work due: its shipments, its refunds.

    The gateway keeps refunds too, of payments; those of an order name it.
    """
    return tuple(each for each in history.records(collection, order) if "order_id" in each.record)


def _written_back(history: History, order: int) -> Decimal:
    found = (each.record for each in history.records("transactions", order))
    captures = (record for record in found if record.get("kind") == "capture" and record.get("status") == "success")
    return sum((_amount(record.get("amount")) for record in captures), Decimal(0))


def _given_back(history: History, order: int) -> Decimal:
    return sum((_amount(each.record.get("amount")) for each in list_causes(history, order, "refunds")), Decimal(0))


def _payments(history: History, order: int) -> tuple[Change, ...]:
    return history.records("payment_intents", order)


def _total(history: History, order: int) -> Decimal | None:
    shown = [each.record["total_price"] for each in history.records("orders", order) if each.record.get("total_price")]
    return _amount(shown[-1]) if shown else None


def _amount(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
