"""
The embedded lab: fakes, tap and integration as child processes of the harness, on loopback.

    async with open_embedded_lab(stack, stack_path=path, run_id="r1", index=0) as lab:
        await lab.controls["storefront"].act("place-order", count=1)
        page = await lab.tap.journal(after=0, wait=5)
        await lab.integration.kill()
        await lab.integration.start()
        await lab.integration.wait_healthy()

Several labs may be open at once; they share nothing.
"""

import asyncio
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.core.stack import Stack
from harness.lab.assembly import Assembly
from harness.lab.errors import EnvironmentNotReady
from harness.lab.integration import Integration
from harness.lab.lab import Lab
from harness.lab.layout import Identity, choose_place
from harness.lab.processes import Process
from harness.lab.registry import register, sweep
from harness.lab.toxics import EMBEDDED, TOXIPROXY, Kind
from harness.lab.toxiproxy import choose_program


@dataclass(frozen=True, slots=True)
class EmbeddedLab(Lab):
    """
    A lab whose every part is a child of this process.

    `fakes` and `tap_process`: its processes, to freeze, kill or read.
    """

    folder: Path
    nonce: str
    fakes: dict[str, Process]
    tap_process: Process


@asynccontextmanager
async def open_embedded_lab(  # noqa: PLR0913 - one parameter a choice, all but the stack by name
    stack: Stack,
    *,
    stack_path: Path | None = None,
    run_id: str,
    index: int = 0,
    integration_command: str | Sequence[str] | None = None,
    with_integration: bool = True,
    engine: Kind = EMBEDDED,
    kind: str = "run",
) -> AsyncIterator[EmbeddedLab]:
    """
    Bring a lab up, yield it healthy and seeded, and leave nothing of it behind.

    `integration_command` (a shell-like string or a list) starts another command than the stack's; where the stack says that
    its integration runs elsewhere, none is started; `with_integration=False` leaves its place empty. `engine` `toxiproxy` starts a
    real Toxiproxy server for the faults of the wire. `kind` is `up` for the labs of `handoff lab up`. Raises EnvironmentNotReady (exit 12).
    """
    place = choose_place(stack, integration_command, with_integration=with_integration, stack_path=stack_path)
    toxiproxy = choose_program() if engine == TOXIPROXY else None
    with tell_trouble():
        await asyncio.to_thread(sweep)
        registration = register(build_id(run_id, index), stack=str(stack_path or stack.name), kind=kind)
    assembly: Assembly | None = None
    try:
        with tell_trouble():
            identity = identify(registration.record.id, stack)
            assembly = Assembly(stack, registration, identity, place, toxiproxy=toxiproxy, stack_path=stack_path)
            integration = await assembly.bring_up()
        yield _present(assembly, integration)
    finally:
        try:
            if assembly is not None:
                await assembly.tear_down()
        finally:  # whoever cancels a lab that is already going down must not keep its folder
            registration.close()


@contextmanager
def tell_trouble() -> Iterator[None]:
    """Tell trouble with files and sockets as what it is: an environment that is not ready."""
    try:
        yield
    except OSError as error:
        raise EnvironmentNotReady("the lab", str(error), "handoff doctor") from error


def _present(assembly: Assembly, integration: Integration) -> EmbeddedLab:
    return EmbeddedLab(
        id=assembly.lab.id,
        folder=assembly.lab.folder,
        nonce=assembly.lab.nonce,
        scale=assembly.lab.scale,
        environment=assembly.environment,
        published=assembly.published,
        controls=assembly.controls,
        tap=assembly.tap,
        integration=integration,
        fakes=assembly.fakes,
        tap_process=assembly.tap_process,
        processes={process.role: process for process in assembly.parts},
        deaths=assembly.deaths,
        absent=assembly.absent,
        toxics=assembly.toxics,
        vendor_addresses={name: str(seat.listener.address) for name, seat in assembly.seats.items()},
        tap_addresses={name: listener.address.url for name, listener in assembly.outbound.items()},
        journal_ends={},
    )


def identify(lab: str, stack: Stack) -> Identity:
    """Give a lab of this id a nonce and the folder it is to have."""
    folder = Path(tempfile.gettempdir()) / f"handoff-{lab}"
    return Identity(lab, secrets.token_hex(4), folder, stack.time.scale)


def build_id(run_id: str, index: int) -> str:
    """Build the id of a lab, which no other has."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', run_id)}-{index}-{secrets.token_hex(4)}"
