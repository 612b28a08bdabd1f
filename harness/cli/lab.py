"""`handoff lab`: a lab that stays up, to develop an integration against."""

import asyncio
import shlex
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.engine import EngineOption, read_kind
from harness.cli.stack_file import DEFAULT, StackArgument, open_stack, read_text
from harness.cli.terminal import say, say_json
from harness.core.stack import Stack
from harness.lab.embedded import EmbeddedLab
from harness.lab.environment import render_bare, render_dotenv, render_export
from harness.lab.errors import EnvironmentNotReady
from harness.lab.keeper import Order, describe, end_kept, find_kept, keep_lab, start_keeper
from harness.lab.registry import sweep
from harness.lab.toxics import EMBEDDED

lab = typer.Typer(help="Keep a lab up: fakes, tap, and a place for the integration.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Form(StrEnum):
    """How variables are printed: for a shell, for a shell and its children, for `docker run --env-file`, for programs."""

    DOTENV = "dotenv"
    EXPORT = "export"
    DOCKER = "docker"
    JSON = "json"


_RENDERED = {Form.DOTENV: render_dotenv, Form.EXPORT: render_export, Form.DOCKER: render_bare}
OptionalStack = Annotated[Path | None, StackArgument.__metadata__[0]]


@lab.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Keep a lab up: fakes, tap, and a place for the integration."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@lab.command()
def up(
    stack: StackArgument = DEFAULT,
    *,
    env: Annotated[Path | None, typer.Option("--env", metavar="FILE", help="Write the variables there.")] = None,
    with_integration: Annotated[bool, typer.Option("--with-integration", help="Start the integration too.")] = False,
    engine: EngineOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running; `handoff lab down` ends it.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Start the lab of a stack and keep it until Ctrl-C.

    Without `--with-integration` its place is left free: take the variables and start it by hand.
    """
    declared = open_stack(stack)
    if str(stack) == "-":
        raise typer.BadParameter("a lab needs a stack.yaml that is a file")
    order = Order(stack, env, with_integration, read_kind(engine) or EMBEDDED)
    if detach:
        _print(start_keeper(order), order, as_json=as_json)
        say("it stays up: handoff lab down ends it", to=sys.stderr)
    else:
        _stay(declared, order, as_json=as_json)


@lab.command()
def down(stack: OptionalStack = None, *, as_json: AsJson = False) -> None:
    """End the labs that are up; with a STACK, only those of that stack."""
    sweep()
    kept = find_kept(stack)
    end_kept(kept)
    if as_json:
        say_json({"ended": [record.id for record in kept]})
        return
    for record in kept:
        say(f"ended {record.id} ({record.stack})")
    if not kept:
        say("no lab is up", to=sys.stderr)


@lab.command()
def env(
    stack: OptionalStack = None,
    *,
    form: Annotated[Form, typer.Option("--format", help="How to print them.")] = Form.DOTENV,
    as_json: AsJson = False,
) -> None:
    """
    Print the variables of the lab that is up: eval "$(handoff lab env --format export)" in a shell.

    `docker` is for `docker run --env-file`, which takes quotes as part of a value; `--json` is `--format json`.
    """
    if stack is not None:
        read_text(stack)
    sweep()
    kept = find_kept(stack)
    if not kept:
        where = "" if stack is None else f" {shlex.quote(str(stack))}"
        of = "no lab is up" if stack is None else f"no lab of {stack} is up"
        raise EnvironmentNotReady("the lab", of, f"handoff lab up{where} --env lab.env --detach")
    if as_json or form is Form.JSON:
        say_json(kept[0].environment)
    else:
        say(_RENDERED[form](kept[0].environment).rstrip("\n"))


def _stay(declared: Stack, order: Order, *, as_json: bool) -> None:
    def announce(opened: EmbeddedLab) -> None:
        _print(describe(opened), order, as_json=as_json)
        say("Ctrl-C ends it", to=sys.stderr)
        sys.stdout.flush()

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(keep_lab(declared, order, announce, lambda death: say(str(death), to=sys.stderr)))


def _print(opened: dict[str, Any], order: Order, *, as_json: bool) -> None:
    if as_json:
        say_json(opened)
        return
    say(f"{order.stack_path} is up as {opened['id']}")
    for name, system in opened["systems"].items():
        say(f"  {name:<12} {system['url']}   control {system['control_url']}")
    integration = opened["integration"]
    state = f"pid {integration['pid']}" if integration["pid"] else "not started: this is where it is to listen"
    say(f"  {'integration':<12} {integration['url']}   {state}")
    for name, why in opened["absent"].items():
        say(f"  {name:<12} not in this lab: {why}")
    if order.env_file is not None:
        say(f"  variables    {order.env_file}   set -a; . {shlex.quote(str(order.env_file))}; set +a")
