"""The stack that somebody in a zoo is judged by, without what is not needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.core.absence import leave_out
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.core.experiments import Plan
    from harness.core.stack import Stack

NOT_NEEDED = "the zoo says it is not needed"


@dataclass(frozen=True, slots=True)
class Given:
    """A stack that was read, and what it compiles to."""

    path: Path
    stack: Stack
    plan: Plan

    @classmethod
    def read(cls, path: Path, without: Sequence[str] = ()) -> Given:
        """Read a stack, and leave systems out of it; raises StackError where it is wrong or cannot be read."""
        declared = load_stack(_read(path), file=str(path))
        absent = {name: NOT_NEEDED for name in without if name in declared.systems}
        kept = {name: system for name, system in declared.systems.items() if name not in absent}
        stack = replace(leave_out(declared, absent), systems=kept) if absent else declared
        return cls(path, stack, compile_stack(stack))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        fix = "name the stack on the command line, or have the list name one that is there from this folder"
        problem = Problem("zoo", f"the stack of the zoo cannot be read: {error}", str(path), fix=fix)
        raise StackError((problem,)) from error
