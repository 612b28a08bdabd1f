"""`limit` and `offset` of a list or query, and the page they cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fakes.erp.errors import INVALID_PARAMETER, RefusalError

LARGEST_PAGE = 1000
LAST_ROW = 100_000


@dataclass(frozen=True, slots=True)
class Page:
    """A window over a result: `limit` rows from row `offset` on, counted from 0."""

    limit: int = LARGEST_PAGE
    offset: int = 0

    def cut(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Cut this page out of `rows`."""
        return rows[self.offset : self.offset + self.limit]


def read_page(query: Mapping[str, str]) -> Page:
    """
    Read the page asked for: at most 1,000 rows, an offset that is a multiple of the limit and stays within 100,000 rows.

    Raises RefusalError (`INVALID_PARAMETER` with `o:errorQueryParam`).
    """
    limit = _read_count(query, "limit", LARGEST_PAGE)
    offset = _read_count(query, "offset", 0)
    if not 1 <= limit <= LARGEST_PAGE:
        raise _bad("limit", f"Provide a number from 1 to {LARGEST_PAGE}.")
    if offset % limit:
        raise _bad("offset", "Provide an offset that is divisible by the limit.")
    if offset >= LAST_ROW:
        raise _bad("offset", f"A query returns at most {LAST_ROW} rows.")
    return Page(limit, offset)


def _read_count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _bad(name, "Provide a whole number.")
    return int(text)


def _bad(name: str, advice: str) -> RefusalError:
    return RefusalError(
        INVALID_PARAMETER, f"Invalid query parameter value for {name}. {advice}", where={"o:errorQueryParam": name}
    )


def build_page(rows: Sequence[Any], page: Page, *, url: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Build the collection document for one page of `rows`; `url` and `query` are what its links repeat."""
    total = len(rows)
    shown = list(page.cut(rows))
    last = max(0, (total - 1) // page.limit * page.limit)
    has_more = page.offset + len(shown) < total
    places = {"self": page.offset}
    if page.offset:
        places |= {"first": 0, "previous": max(0, page.offset - page.limit)}
    if has_more:
        places |= {"next": page.offset + page.limit, "last": last}
    kept = {name: value for name, value in query.items() if name not in {"limit", "offset"}}
    return {
        "links": [
            {"rel": rel, "href": f"{url}?{urlencode({**kept, 'limit': page.limit, 'offset': offset})}"}
            for rel, offset in places.items()
        ],
        "count": len(shown),
        "hasMore": has_more,
        "items": shown,
        "offset": page.offset,
        "totalResults": total,
    }
