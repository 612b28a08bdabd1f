"""
What a stack must reckon with at a vendor: how long a session lives, when a webhook is given up, what is no use repeating.

Times are the vendor's own, in seconds, as its documentation and its fake have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.stack import Stack


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """
    The facts of one vendor; None where it sets no such limit.

    `session_s` is the life of what a login gives, `gives_up_s` the time from the first delivery of a webhook to the last.
    `final_codes` are refused again however often they are sent; `unrepeatable` are operations that take no key and no id
    of the caller's, and have their effect once more each time.
    """

    session_s: float | None = None
    gives_up_s: float | None = None
    final_codes: frozenset[str] = frozenset()
    unrepeatable: frozenset[str] = frozenset()


_FACTS = {
    # Shopify: 8 retries over 4 hours (webhook changelog, 2024-09-10); its REST calls take no idempotency key, and these
    # have nothing of the caller's that must be unique.
    "shopify": VendorFacts(
        gives_up_s=4 * 3600.0,
        final_codes=frozenset({"FORBIDDEN", "METHOD_NOT_ALLOWED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE"}),
        unrepeatable=frozenset({"inventory_level.adjust", "order.create", "refund.create"}),
    ),
    # NetSuite: `expires_in` of the OAuth 2.0 token. Repeating is by external id, on every record. What a reference does not
    # find yet it may find later; what a script of the account or the call's own form refuses, it refuses again.
    "netsuite": VendorFacts(
        session_s=3600.0,
        final_codes=frozenset(
            {"INSUFFICIENT_PERMISSION", "INVALID_CONTENT", "INVALID_HEADER", "INVALID_ID", "INVALID_PARAMETER"}
            | {"METHOD_NOT_ALLOWED", "NONEXISTENT_RECORD_TYPE", "NONEXISTENT_URL", "USER_ERROR"}
            | {"INVALID_LOGIN"}
        ),
    ),
    # Stripe: live webhooks for up to 3 days. Every POST takes a key, and the first outcome is stored under it, so that the
    # same payload gets the same refusal; a parameter or a key that is wrong stays so. What is missing may be made later.
    "stripe": VendorFacts(
        gives_up_s=3 * 24 * 3600.0,
        final_codes=frozenset(
            {"amount_too_large", "amount_too_small", "card_declined", "charge_already_refunded", "expired_card"}
            | {
                "incorrect_cvc",
                "payment_intent_unexpected_state",
                "invalid_api_key",
                "parameter_missing",
                "url_invalid",
            }
            | {"parameter_invalid_empty", "parameter_invalid_integer", "parameter_invalid_string_blank"}
        ),
    ),
    # Standard Webhooks, after the first delivery: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
    "wms": VendorFacts(
        gives_up_s=99_305.0,
        final_codes=frozenset(
            {"duplicate_reference", "validation_failed", "forbidden", "method_not_allowed", "unauthorized"}
            | {"unsupported_media_type"}
        ),
    ),
}
_UNKNOWN = VendorFacts()


def find_facts(stack: Stack, system: str) -> VendorFacts:
    """Find what is known of the vendor behind a system; nothing where mappings play it, or where it is the integration."""
    declared = stack.systems.get(system)
    return _FACTS.get(declared.fake or "", _UNKNOWN) if declared is not None else _UNKNOWN
