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
        self.handoff = handoff
        self._work = work
        self._every_s = every_s
        self._expected_s = expected_s
        self._busy = False
        self._latest: asyncio.Task[bool] | None = None

    def start(self, trigger: str) -> str:
        """Start a run and return its id; raise `RunningError` while another is under way."""
        return self._start(trigger)[0]

    async def run_now(self, trigger: str) -> bool:
        """Wait for a run under way to end, run once more, and tell whether that succeeded."""
        while self._busy and self._latest is not None:
            await asyncio.wait([self._latest])
        return await asyncio.shield(self._start(trigger)[1])

    def _start(self, trigger: str) -> tuple[str, asyncio.Task[bool]]:
        if self._busy:
            raise RunningError(self.name)
        self._busy = True
        run_id = f"{self.name}:{uuid.uuid4().hex[:12]}"
        self._latest = asyncio.create_task(self._run(run_id, trigger))
        return run_id, self._latest

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
        if self._latest is not None:
            self._latest.cancel()
            await asyncio.gather(self._latest, return_exceptions=True)

    async def _run(self, run_id: str, trigger: str) -> bool:
        trouble, captured = None, 0
        try:
            await self._begin(run_id, trigger)
            captured = await self._work(trigger)
        except JobError as error:
            trouble = Trouble(run_id, self.handoff, self.name, error.code, str(error), trigger)
        except Exception as error:
            log.exception("job crashed", job=self.name, run=run_id)
            trouble = Trouble(run_id, self.handoff, self.name, "DEFECT", repr(error), trigger)
        finally:
            # Whoever reads that it has ended may start it again; its record is written before that of the next.
            self._busy = False
        await self._finish(run_id, trouble, captured)
        return trouble is None

    async def _begin(self, run_id: str, trigger: str) -> None:
        row = (run_id, self.name, time.time(), self._expected_s, trigger)
        insert = "INSERT INTO runs (id, name, state, started_at, expected_s, trigger) VALUES (?, ?, 'running', ?, ?, ?)"
        await self._store.write(lambda conn: conn.execute(insert, row))

    async def _finish(self, run_id: str, trouble: Trouble | None, captured: int) -> None:
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
