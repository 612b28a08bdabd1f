"""`handoff doctor`: whether this machine can run a lab, and what would make it ready."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.exits import NOT_READY, OK
from harness.cli.readiness import Check, check_machine, check_stack_needs
from harness.cli.stack_file import StackArgument, open_stack
from harness.cli.terminal import build_console, fit, say_json

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "missing": ("missing", "red")}


def doctor(
    stack: Annotated[Path | None, StackArgument.__metadata__[0]] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """
    Check that this machine can run a lab: exit 0 when it can, 12 when something it needs is missing.

    With a STACK, also what that stack needs.
    """
    checks = check_machine()
    if stack is not None:
        checks += check_stack_needs(open_stack(stack))
    ready = not any(check.blocks for check in checks)
    if as_json:
        say_json([check.as_json() for check in checks])
    else:
        _print_checks(checks, ready=ready)
    raise typer.Exit(OK if ready else NOT_READY)


def _print_checks(checks: tuple[Check, ...], *, ready: bool) -> None:
    console = build_console(sys.stdout)
    widest = max(len(check.name) for check in checks)
    for check in checks:
        word, colour = _MARKS[check.status]
        console.print(Text.assemble((f"{word:<8}", colour), f"{check.name:<{widest}}  ", fit(check.detail, sys.stdout)))
        if check.status != "ok":
            need = "needed" if check.required else "optional, used"
            console.print(Text(f"{'':<8}{'':<{widest}}  {need} for {check.needed_for}", style="dim"))
            if check.command:
                console.print(Text(f"{'':<8}{'':<{widest}}  get it: {check.command}"))
    console.print(Text("ready" if ready else "not ready", style="bold green" if ready else "bold red"))
