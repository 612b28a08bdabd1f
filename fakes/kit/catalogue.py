"""What a vendor can do and say: operations, error codes, fault kinds, in one value that also classifies calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakes.kit.kinds import API_KINDS, FaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.kit.kinds import Direction


@dataclass(frozen=True, slots=True)
class Operation:
    """
    A call the vendor offers.

    ``path`` is a regular expression over the whole raw path without query; its named groups reach the handler.
    ``shared`` marks calls that serve no single order. ``handoff_hint`` suggests a handoff's name.
    """

    name: str
    method: str
    path: str
    shared: bool = False
    handoff_hint: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return what the catalogue shows."""
        shown = {"name": self.name, "method": self.method, "path": self.path, "shared": self.shared}
        return shown if self.handoff_hint is None else {**shown, "handoff_hint": self.handoff_hint}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """An error the vendor gives: its code, HTTP status, usual text, and whether sending the call again can help."""

    code: str
    status: int
    text: str
    retriable: bool = False

    def describe(self) -> dict[str, Any]:
        """Return what the catalogue shows."""
        return {"code": self.code, "status": self.status, "text": self.text, "retriable": self.retriable}


@dataclass(frozen=True, slots=True)
class Match:
    """How a call was classified: its operation, if any, and the named groups of the path."""

    operation: Operation | None
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    Everything a vendor can do; the first operation whose method and path fit classifies a call.

    ``open_codes``: it may answer with codes that are not listed, as scripts of a merchant's own or the vendor's next release do.
    """

    system: str
    operations: tuple[Operation, ...]
    codes: tuple[ErrorCode, ...] = ()
    kinds: tuple[FaultKind, ...] = API_KINDS
    topics: tuple[str, ...] = ()
    open_codes: bool = False
    _patterns: tuple[tuple[re.Pattern[str], Operation], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = tuple((re.compile(op.path), op) for op in self.operations)
        object.__setattr__(self, "_patterns", patterns)

    def classify(self, method: str, path: str) -> Match:
        """Return the operation of a call, if any."""
        for pattern, operation in self._patterns:
            if operation.method != method:
                continue
            found = pattern.fullmatch(path)
            if found is not None:
                return Match(operation, found.groupdict())
        return Match(None, {})

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods a path takes."""
        return tuple(dict.fromkeys(op.method for pattern, op in self._patterns if pattern.fullmatch(path)))

    def kind(self, name: str) -> FaultKind | None:
        """Return a fault kind by name."""
        return next((kind for kind in self.kinds if kind.kind == name), None)

    def code(self, name: str) -> ErrorCode | None:
        """Return an error code by name."""
        return next((code for code in self.codes if code.code == name), None)

    def targets(self, direction: Direction) -> tuple[str, ...]:
        """Return what a fault of this direction may name as its operation."""
        return self.topics if direction == "webhook" else tuple(dict.fromkeys(op.name for op in self.operations))

    def describe(self) -> dict[str, Any]:
        """Return the catalogue as the control plane shows it, without acts and collections."""
        return {
            "system": self.system,
            "operations": [op.describe() for op in self.operations],
            "faults": [kind.describe() for kind in self.kinds],
            "codes": [code.describe() for code in self.codes],
            "topics": list(self.topics),
        }
