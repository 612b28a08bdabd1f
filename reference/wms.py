"""
The WMS client: places, allocates and cancels orders, lists orders and stock.

Source: the WMS's own OpenAPI. Errors are problem documents with a `code`; lists are followed by a cursor.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.outcomes import Failure, FailureError

DUPLICATE_REFERENCE = "duplicate_reference"
NOTHING_TO_ALLOCATE = "nothing_to_allocate"
NOT_CANCELLABLE = "not_cancellable"


class Wms:
    """One warehouse account."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def place(self, reference: str, body: bytes) -> Mapping[str, Any]:
        """Place an order and return it, or the one that took its reference before; raise `FailureError`."""
        answer = await self._caller.call("POST", "/orders", content=body)
        if answer.status_code == 201:
            return _read_order(answer)
        failure = _read_failure(answer)
        # That it is there already is believed once it has been found.
        found = await self.find(reference) if failure.code == DUPLICATE_REFERENCE else None
        if found is None:
            raise FailureError(failure)
        return found

    async def allocate(self, order_id: str, location: str) -> Mapping[str, Any]:
        """Allocate at a location what is still missing and return the order; raise `FailureError`."""
        body = f'{{"location":"{location}"}}'.encode()
        answer = await self._caller.call("POST", f"/orders/{order_id}/allocations", content=body)
        if read_object(answer).get("code") == NOTHING_TO_ALLOCATE:
            return _read_order(await self._caller.call("GET", f"/orders/{order_id}"))
        return _read_order(answer)

    async def find(self, reference: str) -> Mapping[str, Any] | None:
        """Return the order with a reference, or None; raise `FailureError`."""
        answer = await self._caller.call("GET", "/orders", params={"reference": reference})
        orders = _read_rows(answer, "orders")
        return orders[0] if orders else None

    async def cancel(self, order_id: str) -> bool:
        """Cancel an order; False when that cannot be done any more; raise `FailureError`."""
        answer = await self._caller.call("POST", f"/orders/{order_id}/cancel", content=b"{}")
        if 200 <= answer.status_code < 300:
            return True
        failure = _read_failure(answer)
        if failure.code == NOT_CANCELLABLE:
            return False
        raise FailureError(failure)

    def list_orders(self, *, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        """Yield pages of orders updated since an epoch second; raise `FailureError`."""
        return self._list("/orders", "orders", updated_since, size)

    def list_inventory(self, *, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        """Yield pages of stock levels that changed since an epoch second, the oldest change first; raise `FailureError`."""
        return self._list("/inventory", "items", updated_since, size)

    async def _list(self, path: str, root: str, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        since = datetime.fromtimestamp(updated_since, UTC).isoformat()
        params = {"updated_since": since, "limit": str(size)}
        while True:
            answer = await self._caller.call("GET", path, params=params)
            yield _read_rows(answer, root)
            cursor = read_object(answer).get("next_cursor")
            if not cursor:
                return
            params["cursor"] = str(cursor)


def _read_order(answer: httpx2.Response) -> Mapping[str, Any]:
    body = read_object(answer)
    if not 200 <= answer.status_code < 300 or not isinstance(body.get("id"), str):
        raise FailureError(_read_failure(answer))
    return body


def _read_rows(answer: httpx2.Response, root: str) -> list[Any]:
    rows = read_object(answer).get(root)
    if answer.status_code != 200 or not isinstance(rows, list):
        raise FailureError(_read_failure(answer))
    return rows


def _read_failure(answer: httpx2.Response) -> Failure:
    problem = read_object(answer)
    code = problem.get("code")
    return build_failure(answer, str(code) if code else None, str(problem.get("detail") or answer.text))
