"""One container over its starts and ends, as the lab holds a process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, DockerException, NotFound
from testcontainers.core.container import DockerContainer

from harness.lab.containers.confinement import confine, publish
from harness.lab.containers.images import complete_image
from harness.lab.errors import ProcessFailed
from harness.lab.processes import STOP_WITHIN_S, TAIL_LINES, describe_exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.containers import Container as Handle
    from testcontainers.core.waiting_utils import WaitStrategy

    from harness.lab.containers.box import Box
    from harness.lab.containers.fleet import Fleet
    from harness.lab.readiness import Healthy

SIGNALLED = 128
# What the engine answers where a container is not in the state a call needs.
NOT_SO = 409


class Container:
    """
    A container of a fleet.

    Every call to the engine is made in a thread of the fleet. What `Process` promises holds here too: ends that nobody asked for
    are told as deaths, a negative return code is the signal that ended it.
    """

    def __init__(self, box: Box, fleet: Fleet) -> None:
        self.box = box
        self.role = box.role
        self.pid: int | None = None
        self.returncode: int | None = None
        self._fleet = fleet
        self._made: DockerContainer | None = None
        self._end: asyncio.Future[int] | None = None
        self._asked = False
        self._last: list[str] = []

    @property
    def id(self) -> str | None:
        """Its id at the engine; None where it was never made."""
        return None if self._made is None or self._made._container is None else self._made.get_container_id()  # noqa: SLF001 - there is no public way to ask whether it was made

    @property
    def alive(self) -> bool:
        """Tell whether it runs, frozen or not."""
        return self._end is not None and not self._end.done()

    @property
    def signal_pid(self) -> int | None:
        """Its process id as those see it who share its processes; None where it does not run or cannot be seen."""
        return None if self.pid is None else _read_inner_pid(self.pid)

    @property
    def address(self) -> str:
        """Its address in the lab's network. Raises ProcessFailed where it has none."""
        networks = self._handle.attrs["NetworkSettings"]["Networks"]
        address = networks.get(self._fleet.network, {}).get("IPAddress")
        if not address:
            raise self._fail("has no address in the lab's network")
        return str(address)

    def tail(self, count: int = TAIL_LINES) -> list[str]:
        """Give its last lines, of both streams, as they were when it ended."""
        return self._last[-count:]

    async def start(self, until: WaitStrategy | None = None) -> None:
        """Start it, the first time until a wait strategy is content; nothing happens when it runs. Raises ProcessFailed."""
        if self.alive:
            return
        self._end, self._asked, self.returncode = asyncio.get_running_loop().create_future(), False, None
        try:
            await self._fleet.call(self._start, until)
        except DockerException as error:
            self._end.cancel()
            raise ProcessFailed(self.role, f"cannot be started: {error}", returncode=None, tail=self.tail()) from error

    async def wait_ready(self, readiness: Healthy, *, within_s: float) -> None:
        """Wait until it may be used. Raises ProcessFailed as soon as it ends, or when the time is over."""
        end = self._need_end()
        waiting: asyncio.Future[Any] = asyncio.ensure_future(readiness.wait())
        futures: set[asyncio.Future[Any]] = {waiting, end}
        try:
            await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not waiting.cancelled():
                return
        finally:
            waiting.cancel()
        await self._fleet.call(self._read_tail)
        if end.done():
            raise self._fail(f"ended with {describe_exit(end.result())} before it was ready")
        raise self._fail(f"did not give {readiness.what} within {within_s:g} s")

    async def wait_exit(self) -> int:
        """Wait until it ends, whoever ends it; answer its return code."""
        return await asyncio.shield(self._need_end())

    async def stop(self, *, within_s: float = STOP_WITHIN_S) -> int | None:
        """Ask it to end, and kill it after `within_s`. None when it never ran."""
        return await self._finish(lambda handle: handle.stop(timeout=round(within_s)))

    async def kill(self) -> int | None:
        """SIGKILL it, with all it started. None when it never ran."""
        return await self._finish(lambda handle: handle.kill())

    def expect_exit(self) -> None:
        """Announce that somebody else is about to end it: that end is then no surprise."""
        self._asked = True

    async def freeze(self) -> None:
        """Freeze all of it; returns when it stands still."""
        await self._fleet.call(self._handle.pause)

    async def thaw(self) -> None:
        """Let it go on."""
        await self._fleet.call(self._handle.unpause)

    async def take_end(self, code: int) -> None:
        """Take from the engine that it ended."""
        if self._end is None or self._end.done():
            return
        self.returncode = SIGNALLED - code if code > SIGNALLED else code
        if not self._asked:
            await self._fleet.call(self._read_tail)
        self._end.set_result(self.returncode)
        if not self._asked:
            await self._fleet.deaths.note(self, self.returncode)

    def close(self) -> None:
        """Let go of the connection to the engine."""
        if self._made is not None:
            self._made.get_docker_client().client.close()

    async def _finish(self, ask: Callable[[Handle], Any]) -> int | None:
        if self._end is None:
            return None
        if self.alive:
            self._asked = True
            try:
                await self._fleet.call(ask, self._handle)
            except NotFound:
                return None
            except APIError as error:
                if error.status_code != NOT_SO:
                    raise
        return await self.wait_exit()

    def _start(self, until: WaitStrategy | None) -> None:
        if self._made is None:
            self._made = self._make(until)
            self._made.start()
        else:
            self._handle.start()
        self._handle.reload()
        self.pid = self._handle.attrs["State"]["Pid"] or self.pid

    def _make(self, until: WaitStrategy | None) -> DockerContainer:
        box, fleet = self.box, self._fleet
        more = confine(fleet.labels(box.role))
        made = DockerContainer(complete_image(box.image), name=f"handoff-{fleet.lab}-{box.role}")
        made.with_envs(HOME="/tmp", **box.environment)  # noqa: S108 - a container's own, in memory
        made.tmpfs = {"/tmp": "mode=1777"}  # noqa: S108 - as above
        for where, mode in ((box.files, "ro"), (box.folders, "rw")):
            for inside, outside in where.items():
                made.with_volume_mapping(outside, inside, mode)
        if box.command:
            made.with_command(list(box.command))
        if until is not None:
            made.waiting_for(until)
        if box.beside is None:
            made.with_network(fleet.net).with_network_aliases(box.role, *box.aliases)
            if box.aliases:  # who answers to a vendor's name does so at the vendor's ports
                more["sysctls"] = {"net.ipv4.ip_unprivileged_port_start": "0"}
            made.ports.update(publish(box.published))  # type: ignore[arg-type]  # what it hands them to takes an address too
        else:
            beside = f"container:{fleet.find(box.beside).id}"
            more |= {"network_mode": beside, "pid_mode": beside}
        return made.with_kwargs(**more)

    @property
    def _handle(self) -> Handle:
        if self._made is None:
            raise ProcessFailed(self.role, "was not started", returncode=None, tail=())
        return self._made.get_wrapped_container()

    def _read_tail(self) -> None:
        try:
            self._last = self._handle.logs(tail=TAIL_LINES).decode(errors="replace").splitlines()
        except DockerException as error:
            self._last = [f"(its output cannot be read: {error})"]

    def _fail(self, why: str) -> ProcessFailed:
        return ProcessFailed(self.role, why, returncode=self.returncode, tail=self.tail())

    def _need_end(self) -> asyncio.Future[int]:
        if self._end is None:
            raise ProcessFailed(self.role, "was not started", returncode=None, tail=())
        return self._end


def _read_inner_pid(pid: int) -> int | None:
    """Read the pid of a process in the innermost namespace it belongs to."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split() for line in lines if line.startswith("NSpid:")), [])
    return int(found[-1]) if len(found) > 1 else None
