"""What to say about a value of the wrong type, range or form: words, the valid values, the nearest one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.problems import nearest, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.core.nodes import Node

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
_FORMS = {
    "operation": "a name of the fake's catalogue, such as `sales_order.upsert` or `orders/create`",
    "url": "an http or https address",
    "hosts": "a host name in lower case with a dot in it, such as `shop.acme.test`",
    "python": "`module:function`",
    "state": "the word that the record's status has at the vendor, such as `Pending Fulfillment`",
}
_GUESSES: dict[str, Callable[[str], str]] = {
    "operation": lambda text: re.sub(r"[^a-z0-9_./]+", "_", text.lower()).strip("_./"),
    "hosts": lambda text: text.lower() if "." in text.strip(".") and re.fullmatch(r"[\w.-]+", text) else "",
}
_REMEDIES = {
    "duration": "write a number and a unit, such as `10s`",
    "threshold": "write it like `amount > 500.00 EUR`",
    "date": "write it like `2027-03-31`",
    "entity": "write it like `order-(?P<order>[0-9]+)`",
}
_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Hold what is said about one value; the place is added by whoever knows it."""

    code: str
    message: str
    expected: tuple[str, ...] = ()
    suggestion: str = ""
    fix: str = ""


def describe_name(name: str) -> Complaint:
    """Describe a key that is not a name."""
    message = f"`{shorten(name)}` is not a name: letters, digits, `-` and `_`, at most 80"
    return Complaint("bad-name", message, suggestion=_as_name(name), fix="rename it")


def describe_value(kind: str, context: Mapping[str, Any], name: str, node: Node, fields: tuple[str, ...]) -> Complaint:
    """Describe a value by the kind of pydantic's complaint; `fields` are those a mapping there would have."""
    if kind == "bad_value":
        kind, message = context["kind"], f"{context['message']}, at {name}"
        return Complaint(f"bad-{kind}", message, suggestion=context["suggestion"], fix=_REMEDIES[kind])
    if kind == "literal_error":
        return _not_among(context["expected"], name, node)
    if kind in _TYPES:
        return _wrong_type(kind, name, node, fields)
    if kind == "string_pattern_mismatch":
        return _wrong_form(context["pattern"], name, node)
    return _out_of_range(kind, context, name, node)


def _not_among(listed: str, name: str, node: Node) -> Complaint:
    quoted = tuple(re.findall(r"'([^']*)'", listed))
    expected = quoted or (listed.lower() if listed in {"True", "False"} else listed,)
    near = nearest(str(node.value), expected) or (expected[0] if len(expected) == 1 else "")
    code = "unknown-version" if name == "`version`" else "unknown-value"
    return Complaint(code, f"{name} cannot be {_shown(node)}", expected, near, f"use one of {', '.join(expected)}")


def _wrong_type(kind: str, name: str, node: Node, fields: tuple[str, ...]) -> Complaint:
    if name == "`then`" and node.kind == "scalar":
        message = f"`then` is `dead_letter` or a mapping with one outcome, found {_shown(node)}"
        near = nearest(str(node.value), ("dead_letter",))
        return Complaint("wrong-type", message, tuple(dict.fromkeys(("dead_letter", *fields))), near, "name an outcome")
    wanted = _TYPES[kind]
    message = f"{name} should be {wanted}, found {_shown(node)}"
    expected = fields if kind == "model_type" else ()
    if kind == "string_type" and node.kind == "scalar":
        text = str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        return Complaint("wrong-type", message, suggestion=f'"{text}"')
    numeric = isinstance(node.value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", node.value)
    suggestion = str(node.value) if numeric and kind in {"int_type", "float_type"} else ""
    return Complaint("wrong-type", message, expected, suggestion, f"make it {wanted}")


def _wrong_form(pattern: str, name: str, node: Node) -> Complaint:
    text = str(node.value)
    form = next((form for form in _FORMS if f"`{form}`" in name), "")
    if form:
        near = _GUESSES[form](text) if form in _GUESSES else ""
        message = f"{name} cannot be {_shown(node)}: expected {_FORMS[form]}"
        return Complaint(f"bad-{form}", message, suggestion=near, fix=f"write {_FORMS[form]}")
    if pattern.startswith("^/"):
        near = f"/{text}" if re.fullmatch(r"[^\s/]\S*", text) else ""
        message = f"{name} cannot be {_shown(node)}: a path begins with `/`"
        return Complaint("bad-path", message, suggestion=near, fix="write a path that begins with `/`")
    message = f"{name} cannot be {_shown(node)}: a name is letters, digits, `-` and `_`"
    return Complaint("bad-name", message, suggestion=_as_name(text), fix="rename it")


def _out_of_range(kind: str, context: Mapping[str, Any], name: str, node: Node) -> Complaint:
    for key, words in _LIMITS.items():
        if key in context:
            limit = f"{context[key]:g}" if isinstance(context[key], float) else str(context[key])
            return Complaint("out-of-range", f"{name} cannot be {_shown(node)}: {words} {limit}", suggestion=limit)
    if "max_length" in context:
        message = f"{name} is too long: at most {context['max_length']} characters"
        return Complaint("out-of-range", message, fix="shorten it")
    if "min_length" in context:
        return Complaint("out-of-range", f"{name} must not be empty", fix="fill it in")
    words = kind.replace("_", " ")
    return Complaint("bad-value", f"{name} cannot be {_shown(node)}: {words}", fix="change the value")


def _as_name(text: str) -> str:
    near = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:80]
    return near if near != text else ""


def _shown(node: Node) -> str:
    if node.kind != "scalar":
        return f"a {node.kind}"
    if node.value == "":
        return "an empty text"
    if isinstance(node.value, str) and re.fullmatch(r"[0-9.]+|true|false", node.value):
        return f"the text `{shorten(node.value)}`"
    return f"`{shorten(str(node.value).lower() if isinstance(node.value, bool) else str(node.value))}`"
