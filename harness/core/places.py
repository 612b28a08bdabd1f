"""Places in a stack.yaml as pydantic names them: the node there, its name in words, the fields valid there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from pydantic import BaseModel

from harness.core.problems import shorten
from harness.core.shape import BARE, StackShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.nodes import Node

Where: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root down."""

_SINGULAR = {"handoffs": "handoff", "paths": "path"}


def find_node(root: Node, where: Where) -> Node:
    """Follow a place into the document as far as it goes."""
    node = root
    for part in where:
        if isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        elif isinstance(part, str) and part in node.entries:
            node = node.entries[part]
    return node


def find_fields(where: Where) -> tuple[str, ...]:
    """Return the fields that are valid at a place, in the order of the reference."""
    annotations: list[Any] = [StackShape]
    for part in where:
        annotations = [deeper for annotation in annotations for deeper in _step(annotation, part)]
    models = [model for annotation in annotations for model in _models(annotation)]
    return tuple(
        field.alias or name for model in models for name, field in model.model_fields.items() if field.alias != BARE
    )


def name_value(where: Where) -> str:
    """Return what a value is called in a sentence."""
    if not where:
        return "the stack"
    last = where[-1]
    if isinstance(last, str):
        return f"`{shorten(last)}`"
    return f"entry {last + 1} of `{where[-2]}`" if len(where) > 1 else f"entry {last + 1}"


def name_parent(where: Where, root: Node) -> str:
    """Return ` in <what>`, or nothing for the stack itself."""
    if not where:
        return ""
    last = where[-1]
    if isinstance(last, str):
        return f" in {shorten(last)}"
    what = _SINGULAR.get(str(where[-2]), f"entry of {where[-2]}")
    name = find_node(root, where).text("id")
    return f" in {what} `{shorten(name)}`" if name else f" in {what} {last + 1}"


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield the annotations found under one key or index of an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == part:
                yield field.annotation
        return
    container, arguments = getattr(annotation, "__origin__", None), get_args(annotation)
    if container in {dict, list}:
        yield arguments[-1]
        return
    for argument in arguments:
        yield from _step(argument, part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif getattr(annotation, "__origin__", None) not in {dict, list}:
        for argument in get_args(annotation):
            yield from _models(argument)
