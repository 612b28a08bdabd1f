"""Tickets as clients send and see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import RefusedError
from fakes.kit.bodies import dig
from fakes.opsdesk.errors import build_ticket_error, invalid_ticket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.kit.exchange import Exchange
    from fakes.opsdesk.model import Ticket

_CHOICES: dict[str, tuple[str, ...]] = {
    "status": ("new", "open", "pending", "hold", "solved", "closed"),
    "priority": ("urgent", "high", "normal", "low"),
    "type": ("problem", "incident", "question", "task"),
}
_TEXTS = ("subject", "external_id", "group")
MAX_PAGE, MAX_DEEP = 100, 1000


def read_ticket(exchange: Exchange, ticket: Ticket) -> Ticket:
    """Return the ticket with what the body says about it; refuses in the vendor's words. A new ticket needs a description."""
    if exchange.media_type not in {"", "application/json"}:
        raise RefusedError(build_ticket_error(415, "UnsupportedMediaType", "The content type is not supported"))
    given = exchange.object().get("ticket")
    if not isinstance(given, dict):
        text = "You passed an invalid value for the ticket attribute. It must be an object"
        raise RefusedError(build_ticket_error(400, "InvalidAttribute", text))
    changes: dict[str, Any] = {**_read_texts(given), **_read_choices(given), **_read_lists(given)}
    comment = dig(given, "comment", "body") or given.get("description")
    if comment is not None and not isinstance(comment, str):
        raise invalid_ticket("comment", "Comment: is not a text")
    if comment:
        changes["description"] = ticket.description or comment
        changes["comments"] = ticket.comments + 1 if ticket.description else 1
    changed = replace(ticket, **changes)
    if not changed.description:
        raise invalid_ticket("base", "Description: cannot be blank", "BlankValue")
    return changed if changed.subject else replace(changed, subject=changed.description[:80])


def build_ticket(ticket: Ticket, host: str) -> dict[str, Any]:
    """Return a ticket as the API shows it."""
    return {
        "id": ticket.id,
        "url": f"http://{host}/api/v2/tickets/{ticket.id}.json",
        "external_id": ticket.external_id,
        "subject": ticket.subject,
        "description": ticket.description,
        "status": ticket.status,
        "priority": ticket.priority,
        "type": ticket.type,
        "group": ticket.group,
        "tags": list(ticket.tags),
        "custom_fields": [{"id": name, "value": value} for name, value in ticket.custom_fields],
        "created_at": format_time(ticket.created_at),
        "updated_at": format_time(ticket.updated_at),
    }


def page_of(tickets: list[Ticket], query: Mapping[str, str]) -> tuple[list[Ticket], str | None]:
    """Return one page and the next one's number as text; refuses to go deeper than 1,000."""
    page, size = _read_number(query, "page", 1), _read_number(query, "per_page", MAX_PAGE)
    size = min(size, MAX_PAGE)
    if (page - 1) * size >= MAX_DEEP:
        text = "Invalid search: requested response size was greater than 1000"
        raise RefusedError(build_ticket_error(422, "RecordInvalid", text))
    end = page * size
    return tickets[end - size : end], str(page + 1) if end < len(tickets) else None


def _read_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise RefusedError(build_ticket_error(400, "InvalidAttribute", f"{name} is not a positive number"))
    return int(text)


def _read_texts(given: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        value = given.get(name)
        if value is None:
            continue
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise invalid_ticket(name, f"{name}: is not a text")
        changes[name] = str(value)
    if "group" not in changes and isinstance(given.get("group_id"), (str, int)):
        changes["group"] = str(given["group_id"])
    return changes


def _read_choices(given: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, choices in _CHOICES.items():
        value = given.get(name)
        if value is None:
            continue
        if value not in choices:
            raise invalid_ticket(name, f"{name.capitalize()}: {value!r} is not a valid value")
        changes[name] = value
    return changes


def _read_lists(given: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if given.get("tags") is not None:
        tags = given["tags"]
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise invalid_ticket("tags", "Tags: is not a list of texts")
        changes["tags"] = tuple(dict.fromkeys(tags))
    if given.get("custom_fields") is not None:
        fields = given["custom_fields"]
        if not isinstance(fields, list) or not all(isinstance(dig(row, "id"), (str, int)) for row in fields):
            raise invalid_ticket("custom_fields", "Custom fields: is not a list of id and value")
        changes["custom_fields"] = tuple((str(row["id"]), row.get("value")) for row in fields)
    return changes


def format_time(at: float) -> str:
    """Return epoch seconds as the API shows them, to the second."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
