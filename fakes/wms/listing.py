"""Lists by what changed last: filters, and cursors that lose nothing however much changes between two pages."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fakes.wms.errors import refuse
from fakes.wms.model import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from fakes.wms.bodies import OrderQuery, StockQuery
    from fakes.wms.model import Order, Stock


class _Changed(Protocol):
    @property
    def revision(self) -> int: ...

    @property
    def updated_at(self) -> float: ...


Record = TypeVar("Record", bound=_Changed)


def list_orders(orders: Iterable[Order], query: OrderQuery) -> tuple[list[Order], str | None]:
    """Return one page of orders, the one changed longest ago first, and the cursor of the next page."""

    def fits(order: Order) -> bool:
        return query.reference in {None, order.reference} and query.status in {None, order.status}

    return _cut(orders, fits, query)


def list_stock(stock: Iterable[Stock], query: StockQuery) -> tuple[list[Stock], str | None]:
    """Return one page of stock, the one changed longest ago first, and the cursor of the next page."""

    def fits(one: Stock) -> bool:
        return query.location in {None, one.location} and query.sku in {None, one.sku}

    return _cut(stock, fits, query)


def _cut(
    records: Iterable[Record], fits: Callable[[Record], bool], query: OrderQuery | StockQuery
) -> tuple[list[Record], str | None]:
    after = 0 if query.cursor is None else _read_cursor(query.cursor)
    since = query.updated_since
    kept = [one for one in records if one.revision > after and _is_recent(one, since) and fits(one)]
    kept.sort(key=lambda one: one.revision)
    page = kept[: query.limit]
    more = len(kept) > len(page)
    return page, _write_cursor(page[-1].revision) if more else None


def _is_recent(record: _Changed, since: datetime | None) -> bool:
    return since is None or to_datetime(record.updated_at) >= since


def _write_cursor(revision: int) -> str:
    return base64.urlsafe_b64encode(f"r{revision}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    try:
        value = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        value = ""
    number = value.removeprefix("r")
    if number == value or not number.isdecimal() or len(number) > 18:
        detail = "is no cursor of this list"
        raise refuse("validation_failed", f"cursor: {detail}", errors=[{"parameter": "cursor", "detail": detail}])
    return int(number)


def build_page(name: str, records: list[Any], cursor: str | None) -> dict[str, Any]:
    """Return a page as the API shows it."""
    return {name: records, "next_cursor": cursor}
