"""From mappings to operations: which calls are one operation, what it is called, what its mappings say of it together."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakes.kit.catalogue import Operation
from fakes.wiremock.errors import MappingError
from fakes.wiremock.metadata import Plan, build_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fakes.wiremock.metadata import Mapped, Metadata

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ANYTHING = {".*", "/.*", ".+", "/.+"}
_VARIABLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path (regular expression, without query) some mappings serve; a low ``rank`` is more precise."""

    rank: int
    method: str
    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations, the more precise first, and the plan of each by name."""

    operations: tuple[Operation, ...]
    plans: dict[str, Plan]

    def plan(self, operation: Operation | None) -> Plan:
        """Return the plan of an operation."""
        return self.plans.get(operation.name, _NO_PLAN) if operation is not None else _NO_PLAN


_NO_PLAN = Plan()


def build_operations(mappings: Sequence[Mapped]) -> Operations:
    """
    Return the operations the mappings serve; raises MappingError.

    Mappings of one method and path are one operation, by the name their metadata gives, else their own where they share
    one, else METHOD path. A mapping for whatever no other serves is none.
    """
    groups: defaultdict[Route, list[Mapped]] = defaultdict(list)
    for mapped in mappings:
        for route in _list_routes(mapped):
            groups[route].append(mapped)
    operations: list[Operation] = []
    said: defaultdict[str, list[Metadata]] = defaultdict(list)
    for route in sorted(groups, key=lambda route: route.rank):
        group = groups[route]
        name = _name(route, group)
        shared = any(mapped.metadata.shared for mapped in group)
        operations.append(Operation(name, route.method, route.path, shared=shared))
        said[name] += [mapped.metadata for mapped in group]
    return Operations(tuple(operations), {name: build_plan(each) for name, each in said.items()})


def _name(route: Route, group: Sequence[Mapped]) -> str:
    given = {mapped.metadata.operation: mapped for mapped in group if mapped.metadata.operation}
    if len(given) > 1:
        one, other = sorted(given)[:2]
        why = f"{route.method} {route.label} is the operation {one!r} at {given[one].where}; one call has one operation"
        raise MappingError(given[other].where, f"metadata.handoff.operation {other!r}: {why}")
    if given:
        return next(iter(given))
    names = {mapped.name for mapped in group}
    return names.pop() or f"{route.method} {route.label}" if len(names) == 1 else f"{route.method} {route.label}"


def _list_routes(mapped: Mapped) -> Iterator[Route]:
    rank, path, label = _read_path(mapped)
    if rank == _LAST and mapped.metadata.operation is None:
        return
    method = str(mapped.request.get("method", "ANY")).upper()
    for each in METHODS if method == "ANY" else (method,):
        yield Route(rank, each, path, label)


_LAST = 4


def _read_path(mapped: Mapped) -> tuple[int, str, str]:
    """Return how precise a mapping's path is, the path as a regular expression, and as it is written."""
    request = mapped.request
    if isinstance(literal := request.get("urlPath") or request.get("url"), str):
        path = literal.partition("?")[0]
        return 0, re.escape(path), path
    if isinstance(template := request.get("urlPathTemplate"), str):
        return 1, "".join(_read_template(template)), template
    pattern = request.get("urlPathPattern") or request.get("urlPattern")
    if not isinstance(pattern, str) or pattern in _ANYTHING:
        return _LAST, ".*", "*"
    path = pattern if "urlPathPattern" in request else re.split(r"\\\?", pattern, maxsplit=1)[0]
    path = re.sub(r"\(\?<(?![=!])", "(?P<", path)
    try:
        re.compile(path)
    except re.error as error:
        raise MappingError(mapped.where, f"the URL pattern {pattern!r} cannot be read here: {error}") from error
    return 2, path, pattern


def _read_template(template: str) -> Iterable[str]:
    for position, part in enumerate(_VARIABLE.split(template)):
        if position % 2 == 0:
            yield re.escape(part)
        else:
            yield f"(?P<{part}>[^/]+)" if part.isidentifier() else "[^/]+"
