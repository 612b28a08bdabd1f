"""The commands of `handoff` as a table, and how their troubles become messages and exit codes."""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from harness.cli.exits import INTERNAL, NOT_READY, PIPE_CLOSED, USAGE
from harness.cli.terminal import prepare_streams, print_problems, say
from harness.core.problems import StackError, nearest
from harness.lab.errors import LabError
from harness.lab.registry import sweep
from harness.wire.privacy import OURS

_COMMANDS = (
    ("Prove", "run"),
    ("Prove", "replay"),
    ("Prove", "explore"),
    ("Prove", "zoo"),
    ("Look", "plan"),
    ("Look", "lint"),
    ("Look", "schema"),
    ("Set up", "init"),
    ("Set up", "doctor"),
    ("Set up", "lab"),
)
"""Panel of the help, name of module and function. The order is the order of the help."""


def build_app(only: str | None = None) -> typer.Typer:
    """Build the application from the table of commands; `only` names the one that is wanted, if it is one of them."""
    chosen = [row for row in _COMMANDS if row[1] == only] or _COMMANDS
    app = typer.Typer(
        name="handoff",
        add_completion=False,
        pretty_exceptions_enable=False,
        suggest_commands=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(invoke_without_command=True)(_root)
    for panel, name in chosen:
        # What a command takes to load is for those who give it.
        command = getattr(import_module(f"harness.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code; the codes are those of `harness.cli.exits`.

    Whatever the command, what a killed one left behind is ended first.
    """
    prepare_streams()
    with suppress(OSError):  # a register that cannot be written to is for the commands that need it to tell
        sweep()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    return code


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = build_app(given[0] if given else None)(given, prog_name="handoff", standalone_mode=False)
    except typer.TyperException as error:
        _print_usage_error(error)
        return USAGE
    except StackError as error:
        print_problems(error.problems, to=sys.stderr)
        return USAGE
    except LabError as error:
        say(f"handoff: {OURS.redact_text(str(error))}", to=sys.stderr)
        return NOT_READY
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        raise
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):
            raise stop.__context__ from None
        raise
    except Exception:  # noqa: BLE001 - a crash of the harness must not look like exit 1, a broken promise
        say(f"handoff: internal error\n{OURS.redact_text(traceback.format_exc())}", to=sys.stderr)
        return INTERNAL
    return code if isinstance(code, int) else 0


def _root(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """
    Prove that an integration resolves its exceptions as declared.

    Exit codes: 0 held, 1 violated, 4 usage or stack.yaml, 10 unknown, 11 regression, 12 environment not ready.
    """
    if show_version:
        say(f"handoff {version('handoff-chaos')}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _print_usage_error(error: typer.TyperException) -> None:
    """Say what is wrong with the command line, the nearest valid word and the next command."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "handoff"
    said = error.format_message() if getattr(error, "param", None) is not None else error.message
    lines = [f"handoff: {said.rstrip('.') or error.format_message()}"]
    wrong, valid = _choices(error, context)
    near = nearest(wrong, valid) if wrong else ""
    if near:
        lines.append(f"   did you mean `{near}`?  ({', '.join(valid)})")
    elif valid:
        lines.append(f"   expected: {', '.join(valid)}")
    lines.append(f"   next: {path} --help")
    say("\n".join(lines), to=sys.stderr)


def _choices(error: typer.TyperException, context: Any) -> tuple[str, tuple[str, ...]]:
    """Return the word that was not understood and the words valid there."""
    if context is None:
        return "", ()
    option = getattr(error, "option_name", None)
    if option is not None:
        return option, tuple(name for parameter in context.command.params for name in parameter.opts if name[0] == "-")
    if hasattr(context.command, "list_commands") and error.message.startswith("No such command"):
        return error.message.split("'")[1], tuple(context.command.list_commands(context))
    return "", ()


def _silence_stdout() -> None:
    """Let the interpreter flush into nothing at its end: whoever read has hung up."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
