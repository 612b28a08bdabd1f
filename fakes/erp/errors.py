"""
What the ERP says when it refuses: its error codes, and the envelope they travel in.

Every refusal of the record and query services is an RFC 9457 document with NetSuite's `o:errorDetails`; the token endpoint speaks
plain OAuth 2.0 instead. Source: NetSuite help, "Error Handling in REST Web Services".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.catalogue import ErrorCode

MEDIA_TYPE = "application/vnd.oracle.resource+json; type=error; charset=utf-8"

_SECTIONS = {
    400: "15.5.1",
    401: "15.5.2",
    403: "15.5.4",
    404: "15.5.5",
    405: "15.5.6",
    406: "15.5.7",
    409: "15.5.10",
    413: "15.5.14",
    415: "15.5.16",
    500: "15.6.1",
    502: "15.6.3",
    503: "15.6.4",
    504: "15.6.5",
}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Bad Request",  # the vendor keeps this title on its 429
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def build_permission_text(permission: str) -> str:
    """Return what the vendor says to a role that lacks a permission."""
    return (
        f"Permission Violation: You need a higher level of the '{permission}' permission to access this page. "
        "Please contact your account administrator."
    )


INVALID_LOGIN = ErrorCode(
    "INVALID_LOGIN",
    401,
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
    "Setup > Users/Roles > User Management > View Login Audit Trail.",
)
INSUFFICIENT_PERMISSION = ErrorCode(
    "INSUFFICIENT_PERMISSION", 403, build_permission_text("Transactions -> Sales Order")
)
NONEXISTENT_ID = ErrorCode(
    "NONEXISTENT_ID", 404, "The record instance does not exist. Provide a valid record instance ID."
)
NONEXISTENT_RECORD_TYPE = ErrorCode("NONEXISTENT_RECORD_TYPE", 404, "Record type does not exist.")
NONEXISTENT_URL = ErrorCode("NONEXISTENT_URL", 404, "The requested resource does not exist.")
METHOD_NOT_ALLOWED = ErrorCode("METHOD_NOT_ALLOWED", 405, "The HTTP method is not allowed for this resource.")
USER_ERROR = ErrorCode("USER_ERROR", 400, "Error while accessing a resource. This record already exists.")
INVALID_CONTENT = ErrorCode("INVALID_CONTENT", 400, "Invalid content in the request body.")
INVALID_KEY_OR_REF = ErrorCode("INVALID_KEY_OR_REF", 400, "Invalid reference key in the request body.")
INVALID_PARAMETER = ErrorCode("INVALID_PARAMETER", 400, "Invalid value of a query parameter.")
INVALID_HEADER = ErrorCode("INVALID_HEADER", 400, "Invalid value of a request header.")
RECORD_CHANGED = ErrorCode("RCRD_HAS_BEEN_CHANGED", 400, "Record has been changed.", retriable=True)
INVALID_ID = ErrorCode("INVALID_ID", 400, "The record instance ID in the URL is not valid.")
CONCURRENCY_LIMIT_EXCEEDED = ErrorCode(
    "CONCURRENCY_LIMIT_EXCEEDED", 429, "Concurrent request limit exceeded. Request blocked.", retriable=True
)
UNEXPECTED_ERROR = ErrorCode(
    "UNEXPECTED_ERROR", 500, "An unexpected error occurred. Error ID: fake000000000000", retriable=True
)

CODES: tuple[ErrorCode, ...] = (
    INVALID_LOGIN,
    INSUFFICIENT_PERMISSION,
    NONEXISTENT_ID,
    NONEXISTENT_RECORD_TYPE,
    NONEXISTENT_URL,
    METHOD_NOT_ALLOWED,
    USER_ERROR,
    INVALID_CONTENT,
    INVALID_KEY_OR_REF,
    INVALID_PARAMETER,
    INVALID_HEADER,
    INVALID_ID,
    RECORD_CHANGED,
    CONCURRENCY_LIMIT_EXCEEDED,
    UNEXPECTED_ERROR,
)
"""Every code of the vendor this fake knows. A fault may name others: they travel with 400."""


TOKEN_CODES: tuple[ErrorCode, ...] = (
    ErrorCode("invalid_request", 400, "The request is missing a parameter or is malformed."),
    ErrorCode("invalid_client", 400, "The client or its certificate is not known."),
    ErrorCode("invalid_grant", 400, "The client assertion is not acceptable."),
    ErrorCode("invalid_scope", 400, "The scope is not acceptable."),
)
"""The OAuth 2.0 errors of the token endpoint."""


class RefusalError(RefusedError):
    """A call refused by the record or query service; its answer is in the error envelope."""

    def __init__(self, code: ErrorCode, detail: str | None = None, *, where: Mapping[str, str] | None = None) -> None:
        super().__init__(build_refusal(code.status, code.code, detail or code.text, where=where))


class TokenRefusalError(RefusedError):
    """A token request refused: one of the OAuth 2.0 error values, always answered 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(build_token_refusal(400, error, description))


def build_envelope(status: int, code: str, detail: str, where: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Build the error document for any `status`; `where` adds `o:errorPath` and its siblings to the one detail."""
    family = "15.6" if status >= 500 else "15.5"
    return {
        "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{_SECTIONS.get(status, family)}",
        "title": _TITLES.get(status, "Server Error" if status >= 500 else "Bad Request"),
        "status": status,
        "o:errorDetails": [{"detail": detail, "o:errorCode": code, **(where or {})}],
    }


def code_for_status(status: int) -> ErrorCode:
    """Pick the code this vendor would send with a bare `status`, whatever the status."""
    usual = {
        401: INVALID_LOGIN,
        403: INSUFFICIENT_PERMISSION,
        404: NONEXISTENT_ID,
        405: METHOD_NOT_ALLOWED,
        429: CONCURRENCY_LIMIT_EXCEEDED,
    }
    if status in usual:
        return usual[status]
    return UNEXPECTED_ERROR if status >= 500 else USER_ERROR


def build_refusal(
    status: int,
    code: str,
    detail: str,
    *,
    where: Mapping[str, str] | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Build an answer in the error envelope."""
    return build_json_answer(
        status, build_envelope(status, code, detail, where), headers=headers, code=code, media_type=MEDIA_TYPE
    )


def build_token_refusal(status: int, error: str, description: str, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Build an answer of the token endpoint; `error` is one of OAuth 2.0's values."""
    return build_json_answer(status, {"error": error, "error_description": description}, headers=headers, code=error)


def build_login_refusal(account: str, *, error: str) -> Answer:
    """
    Build the 401 of a login that is not, or no longer, good.

    `error` goes into the challenge: `token_rejected` for signatures, `invalid_token` for bearer tokens.
    """
    challenge = f'OAuth realm="{account}", error="{error}", error_description="Invalid login attempt."'
    return build_refusal(401, INVALID_LOGIN.code, INVALID_LOGIN.text, headers=[("WWW-Authenticate", challenge)])
