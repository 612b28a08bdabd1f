"""`handoff lint`: what is wrong with a stack before anything runs."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.exits import OK, USAGE
from harness.cli.stack_file import DEFAULT, StackArgument, read_text
from harness.cli.terminal import print_problems, say, say_json
from harness.core.lint import lint_stack
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError, quote_line, split_lines
from harness.core.stack import Stack


def lint(
    stack: StackArgument = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """
    Say what is wrong with a stack.yaml: errors (exit 4), and findings worth a look (exit 0).

    Nothing is started.
    """
    declared, problems = _look_at(stack)
    if as_json:
        say_json([problem.as_json() for problem in problems])
    else:
        print_problems(problems)
        say(_summary(stack, declared, problems))
    errors = any(problem.severity == "error" for problem in problems)
    raise typer.Exit(USAGE if errors else OK)


def _look_at(path: Path) -> tuple[Stack | None, tuple[Problem, ...]]:
    try:
        text = read_text(path)
        declared = load_stack(text, file=str(path))
    except StackError as error:
        return None, error.problems
    lines = split_lines(text)
    findings = lint_stack(declared, today=dt.datetime.now(dt.UTC).date())
    return declared, tuple(quote_line(finding, lines) for finding in findings)


def _summary(path: Path, declared: Stack | None, problems: tuple[Problem, ...]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    found = ", ".join(
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (len(problems) - errors, "warning"))
        if count
    )
    if declared is None:
        return f"\n{found} in {path}"
    paths = sum(len(handoff.paths) for handoff in declared.handoffs)
    breakers = sum(handoff.breaker is not None for handoff in declared.handoffs)
    what = f"{len(declared.handoffs)} handoffs, {paths} paths, {breakers} breakers"
    return f"\n{found} in {path} ({what})" if found else f"{path}: no findings ({what})"
