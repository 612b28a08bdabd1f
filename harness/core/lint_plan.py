"""What of a stack no experiment asks about, with the reason the plan gives: worth knowing, and nothing wrong with the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile import compile_stack
from harness.core.compile.passage import explain_undriven
from harness.core.findings import build_finding
from harness.core.problems import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.experiments import Coverage
    from harness.core.problems import Problem
    from harness.core.stack import Stack


def find_unexercised(stack: Stack) -> Iterator[Problem]:
    """Yield each handoff that is not driven, and each clause of the others that no experiment asks about."""
    undriven = {each.id: why for each in stack.handoffs if (why := explain_undriven(stack, each)) is not None}
    for handoff in stack.handoffs:
        if handoff.id in undriven:
            yield build_finding(
                "not-exercised",
                f"nothing is asked of handoff `{handoff.id}`: {undriven[handoff.id]}",
                handoff.location,
                "`handoff plan` lists what is asked; what is not has no verdict",
            )
    for row in compile_stack(stack).coverage:
        place = _find_place(row)
        if row.not_exercised and row.handoff not in undriven and place.file == stack.file:
            yield build_finding(
                "not-exercised",
                f"nothing is asked of `{row.clause}`: {row.not_exercised}",
                place,
                "`handoff plan` lists what is asked; what is not has no verdict",
            )


def _find_place(row: Coverage) -> Location:
    file, line, column = row.location.rsplit(":", 2)
    return Location(file, int(line), int(column))
