"""How the storefront words its errors (Shopify: API response status codes)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, RefusedError, Replies, build_json_answer
from fakes.storefront.catalogue import CATALOGUE

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange

RETRY_AFTER_S = 2.0
_BY_STATUS = {code.status: code for code in CATALOGUE.codes}


def build_error(status: int, errors: Any, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an error body: ``errors`` is a text, a list, or a hash of field to texts."""
    known = _BY_STATUS.get(status)
    return build_json_answer(status, {"errors": errors}, code=known.code if known else None, headers=headers)


def refuse(status: int, errors: Any) -> RefusedError:
    """Return the exception that answers with an error at once."""
    return RefusedError(build_error(status, errors))


def missing_root(root: str) -> RefusedError:
    """Return the refusal of a body without its root element."""
    return refuse(400, {root: "Required parameter missing or invalid"})


def not_found() -> RefusedError:
    """Return the refusal of an unknown id."""
    return refuse(404, "Not Found")


def format_retry_after(seconds: float) -> str:
    """Return seconds as the vendor writes them, with at least one decimal: ``2.0``."""
    text = f"{seconds:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def build_status(status: int, retry_after_s: float | None = None) -> Answer:
    """Return any error status in the vendor's shape; the edge answers 502 and 504 in HTML."""
    known = _BY_STATUS.get(status)
    text = known.text if known else "Error"
    headers = () if retry_after_s is None else (("Retry-After", format_retry_after(retry_after_s)),)
    if status in {502, 504}:
        body = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>".encode()
        return Answer(status, body, (("Content-Type", "text/html"), *headers), known.code if known else None)
    return build_error(status, text, headers=headers)


def build_throttled(retry_after_s: float) -> Answer:
    """Return the answer to a full bucket."""
    return build_status(429, retry_after_s)


def _error(_: Exchange, code: str, text: str | None) -> Answer:
    known = CATALOGUE.code(code)
    status = known.status if known else 422
    usual = build_status(status)
    return replace(usual if text is None else build_error(status, text), code=code)


def build_replies() -> Replies:
    """Return the vendor's wording; waits are told in the vendor's seconds, which clients scale as they scale their own."""

    def rate_limited(_: Exchange, retry_after_s: float | None) -> Answer:
        return build_throttled(RETRY_AFTER_S if retry_after_s is None else retry_after_s)

    def method_not_allowed(_: Exchange, allowed: tuple[str, ...]) -> Answer:
        return build_error(405, "Method Not Allowed", headers=(("Allow", ", ".join(allowed)),))

    return Replies(
        status=lambda _, status, retry_after_s: build_status(status, retry_after_s),
        error=_error,
        rate_limited=rate_limited,
        # A custom app's token is for ever: what hits is answered as expired, the token itself stays good.
        session_expired=lambda _: build_status(401),
        permission_denied=lambda _: build_status(403),
        not_found=lambda _: build_status(404),
        method_not_allowed=method_not_allowed,
        bad_body=lambda _, detail: build_error(400, {"base": [f"Bad Request: {detail}"]}),
        too_large=lambda _: build_status(413),
    )
