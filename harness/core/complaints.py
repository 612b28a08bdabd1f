"""What pydantic finds wrong with the shape of a stack, told as located problems in words of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from pydantic import BaseModel

from harness.core.problems import EDITOR_COMPLETION, Problem, nearest
from harness.core.shape import BARE, StackShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from harness.core.document import Document
    from harness.core.nodes import Node

Where: TypeAlias = tuple[str | int, ...]

_SINGULAR = {
    "handoffs": "handoff",
    "paths": "path",
    "accept": "accept entry",
    "impact_high": "impact_high",
    "after": "after",
}
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_PATTERNS = {
    "operation": ("operation", "a name of the fake's catalogue, such as `sales_order.upsert` or `orders/create`"),
    "url": ("url", "an http or https address"),
    "python": ("python", "`module:function`"),
}


def shape_problems(error: ValidationError, document: Document, root: Node) -> Iterator[Problem]:
    """Yield a located problem for each complaint of pydantic about the document."""
    for detail in error.errors(include_url=False, include_input=False):
        where = tuple(part for part in detail["loc"] if part not in {BARE, "[key]"})
        if detail["type"] == "extra_forbidden":
            yield _unknown_field(where, document, root)
        elif detail["type"] == "missing":
            yield _missing_field(where, document, root)
        elif not _is_empty(_node_at(root, where)):
            yield _wrong_value(detail, where, document, root)


def _unknown_field(where: Where, document: Document, root: Node) -> Problem:
    name = str(where[-1])
    parent = _node_at(root, where[:-1])
    allowed = _fields_at(where[:-1])
    near = nearest(name, allowed)
    return document.problem(
        "unknown-field",
        f"unknown field `{_short(name)}`{_inside(where[:-1], root)}",
        parent.keys.get(name, parent),
        found=name,
        expected=allowed,
        suggestion=near,
        fix=f"rename it to `{near}`" if near else "remove it",
        command=EDITOR_COMPLETION,
    )


def _missing_field(where: Where, document: Document, root: Node) -> Problem:
    name = str(where[-1])
    parent = _node_at(root, where[:-1])
    return document.problem(
        "missing-field",
        f"missing field `{name}`{_inside(where[:-1], root)}",
        parent.location,
        expected=(),
        fix=f"add `{name}:`",
        command=EDITOR_COMPLETION,
    )


def _wrong_value(detail: ErrorDetails, where: Where, document: Document, root: Node) -> Problem:
    node = _node_at(root, where)
    name = _name(where)
    shown = _shown(node)
    context: dict[str, Any] = detail.get("ctx", {})
    code, message = "bad-value", f"{name} cannot be {shown}: {detail['msg']}"
    expected: tuple[str, ...] = ()
    suggestion, fix = "", ""
    if detail["loc"][-1:] == ("[key]",):
        node = _node_at(root, where[:-1]).keys.get(str(where[-1]), node)
        code, message = "bad-name", f"`{_short(str(where[-1]))}` is not a name: letters, digits, `-` and `_` only"
        fix = "rename it"
    elif detail["type"] == "bad_value":
        code, message, suggestion = f"bad-{context['kind']}", f"{context['message']}, at {name}", context["suggestion"]
    elif detail["type"] == "literal_error":
        expected = _literals(context["expected"])
        suggestion = nearest(str(node.value), expected)
        code = "unknown-version" if where == ("version",) else "unknown-value"
        message = f"{name} cannot be {shown}"
    elif detail["type"] in _TYPES:
        code, message = "wrong-type", f"{name} should be {_TYPES[detail['type']]}, found {shown}"
        fix = f"make it {_TYPES[detail['type']]}"
        suggestion = _quoted(node) if detail["type"] == "string_type" else _unquoted(detail["type"], node)
    elif "pattern" in detail["type"]:
        code, what = next(
            ((f"bad-{_PATTERNS[part][0]}", _PATTERNS[part][1]) for part in where if part in _PATTERNS),
            ("bad-value", ""),
        )
        message = f"{name} cannot be {shown}: expected {what or _pattern_words(context['pattern'])}"
    else:
        code, message = "out-of-range", f"{name} cannot be {shown}: {_limit(detail['type'], context)}"
    return document.problem(
        code,
        message,
        node,
        found="" if node.kind != "scalar" else str(node.value),
        expected=expected,
        suggestion=suggestion,
        fix=f"write `{suggestion}`" if suggestion else fix or _way_out(expected),
        command=EDITOR_COMPLETION if expected or code == "wrong-type" else "",
    )


def _limit(kind: str, context: dict[str, Any]) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for key, word in words.items():
        if key in context:
            return f"{word} {context[key]:g}"
    if "min_length" in context:
        return "must not be empty"
    if "max_length" in context:
        return f"at most {context['max_length']} characters"
    return kind.replace("_", " ")


def _pattern_words(pattern: str) -> str:
    return "a path that begins with `/`" if pattern.startswith("^/") else "a name of letters, digits, `-` and `_`"


def _way_out(expected: tuple[str, ...]) -> str:
    return f"use one of {', '.join(expected)}" if expected else "change the value"


def _literals(text: str) -> tuple[str, ...]:
    quoted = tuple(re.findall(r"'([^']*)'", text))
    return quoted or ({"True": "true"}.get(text, text),)


def _quoted(node: Node) -> str:
    return f'"{str(node.value).lower() if isinstance(node.value, bool) else node.value}"' if _is_plain(node) else ""


def _unquoted(kind: str, node: Node) -> str:
    looks_numeric = isinstance(node.value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", node.value)
    return str(node.value) if looks_numeric and kind in {"int_type", "float_type"} else ""


def _is_plain(node: Node) -> bool:
    return node.kind == "scalar" and node.value is not None


def _is_empty(node: Node) -> bool:
    """Tell whether nothing stands there, which rules.py tells better."""
    return node.kind == "scalar" and node.value is None


def _shown(node: Node) -> str:
    if node.kind != "scalar":
        return f"a {node.kind}"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return f"`{_short(node.value)}`" if node.value else "an empty text"
    return f"`{str(node.value).lower()}`"


def _name(where: Where) -> str:
    last = where[-1] if where else "the stack"
    if isinstance(last, int):
        return f"entry {last + 1} of `{where[-2]}`" if len(where) > 1 else f"entry {last + 1}"
    return f"`{last}`" if where else "the stack"


def _inside(where: Where, root: Node) -> str:
    if not where:
        return ""
    if isinstance(where[-1], int) and len(where) > 1:
        what = _SINGULAR.get(str(where[-2]), str(where[-2]))
        name = _node_at(root, where).text("id")
        return f" in {what} `{_short(name)}`" if name else f" in {what} {where[-1] + 1}"
    return f" in {where[-1]}"


def _node_at(root: Node, where: Where) -> Node:
    """Follow a place into the document as far as it goes."""
    node = root
    for part in where:
        if isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        elif isinstance(part, str) and part in node.entries:
            node = node.entries[part]
    return node


def _fields_at(where: Where) -> tuple[str, ...]:
    """Return the fields that are valid at a place."""
    annotations: list[Any] = [StackShape]
    for part in where:
        annotations = [deeper for annotation in annotations for deeper in _step(annotation, part)]
    models = [model for annotation in annotations for model in _models(annotation)]
    return tuple(
        field.alias or name for model in models for name, field in model.model_fields.items() if field.alias != BARE
    )


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield the annotations found under one key or index of an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == part:
                yield field.annotation
        return
    origin_args = get_args(annotation)
    container = getattr(annotation, "__origin__", None)
    if container is dict:
        yield origin_args[1]
    elif container is list:
        yield origin_args[0]
    else:
        for argument in origin_args:
            yield from _step(argument, part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif getattr(annotation, "__origin__", None) not in {dict, list}:
        for argument in get_args(annotation):
            yield from _models(argument)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
