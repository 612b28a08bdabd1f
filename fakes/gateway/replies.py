"""How the gateway words what is not specific to one operation, faults among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.gateway.catalogue import CATALOGUE
from fakes.gateway.errors import build_by_status, build_error, build_rate_limited
from fakes.gateway.objects import build_intent
from fakes.kit.answers import Answer, Replies

if TYPE_CHECKING:
    from fakes.gateway.account import Account
    from fakes.gateway.idempotency import IdempotencyKeys
    from fakes.kit.exchange import Exchange

# What only executing a call can come to, and what is therefore kept under its idempotency key.
_OUTCOMES = frozenset(
    code.code
    for code in CATALOGUE.codes
    if code.status == 402
    or code.code in {"payment_intent_unexpected_state", "charge_already_refunded", "amount_too_large"}
)


def build_replies(account: Account, keys: IdempotencyKeys) -> Replies:
    """Return the vendor's wording for an account."""

    def error(exchange: Exchange, code: str, text: str | None) -> Answer:
        if code in {"rate_limit", "lock_timeout"} and text is None:
            return build_rate_limited("global-rate") if code == "rate_limit" else build_error(code)
        intent = account.intents.get(exchange.params.get("id", "")) if code in _OUTCOMES else None
        more: dict[str, Any] = (
            {"payment_intent": build_intent(intent), "charge": intent.latest_charge} if intent else {}
        )
        answer = build_error(code, text, **more)
        if code in _OUTCOMES:
            keys.keep_unless_kept(exchange, answer)
        return answer

    def unrecognized(exchange: Exchange) -> Answer:
        text = f"Unrecognized request URL ({exchange.method}: {exchange.path[:200]})."
        return build_error("unrecognized_url", text)

    return Replies(
        status=lambda _, status, retry_after_s: build_by_status(status, retry_after_s=retry_after_s),
        error=error,
        rate_limited=lambda _, retry_after_s: build_rate_limited("global-rate", retry_after_s),
        # API keys do not expire by themselves: what hits is answered as expired, the key itself stays good.
        session_expired=lambda _: build_error("api_key_expired"),
        permission_denied=lambda _: build_error("more_permissions_required"),
        not_found=unrecognized,
        method_not_allowed=lambda exchange, _: unrecognized(exchange),
        bad_body=lambda _, detail: build_error("invalid_request_error", f"Invalid request: {detail}"),
        too_large=lambda _: build_error("too_large"),
    )
