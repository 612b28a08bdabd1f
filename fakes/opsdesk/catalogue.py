"""What the ops desk offers: PagerDuty Events v2, Slack incoming webhooks, Zendesk tickets, side by side on one port."""

from __future__ import annotations

from fakes.kit.catalogue import Catalogue, ErrorCode, Operation

_TICKETS = r"/api/v2/tickets"

OPERATIONS = (
    Operation("alert.enqueue", "POST", r"/v2/enqueue"),
    Operation("message.post", "POST", r"/services/(?P<team>[^/]{1,64})/(?P<hook>[^/]{1,64})/(?P<secret>[^/]{1,128})"),
    Operation("ticket.create", "POST", _TICKETS + r"(?:\.json)?"),
    Operation("ticket.list", "GET", _TICKETS + r"(?:\.json)?", shared=True),
    Operation("ticket.read", "GET", _TICKETS + r"/(?P<id>\d{1,19})(?:\.json)?"),
    Operation("ticket.update", "PUT", _TICKETS + r"/(?P<id>\d{1,19})(?:\.json)?"),
    Operation("ticket.search", "GET", r"/api/v2/search(?:\.json)?", shared=True),
)

CODES = (
    ErrorCode("invalid event", 400, "Event object is invalid"),
    ErrorCode("throttle exceeded", 429, "Events for this key arrive too quickly", retriable=True),
    ErrorCode("internal error", 500, "The event could not be processed", retriable=True),
    ErrorCode("invalid_payload", 400, "invalid_payload"),
    ErrorCode("no_text", 400, "no_text"),
    ErrorCode("too_many_attachments", 400, "too_many_attachments"),
    ErrorCode("action_prohibited", 403, "action_prohibited"),
    ErrorCode("invalid_token", 403, "invalid_token"),
    ErrorCode("channel_not_found", 404, "channel_not_found"),
    ErrorCode("no_service", 404, "no_service"),
    ErrorCode("channel_is_archived", 410, "channel_is_archived"),
    ErrorCode("rate_limited", 429, "rate_limited", retriable=True),
    ErrorCode("rollup_error", 500, "rollup_error", retriable=True),
    ErrorCode("InvalidAttribute", 400, "The ticket attribute is not an object"),
    ErrorCode("IdempotentRequestError", 400, "The key was used with other parameters"),
    ErrorCode("Unauthorized", 401, "Couldn't authenticate you"),
    ErrorCode("Forbidden", 403, "You do not have access to this page. Please contact the account owner."),
    ErrorCode("RecordNotFound", 404, "Not found"),
    ErrorCode("MethodNotAllowed", 405, "Method not allowed"),
    ErrorCode("UpdateConflict", 409, "The ticket has changed since it was read", retriable=True),
    ErrorCode("TooLarge", 413, "The body is too large"),
    ErrorCode("UnsupportedMediaType", 415, "The content type is not supported"),
    ErrorCode("RecordInvalid", 422, "Record validation errors"),
    ErrorCode("TooManyRequests", 429, "Rate limit exceeded", retriable=True),
    ErrorCode("ServiceUnavailable", 503, "The service is not available", retriable=True),
)

CATALOGUE = Catalogue("opsdesk", OPERATIONS, CODES)
