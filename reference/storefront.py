"""
The storefront client: lists orders by when they were last updated, page by page.

Source: Shopify Admin REST API. Pages follow the `Link` header's `page_info`, beside which only `limit` is allowed; a 429 says in
`Retry-After` how many seconds to wait, as a decimal. Those are the vendor's seconds and are waited unscaled.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from reference.config import Settings
from reference.log import get_log
from reference.policies import ReconcilePolicy

LONGEST_RETRY_AFTER_S = 60.0
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
log = get_log("storefront")


class StorefrontError(Exception):
    """The storefront could not be listed; `code` says why in one word."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Storefront:
    """One shop's Admin API."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, policy: ReconcilePolicy) -> None:
        self._http = http
        self._url = f"{settings.storefront_url}/orders.json"
        self._token = settings.storefront_token
        self._policy = policy
        self._timeout_s = settings.scaled(policy.timeout_s)
        self._authorised: bool | None = None

    async def list_orders(self, *, updated_since: float) -> AsyncIterator[list[Any]]:
        """Yield pages of orders updated since an epoch second, as the storefront's JSON; raise `StorefrontError`."""
        since = datetime.fromtimestamp(updated_since, UTC).isoformat(timespec="seconds")
        size = str(self._policy.page_size)
        query: dict[str, str] | None = {
            "limit": size,
            "status": "any",
            "updated_at_min": since,
            "order": "updated_at asc",
        }
        while query is not None:
            answer = await self._get(query)
            yield _read_page(answer)
            cursor = _find_next(answer)
            query = {"limit": size, "page_info": cursor} if cursor else None

    def view(self) -> dict[str, object]:
        """Return the session as it is shown to operators: an offline token does not expire, it is accepted or not."""
        return {
            "system": "storefront",
            "user": "access-token",
            "valid": self._authorised is not False,
            "expires_at": None,
        }

    async def _get(self, query: dict[str, str]) -> httpx2.Response:
        for _ in range(self._policy.throttled_tries):
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await self._http.get(
                        self._url, params=query, headers={"X-Shopify-Access-Token": self._token}
                    )
            except (httpx2.HTTPError, TimeoutError) as error:
                raise StorefrontError("CONNECTION", f"listing orders: {type(error).__name__}") from error
            self._authorised = answer.status_code != 401
            if answer.status_code != 429:
                return answer
            await asyncio.sleep(_read_retry_after(answer))
        raise StorefrontError("HTTP_429", f"listing orders: still throttled after {self._policy.throttled_tries} tries")


def _read_page(answer: httpx2.Response) -> list[Any]:
    if answer.status_code != 200:
        raise StorefrontError(f"HTTP_{answer.status_code}", f"listing orders: {answer.text[:500]}")
    try:
        orders = answer.json()["orders"]
    except (ValueError, TypeError, KeyError):
        orders = None
    if not isinstance(orders, list):
        raise StorefrontError("MALFORMED_RESPONSE", f"listing orders: not understood: {answer.text[:200]}")
    return orders


def _find_next(answer: httpx2.Response) -> str | None:
    # Only the cursor is taken from the link: its host may be one this service is not meant to reach the shop by.
    found = _NEXT.search(answer.headers.get("link", ""))
    cursors = parse_qs(urlsplit(found[1]).query).get("page_info", []) if found else []
    return cursors[0] if cursors else None


def _read_retry_after(answer: httpx2.Response) -> float:
    try:
        seconds = float(answer.headers.get("retry-after", "1"))
    except ValueError:
        seconds = 1.0
    log.info("throttled", retry_after_s=seconds)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
