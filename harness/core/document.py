"""
YAML text as a tree of nodes that know their place in the file.

Built from the parser's events with an explicit stack, so that neither depth nor aliases can exhaust anything. Plain
scalars are resolved by YAML 1.2: `on`, `off`, `yes` and `no` are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from harness.core.problems import Location, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_TEXT = 1_000_000
MOST_NODES = 20_000
DEEPEST = 40

Scalar: TypeAlias = str | int | float | bool | None

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,20}|[0-9]{1,20}(?:\.[0-9]{0,20})?)(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True)
class Node:
    """
    Hold one value of the file: a scalar, a list (`items`) or a mapping (`entries`, by key).

    `keys` has the node of each key, so that a complaint can point at it.
    """

    kind: str
    location: Location
    width: int = 1
    value: Scalar = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None where this is no mapping or has no such key."""
        return self.entries.get(key)

    def text(self, key: str) -> str | None:
        """Return the text under a key, or None where there is no text."""
        node = self.entries.get(key)
        return node.value if node is not None and isinstance(node.value, str) else None

    def plain(self) -> Any:
        """Return the value as plain lists, dicts and scalars."""
        if self.kind == "list":
            return [item.plain() for item in self.items]
        if self.kind == "mapping":
            return {key: value.plain() for key, value in self.entries.items()}
        return self.value

    def place(self, key: str) -> Location:
        """Return where a key stands, or where this value stands when it has no such key."""
        return self.keys[key].location if key in self.keys else self.location


@dataclass(frozen=True, slots=True)
class Document:
    """Hold the root of a file, its lines, and what the text alone already got wrong."""

    file: str
    lines: tuple[str, ...]
    root: Node | None
    problems: tuple[Problem, ...]

    def problem(self, code: str, message: str, at: Node | Location, **more: Any) -> Problem:
        """Build a problem that points at a node or place of this document."""
        place, width = (at.location, at.width) if isinstance(at, Node) else (at, 1)
        return located(self.lines, code, message, place, width=width, **more)


def read_document(text: str, *, file: str) -> Document:
    """Read YAML text; whatever the text is, the result is a document and its problems, never an exception."""
    lines = tuple(re.split(r"\r\n|\r|\n", text[: LARGEST_TEXT + 1]))
    if len(text) > LARGEST_TEXT:
        message = f"the file is too large: {len(text):,} characters, at most {LARGEST_TEXT:,}"
        return Document(
            file, lines, None, (Problem("too-large", message, file, fix="split it or remove what is not a stack"),)
        )
    composer = _Composer(file, lines)
    try:
        composer.read(text)
    except _GivenUpError:
        pass
    except YAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file, lines))
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over, the user gets a located problem
        composer.complain("yaml-syntax", f"the YAML cannot be read ({type(error).__name__})", composer.here)
    if composer.root is None and not composer.problems:
        composer.problems.append(
            Problem(
                "empty-file", "the file is empty", file, fix="start with `version: 1`", command="next: handoff schema"
            )
        )
    return Document(file, lines, composer.root, tuple(composer.problems))


def located(lines: tuple[str, ...], code: str, message: str, place: Location, **more: Any) -> Problem:
    """Build a problem at a place and attach the line it stands on."""
    source_line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    width = min(more.pop("width", 1), max(1, len(source_line) - place.column + 1))
    return Problem(code, message, place.file, place.line, place.column, width=width, source_line=source_line, **more)


class _GivenUpError(Exception):
    """The document passes a limit; what was read so far is thrown away."""


class _Composer:
    """Turn the parser's events into nodes, iteratively."""

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
        place, width = (at.location, at.width) if isinstance(at, Node) else (at, 1)
        self.problems.append(located(self.lines, code, message, place, width=width, **more))

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
                f"`{_short(key.value)}` is given twice (first on line {first})",
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
        if name in self._anchors:
            return self._anchors[name]
        known = nearest(name, self._anchors)
        self.complain(
            "unknown-alias",
            f"the alias `*{_short(name)}` has no finished anchor `&{_short(name)}` before it",
            self.here,
            found=name,
            suggestion=f"*{known}" if known else "",
            fix="write the value out",
        )
        return Node("scalar", self.here)

    def _check_tag(self, tag: Any) -> None:
        if tag is not None:
            self.complain(
                "yaml-tag", f"the YAML tag `{_short(str(tag))}` has no meaning here", self.here, fix="remove the tag"
            )

    def _give_up(self, code: str, message: str, fix: str) -> None:
        self.root = None
        self.complain(code, message, self.here, fix=fix)
        raise _GivenUpError


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


def _syntax_problem(error: YAMLError, text: str, file: str, lines: tuple[str, ...]) -> Problem:
    if isinstance(error, ReaderError):
        at = min(error.position, len(text) - 1)
        before = text[:at]
        place = Location(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        message = f"the character U+{ord(text[at]):04X} is not allowed in YAML"
        return located(lines, "yaml-character", message, place, fix="remove the character")
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    what = str(getattr(error, "problem", None) or "the text cannot be read").replace("\x00", "end of file")
    place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file, 1, 1)
    if "\\t" in what:
        return located(lines, "yaml-tab", "a tab cannot indent YAML", place, fix="indent with spaces")
    return located(lines, "yaml-syntax", f"broken YAML: {what}", place, fix=_syntax_fix(what))


def _syntax_fix(what: str) -> str:
    if "mapping values are not allowed" in what:
        return "quote a value that contains `: `, or indent the line under its parent"
    if "expected ','" in what:
        return "close the bracket, or put a comma between the values"
    if "end of stream" in what:
        return "close the quote"
    return "look at this line and the one above it"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
