"""Absence: what is left of a stack in a lab that one of its systems is not in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.stack import Handoff, Stack


def explain_absence(stack: Stack, absent: Mapping[str, str]) -> dict[str, str]:
    """
    Say why handoffs are left out where systems are `absent`, by system and in words: by handoff, in the order of the stack.

    They are those that lead from, to or into a record of such a system, and all that come after them: whether an
    integration goes on without what came before is its own affair.
    """
    left_out = {each.id: absent[name] for each in stack.handoffs for name in _name_systems(each) if name in absent}
    while True:
        following = {
            each.id: f"it comes after {before}: {left_out[before]}"
            for each in stack.handoffs
            for before in each.after
            if before in left_out and each.id not in left_out
        }
        if not following:
            return {each.id: left_out[each.id] for each in stack.handoffs if each.id in left_out}
        left_out |= following


def leave_out(stack: Stack, absent: Mapping[str, str]) -> Stack:
    """Return the stack without the handoffs that cannot be driven where these systems are absent."""
    left_out = explain_absence(stack, absent)
    return replace(stack, handoffs=tuple(each for each in stack.handoffs if each.id not in left_out))


def _name_systems(handoff: Handoff) -> tuple[str, ...]:
    end = (handoff.resolved_when.system,) if handoff.resolved_when is not None else ()
    return (handoff.source, handoff.target, *end)
