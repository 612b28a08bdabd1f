"""What the storefront calls things: its item ids by SKU and its location ids by name, kept in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reference.storefront import Storefront

PAGE_SIZE = 250
LIFETIME_S = 3_600.0


class Catalogue:
    """
    A map that is read in full when something it does not know is asked for, once however many ask at the same time.

    `lifetime_s` is how long an answer stands, in this process's time.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[dict[str, int]]], *, lifetime_s: float) -> None:
        self._name = name
        self._read = read
        self._lifetime_s = lifetime_s
        self._ids: dict[str, int] = {}
        self._refreshed_at: float | None = None
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, key: str, *, as_of: float) -> int | None:
        """Return an id; what is unknown is asked for once more if the map is older than `as_of`, in epoch seconds."""
        if self._is_older(time.time() - self._lifetime_s) or (key not in self._ids and self._is_older(as_of)):
            if self._refresh is None or self._refresh.done():
                self._refresh = asyncio.create_task(self._read_all())
            # Shielded: one caller being cancelled must not take the answer away from the others.
            await asyncio.shield(self._refresh)
        return self._ids.get(key)

    def view(self) -> dict[str, object]:
        """Return it as it is shown to operators."""
        return {
            "name": self._name,
            "refreshed_at": self._refreshed_at,
            "refreshing": self._refresh is not None and not self._refresh.done(),
            "ttl_s": self._lifetime_s,
        }

    def _is_older(self, moment: float) -> bool:
        return self._refreshed_at is None or self._refreshed_at < moment

    async def _read_all(self) -> None:
        began = time.time()
        self._ids = await self._read()
        self._refreshed_at = began


@dataclass(frozen=True, slots=True)
class Names:
    """The maps that writing a stock level needs."""

    items: Catalogue
    locations: Catalogue


def build_names(storefront: Storefront, scaled: Callable[[float], float]) -> Names:
    """Build the maps of one shop."""

    async def read_items() -> dict[str, int]:
        return {
            str(variant["sku"]): int(variant["inventory_item_id"])
            async for page in storefront.list_pages("/products.json", "products", size=PAGE_SIZE)
            for product in page
            for variant in product["variants"]
        }

    async def read_locations() -> dict[str, int]:
        return {str(one["name"]): int(one["id"]) for one in await storefront.read("/locations.json", "locations")}

    lifetime_s = scaled(LIFETIME_S)
    return Names(
        Catalogue("inventory-items", read_items, lifetime_s=lifetime_s),
        Catalogue("locations", read_locations, lifetime_s=lifetime_s),
    )
