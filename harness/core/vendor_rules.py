"""
Rules about names that are a vendor's own: the operations of its calls, the topics of its webhooks, its records and their states.

A name the vendor does not have would never show, and the integration would be found broken for a slip in its stack. Only what
the harness drives (calls to a fake, webhooks of one) is held to them; behind mappings every name is the stack's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.ends import EXISTING, IN_SYNC
from harness.core.lint_codes import END
from harness.core.problems import build_choice, shorten
from harness.core.stack import INTEGRATION
from harness.core.vendors import find_vendor
from harness.core.wording import says_no_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.document import Document
    from harness.core.nodes import Node
    from harness.core.problems import Problem
    from harness.core.vendors import Vendor

# The record whose levels are compared with the warehouse's.
_LEVELS = "inventory_level"
# A value that cannot be a name at all is told as that, and not once more as one the vendor does not have.
VENDOR_CODES = frozenset({"unknown-operation", "unknown-topic", "unknown-record", "unknown-state"})
_FIX = "use a name of this vendor's, or play the system with mappings of your own"


def vendor_problems(document: Document, root: Node, handoff: Node, ends: list[Node]) -> Iterator[Problem]:
    """Yield every name of a handoff that its vendor does not have; `ends` are its end states, as the file has them."""
    protocol = handoff.text("protocol")
    if protocol == "api":
        yield from _operations(document, root, handoff)
    elif protocol == "webhook" and handoff.text("to") == INTEGRATION:
        yield from _topics(document, root, handoff)
    else:
        return
    for end in ends:
        yield from _end(document, root, end)


def _operations(document: Document, root: Node, handoff: Node) -> Iterator[Problem]:
    system = handoff.text("to")
    vendor = _find_vendor(root, system)
    if vendor is None:
        return
    for name in handoff.words("operation"):
        if name.value not in vendor.operations:
            message = f"{_say_fake(root, system)} has no operation `{shorten(str(name.value))}`"
            message += _say_elsewhere(root, str(name.value))
            yield document.problem(
                "unknown-operation", message, name, **_choose_operation(document, str(name.value), vendor.operations)
            )


def _choose_operation(document: Document, name: str, known: tuple[str, ...]) -> dict[str, Any]:
    """Offer the nearest operation, and those of its record: all of a vendor's are too many to read."""
    choice = build_choice(document.file, name, known, fix=_FIX)
    record = (choice["suggestion"] or name).partition(".")[0]
    return {**choice, "expected": tuple(each for each in known if each.startswith(f"{record}.")) or choice["expected"]}


def _topics(document: Document, root: Node, handoff: Node) -> Iterator[Problem]:
    system = handoff.text("from")
    vendor = _find_vendor(root, system)
    # A vendor that sends no webhooks of its own has no names for them: a script of the account sends them.
    if vendor is None or not vendor.topics:
        return
    for name in handoff.words("operation"):
        if name.value not in vendor.topics:
            yield document.problem(
                "unknown-topic",
                f"{_say_fake(root, system)} sends no webhook `{shorten(str(name.value))}`",
                name,
                **build_choice(document.file, str(name.value), vendor.topics, fix=_FIX),
            )


def _end(document: Document, root: Node, end: Node) -> Iterator[Problem]:
    system = end.text("system")
    record, state = end.get("record"), end.get("state")
    vendor = _find_vendor(root, system)
    if vendor is None or record is None or not isinstance(record.value, str):
        return
    if record.value not in vendor.records:
        yield document.problem(
            "unknown-record",
            f"{_say_fake(root, system)} has no record `{shorten(record.value)}` that can be an end state",
            record,
            **build_choice(document.file, record.value, tuple(vendor.records), fix=_FIX),
        )
    elif state is not None and isinstance(state.value, str):
        compared = (IN_SYNC,) if record.value == _LEVELS else ()
        known = (*sorted(EXISTING, reverse=True), *compared, *sorted(vendor.records[record.value]))
        if state.value not in known:
            yield document.problem(
                "unknown-state",
                f"a `{record.value}` of {_say_fake(root, system)} is never `{shorten(state.value)}`",
                state,
                why=END if says_no_error(state.value) else "",
                **build_choice(document.file, state.value, known, fix=_FIX),
            )


def _find_vendor(root: Node, system: str | None) -> Vendor | None:
    return find_vendor(_find_fake(root, system))


def _find_fake(root: Node, system: str | None) -> str | None:
    systems = root.get("systems")
    declared = systems.get(system) if systems is not None and system is not None else None
    return declared.text("fake") if declared is not None else None


def _say_fake(root: Node, system: str | None) -> str:
    return f"{system} ({_find_fake(root, system)})"


def _say_elsewhere(root: Node, operation: str) -> str:
    """Tell which other system of the stack has an operation of this name, if one does."""
    systems = root.get("systems")
    for name in systems.entries if systems is not None else ():
        vendor = _find_vendor(root, name)
        if vendor is not None and operation in vendor.operations:
            return f": it is {name}'s"
    return ""
