"""How the warehouse words its errors: problem documents with a ``code`` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, RefusedError, Replies, build_json_answer
from fakes.wms.catalogue import CATALOGUE

if TYPE_CHECKING:
    from pydantic import ValidationError

    from fakes.kit.answers import Header
    from fakes.kit.exchange import Exchange
    from fakes.wms.model import NotPossibleError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 30.0


def build_problem(code: str, detail: str | None = None, *, headers: tuple[Header, ...] = (), **members: Any) -> Answer:
    """Return the problem of a code; a code that is not listed is a 422. ``members`` are added to the document."""
    known = CATALOGUE.code(code)
    status = known.status if known else 422
    return _build(status, code, detail or (known.text if known else code), headers, members)


def refuse(code: str, detail: str | None = None, **members: Any) -> RefusedError:
    """Return the exception that answers with a problem at once."""
    return RefusedError(build_problem(code, detail, **members))


def refuse_invalid(error: ValidationError, *, query: bool = False) -> RefusedError:
    """Return the refusal of a body, or of a query, that does not fit its model: one error a finding, located."""
    errors = []
    for finding in error.errors(include_url=False, include_context=False, include_input=False):
        place = [str(step) for step in finding["loc"]]
        where = {"parameter": place[0]} if query and place else {"pointer": "/".join(["#", *place])}
        errors.append({**where, "detail": finding["msg"]})
    detail = "; ".join(f"{next(iter(one.values()))}: {one['detail']}" for one in errors)
    return refuse("validation_failed", detail, errors=errors)


def refuse_impossible(error: NotPossibleError, **members: Any) -> RefusedError:
    """Return the refusal of what the state of an order does not allow."""
    return refuse(error.code, error.detail, **members)


def build_status(status: int, retry_after_s: float | None = None) -> Answer:
    """Return any error status under the first code that has it, else under the nearest general one."""
    general = "internal_error" if status >= 500 else "validation_failed"
    code = next((known.code for known in CATALOGUE.codes if known.status == status), general)
    known = CATALOGUE.code(code)
    text = known.text if known is not None and known.status == status else _title(status)
    return _build(status, code, text, _wait(retry_after_s), {})


def build_replies() -> Replies:
    """Return the vendor's wording; waits are told in vendor seconds, which clients scale as they scale their own."""

    def rate_limited(_: Exchange, retry_after_s: float | None) -> Answer:
        return build_throttled(RETRY_AFTER_S if retry_after_s is None else retry_after_s)

    def method_not_allowed(_: Exchange, allowed: tuple[str, ...]) -> Answer:
        return build_problem("method_not_allowed", headers=(("Allow", ", ".join(allowed)),))

    return Replies(
        status=lambda _, status, retry_after_s: build_status(status, retry_after_s),
        error=lambda _, code, text: build_problem(code, text),
        rate_limited=rate_limited,
        # API tokens do not expire: what hits is answered as if it had, the token itself stays good.
        session_expired=lambda _: build_unauthorized(),
        permission_denied=lambda _: build_problem("forbidden"),
        not_found=lambda _: build_problem("not_found"),
        method_not_allowed=method_not_allowed,
        bad_body=lambda _, detail: build_problem("malformed_request", detail),
        too_large=lambda _: build_problem("payload_too_large"),
    )


def build_unauthorized() -> Answer:
    """Return the answer to a call without a good token (RFC 6750)."""
    return build_problem("unauthorized", headers=(("WWW-Authenticate", 'Bearer realm="wms"'),))


def build_throttled(retry_after_s: float) -> Answer:
    """Return the answer to one call too many."""
    return build_problem("rate_limited", headers=_wait(retry_after_s))


def _build(status: int, code: str, detail: str, headers: tuple[Header, ...], members: dict[str, Any] | Any) -> Answer:
    document = {
        "type": "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    return build_json_answer(status, document, headers=headers, code=code, media_type=MEDIA_TYPE)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _wait(retry_after_s: float | None) -> tuple[Header, ...]:
    return () if retry_after_s is None else (("Retry-After", f"{retry_after_s:.3f}".rstrip("0").rstrip(".")),)
