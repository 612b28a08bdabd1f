"""Role-queue cases at rest: which decisions a role may take, so that an order goes on and no case stays for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.stack import Stack

CONTINUE = "continue"


def list_decisions(stack: Stack, case: Mapping[str, Any]) -> tuple[str, ...]:
    """
    List what a role may decide about a case: what lets the order go on first, and what the path of its code offers.

    Two paths of a handoff may lead to one role with different decisions, and a case need not say which it came by.
    """
    paths = [
        path
        for handoff in stack.handoffs
        if handoff.id == case.get("handoff")
        for path in handoff.paths
        if path.queue is not None and path.queue.role == case.get("role")
    ]
    offered = [
        (decision.to != CONTINUE, path.on.code != case.get("code"), decision.name)
        for path in paths
        for decision in (path.queue.decisions if path.queue else ())
    ]
    ranked = sorted(offered, key=lambda offer: offer[:2])
    return tuple(dict.fromkeys(name for _, _, name in ranked))
