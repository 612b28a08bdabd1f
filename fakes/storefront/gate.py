"""What every call passes before it is handled, and what every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.kit.answers import RefusedError
from fakes.storefront.errors import RETRY_AFTER_S, build_status, build_throttled, not_found
from fakes.storefront.settings import serve_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.kit.exchange import Exchange
    from fakes.storefront.shop import Shop


class Gate:
    """What every call passes first, and the headers every answer carries."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def check(self, exchange: Exchange) -> None:
        """Refuse calls without the token, to a version that never was, or past the bucket."""
        if exchange.headers.get("x-shopify-access-token") != self._shop.settings.access_token:
            raise RefusedError(build_status(401))
        if exchange.operation is not None and serve_version(exchange.params.get("version")) is None:
            raise not_found()
        if not self._shop.bucket.take():
            raise RefusedError(build_throttled(RETRY_AFTER_S))

    def dress(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """Give the version served, the request id, and how full the bucket is."""
        version = serve_version(exchange.params.get("version")) if exchange.operation else None
        if version is not None:
            yield "X-Shopify-API-Version", version
        yield "X-Request-Id", self._shop.ids.uuid("request")
        bucket = self._shop.bucket
        yield "X-Shopify-Shop-Api-Call-Limit", f"{min(int(bucket.size), round(bucket.level()))}/{int(bucket.size)}"
