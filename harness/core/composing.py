"""
From the parser's events to nodes, with an explicit stack, so that neither depth nor aliases can exhaust anything.

Plain scalars are resolved by YAML 1.2: `on`, `off`, `yes` and `no` are text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from harness.core.nodes import Node, Scalar
from harness.core.problems import Location, Problem, nearest, problem_at, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NODES = 20_000
DEEPEST = 40

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,20}|[0-9]{1,20}(?:\.[0-9]{0,20})?)(?:[eE][-+]?[0-9]{1,3})?")


class GivenUpError(Exception):
    """The document passes a limit; what was read so far is thrown away."""


class Composer:
    """Turn the parser's events into nodes, iteratively; `here` is the place of the last event."""

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.file = file
        self.lines = lines
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.here = Location(file, 1, 1)
        self._open: list[Node] = []
        self._anchors_open: list[str | None] = []
        self._pending: list[Node | None] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._nodes = 0

    def read(self, text: str) -> None:
        """Read a text; raise what the parser raises, or GivenUpError at a limit."""
        for event in _events(text):
            self.here = Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, DocumentStartEvent):
                self._start_document()
            elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
                self._start_container(event)
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                self._end_container()
            elif isinstance(event, ScalarEvent):
                self._add(self._scalar(event), event.anchor)
            elif isinstance(event, AliasEvent):
                alias = self._alias(event.anchor)
                self._add(alias, None, cost=alias.size)

    def complain(self, code: str, message: str, at: Node | Location, **more: Any) -> None:
        """Add a problem at a node or place."""
        place, width = (at.location, at.width) if isinstance(at, Node) else (at, 1)
        self.problems.append(problem_at(place, code, message, lines=self.lines, width=width, **more))

    def _start_document(self) -> None:
        self._documents += 1
        if self._documents > 1:
            self._give_up("two-documents", "a second YAML document starts here", "keep one stack in a file")

    def _start_container(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if len(self._open) >= DEEPEST:
            self._give_up("too-deep", f"nested deeper than {DEEPEST} levels", "a stack needs fewer than 10 levels")
        self._check_tag(event.tag)
        kind = "mapping" if isinstance(event, MappingStartEvent) else "list"
        self._open.append(Node(kind, self.here))
        self._anchors_open.append(event.anchor)
        self._pending.append(None)

    def _end_container(self) -> None:
        node, anchor = self._open.pop(), self._anchors_open.pop()
        self._pending.pop()
        self._add(node, anchor)

    def _add(self, node: Node, anchor: str | None, *, cost: int = 1) -> None:
        self._nodes += cost
        if self._nodes > MOST_NODES:
            self._give_up("too-large", f"more than {MOST_NODES:,} values", "a stack needs far fewer; look for aliases")
        if len(self._open) + node.height > DEEPEST:
            self._give_up("too-deep", f"nested deeper than {DEEPEST} levels", "a stack needs fewer than 10 levels")
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if parent.kind == "list":
            parent.items.append(node)
        elif self._pending[-1] is None:
            self._pending[-1] = node
        else:
            key, self._pending[-1] = self._pending[-1], None
            self._enter(parent, key, node)

    def _enter(self, parent: Node, key: Node, value: Node) -> None:
        if not isinstance(key.value, str) or not key.value:
            shown = "a list or mapping" if key.kind != "scalar" else f"`{key.value}`"
            self.complain(
                "key-not-text", f"{shown} is not a field name", key, fix="keys are names: quote it or remove it"
            )
        elif key.value in parent.entries:
            first = parent.keys[key.value].location.line
            self.complain(
                "duplicate-key",
                f"`{shorten(key.value)}` is given twice (first on line {first})",
                key,
                found=key.value,
                fix="remove one of the two",
            )
        else:
            parent.entries[key.value] = value
            parent.keys[key.value] = key

    def _scalar(self, event: ScalarEvent) -> Node:
        self._check_tag(event.tag)
        one_line = event.start_mark.line == event.end_mark.line
        width = max(1, event.end_mark.column - event.start_mark.column) if one_line else 1
        value = _resolve(event.value) if event.implicit[0] and event.style is None else event.value
        return Node("scalar", self.here, width, value)

    def _alias(self, name: str) -> Node:
        if name not in self._anchors:
            known = nearest(name, self._anchors)
            self._give_up(
                "unknown-alias",
                f"the alias `*{shorten(name)}` has no finished anchor `&{shorten(name)}` before it",
                "write the value out",
                found=name,
                suggestion=f"*{known}" if known else "",
            )
        return self._anchors[name]

    def _check_tag(self, tag: Any) -> None:
        if tag is not None:
            self.complain(
                "yaml-tag", f"the YAML tag `{shorten(str(tag))}` has no meaning here", self.here, fix="remove the tag"
            )

    def _give_up(self, code: str, message: str, fix: str, **more: Any) -> NoReturn:
        self.root = None
        self.complain(code, message, self.here, fix=fix, **more)
        raise GivenUpError


def _events(text: str) -> Iterator[Any]:
    yaml = YAML(typ="safe", pure=True)
    yield from yaml.parse(text)


def _resolve(text: str) -> Scalar:
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
