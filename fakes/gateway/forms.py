"""Form-encoded bodies and queries with brackets, as the vendor takes them: ``metadata[order_id]=7&expand[0]=x``."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from fakes.kit.bodies import BadBodyError

MAX_FIELDS = 1_000
MAX_DEPTH = 8
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")

Tree = dict[str, Any]


def read_form(raw: bytes | str) -> Tree:
    """
    Return the parameters as nested dicts of texts; lists stay dicts of their indexes, see read_items.

    ``a[]=x`` takes the next free index. Raises BadBodyError for what is no such form.
    """
    text = raw if isinstance(raw, str) else _decode(raw)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise BadBodyError("the parameters cannot be decoded") from error
    tree: Tree = {}
    for name, value in pairs:
        _insert(tree, _split(name), value)
    return tree


def read_items(value: Any) -> list[Any] | None:
    """Return a list parameter's items in the order of their indexes, None when it is no list."""
    if not isinstance(value, dict) or not all(key.isascii() and key.isdecimal() for key in value):
        return None
    return [value[key] for key in sorted(value, key=lambda key: (len(key.lstrip("0")), key.lstrip("0")))]


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBodyError("the body is not UTF-8") from error


def _split(name: str) -> list[str]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadBodyError("a parameter's name cannot be read")
    path = [found[1], *_PART.findall(found[2])]
    if len(path) > MAX_DEPTH:
        raise BadBodyError("the parameters are nested too deeply")
    return path


def _insert(tree: Tree, path: list[str], value: str) -> None:
    *way, last = path
    for step in way:
        inner = tree.setdefault(step or str(len(tree)), {})
        if not isinstance(inner, dict):
            raise BadBodyError(f"{path[0]} is both a value and a hash")
        tree = inner
    if isinstance(tree.get(last), dict):
        raise BadBodyError(f"{path[0]} is both a value and a hash")
    tree[last or str(len(tree))] = value
