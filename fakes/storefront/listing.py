"""Lists of orders: filters, orderings and cursor pages (Shopify: paginated requests with the REST Admin API)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fakes.kit.bodies import BadBodyError, dig, dump_json, load_json
from fakes.storefront.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fakes.storefront.model import Order

DEFAULT_LIMIT, MAX_LIMIT = 50, 250
_STATUSES: dict[str, Callable[[Order], bool]] = {
    "open": lambda order: order.cancelled_at is None and order.closed_at is None,
    "closed": lambda order: order.closed_at is not None and order.cancelled_at is None,
    "cancelled": lambda order: order.cancelled_at is not None,
    "any": lambda _: True,
}
_SORTS: dict[str, Callable[[Order], int]] = {
    "created_at": lambda order: int(order.created_at * 1e6),
    "updated_at": lambda order: int(order.updated_at * 1e6),
    "processed_at": lambda order: int(order.created_at * 1e6),
    "id": lambda order: order.id,
}
_TIMES: dict[str, Callable[[Order, int], bool]] = {
    "created_at_min": lambda order, at: int(order.created_at) >= at,
    "created_at_max": lambda order, at: int(order.created_at) <= at,
    "updated_at_min": lambda order, at: int(order.updated_at) >= at,
    "updated_at_max": lambda order, at: int(order.updated_at) <= at,
    "processed_at_min": lambda order, at: int(order.created_at) >= at,
    "processed_at_max": lambda order, at: int(order.created_at) <= at,
}
# How the filter calls an order's fulfillment status.
_SHIPPED = {None: ("unshipped", "unfulfilled"), "partial": ("partial", "unfulfilled"), "fulfilled": ("shipped",)}
_FILTERS = ("status", "financial_status", "fulfillment_status", "name", "ids", "since_id", *_TIMES)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and the cursors of its neighbours."""

    orders: list[Order]
    previous: str | None
    next: str | None


def read_limit(query: Mapping[str, str]) -> int:
    """Return the page size asked for, at most 250; refuses what is no number."""
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise refuse(400, {"limit": "Invalid value."})
    return max(1, min(int(text), MAX_LIMIT))


def list_orders(orders: Iterable[Order], query: Mapping[str, str]) -> Page:
    """Return the page a query asks for; a ``page_info`` carries the filters of its first page."""
    if "page" in query:
        raise refuse(400, {"page": "page cannot be passed. See https://shopify.dev/api/usage/pagination-rest"})
    limit = read_limit(query)
    if "page_info" not in query:
        filters = {name: query[name] for name in (*_FILTERS, "order") if name in query}
        return _cut(_arrange(orders, filters), filters, limit, None, forward=True)
    if set(query) - {"page_info", "limit", "fields"}:
        raise refuse(400, {"page_info": "Only limit and fields may be passed with page_info."})
    filters, edge, forward = _read_cursor(query["page_info"])
    return _cut(_arrange(orders, filters), filters, limit, edge, forward=forward)


def filter_orders(orders: Iterable[Order], query: Mapping[str, str]) -> list[Order]:
    """Return the orders that pass all filters of a query; without ``status`` only open ones do."""
    tests: list[Callable[[Order], bool]] = [_read_status(query.get("status", "open"))]
    for name, compare in _TIMES.items():
        if query.get(name):
            tests.append(_bind_time(compare, _read_time(name, query[name])))
    if "since_id" in query:
        since = _read_id("since_id", query["since_id"])
        tests.append(lambda order: order.id > since)
    if query.get("ids"):
        ids = {_read_id("ids", part.strip()) for part in query["ids"].split(",")}
        tests.append(lambda order: order.id in ids)
    if query.get("name"):
        wanted = query["name"].lstrip("#")
        tests.append(lambda order: str(order.number) == wanted)
    if query.get("financial_status", "any") != "any":
        tests.append(lambda order: order.financial_status == query["financial_status"])
    if query.get("fulfillment_status", "any") != "any":
        tests.append(lambda order: query["fulfillment_status"] in _SHIPPED.get(order.fulfillment_status, ()))
    return [order for order in orders if all(test(order) for test in tests)]


def build_link(base: str, page: Page, limit: int, fields: str | None) -> str | None:
    """Return the ``Link`` header of a page with absolute URLs, None when it stands alone."""
    links = []
    for relation, cursor in (("previous", page.previous), ("next", page.next)):
        if cursor is not None:
            query = {"limit": str(limit), "page_info": cursor, **({"fields": fields} if fields else {})}
            links.append(f'<{base}?{urlencode(query)}>; rel="{relation}"')
    return ", ".join(links) or None


def _arrange(orders: Iterable[Order], filters: Mapping[str, str]) -> list[Order]:
    field, descending = _read_order(filters)
    return sorted(filter_orders(orders, filters), key=lambda o: (_SORTS[field](o), o.id), reverse=descending)


def _read_order(filters: Mapping[str, str]) -> tuple[str, bool]:
    if "order" not in filters:
        return ("id", False) if "since_id" in filters else ("created_at", True)
    field, _, direction = filters["order"].strip().lower().partition(" ")
    if field not in _SORTS or direction not in {"", "asc", "desc"}:
        raise refuse(400, {"order": "Invalid value."})
    return field, direction != "asc"


def _cut(arranged: list[Order], filters: dict[str, str], limit: int, edge: list[int] | None, *, forward: bool) -> Page:
    field, descending = _read_order(filters)

    def key(order: Order) -> list[int]:
        return [_SORTS[field](order), order.id]

    def is_after(order: Order) -> bool:
        return edge is not None and (key(order) < edge if descending else key(order) > edge)

    if edge is None:
        start = 0
    elif forward:
        start = next((i for i, order in enumerate(arranged) if is_after(order)), len(arranged))
    else:
        end = next((i for i, order in enumerate(arranged) if is_after(order) or key(order) == edge), len(arranged))
        start = max(0, end - limit)
    page = arranged[start : start + limit]
    return Page(
        page,
        previous=_write_cursor(filters, key(page[0]), forward=False) if page and start > 0 else None,
        next=_write_cursor(filters, key(page[-1]), forward=True) if start + limit < len(arranged) and page else None,
    )


def _write_cursor(filters: dict[str, str], edge: list[int], *, forward: bool) -> str:
    value = {"filters": filters, "edge": edge, "forward": forward}
    return base64.urlsafe_b64encode(dump_json(value)).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[dict[str, str], list[int], bool]:
    try:
        value = load_json(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (BadBodyError, ValueError):
        value = None
    filters, edge, forward = dig(value, "filters"), dig(value, "edge"), dig(value, "forward")
    sound = (
        isinstance(filters, dict)
        and all(isinstance(item, str) for item in filters.values())
        and isinstance(edge, list)
        and len(edge) == 2
        and all(type(item) is int for item in edge)
        and isinstance(forward, bool)
    )
    if not sound:
        raise refuse(400, {"page_info": "Invalid value."})
    return filters, edge, forward


def _read_status(text: str) -> Callable[[Order], bool]:
    if text not in _STATUSES:
        raise refuse(400, {"status": "Invalid value."})
    return _STATUSES[text]


def _read_id(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise refuse(400, {name: "Invalid value."})
    return int(text)


def _read_time(name: str, text: str) -> int:
    # A plus sign that was not escaped arrives as a space.
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise refuse(400, {name: "Invalid value."}) from error


def _bind_time(compare: Callable[[Order, int], bool], at: int) -> Callable[[Order], bool]:
    return lambda order: compare(order, at)


def pick_fields(shown: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """Return only the fields asked for, comma-separated; all when none are."""
    if not fields:
        return shown
    wanted = {part.strip() for part in fields.split(",")}
    return {name: value for name, value in shown.items() if name in wanted}
