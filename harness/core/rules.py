"""
Rules of stack.yaml that span fields: names that must exist, ids that must differ, outcomes that exclude each other.

They read nodes, not values, so that they can be told even where other parts of the file are wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.path_rules import path_problems
from harness.core.problems import Problem, build_choice, shorten
from harness.core.stack import INTEGRATION
from harness.core.vendor_rules import vendor_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.core.document import Document
    from harness.core.nodes import Node
    from harness.core.stack import Stack


def rule_problems(document: Document, root: Node) -> Iterator[Problem]:
    """Yield every broken rule of a document whose root is a mapping."""
    yield from _empty_values(document, root)
    yield from _systems(document, root)
    yield from _integration(document, root)
    yield from _roles(document, root)
    handoffs = _items(root, "handoffs")
    yield from _handoff_ids(document, handoffs)
    yield from _order(document, handoffs)
    for handoff in handoffs:
        yield from _ends(document, root, handoff)
        yield from _role_uses(document, root, handoff)
        ends = list(_end_states(handoff))
        for end in ends:
            system = end.get("system")
            if system is not None:
                yield from _declared(document, root, "systems", "system", system, also=(INTEGRATION,))
        yield from vendor_problems(document, root, handoff, ends)
        yield from path_problems(document, handoff)


def accept_problems(stack: Stack, document: Document) -> Iterator[Problem]:
    """Yield a problem for each accepted clause, or experiment of one, that the stack does not declare."""
    known = clause_ids(stack) if stack.accept else ()
    for entry in stack.accept:
        if not any(entry.clause == clause or entry.clause.startswith(f"{clause}/") for clause in known):
            yield document.problem(
                "unknown-clause",
                f"no clause `{entry.clause}` is declared",
                entry.location,
                **build_choice(document.file, entry.clause, known),
            )


def clause_ids(stack: Stack) -> tuple[str, ...]:
    """Return the id of every clause, those that each handoff owes without a path of its own included."""
    # What compiles is loaded only where something is accepted: few stacks do, and all are read.
    from harness.core.compile.clauses import list_clauses  # noqa: PLC0415 - as said above
    from harness.core.compile.pairs import begins_journey  # noqa: PLC0415 - as said above

    return tuple(
        clause.id
        for handoff in stack.handoffs
        for clause in list_clauses(handoff, journey=begins_journey(stack, handoff))
    )


def _empty_values(document: Document, node: Node) -> Iterator[Problem]:
    for name, value in node.entries.items():
        if value.kind == "scalar" and value.value is None:
            yield document.problem(
                "no-value",
                f"`{shorten(name)}` has no value",
                node.keys[name],
                found=name,
                fix="fill it in, or remove the field",
            )
        yield from _empty_values(document, value)
    for number, item in enumerate(node.items, start=1):
        if item.kind == "scalar" and item.value is None:
            yield document.problem(
                "no-value", f"entry {number} of the list is empty", item, fix="fill it in, or remove it"
            )
        yield from _empty_values(document, item)


def _systems(document: Document, root: Node) -> Iterator[Problem]:
    systems = root.get("systems")
    if systems is None:
        return
    for name, system in systems.entries.items():
        key = systems.keys[name]
        if name == INTEGRATION:
            yield document.problem(
                "reserved-name",
                "`integration` is the system under test, not one of its systems",
                key,
                fix="rename the system",
            )
        kinds = [kind for kind in ("fake", "wiremock") if kind in system.entries]
        if system.kind == "mapping" and len(kinds) != 1:
            message = f"system `{shorten(name)}` needs exactly one of `fake` and `wiremock`"
            fix = "keep one of the two" if kinds else "say what plays it"
            yield document.problem("one-of", message, key, expected=("fake", "wiremock"), fix=fix)


def _integration(document: Document, root: Node) -> Iterator[Problem]:
    integration = root.get("integration")
    if integration is None or integration.kind != "mapping":
        return
    given = [name for name in ("command", "image", "url") if name in integration.entries]
    if not given:
        yield document.problem(
            "one-of",
            "the integration needs a `command` that starts it, an `image`, or the `url` where it runs",
            root.keys["integration"],
            expected=("command", "image", "url"),
            fix="add one",
        )
    if "url" in given and len(given) > 1:
        message = f"`url` says the integration runs already, `{given[0]}` starts it"
        yield document.problem("one-of", message, integration.keys["url"], fix="keep one of the two")
    for name in ("webhooks", "client_retries"):
        below = integration.get(name)
        for key in below.keys.values() if below is not None else ():
            yield from _declared(document, root, "systems", "system", key)
    observe = integration.get("observe")
    for name, source in observe.entries.items() if observe is not None else ():
        if source.kind == "mapping" and len(source.entries) != 1:
            message = f"`{shorten(name)}` needs exactly one of `path`, `command` and `python`"
            yield document.problem("one-of", message, observe.keys[name] if observe else source, fix="keep one")


def _roles(document: Document, root: Node) -> Iterator[Problem]:
    roles = root.get("roles")
    seen: dict[str, str] = {}
    for name, key in roles.keys.items() if roles is not None else ():
        variable = "".join(char if char.isalnum() else "_" for char in name.upper())
        if variable in seen:
            yield document.problem(
                "duplicate-role",
                f"roles `{shorten(seen[variable])}` and `{shorten(name)}` share the variable OPS_ROLE_{shorten(variable)}_KEY",
                key,
                found=name,
                fix="rename one of them",
            )
        seen.setdefault(variable, name)


def _handoff_ids(document: Document, handoffs: Iterable[Node]) -> Iterator[Problem]:
    seen: dict[str, Node] = {}
    for handoff in handoffs:
        name = handoff.text("id")
        if name is None:
            continue
        if name in seen:
            first = seen[name].location.line
            message = f"handoff `{shorten(name)}` is declared twice (first on line {first})"
            yield document.problem(
                "duplicate-id", message, handoff.entries["id"], found=name, fix="give it an id of its own"
            )
        seen.setdefault(name, handoff)


def _order(document: Document, handoffs: list[Node]) -> Iterator[Problem]:
    ids = tuple(name for handoff in handoffs if (name := handoff.text("id")) is not None)
    edges: dict[str, list[str]] = {}
    for handoff in handoffs:
        name = handoff.text("id")
        for before in handoff.words("after"):
            if before.value == name:
                message = f"handoff `{shorten(str(name))}` is declared to come after itself"
                yield document.problem("after-itself", message, before, found=str(before.value), fix="remove it")
            elif before.value not in ids:
                message = f"`after` names the handoff `{shorten(str(before.value))}`, which is not declared"
                yield document.problem(
                    "unknown-handoff", message, before, **build_choice(document.file, str(before.value), ids)
                )
            elif name is not None:
                edges.setdefault(name, []).append(str(before.value))
    yield from _cycles(document, handoffs, edges)


def _cycles(document: Document, handoffs: list[Node], edges: dict[str, list[str]]) -> Iterator[Problem]:
    """Strip handoffs whose predecessors are all settled, again and again; what remains waits for itself."""
    waiting = {name: set(before) for name, before in edges.items()}
    while settled := {before for names in waiting.values() for before in names if before not in waiting}:
        waiting = {name: rest for name, names in waiting.items() if (rest := names - settled)}
    for handoff in handoffs:
        name = handoff.text("id")
        if name is not None and name in waiting and _waits_for_itself(name, waiting):
            message = f"handoff `{shorten(name)}` waits for itself through `after`"
            yield document.problem("after-cycle", message, handoff.place("after"), found=name, fix="break the circle")


def _waits_for_itself(name: str, waiting: dict[str, set[str]]) -> bool:
    reached: set[str] = set()
    frontier = set(waiting[name])
    while frontier:
        reached |= frontier
        frontier = {before for each in frontier for before in waiting.get(each, ())} - reached
    return name in reached


def _ends(document: Document, root: Node, handoff: Node) -> Iterator[Problem]:
    for end in ("from", "to"):
        node = handoff.get(end)
        if node is not None and node.value != INTEGRATION:
            yield from _declared(document, root, "systems", "system", node, also=(INTEGRATION,))


def _role_uses(document: Document, root: Node, handoff: Node) -> Iterator[Problem]:
    uses = [_below(handoff, "dead_letter", "to"), _below(handoff, "breaker", "alert")]
    owner = handoff.get("owner")
    if owner is not None and not looks_like_person(str(owner.value)):
        uses.append(owner)
    for path in _items(handoff, "paths"):
        for step in (path, path.get("then")):
            if step is not None:
                uses += [_below(step, "dead_letter", "to"), _below(step, "queue", "role")]
    for node in uses:
        if node is not None:
            yield from _declared(document, root, "roles", "role", node)


def looks_like_person(owner: str) -> bool:
    """Tell whether an owner is a person's name or address; a role is one word."""
    return "@" in owner or " " in owner.strip()


def _end_states(handoff: Node) -> Iterator[Node]:
    """Yield the end states of a handoff: its own, and those its paths and their decisions have instead."""
    holders: list[Node | None] = [handoff]
    for path in _items(handoff, "paths"):
        for step in (path, path.get("then")):
            if step is not None:
                decisions = _below(step, "queue", "decisions")
                holders += [step.get("branch"), *(decisions.entries.values() if decisions is not None else ())]
    for holder in holders:
        end = holder.get("resolved_when") if holder is not None else None
        if end is not None:
            yield end


def _declared(
    document: Document, root: Node, key: str, what: str, node: Node, *, also: tuple[str, ...] = ()
) -> Iterator[Problem]:
    """Yield a problem when a text names a system or role that the stack does not declare."""
    holder = root.get(key)
    known = (*holder.entries, *also) if holder is not None else also
    if isinstance(node.value, str) and node.value not in known:
        message = f"the {what} `{shorten(node.value)}` is not declared"
        yield document.problem(f"unknown-{what}", message, node, **build_choice(document.file, node.value, known))


def _items(node: Node, key: str) -> list[Node]:
    below = node.get(key)
    return below.items if below is not None else []


def _below(node: Node, first: str, second: str) -> Node | None:
    below = node.get(first)
    return below.get(second) if below is not None else None
