"""How the three desks word their errors: PagerDuty and Zendesk in JSON, Slack in a word of plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from fakes.kit.answers import Answer, RefusedError, Replies, build_json_answer
from fakes.opsdesk.catalogue import CATALOGUE

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange

Desk = Literal["pagerduty", "slack", "zendesk"]

_BY_STATUS: dict[Desk, dict[int, str]] = {
    "pagerduty": {400: "invalid event", 429: "throttle exceeded", 500: "internal error"},
    "slack": {
        400: "invalid_payload",
        403: "invalid_token",
        404: "no_service",
        410: "channel_is_archived",
        429: "rate_limited",
    },
    "zendesk": {
        400: "InvalidAttribute",
        401: "Unauthorized",
        403: "Forbidden",
        404: "RecordNotFound",
        405: "MethodNotAllowed",
        409: "UpdateConflict",
        413: "TooLarge",
        415: "UnsupportedMediaType",
        422: "RecordInvalid",
        429: "TooManyRequests",
    },
}
_FALLBACK: dict[Desk, str] = {"pagerduty": "internal error", "slack": "rollup_error", "zendesk": "ServiceUnavailable"}


def desk_of(exchange: Exchange) -> Desk:
    """Return whose API a call is for, by its path; what is nobody's is answered in PagerDuty's words."""
    if exchange.path.startswith("/api/"):
        return "zendesk"
    return "slack" if exchange.path.startswith("/services") else "pagerduty"


def build_event_error(
    status: int, text: str, errors: list[str] | None = None, *, retry_after_s: float | None = None
) -> Answer:
    """Return an error of Events v2: ``status``, ``message``, ``errors``."""
    word = _BY_STATUS["pagerduty"].get(status, _FALLBACK["pagerduty"])
    body = {"status": word, "message": text, "errors": errors or []}
    return build_json_answer(status, body, code=word, headers=_build_retry(retry_after_s))


def build_slack_error(status: int, word: str, *, retry_after_s: float | None = None) -> Answer:
    """Return Slack's one-word error."""
    headers = (("Content-Type", "text/plain; charset=utf-8"), *_build_retry(retry_after_s))
    return Answer(status, word.encode(), headers, word)


def build_ticket_error(
    status: int,
    code: str,
    description: str,
    *,
    details: dict[str, Any] | None = None,
    retry_after_s: float | None = None,
) -> Answer:
    """Return a Zendesk error; ``details`` maps fields to findings."""
    body: dict[str, Any] = (
        {"error": "Couldn't authenticate you"} if status == 401 else {"error": code, "description": description}
    )
    if details:
        body["details"] = details
    return build_json_answer(status, body, code=code, headers=_build_retry(retry_after_s))


def invalid_ticket(field: str, description: str, error: str = "InvalidValue") -> RefusedError:
    """Return the refusal of a ticket one of whose fields is wrong."""
    finding = {"description": description, "error": error}
    return RefusedError(
        build_ticket_error(422, "RecordInvalid", "Record validation errors", details={field: [finding]})
    )


def build_error(
    exchange: Exchange, status: int, code: str, text: str | None = None, *, retry_after_s: float | None = None
) -> Answer:
    """Return an error in the shape of the desk that was called."""
    known = CATALOGUE.code(code)
    said = text or (known.text if known else "Error")
    desk = desk_of(exchange)
    if desk == "zendesk":
        return build_ticket_error(status, code, said, retry_after_s=retry_after_s)
    if desk == "slack":
        return build_slack_error(status, text or code, retry_after_s=retry_after_s)
    body = {"status": code, "message": said, "errors": []}
    return build_json_answer(status, body, code=code, headers=_build_retry(retry_after_s))


def _by_status(exchange: Exchange, status: int, retry_after_s: float | None = None) -> Answer:
    desk = desk_of(exchange)
    return build_error(exchange, status, _BY_STATUS[desk].get(status, _FALLBACK[desk]), retry_after_s=retry_after_s)


def _by_code(exchange: Exchange, code: str, text: str | None) -> Answer:
    known = CATALOGUE.code(code)
    return build_error(exchange, known.status if known else 400, code, text)


def _method_not_allowed(exchange: Exchange, allowed: tuple[str, ...]) -> Answer:
    answer = _by_status(exchange, 405)
    return Answer(answer.status, answer.body, (*answer.headers, ("Allow", ", ".join(allowed))), answer.code)


def _bad_body(exchange: Exchange, detail: str) -> Answer:
    desk = desk_of(exchange)
    if desk == "slack":
        return build_slack_error(400, "invalid_payload")
    if desk == "zendesk":
        return build_ticket_error(400, "InvalidAttribute", f"The body cannot be read: {detail}")
    return build_event_error(400, "Event object is invalid", [detail])


def _build_retry(seconds: float | None) -> tuple[tuple[str, str], ...]:
    return () if seconds is None else (("Retry-After", f"{seconds:.3f}".rstrip("0").rstrip(".")),)


def build_replies(time_scale: float) -> Replies:
    """Return the desks' wording; the usual wait after a 429 is 30 s, divided by the time scale."""
    usual_wait = 30.0 / time_scale

    def rate_limited(exchange: Exchange, retry_after_s: float | None) -> Answer:
        return _by_status(exchange, 429, usual_wait if retry_after_s is None else retry_after_s)

    return Replies(
        status=_by_status,
        error=_by_code,
        rate_limited=rate_limited,
        # Keys here do not expire: what hits is refused, the key itself stays good.
        session_expired=lambda exchange: _by_status(exchange, 401),
        permission_denied=lambda exchange: _by_status(exchange, 403),
        not_found=lambda exchange: _by_status(exchange, 404),
        method_not_allowed=_method_not_allowed,
        bad_body=_bad_body,
        too_large=lambda exchange: _by_status(exchange, 413),
    )
