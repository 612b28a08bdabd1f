"""
A schedule that broke a promise, as a file: written when it was found, read to run it again.

Everything needed to run it stands in it: the name of its stack, the seed, the slots, the strikes by the names of the menu.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.core.document import read_document
from harness.core.problems import StackError, nearest
from harness.core.schedule import EVERY, Schedule, Strike, build_schedule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.core.document import Document
    from harness.core.nodes import Node, Scalar
    from harness.core.problems import Problem

VERSION = 1
SHOW_MENU = "next: handoff explore --menu"
_FIELDS = ("schedule", "stack", "seed", "slots", "strikes", "broken", "reason", "confirmed")
_NEEDED = ("schedule", "stack", "seed", "slots", "strikes")
_CONFIRMED = ("hits", "runs", "at_least")
# More orders than any finding needs; a lab takes them one after the other.
MOST_SLOTS = 100
_STRIKE = ("fault", "order", "begins", "lasts", "attempt")


@dataclass(frozen=True, slots=True)
class Regression:
    """
    A schedule with what is known of it: the name of its stack, the seed, the checks it broke and the reason given.

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
    file: str = field(default="", compare=False)


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
        order, attempt = ("every" if which == EVERY else which for which in (strike.order, strike.attempt))
        where = f"order: {order}, attempt: {attempt}, begins: {strike.begins}, lasts: {strike.lasts}"
        lines.append(f"  - {{fault: {_quote(strike.fault)}, {where}}}")
    lines += [
        f"broken: [{', '.join(map(_quote, regression.broken))}]",
        f"reason: {_quote(regression.reason)}",
        f"confirmed: {{hits: {regression.hits}, runs: {regression.runs}, at_least: {regression.at_least:.4f}}}",
    ]
    return "\n".join(lines) + "\n"


def read_regression(
    text: str, *, file: str, faults: Collection[str] | None = None, stack: str | None = None
) -> Regression:
    """
    Read one; `faults` are the names of the menu and `stack` is the name of the stack it is read for, where these are known.

    Raises StackError with every problem, located.
    """
    document = read_document(text, file=file)
    root = document.root
    problems = list(document.problems)
    if root is not None and not problems:
        problems += _list_problems(document, root, faults, stack)
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
        file=file,
    )


def _list_problems(
    document: Document, root: Node, faults: Collection[str] | None, stack: str | None
) -> Iterator[Problem]:
    if root.kind != "mapping":
        yield document.problem("wrong-type", "a schedule is a mapping of fields", root, expected=_FIELDS)
        return
    yield from _list_keys(document, root, _FIELDS, _NEEDED, "a schedule")
    yield from _list_numbers(document, root, "seed", 0)
    yield from _list_numbers(document, root, "slots", 1, MOST_SLOTS)
    version, named, confirmed = root.get("schedule"), root.get("stack"), root.get("confirmed")
    if version is not None and version.value != VERSION:
        message = f"`schedule` cannot be `{version.value}`"
        yield document.problem("unknown-version", message, version, suggestion=str(VERSION))
    if named is not None and stack is not None and named.value != stack:
        message = f"this is a schedule of the stack `{named.value}`, not of `{stack}`"
        yield document.problem("other-stack", message, named, suggestion=stack, fix="keep it beside its own stack")
    if confirmed is not None:
        yield from _list_confirmed(document, confirmed)
    strikes = root.get("strikes")
    if strikes is not None and not strikes.items:
        yield document.problem("wrong-type", "`strikes` is a list of at least one strike", strikes, fix="name one")
    slots = root.get("slots")
    last = slots.value if slots is not None and _is_whole(slots) else None
    for node in strikes.items if strikes is not None else ():
        yield from _list_strike(document, node, faults, last)


def _list_confirmed(document: Document, node: Node) -> Iterator[Problem]:
    if node.kind != "mapping":
        yield document.problem("wrong-type", "`confirmed` is a mapping", node, expected=_CONFIRMED)
        return
    yield from _list_keys(document, node, _CONFIRMED, (), "`confirmed`")
    for name in ("hits", "runs"):
        yield from _list_numbers(document, node, name, 0)
    share = node.get("at_least")
    if share is not None and not (isinstance(share.value, int | float) and 0 <= share.value <= 1):
        yield document.problem("out-of-range", "`at_least` is a share, from 0 to 1", share, fix="write 0.5, say")


def _list_strike(
    document: Document, node: Node, faults: Collection[str] | None, slots: Scalar | None
) -> Iterator[Problem]:
    if node.kind != "mapping":
        yield document.problem("wrong-type", "a strike is a mapping", node, expected=_STRIKE)
        return
    yield from _list_keys(document, node, _STRIKE, ("fault", "begins"), "a strike")
    last = slots if isinstance(slots, int) else MOST_SLOTS
    yield from _list_numbers(document, node, "begins", 1, last)
    yield from _list_numbers(document, node, "lasts", 1)
    for name, most in (("order", last), ("attempt", None)):
        which = node.get(name)
        if which is not None and which.value != "every":
            yield from _list_numbers(document, node, name, 1, most, "`every`, or ")
    fault = node.get("fault")
    if fault is not None and not isinstance(fault.value, str):
        yield document.problem("wrong-type", "`fault` is the name of a fault", fault, fix="name a fault of the menu")
    elif fault is not None and faults is not None and fault.value not in faults:
        near = nearest(str(fault.value), faults)
        message = f"the stack has no fault `{fault.value}`"
        fix = "name a fault that something of the stack can meet"
        yield document.problem("unknown-fault", message, fault, suggestion=near, fix=fix, command=SHOW_MENU)


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


def _list_numbers(
    document: Document, node: Node, name: str, least: int, most: int | None = None, else_: str = ""
) -> Iterator[Problem]:
    value = node.get(name)
    if value is None:
        return
    number = value.value if _is_whole(value) else None
    if not isinstance(number, int) or number < least or (most is not None and number > most):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        message = f"`{name}` is {else_}a whole number, {allowed}"
        yield document.problem("out-of-range", message, value, fix=f"write {else_}{least}")


def _is_whole(node: Node) -> bool:
    return isinstance(node.value, int) and not isinstance(node.value, bool)


def _read_strike(node: Node) -> Strike:
    return Strike(
        begins=_whole(node, "begins"),
        fault=str(node.entries["fault"].value),
        order=_which(node, "order"),
        lasts=_whole(node, "lasts") if "lasts" in node.entries else 1,
        attempt=_which(node, "attempt"),
    )


def _which(node: Node, key: str) -> int:
    value = node.get(key)
    return EVERY if value is None or value.value == "every" else _whole(node, key)


def _whole(node: Node, key: str) -> int:
    value = node.entries[key].value
    return value if isinstance(value, int) else 0


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
