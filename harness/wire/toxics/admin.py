"""Toxiproxy's HTTP admin API (2.12.0) over the embedded engine.

Statuses, shapes and the plain-text content type of errors follow what toxiproxy-server 2.12.0 answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fakes.kit.pages import find_page
from harness.wire.toxics.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from harness.wire.toxics.proxies import Proxies
    from harness.wire.toxics.proxy import Proxy

    Handler = Callable[[Request], Awaitable[Response]]

VERSION = "2.12.0"


def build_admin_app(proxies: Proxies) -> Starlette:
    """Build the ASGI app that serves the admin API over these proxies."""
    admin = Admin(proxies)
    both = ["POST", "PATCH"]
    return Starlette(
        routes=[
            _route("/version", admin.version, ["GET"]),
            _route("/reset", admin.reset, ["POST"]),
            _route("/populate", admin.populate, ["POST"]),
            _route("/proxies", _by_method(GET=admin.list_proxies, POST=admin.create_proxy), ["GET", "POST"]),
            _route(
                "/proxies/{proxy}",
                _by_method(
                    GET=admin.show_proxy, POST=admin.update_proxy, PATCH=admin.update_proxy, DELETE=admin.delete_proxy
                ),
                ["GET", "DELETE", *both],
            ),
            _route(
                "/proxies/{proxy}/toxics", _by_method(GET=admin.list_toxics, POST=admin.create_toxic), ["GET", "POST"]
            ),
            _route(
                "/proxies/{proxy}/toxics/{toxic}",
                _by_method(
                    GET=admin.show_toxic, POST=admin.update_toxic, PATCH=admin.update_toxic, DELETE=admin.delete_toxic
                ),
                ["GET", "DELETE", *both],
            ),
        ],
        exception_handlers={404: _answer_no_page, 405: _answer_no_method},
    )


class Admin:
    """The handlers; each reads a request, does one thing to the proxies and shows the result."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies

    async def version(self, _: Request) -> Response:
        """Name the Toxiproxy version whose behaviour this is."""
        return JSONResponse({"version": VERSION})

    async def reset(self, _: Request) -> Response:
        """Enable all proxies, remove all toxics."""
        await self._proxies.reset()
        return Response(status_code=204)

    async def populate(self, request: Request) -> Response:
        """Create or replace many proxies."""
        made: list[Proxy] = []
        try:
            await self._proxies.populate(await request.body(), made)
        except EngineError as error:
            answer, status = {"error": str(error), "status": error.status}, error.status
        else:
            answer, status = {}, 201
        return JSONResponse(answer | {"proxies": [proxy.view() for proxy in made] or None}, status)

    async def list_proxies(self, _: Request) -> Response:
        """Show all proxies by name."""
        return JSONResponse({proxy.name: proxy.view() for proxy in self._proxies.all()})

    async def create_proxy(self, request: Request) -> Response:
        """Create a proxy."""
        proxy = await self._proxies.create(await request.body())
        return JSONResponse(proxy.view(), 201)

    async def show_proxy(self, request: Request) -> Response:
        """Show a proxy."""
        return JSONResponse(self._proxy(request).view())

    async def update_proxy(self, request: Request) -> Response:
        """Change a proxy."""
        proxy = await self._proxies.update(request.path_params["proxy"], await request.body())
        return JSONResponse(proxy.view())

    async def delete_proxy(self, request: Request) -> Response:
        """Delete a proxy."""
        self._proxies.delete(request.path_params["proxy"])
        return Response(status_code=204)

    async def list_toxics(self, request: Request) -> Response:
        """Show the toxics of a proxy."""
        return JSONResponse([fitting.view() for fitting in self._proxy(request).fittings()])

    async def create_toxic(self, request: Request) -> Response:
        """Add a toxic."""
        self._proxy(request)
        fitting = self._proxies.add_toxic(request.path_params["proxy"], await request.body())
        return JSONResponse(fitting.view())

    async def show_toxic(self, request: Request) -> Response:
        """Show a toxic."""
        return JSONResponse(self._proxies.toxic(**_names(request)).view())

    async def update_toxic(self, request: Request) -> Response:
        """Change a toxic."""
        return JSONResponse(self._proxies.update_toxic(**_names(request), body=await request.body()).view())

    async def delete_toxic(self, request: Request) -> Response:
        """Remove a toxic."""
        self._proxies.remove_toxic(**_names(request))
        return Response(status_code=204)

    def _proxy(self, request: Request) -> Proxy:
        return self._proxies.get(request.path_params["proxy"])


def _names(request: Request) -> dict[str, Any]:
    return {"proxy_name": request.path_params["proxy"], "name": request.path_params["toxic"]}


async def _answer_no_page(*_: object) -> Response:
    return PlainTextResponse("404 page not found\n", 404)


async def _answer_no_method(*_: object) -> Response:
    return Response(status_code=405)


def _by_method(**handlers: Handler) -> Handler:
    async def dispatch(request: Request) -> Response:
        return await handlers[request.method](request)

    return dispatch


def _route(path: str, handler: Handler, methods: list[str]) -> Route:
    async def guarded(request: Request) -> Response:
        # Web pages must not drive the engine: browsers are turned away, as Toxiproxy does.
        if request.headers.get("user-agent", "").startswith("Mozilla/"):
            return PlainTextResponse("User agent not allowed\n", 403)
        page = find_page(request.headers)
        if page is not None:
            return PlainTextResponse(f"{page[1]}\n", page[0])
        try:
            return await handler(request)
        except EngineError as error:
            answer = JSONResponse({"error": str(error), "status": error.status}, error.status)
            answer.headers["content-type"] = "text/plain; charset=utf-8"
            return answer

    return Route(path, guarded, methods=methods)
