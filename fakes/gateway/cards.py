"""Test payment methods and what becomes of a charge to them (Stripe: testing)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRANDS = (
    *("visa", "visa_debit", "mastercard", "mastercard_debit", "mastercard_prepaid", "amex", "discover", "diners"),
    *("jcb", "unionpay", "us", "de", "fr", "gb", "at", "nl", "es", "it"),
)
_NAME = re.compile(r"pm_card_(?:visa_)?(\w{1,60})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a charge fails: the error's code and the issuer's reason."""

    code: str
    decline_code: str


_DECLINES = {
    "chargeDeclined": Decline("card_declined", "generic_decline"),
    "chargeCustomerFail": Decline("card_declined", "generic_decline"),
    "chargeDeclinedInsufficientFunds": Decline("card_declined", "insufficient_funds"),
    "chargeDeclinedLostCard": Decline("card_declined", "lost_card"),
    "chargeDeclinedStolenCard": Decline("card_declined", "stolen_card"),
    "chargeDeclinedFraudulent": Decline("card_declined", "fraudulent"),
    "chargeDeclinedVelocityLimitExceeded": Decline("card_declined", "card_velocity_exceeded"),
    "chargeDeclinedExpiredCard": Decline("expired_card", "expired_card"),
    "chargeDeclinedIncorrectCvc": Decline("incorrect_cvc", "incorrect_cvc"),
    "chargeDeclinedProcessingError": Decline("processing_error", "processing_error"),
}
_ASKING = ("authenticationRequired", "threeDSecureRequired", "threeDSecure2Required")


def is_known(method: str) -> bool:
    """Tell whether there is such a payment method."""
    found = _NAME.fullmatch(method)
    if found is None:
        return False
    return method.removeprefix("pm_card_") in _BRANDS or found[1] in {*_DECLINES, *_ASKING}


def decline_of(method: str) -> Decline | None:
    """Return why a charge to this payment method fails, None when it does not."""
    found = _NAME.fullmatch(method)
    return _DECLINES.get(found[1]) if found else None


def asks_for_authentication(method: str) -> bool:
    """Tell whether the cardholder has to do something first."""
    found = _NAME.fullmatch(method)
    return found is not None and found[1] in _ASKING


def brand_of(method: str) -> str:
    """Return the card's brand."""
    word = method.removeprefix("pm_card_").split("_")[0]
    return word if word in _BRANDS and len(word) > 2 else "visa"
