"""Money: whole minor units inside and on the wire, decimal text of major units on the control plane and in messages."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MOST = 99_999_999
LEAST = 50
_WITHOUT_MINOR_UNITS = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
)
_WITH_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def read_money(value: object, currency: str) -> int:
    """Return the minor units of an amount in major ones (decimal text or a number), rounded half up; raises ValueError."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("is not an amount of money") from error
    if not amount.is_finite() or not 0 < amount < 10**9:
        raise ValueError("is not an amount of money, or too much of it")
    minor = int(amount.scaleb(_decimals(currency)).quantize(Decimal(1), ROUND_HALF_UP))
    if not 0 < minor <= MOST:
        raise ValueError(f"must be from 1 to {MOST} minor units")
    return minor


def format_money(minor: int, currency: str) -> str:
    """Return minor units as people read them: ``37.50 EUR``."""
    return f"{Decimal(minor).scaleb(-_decimals(currency)):f} {currency.upper()}"


def _decimals(currency: str) -> int:
    code = currency.lower()
    return 0 if code in _WITHOUT_MINOR_UNITS else 3 if code in _WITH_THREE_DECIMALS else 2
