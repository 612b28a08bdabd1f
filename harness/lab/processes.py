"""Child processes: started with our sockets, watched, stopped; each in a session of its own."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.lab.errors import ProcessFailed
from harness.lab.marks import ProcessMark
from harness.lab.orphans import LAB_VARIABLE, ROLE_VARIABLE, end_processes
from harness.lab.output import KEPT_LINES, Output
from harness.lab.ports import Listener
from harness.lab.readiness import Readiness
from harness.lab.registry import Registration

TAIL_LINES = 20
STOP_WITHIN_S = 3.0

OnExit = Callable[["Process", int], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Program:
    """
    What to start: `argv` as a plain list, `flags` that are followed by the number of an inherited listening socket.

    `inherited` sockets are passed without a flag; `Process.fds` tells their numbers. `lifeline` adds `--lifeline-fd`
    with a pipe that ends when the harness does.
    """

    role: str
    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    flags: Mapping[str, Listener] = field(default_factory=dict)
    inherited: Mapping[str, Listener] = field(default_factory=dict)
    lifeline: bool = False


class Lifeline:
    """A pipe whose writing end only this process holds: its readers see the end of file when we are gone."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def close(self) -> None:
        """Let go: readers end."""
        with suppress(OSError):
            os.close(self._writer)
            os.close(self.reader)


class Process:
    """
    One child over its starts and ends.

    `on_exit(process, returncode)` is called for every end that nobody asked for through this object. A negative
    `returncode` is the signal that ended it.
    """

    def __init__(
        self,
        program: Program,
        registration: Registration,
        logs: Path,
        *,
        lifeline: Lifeline | None = None,
        on_exit: OnExit | None = None,
    ) -> None:
        self.program = program
        self.role = program.role
        self.fds: dict[str, int] = {}
        self.pid: int | None = None
        self.returncode: int | None = None
        self._registration = registration
        self._logs = logs
        self._lifeline = lifeline
        self._on_exit = on_exit
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._outputs: tuple[Output, Output] | None = None
        self._mark: ProcessMark | None = None
        self._asked = False
        self._watch: asyncio.Task[int] | None = None

    @property
    def signal_pid(self) -> int | None:
        """Its process id as the tap sees it, which is its own."""
        return self.pid

    @property
    def alive(self) -> bool:
        """Tell whether it runs, frozen or not."""
        return self._watch is not None and not self._watch.done() and self.returncode is None

    @property
    def first_json(self) -> asyncio.Future[dict[str, Any]]:
        """The first JSON object it printed on stdout since its start."""
        if self._outputs is None:
            raise ProcessFailed(self.role, "was not started", returncode=None, tail=())
        return self._outputs[0].first_json

    def tail(self, count: int = TAIL_LINES) -> list[str]:
        """Give its last lines, of both streams."""
        return list(self._lines)[-count:]

    async def start(self) -> None:
        """Start it. Raises ProcessFailed where the command cannot be started; OSError when its port was taken."""
        if self.alive:
            return
        await self._end_kin()
        with ExitStack() as stack:
            argv, passed = self._compose(stack)
            ours = [self._open_output(stack, stream) for stream in ("out", "err")]
            try:
                child = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=ours[0][1],
                    stderr=ours[1][1],
                    pass_fds=passed,
                    start_new_session=True,
                    cwd=self.program.cwd,
                    env=self._environment(),
                )
            except OSError as error:
                for output, _ in ours:
                    output.close()
                raise ProcessFailed(self.role, f"cannot be started: {error}", returncode=None, tail=()) from error
        self._outputs = (ours[0][0], ours[1][0])
        self._adopt(child)

    async def wait_ready(self, readiness: Readiness, *, within_s: float) -> dict[str, Any]:
        """Wait until it may be used. Raises ProcessFailed as soon as it ends, or when the time is over."""
        watch = self._need_watch()
        waiting = asyncio.ensure_future(readiness.wait(self))
        try:
            await asyncio.wait({waiting, watch}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not waiting.cancelled():
                return waiting.result()
        finally:
            waiting.cancel()
        if watch.done():
            raise self.failure(f"ended with {describe_exit(watch.result())} before it was ready")
        raise self.failure(f"did not give {readiness.what} within {within_s:g} s")

    def failure(self, why: str) -> ProcessFailed:
        """Build the error that says why, with its exit code and last lines."""
        for output in self._outputs or ():
            output.drain()
        return ProcessFailed(self.role, why, returncode=self.returncode, tail=self.tail())

    async def wait_exit(self) -> int:
        """Wait until it ends, whoever ends it; answer its return code."""
        return await asyncio.shield(self._need_watch())

    async def stop(self, *, within_s: float = STOP_WITHIN_S) -> int | None:
        """Ask it to end; after `within_s` kill it, with all it started. None when it never ran."""
        if self.alive:
            self._asked = True
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)
            await asyncio.wait({self._need_watch()}, timeout=within_s)
        return await self.kill()

    async def kill(self) -> int | None:
        """
        SIGKILL it now, with all it started; answer its return code. None when it never ran.

        A program on the lifeline is ours and starts nothing; of any other, processes that left its group are hunted too.
        """
        if self._watch is None:
            return None
        self._asked = True
        self._signal(signal.SIGKILL)
        returncode = await self.wait_exit()
        await self._end_kin()
        return returncode

    async def restart(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Stop it and start it again, on the same addresses."""
        await self.stop(within_s=within_s)
        await self.start()

    def expect_exit(self) -> None:
        """Announce that somebody else is about to end it: that end is then no surprise."""
        self._asked = True

    async def freeze(self) -> None:
        """SIGSTOP it and its group; returns when it stands still."""
        self._signal(signal.SIGSTOP)
        if self.alive and self.pid is not None:
            await asyncio.to_thread(_wait_stopped, self.pid)

    def thaw(self) -> None:
        """SIGCONT it and its group."""
        self._signal(signal.SIGCONT)

    async def _end_kin(self) -> None:
        """End what an earlier run left: a worker that outlived a killed parent would still hold its port."""
        if self._mark is not None and not self.program.lifeline:
            await asyncio.to_thread(end_processes, self._registration.record.id, [self._mark], role=self.role)

    def _signal(self, number: signal.Signals) -> None:
        if self.alive and self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _compose(self, stack: ExitStack) -> tuple[list[str], list[int]]:
        argv, passed = list(self.program.argv), []
        self.fds = {}
        for name, listener in {**self.program.flags, **self.program.inherited}.items():
            self.fds[name] = stack.enter_context(listener.hand_over()).fileno()
            passed.append(self.fds[name])
        for flag in self.program.flags:
            argv += [flag, str(self.fds[flag])]
        if self.program.lifeline and self._lifeline is not None:
            argv += ["--lifeline-fd", str(self._lifeline.reader)]
            passed.append(self._lifeline.reader)
        return argv, passed

    def _open_output(self, stack: ExitStack, stream: str) -> tuple[Output, int]:
        reader, writer = os.pipe()
        stack.callback(os.close, writer)
        output = Output(self._logs / f"{self.role}.{stream}", self._lines)
        output.attach(reader)
        return output, writer

    def _environment(self) -> dict[str, str]:
        marks = {LAB_VARIABLE: self._registration.record.id, ROLE_VARIABLE: self.role}
        return {**self.program.environment, **marks}

    def _adopt(self, child: asyncio.subprocess.Process) -> None:
        self.pid, self.returncode, self._asked = child.pid, None, False
        self._watch = asyncio.create_task(self._follow(child), name=f"watch {self.role}")
        with suppress(psutil.Error):  # it may have ended already: then there is nothing to record
            self._mark = ProcessMark.of(child.pid, self.role)
            self._registration.add_process(self._mark)

    async def _follow(self, child: asyncio.subprocess.Process) -> int:
        returncode = await child.wait()
        self.returncode = returncode
        for output in self._outputs or ():
            output.close()
        self._registration.remove_process(child.pid)
        if not self._asked and self._on_exit is not None:
            told = self._on_exit(self, returncode)
            if told is not None:
                await told
        return returncode

    def _need_watch(self) -> asyncio.Task[int]:
        if self._watch is None:
            raise ProcessFailed(self.role, "was not started", returncode=None, tail=())
        return self._watch


def _wait_stopped(pid: int) -> None:
    # WNOWAIT leaves its end, should that come first, to the one who follows it.
    with suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


def describe_exit(returncode: int) -> str:
    """Say how a process ended: `exit code 3`, `SIGKILL`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"
