"""`handoff lint`: what is wrong with a stack before anything runs."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.exits import OK, USAGE
from harness.cli.stack_file import DEFAULT, StackArgument, read_text
from harness.cli.terminal import print_problems, say, say_json
from harness.core.lint import lint_stack, note_unexercised
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError, quote_line, split_lines
from harness.core.stack import Stack
from harness.report.phrases import plural

_WORDS = {"error": "error", "warning": "warning", "info": "note"}


def lint(
    stack: StackArgument = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 on warnings too.")] = False,
) -> None:
    """
    Say what is wrong with a stack.yaml: errors (exit 4), warnings (exit 0, with --strict 4) and notes (exit 0).

    Nothing is started.
    """
    declared, problems = _look_at(stack)
    if as_json:
        say_json([problem.as_json() for problem in problems])
    else:
        print_problems(problems)
        say(_summary(stack, declared, problems))
    failing = {"error", "warning"} if strict else {"error"}
    raise typer.Exit(USAGE if any(problem.severity in failing for problem in problems) else OK)


def _look_at(path: Path) -> tuple[Stack | None, tuple[Problem, ...]]:
    try:
        text = read_text(path)
        declared = load_stack(text, file=str(path))
    except StackError as error:
        return None, error.problems
    lines = split_lines(text)
    findings = note_unexercised(declared, lint_stack(declared, today=dt.datetime.now(dt.UTC).date()))
    return declared, tuple(quote_line(finding, lines) for finding in findings)


def _summary(path: Path, declared: Stack | None, problems: tuple[Problem, ...]) -> str:
    count = Counter(_WORDS[problem.severity] for problem in problems)
    found = ", ".join(plural(count[word], word) for word in _WORDS.values() if count[word])
    if declared is None:
        return f"\n{found} in {path}"
    paths = sum(len(handoff.paths) for handoff in declared.handoffs)
    breakers = sum(handoff.breaker is not None for handoff in declared.handoffs)
    what = f"{len(declared.handoffs)} handoffs, {paths} paths, {breakers} breakers"
    return f"\n{found} in {path} ({what})" if found else f"{path}: no findings ({what})"
