"""
The control plane's frame: token, problem documents, journal, health and OpenAPI (docs/contract.md §2).

Generic: a fake adds its calls in fakes.kit.plane, the tap adds its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fakes.kit.bodies import BadBodyError, load_json
from fakes.kit.door import Door, build_refusal
from fakes.kit.journal_call import JournalFirst, serve_journal
from fakes.kit.problems import ProblemError, build_validation_problem
from fakes.kit.reach import own_reach

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp

    from fakes.kit.journal import Journal

MAX_BODY = 64 * 1024 * 1024


class AnyObject(BaseModel):
    """A body that the handler validates itself."""

    model_config = ConfigDict(extra="allow")


class PrivateBody(BaseModel):
    """The body of ``POST /private``."""

    values: list[str] = Field(max_length=1000)


class HostsBody(BaseModel):
    """The body of ``POST /hosts``."""

    allow: list[str] = Field(max_length=100)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the control plane: path parameters, query, and the body as validated by the route's model."""

    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ControlRoute:
    """
    One call of a control plane.

    ``path`` may hold ``{name}`` parameters. ``run`` answers a JSON object, sent with ``status``, or a Response; it
    refuses by ProblemError. ``body`` validates the request body; without it the body is not read.
    """

    method: str
    path: str
    summary: str
    run: Callable[[Call], Awaitable[Mapping[str, Any] | Response]]
    body: type[BaseModel] | None = None
    status: int = 200
    public: bool = False


def build_control_app(
    *,
    system: str,
    journal: Journal,
    token: str,
    reset: Callable[[], Awaitable[None] | None],
    routes: Sequence[ControlRoute] = (),
) -> ASGIApp:
    """Return the control plane with healthz, journal, reset, openapi.json and these routes."""
    base = _build_base_routes(system, journal, reset)
    every = [*base, *routes]
    document = _build_openapi(system, every)

    async def show_openapi(_: Call) -> Mapping[str, Any]:
        return document

    every.append(ControlRoute("GET", "/openapi.json", "Describe this control plane", show_openapi))
    every_call = Starlette(
        routes=[Route(route.path, _Endpoint(route, token), methods=[route.method]) for route in every],
        exception_handlers={HTTPException: _refuse_unknown},
    )
    return JournalFirst(journal, token, every_call)


def _build_base_routes(
    system: str, journal: Journal, reset: Callable[[], Awaitable[None] | None]
) -> list[ControlRoute]:
    async def show_health(_: Call) -> Mapping[str, Any]:
        clock = journal.clock
        return {"status": "ok", "system": system, "epoch": journal.epoch, "entries": len(journal), "mono": clock.mono()}

    async def read_journal(call: Call) -> Response:
        return await serve_journal(journal, str(call.query))

    async def keep_private(call: Call) -> Mapping[str, Any]:
        body: PrivateBody = call.body
        journal.redactor.tell(body.values)
        return {"private": len(body.values)}

    async def allow_hosts(call: Call) -> Mapping[str, Any]:
        body: HostsBody = call.body
        own_reach().allow(body.allow)
        return {"allowed": body.allow}

    async def put_back(_: Call) -> Mapping[str, Any]:
        pending = reset()
        if pending is not None:
            await pending
        return {"reset": True}

    return [
        ControlRoute("GET", "/healthz", "Tell that this process is up", show_health, public=True),
        ControlRoute("GET", "/journal", "Read the journal as NDJSON; query after, wait", read_journal),
        ControlRoute("POST", "/hosts", "Allow connections to hosts off this machine", allow_hosts, HostsBody),
        ControlRoute("POST", "/private", "Tell names and streets that no entry may show", keep_private, PrivateBody),
        ControlRoute("POST", "/reset", "Put state, faults and journal back to the start", put_back, AnyObject),
    ]


class _Endpoint:
    """Authorise, validate, run, and turn refusals into problem documents."""

    def __init__(self, route: ControlRoute, token: str) -> None:
        self._route = route
        self._door = Door(token)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ProblemError as problem:
            response = build_refusal(problem)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        self._door.admit(request.headers, public=self._route.public)
        raw = await _read_object(request) if self._route.body else {}
        call = Call(request.path_params, request.query_params, self._validate(raw), raw)
        answer = await self._route.run(call)
        if isinstance(answer, Response):
            return answer
        return JSONResponse(answer, status_code=self._route.status)

    def _validate(self, raw: Mapping[str, Any]) -> Any:
        if self._route.body is None:
            return None
        try:
            return self._route.body.model_validate(raw)
        except ValidationError as error:
            raise build_validation_problem(error) from error


async def _read_object(request: Request) -> dict[str, Any]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise ProblemError(400, f"the body is larger than {MAX_BODY} bytes")
        chunks.append(chunk)
    body = b"".join(chunks)
    if not body.strip():
        return {}
    try:
        value = load_json(body)
    except BadBodyError as error:
        raise ProblemError(400, str(error)) from error
    if not isinstance(value, dict):
        raise ProblemError(400, "the body is not a JSON object")
    return value


async def _refuse_unknown(request: Request, _: Exception) -> Response:
    detail = f"there is no call {request.method} {request.url.path}; see /openapi.json"
    return ProblemError(404, detail).build_response()


def _build_openapi(system: str, routes: Sequence[ControlRoute]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        described: dict[str, Any] = {
            "summary": route.summary,
            "responses": {
                str(route.status): {"description": "done"},
                "default": {"$ref": "#/components/responses/problem"},
            },
            "security": [] if route.public else [{"control": []}],
        }
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        if names:
            described["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
            ]
        if route.body is not None:
            schema = route.body.model_json_schema()
            described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths.setdefault(route.path, {})[route.method.lower()] = described
    problem = {"description": "an RFC 9457 problem document", "content": {"application/problem+json": {}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"control plane of {system}", "version": "1"},
        "paths": paths,
        "components": {
            "responses": {"problem": problem},
            "securitySchemes": {"control": {"type": "http", "scheme": "bearer"}},
        },
    }
