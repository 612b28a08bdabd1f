"""What the service shows of itself to operators, and what they can do: replay a dead letter, decide a case, start a job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reference import cases, dead_letters, runs, troubles
from reference.cases import DecidedError, UnknownCaseError, UnknownDecisionError
from reference.dead_letters import NotWaitingError
from reference.decisions import Decider
from reference.fields import UnusableError, parse_json
from reference.replay import RecoveryError, Replayer, UnknownLetterError
from reference.runs import Job, RunningError
from reference.store import Store

Views = Callable[[], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Observer:
    """Answers the paths below `/ops`. `breakers`, `sessions` and `caches` show what is in memory; the rest is read from the store."""

    store: Store
    replayer: Replayer
    decider: Decider
    jobs: Mapping[str, Job]
    breakers: Views
    sessions: Views
    caches: Views

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted below `/ops`."""
        return [
            Route("/dead-letters", self.list_dead_letters),
            Route("/dead-letters/{id}/replay", self.replay, methods=["POST"]),
            Route("/queues", self.list_queues),
            Route("/queues/{id}/decide", self.decide, methods=["POST"]),
            Route("/jobs", self.list_jobs),
            Route("/jobs/{name}/start", self.start_job, methods=["POST"]),
            Route("/breakers", self.list_breakers),
            Route("/sessions", self.list_sessions),
            Route("/caches", self.list_caches),
            Route("/exceptions", self.list_exceptions),
            Route("/changes", self.list_changes),
        ]

    async def list_dead_letters(self, _: Request) -> Response:
        """Answer the waiting dead letters and the latest resolved ones; times are epoch seconds."""
        return JSONResponse([dict(row) for row in self.store.read(dead_letters.list_all)])

    async def replay(self, request: Request) -> Response:
        """Replay one: 202 when it is on its way, 404 unknown, 409 resolved already, 502 when the vendor could not be asked."""
        letter_id = request.path_params["id"]
        try:
            await self.replayer.replay(letter_id)
        except UnknownLetterError:
            return _problem(404, "Unknown dead letter", f"there is no dead letter {letter_id}")
        except NotWaitingError:
            return _problem(409, "Not waiting", f"the dead letter {letter_id} was resolved already")
        except RecoveryError:
            return _problem(502, "Not recovered", "the vendor could not be asked; the dead letter waits on")
        return JSONResponse({"id": letter_id, "state": "replayed"}, 202)

    async def list_queues(self, _: Request) -> Response:
        """Answer the cases of role queues: open, decided, and the latest done ones."""
        return JSONResponse(self.store.read(cases.list_all))

    async def decide(self, request: Request) -> Response:
        """Decide a case: 202, 200 when the same was decided before, 404 unknown, 409 decided otherwise, 422 no such decision."""
        case_id = request.path_params["id"]
        decision = _read_decision(await request.body())
        try:
            new = await self.decider.decide(case_id, decision)
        except UnknownCaseError:
            return _problem(404, "Unknown case", f"there is no case {case_id}")
        except UnknownDecisionError as error:
            return _problem(422, "Unknown decision", f"no decision {decision!r}; there is {', '.join(error.known)}")
        except DecidedError:
            return _problem(409, "Decided", f"the case {case_id} was decided already")
        return JSONResponse({"id": case_id, "state": "decided", "decision": decision}, 202 if new else 200)

    async def list_jobs(self, _: Request) -> Response:
        """Answer the latest runs of all jobs."""
        return JSONResponse(self.store.read(runs.list_runs))

    async def start_job(self, request: Request) -> Response:
        """Start a run: 202 with its id, 404 for an unknown job, 409 while one is under way."""
        name = request.path_params["name"]
        job = self.jobs.get(name)
        if job is None:
            return _problem(404, "Unknown job", f"there is no job {name}; there is {', '.join(self.jobs) or 'none'}")
        try:
            run_id = job.start("operator")
        except RunningError:
            return _problem(409, "Running", f"the job {name} is running already")
        return JSONResponse({"id": run_id, "name": name, "state": "running"}, 202)

    async def list_breakers(self, _: Request) -> Response:
        """Answer the breaker of each handoff that has one."""
        return JSONResponse(list(self.breakers()))

    async def list_sessions(self, _: Request) -> Response:
        """Answer the sessions this service holds at other systems."""
        return JSONResponse(list(self.sessions()))

    async def list_caches(self, _: Request) -> Response:
        """Answer what is kept in memory instead of being asked for."""
        return JSONResponse(list(self.caches()))

    async def list_exceptions(self, _: Request) -> Response:
        """Answer the latest exceptions: every failed attempt and failed run."""
        return JSONResponse(self.store.read(troubles.list_troubles))

    async def list_changes(self, _: Request) -> Response:
        """Answer the changes of configuration noticed at starts."""
        return JSONResponse(self.store.read(troubles.list_changes))


def _read_decision(body: bytes) -> str:
    try:
        given = parse_json(body)
    except UnusableError:
        return ""
    return str(given.get("decision", "")) if isinstance(given, Mapping) else ""


def _problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")
