"""
Jobs: the scheduled work of the service, each run of which leaves a record.

A job never runs twice at once. Its schedule counts from the start of the process: the first run comes one period after it.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from sqlite3 import Connection

from reference.log import get_log
from reference.store import Store
from reference.troubles import Trouble, add_trouble

KEPT = 500
log = get_log("jobs")


class RunningError(Exception):
    """The job is running already."""


class JobError(Exception):
    """A run failed; `code` says why in one word."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Job:
    """
    A named piece of work and its runs.

    `work` gets what triggered the run and returns how many orders it captured; it raises `JobError` to fail. `every_s` and
    `expected_s` are in this process's time, that is, already scaled.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        handoff: str,
        work: Callable[[str], Awaitable[int]],
        *,
        every_s: float,
        expected_s: float,
    ) -> None:
        self.name = name
        self._store = store
        self._handoff = handoff
        self._work = work
        self._every_s = every_s
        self._expected_s = expected_s
        self._running: asyncio.Task[bool] | None = None

    def start(self, trigger: str) -> str:
        """Start a run and return its id; raise `RunningError` while another is under way."""
        if self._running is not None and not self._running.done():
            raise RunningError(self.name)
        run_id = f"{self.name}:{uuid.uuid4().hex[:12]}"
        self._running = asyncio.create_task(self._run(run_id, trigger))
        return run_id

    async def run_now(self, trigger: str) -> bool:
        """Wait for a run under way to end, run once more, and tell whether that succeeded."""
        while self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        self.start(trigger)
        assert self._running is not None  # noqa: S101 -- just started
        return await asyncio.shield(self._running)

    async def run_schedule(self) -> None:
        """Start a run every period for good; a period in which one is still running is skipped."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._every_s
            await asyncio.sleep(due - loop.time())
            try:
                self.start("schedule")
            except RunningError:
                log.warning("run skipped", job=self.name)

    async def stop(self) -> None:
        """Cut a run under way short; it is recorded as failed at the next start."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self, run_id: str, trigger: str) -> bool:
        started_at = time.time()
        row = (run_id, self.name, started_at, self._expected_s, trigger)
        await self._store.write(
            lambda conn: conn.execute(
                "INSERT INTO runs (id, name, state, started_at, expected_s, trigger) VALUES (?, ?, 'running', ?, ?, ?)",
                row,
            )
        )
        try:
            captured = await self._work(trigger)
        except JobError as error:
            await self._finish(run_id, Trouble(run_id, self._handoff, self.name, error.code, str(error), trigger))
            return False
        except Exception as error:
            log.exception("job crashed", job=self.name, run=run_id)
            await self._finish(run_id, Trouble(run_id, self._handoff, self.name, "DEFECT", repr(error), trigger))
            return False
        await self._finish(run_id, None, captured)
        return True

    async def _finish(self, run_id: str, trouble: Trouble | None, captured: int = 0) -> None:
        state = "failed" if trouble else "succeeded"

        def finish(conn: Connection) -> None:
            now = time.time()
            conn.execute(
                "UPDATE runs SET state = ?, finished_at = ?, captured = ? WHERE id = ?", (state, now, captured, run_id)
            )
            conn.execute(
                "DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY started_at DESC LIMIT -1 OFFSET ?)", (KEPT,)
            )
            if trouble:
                add_trouble(conn, trouble, now=now)

        await self._store.write(finish)
        log.info("job ended", job=self.name, run=run_id, state=state, captured=captured)


def fail_interrupted(conn: Connection, *, now: float) -> None:
    """Close the records of runs that the last process did not live to end."""
    conn.execute("UPDATE runs SET state = 'failed', finished_at = ? WHERE state = 'running'", (now,))


def list_runs(conn: Connection) -> list[dict[str, object]]:
    """Return the runs that are kept, the oldest first."""
    query = (
        "SELECT id, name, state, started_at, finished_at, expected_s, trigger, captured FROM runs ORDER BY started_at"
    )
    return [dict(row) for row in conn.execute(query)]
