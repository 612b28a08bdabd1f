"""Lists: pages after or before an id, filtered by time, the newest first (Stripe: pagination)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fakes.gateway.errors import invalid, missing
from fakes.kit.answers import Answer, build_json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fakes.gateway.params import Params

USUAL, MOST = 10, 100


class Listed(Protocol):
    """What can be listed."""

    @property
    def id(self) -> str:
        """The object's id."""

    @property
    def created(self) -> float:
        """When it was made, in epoch seconds."""


T = TypeVar("T", bound=Listed)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    after: str | None
    before: str | None
    created: Mapping[str, int]


def read_page(params: Params) -> Page:
    """Take the parameters every list has; raises RefusedError."""
    page = Page(
        read_limit(params), params.text("starting_after"), params.text("ending_before"), params.period("created")
    )
    if page.after and page.before:
        raise invalid("You can only pass one of ending_before or starting_after.", param="ending_before")
    return page


def read_limit(params: Params) -> int:
    """Take ``limit``, 10 unless given."""
    limit = params.integer("limit")
    if limit is None:
        return USUAL
    if not 1 <= limit <= MOST:
        raise invalid(f"This value must be from 1 to {MOST}.", param="limit")
    return limit


def cut(held: Iterable[T], page: Page, *, what: str) -> tuple[list[T], bool]:
    """Return the objects of a page, newest first, and whether more follow; raises RefusedError for an unknown cursor."""
    newest = [one for one in reversed(list(held)) if _is_within(one.created, page.created)]
    if page.before is not None:
        end = _find(newest, page.before, what, "ending_before")
        return newest[max(0, end - page.limit) : end], end > page.limit
    start = 0 if page.after is None else _find(newest, page.after, what, "starting_after") + 1
    return newest[start : start + page.limit], len(newest) > start + page.limit


def answer_list(path: str, shown: Sequence[T], build: Callable[[T], dict[str, Any]], *, more: bool) -> Answer:
    """Answer one page of a list."""
    data = [build(one) for one in shown]
    return answer_object({"object": "list", "data": data, "has_more": more, "url": path})


def answer_object(value: dict[str, Any]) -> Answer:
    """Answer an object; the vendor has 200 for whatever went well."""
    return build_json_answer(200, value, media_type="application/json")


def _find(newest: Sequence[T], object_id: str, what: str, param: str) -> int:
    for place, one in enumerate(newest):
        if one.id == object_id:
            return place
    raise missing(what, object_id, param=param)


def _is_within(at: float, bounds: Mapping[str, int]) -> bool:
    second = int(at)
    holds = {
        "gt": second > bounds.get("gt", second - 1),
        "gte": second >= bounds.get("gte", second),
        "lt": second < bounds.get("lt", second + 1),
        "lte": second <= bounds.get("lte", second),
    }
    return all(holds.values())
