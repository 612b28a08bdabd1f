"""Ends of processes that nobody asked for."""

import asyncio
import inspect
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from harness.lab.processes import describe_exit

# What people, kernels short of memory and whoever tidies up end processes with.
BY_OTHERS = frozenset(
    -number for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
)


@dataclass(frozen=True, slots=True)
class Death:
    """
    One process that ended by itself, or was ended by somebody else.

    `role` is `integration`, `tap`, `fake-<system>`; `at` in epoch seconds, `mono` on the clock of the journals.
    """

    role: str
    pid: int | None
    returncode: int
    at: float
    mono: float
    tail: tuple[str, ...]

    @property
    def by_others(self) -> bool:
        """Tell whether it was ended from outside: by somebody's signal, not by its own doing."""
        return self.returncode in BY_OTHERS

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.role} (pid {self.pid}) ended with {describe_exit(self.returncode)}"


class Ended(Protocol):
    """A process or a container that ended."""

    role: str
    pid: int | None

    def tail(self) -> list[str]:
        """Give its last lines."""
        ...


OnDeath = Callable[[Death], Awaitable[None] | None]


class Deaths(list[Death]):
    """The deaths of one lab in order; `on_death`, where set, is called (and awaited) for each."""

    def __init__(self) -> None:
        super().__init__()
        self.on_death: OnDeath | None = None
        self._news = asyncio.Event()

    async def wait(self, *, known: int = 0) -> Death:
        """Wait until more than `known` have happened; answer the first of the others."""
        while len(self) <= known:
            self._news.clear()
            await self._news.wait()
        return self[known]

    async def note(self, process: Ended, returncode: int) -> None:
        """Note the end of a process."""
        death = Death(process.role, process.pid, returncode, time.time(), time.monotonic(), tuple(process.tail()))
        self.append(death)
        self._news.set()
        if self.on_death is not None:
            told = self.on_death(death)
            if inspect.isawaitable(told):
                await told
