"""A real Toxiproxy server as a part of a lab: which program, how it is started, whether it is recent enough."""

import os
import re
from pathlib import Path
from typing import Final

from harness.lab.environment import clear_ours
from harness.lab.errors import EnvironmentNotReady
from harness.lab.ports import Address
from harness.lab.processes import Program
from harness.lab.tools import TOXIPROXY_VARIABLE, find_toxiproxy, tell_toxiproxy
from harness.wire.toxiproxy import ToxiproxyError, ToxiproxyServer

ROLE: Final = "toxiproxy"
# The first whose answers are JSON throughout; since then its toxics have not changed.
OLDEST: Final = (2, 7)


def choose_program() -> Path:
    """Choose the server's program; raises EnvironmentNotReady with the command that gets it."""
    program = find_toxiproxy()
    if program is None:
        named = os.environ.get(TOXIPROXY_VARIABLE)
        where = "on PATH or among the tools" if not named else f"that runs where {TOXIPROXY_VARIABLE} says, at {named}"
        raise EnvironmentNotReady("--engine toxiproxy", f"there is no `toxiproxy-server` {where}", tell_toxiproxy())
    return program


def build_toxiproxy(program: Path, at: Address, folder: Path) -> Program:
    """Describe the server's process, which binds the address of its admin API itself."""
    argv = [str(program), "-host", at.host, "-port", str(at.port)]
    return Program(ROLE, argv, folder, clear_ours(os.environ))


async def ensure_recent(server: ToxiproxyServer) -> None:
    """
    Raise EnvironmentNotReady where the server is older than what the toxics are known to do.

    One that was built without being told its version says `git`, and is taken as it is.
    """
    try:
        version = await server.version()
    except ToxiproxyError as error:
        raise EnvironmentNotReady(
            "--engine toxiproxy", f"the server does not say its version: {error}", tell_toxiproxy()
        ) from error
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        why = f"the server is version {version}, and {needed} or newer is needed"
        raise EnvironmentNotReady("--engine toxiproxy", why, tell_toxiproxy())
