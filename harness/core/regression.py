"""
A schedule that broke a promise, as a file: written when it was found, read to run it again.

Everything needed to run it stands in it: the stack it was found with, the seed, the slots, the strikes by the names of the menu.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.document import read_document
from harness.core.problems import StackError, nearest
from harness.core.schedule import EVERY, Schedule, Strike, build_schedule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.core.document import Document
    from harness.core.nodes import Node
    from harness.core.problems import Problem

VERSION = 1
_FIELDS = ("schedule", "stack", "seed", "slots", "strikes", "broken", "reason", "confirmed")
_NEEDED = ("schedule", "stack", "seed", "slots", "strikes")
_STRIKE = ("fault", "order", "begins", "lasts")


@dataclass(frozen=True, slots=True)
class Regression:
    """
    A schedule with what is known of it: the stack it is of, the seed, the checks it broke and the reason given.

    It broke them in `hits` of `runs` further runs: at least a share of `at_least`, with a confidence of 95 %.
    """

    stack: str
    seed: int
    schedule: Schedule
    broken: tuple[str, ...] = ()
    reason: str = ""
    hits: int = 0
    runs: int = 0
    at_least: float = 0.0


def write_regression(regression: Regression) -> str:
    """Write it as YAML that people can read and change; it reads back as it was."""
    lines = [
        "# A schedule that broke a promise. Slots count orders: a strike is armed before that order is placed.",
        f"schedule: {VERSION}",
        f"stack: {_quote(regression.stack)}",
        f"seed: {regression.seed}",
        f"slots: {regression.schedule.slots}",
        "strikes:",
    ]
    for strike in regression.schedule.strikes:
        order = "every" if strike.order == EVERY else strike.order
        lines.append(
            f"  - {{fault: {_quote(strike.fault)}, order: {order}, begins: {strike.begins}, lasts: {strike.lasts}}}"
        )
    lines += [
        f"broken: [{', '.join(map(_quote, regression.broken))}]",
        f"reason: {_quote(regression.reason)}",
        f"confirmed: {{hits: {regression.hits}, runs: {regression.runs}, at_least: {regression.at_least:.4f}}}",
    ]
    return "\n".join(lines) + "\n"


def read_regression(text: str, *, file: str, faults: Collection[str] | None = None) -> Regression:
    """Read one; `faults` are the names of the menu, where it is known. Raises StackError with every problem, located."""
    document = read_document(text, file=file)
    root = document.root
    problems = list(document.problems)
    if root is not None and not problems:
        problems += _list_problems(document, root, faults)
    if root is None or problems:
        raise StackError(tuple(problems))
    slots = _whole(root, "slots")
    strikes = [_read_strike(node) for node in root.entries["strikes"].items]
    confirmed = root.get("confirmed")
    known = confirmed.plain() if confirmed is not None and confirmed.kind == "mapping" else {}
    broken = root.get("broken")
    return Regression(
        stack=root.text("stack") or "",
        seed=_whole(root, "seed"),
        schedule=build_schedule(strikes, slots=slots),
        broken=tuple(str(item.value) for item in broken.items) if broken is not None else (),
        reason=root.text("reason") or "",
        hits=int(known.get("hits", 0)),
        runs=int(known.get("runs", 0)),
        at_least=float(known.get("at_least", 0.0)),
    )


def _list_problems(document: Document, root: Node, faults: Collection[str] | None) -> Iterator[Problem]:
    if root.kind != "mapping":
        yield document.problem("wrong-type", "a schedule is a mapping of fields", root, expected=_FIELDS)
        return
    yield from _list_keys(document, root, _FIELDS, _NEEDED, "a schedule")
    for name, least in (("seed", 0), ("slots", 1)):
        yield from _list_numbers(document, root, name, least)
    version = root.get("schedule")
    if version is not None and version.value != VERSION:
        yield document.problem(
            "unknown-version", f"`schedule` cannot be `{version.value}`", version, suggestion=str(VERSION)
        )
    strikes = root.get("strikes")
    if strikes is not None and not strikes.items:
        yield document.problem("wrong-type", "`strikes` is a list of at least one strike", strikes, fix="name one")
    for node in strikes.items if strikes is not None else ():
        yield from _list_strike(document, node, faults)


def _list_strike(document: Document, node: Node, faults: Collection[str] | None) -> Iterator[Problem]:
    if node.kind != "mapping":
        yield document.problem("wrong-type", "a strike is a mapping", node, expected=_STRIKE)
        return
    yield from _list_keys(document, node, _STRIKE, ("fault", "begins"), "a strike")
    for name in ("begins", "lasts"):
        yield from _list_numbers(document, node, name, 1)
    order = node.get("order")
    if order is not None and order.value != "every":
        yield from _list_numbers(document, node, "order", 1)
    fault = node.get("fault")
    if fault is not None and faults is not None and fault.value not in faults:
        near = nearest(str(fault.value), faults)
        message = f"the stack has no fault `{fault.value}`"
        yield document.problem("unknown-fault", message, fault, suggestion=near, fix="name a fault of the menu")


def _list_keys(
    document: Document, node: Node, known: tuple[str, ...], needed: tuple[str, ...], what: str
) -> Iterator[Problem]:
    for key, at in node.keys.items():
        if key not in known:
            yield document.problem(
                "unknown-key", f"`{key}` is no field of {what}", at, expected=known, suggestion=nearest(key, known)
            )
    for key in needed:
        if key not in node.entries:
            yield document.problem("missing-key", f"{what} needs `{key}`", node, fix=f"add `{key}:`")


def _list_numbers(document: Document, node: Node, name: str, least: int) -> Iterator[Problem]:
    value = node.get(name)
    if value is None:
        return
    whole = isinstance(value.value, int) and not isinstance(value.value, bool)
    if not whole or _whole(node, name) < least:
        message = f"`{name}` is a whole number, at least {least}"
        yield document.problem("out-of-range", message, value, fix=f"write {least} or more")


def _read_strike(node: Node) -> Strike:
    order = node.get("order")
    return Strike(
        begins=_whole(node, "begins"),
        fault=str(node.entries["fault"].value),
        order=EVERY if order is None or order.value == "every" else _whole(node, "order"),
        lasts=_whole(node, "lasts") if "lasts" in node.entries else 1,
    )


def _whole(node: Node, key: str) -> int:
    value = node.entries[key].value
    return value if isinstance(value, int) else 0


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
