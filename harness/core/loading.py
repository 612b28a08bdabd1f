"""From the text of a stack.yaml to a stack, or to everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.core.building import build_stack
from harness.core.complaints import shape_problems
from harness.core.document import read_document
from harness.core.problems import StackError
from harness.core.rules import accept_problems, rule_problems
from harness.core.shape import StackShape
from harness.core.vendor_rules import VENDOR_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.problems import Problem
    from harness.core.stack import Stack


def load_stack(text: str, *, file: str) -> Stack:
    """Return the stack a text declares; raise StackError with every problem of the text, in the order of the file."""
    document = read_document(text, file=file)
    if document.root is None:
        raise StackError(document.problems)
    if document.root.kind != "mapping":
        problem = document.problem(
            "wrong-type", "a stack is a mapping of fields", document.root, fix="start with `version: 1`"
        )
        raise StackError((*document.problems, problem))
    problems: list[Problem] = [*document.problems, *rule_problems(document, document.root)]
    try:
        declared = StackShape.model_validate(document.root.plain())
    except ValidationError as error:
        shape = tuple(shape_problems(error, document, document.root))
        told = {problem.location for problem in shape}
        problems = [each for each in problems if each.code not in VENDOR_CODES or each.location not in told]
        raise StackError(_in_order([*problems, *shape])) from None
    if problems:
        raise StackError(_in_order(problems))
    stack = build_stack(declared, document.root, file=file)
    _ensure_none(accept_problems(stack, document))
    return stack


def _ensure_none(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise StackError(_in_order(found))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort by place and tell each problem once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column)))
