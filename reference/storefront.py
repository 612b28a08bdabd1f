"""
The storefront client: calls of the Admin API, and what its answers mean in the terms the policies use.

Source: Shopify Admin REST API. Pages follow the `Link` header's `page_info`, beside which only `limit` is allowed; a 429 says in
`Retry-After` how many seconds to wait, as a decimal; errors have a text or texts by field, and no codes.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.log import get_log
from reference.outcomes import Failure, FailureError

THROTTLED_TRIES = 5
SHORTEST_WAIT_S = 1.0
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
log = get_log("storefront")


class Storefront:
    """One shop's Admin API."""

    def __init__(self, caller: Caller, *, scaled: Callable[[float], float]) -> None:
        self._caller = caller
        self._scaled = scaled

    async def read(self, path: str, root: str, **params: str) -> Any:
        """Return what stands under the answer's one key; raise `FailureError`."""
        return _unwrap(await self._caller.call("GET", path, params=params), root)

    async def write(self, path: str, body: bytes, root: str) -> Any:
        """Post a JSON body and return what stands under the answer's one key; raise `FailureError`."""
        return _unwrap(await self._caller.call("POST", path, content=body), root)

    async def list_pages(self, path: str, root: str, *, size: int, **params: str) -> AsyncIterator[list[Any]]:
        """Yield page after page of a list, waiting where the vendor asks to; raise `FailureError`."""
        query: dict[str, str] | None = {"limit": str(size), **params}
        while query is not None:
            answer = await self._get_patiently(path, query)
            page = _unwrap(answer, root)
            if not isinstance(page, list):
                raise FailureError(build_failure(answer, None, f"{root} is not a list"))
            yield page
            cursor = _find_next(answer)
            query = {"limit": str(size), "page_info": cursor} if cursor else None

    def list_orders(self, *, updated_since: float, size: int) -> AsyncIterator[list[Any]]:
        """Yield pages of orders updated since an epoch second, as the storefront's JSON; raise `FailureError`."""
        since = datetime.fromtimestamp(updated_since, UTC).isoformat(timespec="seconds")
        return self.list_pages(
            "/orders.json", "orders", size=size, status="any", updated_at_min=since, order="updated_at asc"
        )

    async def _get_patiently(self, path: str, query: Mapping[str, str]) -> httpx2.Response:
        for _ in range(THROTTLED_TRIES - 1):
            answer = await self._caller.call("GET", path, params=query)
            if answer.status_code != 429:
                return answer
            wait_s = max(_read_failure(answer).retry_after_s, SHORTEST_WAIT_S)
            log.info("throttled", wait_s=wait_s)
            await asyncio.sleep(self._scaled(wait_s))
        return await self._caller.call("GET", path, params=query)


def _unwrap(answer: httpx2.Response, root: str) -> Any:
    if not 200 <= answer.status_code < 300:
        raise FailureError(_read_failure(answer))
    body = read_object(answer)
    if root not in body:
        raise FailureError(_read_failure(answer))
    return body[root]


def _read_failure(answer: httpx2.Response) -> Failure:
    errors = read_object(answer).get("errors")
    text = errors if isinstance(errors, str) else json.dumps(errors) if errors else answer.text
    return build_failure(answer, None, text)


def _find_next(answer: httpx2.Response) -> str | None:
    # Only the cursor is taken from the link: its host may be one this service is not meant to reach the shop by.
    found = _NEXT.search(answer.headers.get("link", ""))
    cursors = parse_qs(urlsplit(found[1]).query).get("page_info", []) if found else []
    return cursors[0] if cursors else None
