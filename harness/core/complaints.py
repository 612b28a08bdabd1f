"""What pydantic finds wrong with the shape of a stack, told as located problems in words of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.places import Where, find_fields, find_node, name_parent, name_value
from harness.core.problems import EDITOR_COMPLETION, Problem, nearest, shorten
from harness.core.shape import BARE
from harness.core.wrong_values import describe_name, describe_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from harness.core.document import Document
    from harness.core.nodes import Node

_KEY = "[key]"
"""How pydantic says that it means the key of a mapping, not the value."""


def shape_problems(error: ValidationError, document: Document, root: Node) -> Iterator[Problem]:
    """Yield a located problem for each complaint of pydantic about the document."""
    for detail in error.errors(include_url=False, include_input=False):
        where = tuple(part for part in detail["loc"] if part not in {BARE, _KEY})
        if detail["type"] == "extra_forbidden":
            yield _unknown_field(where, document, root)
        elif detail["type"] == "missing":
            yield _missing_field(where, document, root)
        elif not _is_empty(find_node(root, where)):
            yield _wrong_value(detail, where, document, root)


def _unknown_field(where: Where, document: Document, root: Node) -> Problem:
    name = str(where[-1])
    parent = find_node(root, where[:-1])
    allowed = find_fields(where[:-1])
    near = nearest(name, allowed)
    return document.problem(
        "unknown-field",
        f"unknown field `{shorten(name)}`{name_parent(where[:-1], root)}",
        parent.keys.get(name, parent),
        found=name,
        expected=allowed,
        suggestion=near,
        fix=f"rename it to `{near}`" if near else "remove it",
        command=EDITOR_COMPLETION,
    )


def _missing_field(where: Where, document: Document, root: Node) -> Problem:
    name = str(where[-1])
    parent = find_node(root, where[:-1])
    return document.problem(
        "missing-field",
        f"missing field `{name}`{name_parent(where[:-1], root)}",
        parent.location,
        fix=f"add `{name}:`",
        command=EDITOR_COMPLETION,
    )


def _wrong_value(detail: ErrorDetails, where: Where, document: Document, root: Node) -> Problem:
    node = find_node(root, where)
    if detail["loc"][-1:] == (_KEY,):
        node = find_node(root, where[:-1]).keys.get(str(where[-1]), node)
        complaint = describe_name(str(where[-1]))
    else:
        complaint = describe_value(detail["type"], detail.get("ctx", {}), name_value(where), node, find_fields(where))
    return document.problem(
        complaint.code,
        complaint.message,
        node,
        found=str(node.value) if node.kind == "scalar" else "",
        expected=complaint.expected,
        suggestion=complaint.suggestion,
        fix=f"write `{complaint.suggestion}`" if complaint.suggestion else complaint.fix,
        command=EDITOR_COMPLETION if complaint.expected or complaint.code == "wrong-type" else "",
    )


def _is_empty(node: Node) -> bool:
    """Tell whether nothing stands there, which rules.py tells better."""
    return node.kind == "scalar" and node.value is None
