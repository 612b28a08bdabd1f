"""The system under test, as the lab holds it: a child of ours, or something that runs elsewhere."""

import asyncio
from typing import Any, Protocol

from harness.lab.errors import EnvironmentNotReady, ProcessFailed, Unsupported
from harness.lab.readiness import Healthy

HEALTHY_WITHIN_S = 30.0


class Integration(Protocol):
    """What the engine may do with it."""

    url: str

    @property
    def owned(self) -> bool:
        """Tell whether it is ours to kill and start."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process id; None where it is not ours or was never started."""
        ...

    @property
    def signal_pid(self) -> int | None:
        """Its process id as the tap sees it, which is to signal it; None where it cannot be."""
        ...

    @property
    def alive(self) -> bool:
        """Tell whether its process runs; an attached one always counts as running."""
        ...

    def expect_exit(self) -> None:
        """Announce that somebody else (a signal armed at the tap) is about to end it: that is then no death."""
        ...

    async def wait_exit(self) -> int:
        """Wait until it ends; answer its return code."""
        ...

    async def kill(self) -> None:
        """SIGKILL it with everything it started. Raises Unsupported where it is not ours."""
        ...

    async def start(self) -> None:
        """Start it on the same port and data folder; returns before it is healthy. Raises Unsupported."""
        ...

    async def restart(self) -> None:
        """Stop it gently, start it, wait until it is healthy. Raises Unsupported."""
        ...

    async def wait_healthy(self, *, within_s: float = HEALTHY_WITHIN_S) -> None:
        """Wait until its health path answers 200. Raises EnvironmentNotReady with its last lines."""
        ...


class Held(Protocol):
    """What runs the integration: a child process, or a container."""

    pid: int | None

    @property
    def signal_pid(self) -> int | None:
        """Its process id as the tap sees it."""
        ...

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        ...

    def expect_exit(self) -> None:
        """Announce that somebody else is about to end it."""
        ...

    async def wait_exit(self) -> int:
        """Wait until it ends; answer its return code."""
        ...

    async def wait_ready(self, readiness: Healthy, *, within_s: float) -> Any:
        """Wait until it may be used. Raises ProcessFailed."""
        ...

    async def start(self) -> None:
        """Start it; nothing happens when it runs. Raises ProcessFailed."""
        ...

    async def stop(self) -> int | None:
        """Ask it to end, and kill it when it does not."""
        ...

    async def kill(self) -> int | None:
        """SIGKILL it with everything it started."""
        ...


class OwnIntegration:
    """The integration as something the lab starts and ends."""

    def __init__(self, process: Held, url: str, health: str, next_command: str) -> None:
        self.process = process
        self.url = url
        self._health = Healthy(f"{url}{health}")
        self._next_command = next_command

    owned = True

    @property
    def pid(self) -> int | None:
        """Its process id, also of the last one when it has ended."""
        return self.process.pid

    @property
    def signal_pid(self) -> int | None:
        """Its process id as the tap sees it."""
        return self.process.signal_pid

    @property
    def alive(self) -> bool:
        """Tell whether its process runs."""
        return self.process.alive

    def expect_exit(self) -> None:
        """Announce that somebody else is about to end it."""
        self.process.expect_exit()

    async def wait_exit(self) -> int:
        """Wait until it ends; answer its return code."""
        return await self.process.wait_exit()

    async def kill(self) -> None:
        """SIGKILL it with everything it started."""
        await self.process.kill()

    async def start(self) -> None:
        """Start it; nothing happens when it runs."""
        try:
            await self.process.start()
        except ProcessFailed as error:
            raise EnvironmentNotReady("the integration", error.told, self._next_command) from error

    async def restart(self) -> None:
        """Stop it gently, start it, wait until it is healthy."""
        await self.process.stop()
        await self.start()
        await self.wait_healthy()

    async def wait_healthy(self, *, within_s: float = HEALTHY_WITHIN_S) -> None:
        """Wait until its health path answers 200."""
        try:
            await self.process.wait_ready(self._health, within_s=within_s)
        except ProcessFailed as error:
            raise EnvironmentNotReady("the integration", error.told, self._next_command) from error


class AttachedIntegration:
    """An integration that runs elsewhere: it can be watched, not touched."""

    owned = False
    pid = None
    signal_pid = None
    alive = True

    def __init__(self, url: str, health: str) -> None:
        self.url = url.rstrip("/")
        self._health = Healthy(f"{self.url}{health}")

    def expect_exit(self) -> None:
        """Nothing to note: its process is not ours to watch."""

    async def wait_exit(self) -> int:
        """Raise Unsupported."""
        raise Unsupported("wait for the integration's end", _ATTACHED)

    async def kill(self) -> None:
        """Raise Unsupported."""
        raise Unsupported("kill the integration", _ATTACHED)

    async def start(self) -> None:
        """Raise Unsupported."""
        raise Unsupported("start the integration", _ATTACHED)

    async def restart(self) -> None:
        """Raise Unsupported."""
        raise Unsupported("restart the integration", _ATTACHED)

    async def wait_healthy(self, *, within_s: float = HEALTHY_WITHIN_S) -> None:
        """Wait until its health path answers 200."""
        try:
            async with asyncio.timeout(within_s):
                await self._health.wait()
        except TimeoutError as error:
            why = f"no {self._health.what} within {within_s:g} s"
            raise EnvironmentNotReady("the attached integration", why, f"curl -i {self._health.url}") from error


_ATTACHED = "it is attached: it runs elsewhere, the harness did not start it"


class AbsentIntegration(AttachedIntegration):
    """The place an integration will take in a lab that was brought up without one."""

    alive = False

    async def wait_healthy(self, *, within_s: float = HEALTHY_WITHIN_S) -> None:
        """Return: nothing is started here."""
