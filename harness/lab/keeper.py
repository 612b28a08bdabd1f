"""
Labs that stay up: `handoff lab up` in the foreground, or kept by a process of their own.

A detached lab is owned by `python -m harness.lab.keeper`, which outlives the command that started it. For the register it
is an owner like any other: while it lives its lab is left alone, and when it dies its lab is swept.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.loading import load_stack
from harness.core.stack import Stack
from harness.lab.credentials import write_private
from harness.lab.deaths import Death
from harness.lab.embedded import EmbeddedLab, open_embedded_lab
from harness.lab.environment import render_dotenv
from harness.lab.errors import EnvironmentNotReady, LabError
from harness.lab.orphans import wait_gone
from harness.lab.registry import LabRecord, read_records, sweep
from harness.lab.toxics import EMBEDDED, KINDS, Kind

RUN_ID = "up"
END_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Order:
    """Which lab to keep: `env_file` is where its variables go, with an integration or with its place left free, and with which toxic engine."""

    stack_path: Path
    env_file: Path | None = None
    with_integration: bool = False
    engine: Kind = EMBEDDED


def describe(lab: EmbeddedLab) -> dict[str, Any]:
    """Describe a lab that is up: where everything is, without its secrets."""
    return {
        "id": lab.id,
        "systems": {
            name: {"url": lab.tap_addresses[name], "control_url": control.base_url}
            for name, control in lab.controls.items()
        },
        "tap_control_url": lab.tap.base_url,
        "engine": lab.toxics.kind,
        "toxiproxy_url": lab.published["TOXIPROXY_URL"],
        "integration": {"url": lab.integration.url, "pid": lab.integration.pid},
        "absent": lab.absent,
    }


async def keep_lab(
    stack: Stack, order: Order, announce: Callable[[EmbeddedLab], None], tell: Callable[[Death], None]
) -> None:
    """
    Keep a lab up until this task is cancelled; SIGTERM and SIGHUP cancel it, as Ctrl-C does.

    `announce` is called when it is up, `tell` for every process of it that ends by itself. Raises EnvironmentNotReady.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if task is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup means to stay
            loop.add_signal_handler(number, task.cancel)
    if order.env_file is not None:
        _ensure_writable(order.env_file)
    async with open_embedded_lab(
        stack,
        stack_path=order.stack_path.resolve(),
        run_id=RUN_ID,
        with_integration=order.with_integration,
        engine=order.engine,
        kind="up",
    ) as lab:
        lab.deaths.on_death = tell
        if order.env_file is not None:
            _write_variables(order.env_file, lab)
        announce(lab)
        await asyncio.Event().wait()


def start_keeper(order: Order) -> dict[str, Any]:
    """Start a keeper that outlives this process; answer what `describe` says of its lab. Raises EnvironmentNotReady."""
    argv = [sys.executable, "-m", "harness.lab.keeper", "--stack", str(order.stack_path.resolve())]
    if order.env_file is not None:
        argv += ["--env", str(order.env_file.resolve())]
    argv += ["--engine", order.engine]
    if order.with_integration:
        argv.append("--with-integration")
    keeper = subprocess.Popen(  # noqa: S603 (our own module, on our own interpreter)
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    said = []
    with keeper.stdout or open(os.devnull) as stream:  # noqa: PTH123 (never taken: stdout is a pipe)
        for line in stream:
            said.append(line.rstrip())
            answer = _read_answer(line)
            if answer is not None:
                return _unwrap(answer)
    raise EnvironmentNotReady("the lab", "its keeper ended:\n" + "\n".join(said[-20:]), "handoff doctor")


def find_kept(stack_path: Path | None = None) -> list[LabRecord]:
    """List the labs that are up, the newest first; only those of one stack where it is given."""
    wanted = None if stack_path is None else str(stack_path.resolve())
    kept = [record for record in read_records() if record.kind == RUN_ID and not record.left_over]
    return [record for record in reversed(kept) if wanted in {None, record.stack}]


def end_kept(records: list[LabRecord]) -> None:
    """End labs that are up, gently where their keepers listen."""
    for record in records:
        _signal(record, signal.SIGTERM)
    if not wait_gone((record.owner for record in records), END_WITHIN_S):
        for record in records:
            _signal(record, signal.SIGKILL)
        wait_gone((record.owner for record in records), END_WITHIN_S)
    sweep()


def main(arguments: list[str]) -> int:
    """Keep one lab; the first line printed says what it is, or why there is none."""
    parser = argparse.ArgumentParser(prog="python -m harness.lab.keeper")
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--env", type=Path)
    parser.add_argument("--with-integration", action="store_true")
    parser.add_argument("--engine", choices=KINDS, default=EMBEDDED)
    given = parser.parse_args(arguments)
    stack = load_stack(given.stack.read_text(), file=str(given.stack))
    try:
        with suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(
                keep_lab(stack, Order(given.stack, given.env, given.with_integration, given.engine), _announce, _ignore)
            )
    except EnvironmentNotReady as error:
        _print_line({"error": {"what": error.what, "why": error.why, "next_command": error.next_command}})
        return error.exit_code
    except LabError as error:
        _print_line({"error": {"what": "the lab", "why": str(error), "next_command": "handoff doctor"}})
        return error.exit_code
    return 0


def _announce(lab: EmbeddedLab) -> None:
    _print_line({"lab": describe(lab)})
    # Whoever started us reads no further: what is printed from now on must not find a closed pipe.
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)
    os.close(null)


def _ignore(_: Death) -> None:
    """Nobody is there to hear of it; `handoff lab env` and the journals will show it."""


def _print_line(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _read_answer(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.keys() & {"lab", "error"} else None


def _unwrap(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise EnvironmentNotReady(**answer["error"])
    lab: dict[str, Any] = answer["lab"]
    return lab


def _ensure_writable(path: Path) -> None:
    """Find out before anything is started that the variables have nowhere to go."""
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        why = "is a folder" if path.is_dir() else f"{path.parent} is no folder that can be written"
        raise EnvironmentNotReady(f"the file {path}", why, "name a file that can be written with --env")


def _write_variables(path: Path, lab: EmbeddedLab) -> None:
    try:
        write_private(path, render_dotenv(lab.published))
    except OSError as error:
        raise EnvironmentNotReady(
            f"the file {path}", str(error), "handoff lab up --env FILE, with a FILE that can be written"
        ) from error


def _signal(record: LabRecord, number: signal.Signals) -> None:
    if record.owner.alive:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(record.owner.pid, number)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
