"""Money as the shop counts it, in whole minor units, and as decimal text, as the vendor writes it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MINOR = Decimal("0.01")
# Below this an amount has at most 14 digits, and the float that JSON made of a number still spells all of them.
TOO_MUCH = 10**12


def read_money(value: object) -> int:
    """
    Return the minor units of an amount given in major ones, as decimal text or a JSON number.

    What is finer than a minor unit is rounded half up; the vendor documents no rule. Raises ValueError for what is no amount:
    no number, not finite, negative, or 10¹² and more.
    """
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("is not an amount of money") from error
    if not amount.is_finite() or not 0 <= amount < TOO_MUCH:
        raise ValueError("is not an amount of money")
    return int(amount.quantize(MINOR, ROUND_HALF_UP).scaleb(2))


def format_money(minor: int) -> str:
    """Return minor units as the vendor's decimal text."""
    return f"{minor // 100}.{minor % 100:02d}"
