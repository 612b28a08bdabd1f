"""What the vendor answers where no operation decides: to faults that are armed, and to calls that fit nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.erp.errors import (
    CODES,
    INSUFFICIENT_PERMISSION,
    INVALID_CONTENT,
    INVALID_LOGIN,
    METHOD_NOT_ALLOWED,
    NONEXISTENT_RECORD_TYPE,
    NONEXISTENT_URL,
    TOKEN_CODES,
    USER_ERROR,
    build_permission_text,
    build_refusal,
    build_token_refusal,
    code_for_status,
)
from fakes.erp.model import RECORD_TYPES
from fakes.erp.oauth2 import TOKEN_PATH
from fakes.erp.operations import type_of
from fakes.erp.records import build_duplicate_text
from fakes.erp.views import RECORD_PATH
from fakes.kit.answers import Replies
from fakes.kit.catalogue import ErrorCode

if TYPE_CHECKING:
    from fakes.erp.access import Gate
    from fakes.erp.sessions import Sessions
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange

_SCRIPT_TEXT = "Error while accessing a resource."
_TOKEN_ERRORS = frozenset(each.code for each in TOKEN_CODES)


def build_replies(gate: Gate, sessions: Sessions) -> Replies:
    """
    Build the vendor's words.

    An expired session is also revoked, a signed call's token is not. A bare 401 revokes nothing: clients report such logins refused
    for no reason when the account is overloaded.
    """

    def expire_session(exchange: Exchange) -> Answer:
        session = gate.session_of(exchange)
        if session is not None:
            sessions.revoke(session, exchange)
        return _refuse(exchange, 400, "invalid_grant") if _is_token_call(exchange) else gate.build_expired(exchange)

    def answer_status(exchange: Exchange, status: int, retry_after_s: float | None) -> Answer:
        if status == INVALID_LOGIN.status and not _is_token_call(exchange):
            return gate.build_expired(exchange)
        return _answer_status(exchange, status, retry_after_s)

    def answer_error(exchange: Exchange, code: str, text: str | None) -> Answer:
        if code == INVALID_LOGIN.code and text is None and not _is_token_call(exchange):
            return gate.build_expired(exchange)
        return _answer_error(exchange, code, text)

    return Replies(
        status=answer_status,
        error=answer_error,
        rate_limited=lambda exchange, retry_after_s: _answer_status(exchange, 429, retry_after_s),
        session_expired=expire_session,
        permission_denied=_answer_permission_denied,
        not_found=_answer_not_found,
        method_not_allowed=_answer_method_not_allowed,
        bad_body=lambda exchange, reason: _refuse(
            exchange, 400, INVALID_CONTENT.code, f"The request body cannot be read: {reason}. Provide a JSON object."
        ),
        too_large=lambda exchange: _refuse(exchange, 413, INVALID_CONTENT.code, "The request body is too large."),
    )


def _is_token_call(exchange: Exchange) -> bool:
    return exchange.path == TOKEN_PATH


def _refuse(
    exchange: Exchange, status: int, code: str, text: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    if not _is_token_call(exchange):
        return build_refusal(status, code, text, headers=headers)
    error = code if code in _TOKEN_ERRORS else "server_error" if status >= 500 else "invalid_request"
    return build_token_refusal(status, error, text or "The request could not be granted.", headers)


def _answer_status(exchange: Exchange, status: int, retry_after_s: float | None) -> Answer:
    # The vendor sends no Retry-After of its own; one is added only where a fault asks for it.
    headers = () if retry_after_s is None else (("Retry-After", f"{retry_after_s:g}"),)
    known = code_for_status(status)
    return _refuse(exchange, status, known.code, known.text, headers)


def _answer_error(exchange: Exchange, code: str, text: str | None) -> Answer:
    known = next((each for each in CODES + TOKEN_CODES if each.code == code), ErrorCode(code, 400, _SCRIPT_TEXT))
    usual = _build_user_error_text(exchange) if known is USER_ERROR else known.text
    return _refuse(exchange, known.status, code, usual if text is None else text)


def _build_user_error_text(exchange: Exchange) -> str:
    record_type = type_of(exchange.operation.name) if exchange.operation else None
    return build_duplicate_text(record_type) if record_type else USER_ERROR.text


def _answer_permission_denied(exchange: Exchange) -> Answer:
    if _is_token_call(exchange):
        return _refuse(exchange, 400, "invalid_client", "The client may not request a token.")
    record_type = type_of(exchange.operation.name) if exchange.operation else None
    text = build_permission_text(record_type.permission) if record_type else INSUFFICIENT_PERMISSION.text
    return build_refusal(403, INSUFFICIENT_PERMISSION.code, text)


def _answer_not_found(exchange: Exchange) -> Answer:
    name = exchange.path.removeprefix(f"{RECORD_PATH}/").partition("/")[0]
    is_known = name.casefold() in {each.casefold() for each in RECORD_TYPES}
    if exchange.path.startswith(f"{RECORD_PATH}/") and name and not is_known:
        detail = f"Record type '{name[:100]}' does not exist."
        return _refuse(exchange, 404, NONEXISTENT_RECORD_TYPE.code, detail)
    return _refuse(exchange, 404, NONEXISTENT_URL.code, NONEXISTENT_URL.text)


def _answer_method_not_allowed(exchange: Exchange, allowed: tuple[str, ...]) -> Answer:
    headers = (("Allow", ", ".join(allowed)),)
    return _refuse(exchange, 405, METHOD_NOT_ALLOWED.code, METHOD_NOT_ALLOWED.text, headers)
