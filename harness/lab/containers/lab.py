"""
The lab of containers: fakes, tap, Toxiproxy and integration in containers on a network of their own.

    async with open_container_lab(stack, stack_path=path, run_id="r1", index=0, image="acme/middleware:7") as lab:
        ...

The harness stays on the host and reaches every control plane on loopback. The integration shares network and processes with the
tap, as on one machine: it calls the vendors there, and the tap can end it at the last byte of an answer.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lab.containers.assembly import Assembly
from harness.lab.containers.images import choose_image
from harness.lab.embedded import build_id, identify, tell_trouble
from harness.lab.lab import Lab
from harness.lab.registry import register, sweep
from harness.lab.toxics import TOXIPROXY, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from harness.core.stack import Stack
    from harness.lab.containers.container import Container


@dataclass(frozen=True, slots=True)
class ContainerLab(Lab):
    """A lab whose every part is a container: `fakes` and `containers` (the tap and whatever else, by role), to freeze, kill or read."""

    folder: Path
    nonce: str
    fakes: dict[str, Container]
    containers: dict[str, Container]


@asynccontextmanager
async def open_container_lab(
    stack: Stack,
    *,
    stack_path: Path | None = None,
    run_id: str,
    index: int = 0,
    image: str | None = None,
    command: str | None = None,
    engine: Kind = TOXIPROXY,
) -> AsyncIterator[ContainerLab]:
    """
    Bring a lab up, yield it healthy and seeded, and leave no container, network or volume of it behind.

    `image` is the integration's, where it is not the stack's, and `command` what runs in it, where that is not the image's own.
    Raises EnvironmentNotReady (exit 12) and StackError (exit 4).
    """
    chosen = choose_image(stack, image, command)
    with tell_trouble():
        await asyncio.to_thread(sweep)
        registration = register(build_id(run_id, index), stack=str(stack_path or stack.name))
    registration.note_containers()
    assembly: Assembly | None = None
    try:
        with tell_trouble():
            lab = identify(registration.record.id, stack)
            assembly = Assembly(stack, registration, lab, chosen, engine=engine, run_id=run_id, stack_path=stack_path)
            await assembly.bring_up()
        yield _present(assembly)
    finally:
        try:
            if assembly is not None:
                await assembly.tear_down()
        finally:  # whoever cancels a lab that is already going down must not keep its folder
            # What could not be removed keeps its entry, so that a sweep finds it.
            if assembly is None or assembly.removed:
                registration.close()


def _present(assembly: Assembly) -> ContainerLab:
    return ContainerLab(
        id=assembly.lab.id,
        folder=assembly.lab.folder,
        nonce=assembly.lab.nonce,
        scale=assembly.lab.scale,
        environment=assembly.environment,
        published=assembly.published,
        controls=assembly.controls,
        tap=assembly.tap,
        integration=assembly.integration,
        fakes=assembly.fakes,
        containers=assembly.parts,
        processes=assembly.parts,
        deaths=assembly.deaths,
        absent=assembly.absent,
        toxics=assembly.wiring.toxics,
        vendor_addresses={name: assembly.locate_vendor(name) for name in assembly.vendors},
        tap_addresses={name: assembly.locate_tap(name) for name in assembly.vendors},
        journal_ends={},
    )
