"""Pages of lists that only grow: products, items, levels (Shopify: paginated requests with the REST Admin API)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fakes.kit.answers import Answer, build_json_answer
from fakes.kit.bodies import BadBodyError, dig, dump_json, load_json
from fakes.storefront.errors import refuse
from fakes.storefront.listing import pick_fields, read_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fakes.kit.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: filters, the position of the first record, and how many."""

    filters: Mapping[str, str]
    start: int
    limit: int
    fields: str | None


def read_request(query: Mapping[str, str], names: Sequence[str]) -> Request:
    """Return what a query asks for; of its parameters only ``names`` filter, and a ``page_info`` carries its own."""
    limit, fields = read_limit(query), query.get("fields")
    if "page" in query:
        raise refuse(400, {"page": "page cannot be passed. See https://shopify.dev/api/usage/pagination-rest"})
    if "page_info" not in query:
        return Request({name: query[name] for name in names if name in query}, 0, limit, fields)
    if set(query) - {"page_info", "limit", "fields"}:
        raise refuse(400, {"page_info": "Only limit and fields may be passed with page_info."})
    filters, start = _read_cursor(query["page_info"])
    return Request(filters, start, limit, fields)


def answer_page(
    exchange: Exchange, root: str, request: Request, records: Sequence[Any], build: Callable[[Any], dict[str, Any]]
) -> Answer:
    """Answer a page of records under a root, with links to its neighbours."""
    start, end = request.start, request.start + request.limit
    shown = [pick_fields(build(one), request.fields) for one in records[start:end]]
    links = []
    if start > 0:
        links.append(_link(exchange, request, max(0, start - request.limit), "previous"))
    if end < len(records):
        links.append(_link(exchange, request, end, "next"))
    return build_json_answer(200, {root: shown}, headers=[("Link", ", ".join(links))] if links else [])


def read_ids(filters: Mapping[str, str], name: str) -> list[str] | None:
    """Return the ids of a comma-separated filter, None when it is not given."""
    if not filters.get(name):
        return None
    ids = [part.strip() for part in filters[name].split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in ids):
        raise refuse(400, {name: "Invalid value."})
    return ids


def _link(exchange: Exchange, request: Request, start: int, relation: str) -> str:
    cursor = base64.urlsafe_b64encode(dump_json({"filters": request.filters, "start": start})).decode().rstrip("=")
    query = {"limit": str(request.limit), "page_info": cursor, **({"fields": request.fields} if request.fields else {})}
    return f'<http://{exchange.host}{exchange.path}?{urlencode(query)}>; rel="{relation}"'


def _read_cursor(text: str) -> tuple[dict[str, str], int]:
    try:
        value = load_json(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (BadBodyError, ValueError):
        value = None
    filters, start = dig(value, "filters"), dig(value, "start")
    if (
        not isinstance(filters, dict)
        or not all(isinstance(item, str) for item in filters.values())
        or type(start) is not int
        or start < 0
    ):
        raise refuse(400, {"page_info": "Invalid value."})
    return filters, start
