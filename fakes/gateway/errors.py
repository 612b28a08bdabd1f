"""
How the gateway words its errors (Stripe: errors, error codes).

Every error is ``{"error": {"type", "message", "code"?, "param"?, …}}``; ``request_log_url`` is added where the request is known.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fakes.gateway.catalogue import CATALOGUE
from fakes.kit.answers import Answer, RefusedError, build_json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.kit.exchange import Exchange

# Names that stand for errors the vendor tells by type and status alone.
_UNNAMED = frozenset(
    {"invalid_request_error", "invalid_api_key", "unrecognized_url", "too_large", "idempotency_error", "api_error"}
)
_BY_STATUS = {
    401: "invalid_api_key",
    402: "card_declined",
    403: "more_permissions_required",
    404: "resource_missing",
    409: "idempotency_key_in_use",
    413: "too_large",
    429: "rate_limit",
}
_LIMITER = "Stripe-Rate-Limited-Reason"


def request_id_of(exchange: Exchange) -> str:
    """Return the id the vendor gives a request, in ``Request-Id``, errors and events."""
    return "req_" + hashlib.sha256(exchange.id.encode()).hexdigest()[:14]


def build_error(
    code: str,
    text: str | None = None,
    *,
    status: int | None = None,
    headers: Iterable[tuple[str, str]] = (),
    **more: Any,
) -> Answer:
    """Return an error by the name of its code; ``more`` are further members such as ``param``, None left out."""
    known = CATALOGUE.code(code)
    error = {"message": text or (known.text if known else "Invalid request."), "type": type_of(code), **more}
    if code not in _UNNAMED:
        error = {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}", **error}
    if type_of(code) == "card_error":
        error.setdefault("decline_code", "generic_decline" if code == "card_declined" else code)
    body = {"error": {name: value for name, value in error.items() if value is not None}}
    return build_json_answer(
        status or (known.status if known else 400), body, code=code, headers=headers, media_type="application/json"
    )


def type_of(code: str) -> str:
    """Return the type of an error by its code."""
    known = CATALOGUE.code(code)
    if known is not None and known.status == 402:
        return "card_error"
    return code if code in {"idempotency_error", "api_error"} else "invalid_request_error"


def refuse(code: str, text: str | None = None, **more: Any) -> RefusedError:
    """Return the exception that answers with an error at once."""
    return RefusedError(build_error(code, text, **more))


def invalid(text: str, *, param: str | None = None) -> RefusedError:
    """Return the refusal of a request that is wrong in a way the vendor has no code for."""
    return refuse("invalid_request_error", text, param=param)


def missing(what: str, value: str, *, param: str = "id") -> RefusedError:
    """Return the refusal of an id that names nothing; ``what`` is the kind, as ``payment_intent``."""
    return refuse("resource_missing", f"No such {what}: '{value}'", param=param)


def build_by_status(status: int, *, retry_after_s: float | None = None, **more: Any) -> Answer:
    """Return any error status in the vendor's shape."""
    name = _BY_STATUS.get(status, "invalid_request_error" if status < 500 else "api_error")
    headers = () if retry_after_s is None else (("Retry-After", _format_seconds(retry_after_s)),)
    return build_error(name, status=status, headers=headers, **more)


def build_rate_limited(reason: str, retry_after_s: float | None = None) -> Answer:
    """Return the limiter's answer; the vendor documents no ``Retry-After``, so there is one only when it is asked for."""
    answer = build_by_status(429, retry_after_s=retry_after_s)
    return Answer(answer.status, answer.body, (*answer.headers, (_LIMITER, reason)), answer.code)


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
