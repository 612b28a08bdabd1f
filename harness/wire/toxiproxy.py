"""Drive a Toxiproxy server, the real one or the embedded engine, through `toxiproxy-python`.

That client keeps host and port in class attributes, blocks, and cannot update a toxic. Here every server gets a class of its own, calls
run in threads, and what is missing is added.

    ToxiproxyError
    ├── ToxiproxyUnreachable   no answer
    └── ToxiproxyRefused       an answer that says no: `status`, `detail`
        ├── NameTaken          409
        └── NotThere           404
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlsplit

import requests
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
TIMEOUT_S: Final = 10.0
# An environment that names an HTTP proxy must not come between us and a server on loopback.
NO_PROXIES: Final = {"http": "", "https": ""}


class ToxiproxyError(Exception):
    """The toxic engine could not be used."""


class ToxiproxyUnreachable(ToxiproxyError):  # noqa: N818 - says what is the case
    """The server did not answer."""


class ToxiproxyRefused(ToxiproxyError):  # noqa: N818 - says what is the case
    """The server refused a call."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class NameTaken(ToxiproxyRefused):
    """There is a proxy or toxic of that name already."""


class NotThere(ToxiproxyRefused):
    """There is no proxy or toxic of that name."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """A toxic by the type names and attributes of Toxiproxy; its name is `<type>_<stream>` unless one is given."""

    type: str
    attributes: Mapping[str, int] = field(default_factory=dict)
    stream: Literal["upstream", "downstream"] = "downstream"
    toxicity: float = 1.0
    name: str = ""

    def as_body(self) -> Json:
        """Return the toxic as JSON values."""
        body: Json = {"type": self.type, "stream": self.stream, "toxicity": self.toxicity}
        return body | {"name": self.name or f"{self.type}_{self.stream}", "attributes": dict(self.attributes)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Toxic:
        """Read a toxic as a server shows it."""
        return cls(body["type"], body["attributes"], body["stream"], body["toxicity"], body["name"])


@dataclass(frozen=True, slots=True)
class ToxicProxy:
    """A proxy as a server shows it; `listen` and `upstream` are `host:port`."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[Toxic, ...] = ()

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ToxicProxy:
        """Read a proxy as a server shows it."""
        toxics = tuple(map(Toxic.from_body, body.get("toxics") or ()))
        return cls(body["name"], body["listen"], body["upstream"], body["enabled"], toxics)


class ToxiproxyServer:
    """One Toxiproxy server by the URL of its admin API, such as `http://127.0.0.1:8474`. Safe to use from many tasks."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._consumer: Any = type("Consumer", (APIConsumer,), {"host": parts.hostname, "port": parts.port})

    async def version(self) -> str:
        """Return the server's version; before 2.7 its answer was no JSON."""
        answer = (await self._call(self._consumer.get, "/version")).text
        found = re.search(r'"version":\s*"?([^"}]+)', answer)
        return (found[1] if found else answer).strip()

    async def reset(self) -> None:
        """Enable every proxy and remove every toxic."""
        await self._call(self._consumer.post, "/reset")

    async def proxies(self) -> dict[str, ToxicProxy]:
        """Return all proxies by name."""
        shown = (await self._call(self._consumer.get, "/proxies")).json()
        return {name: ToxicProxy.from_body(body) for name, body in shown.items()}

    async def create_proxy(
        self, name: str, upstream: str, *, listen: str = "127.0.0.1:0", enabled: bool = True
    ) -> ToxicProxy:
        """Create a proxy, on any free port of loopback unless told otherwise; raise `NameTaken`."""
        body = {"name": name, "upstream": upstream, "listen": listen, "enabled": enabled}
        return ToxicProxy.from_body((await self._call(self._consumer.post, "/proxies", json=body)).json())

    async def update_proxy(self, name: str, *, upstream: str | None = None, enabled: bool | None = None) -> ToxicProxy:
        """Lead a proxy elsewhere, or take it down (`enabled=False`) and up; either drops its connections."""
        changes = {"upstream": upstream, "enabled": enabled}
        body = {key: value for key, value in changes.items() if value is not None}
        return ToxicProxy.from_body((await self._call(self._consumer.post, _path(name), json=body)).json())

    async def delete_proxy(self, name: str) -> None:
        """Delete a proxy and drop its connections; raise `NotThere`."""
        await self._call(self._consumer.delete, _path(name))

    async def add_toxic(self, proxy: str, toxic: Toxic) -> Toxic:
        """Add a toxic to a proxy, open connections included; raise `NameTaken` or `NotThere`."""
        answer = await self._call(self._consumer.post, f"{_path(proxy)}/toxics", json=toxic.as_body())
        return Toxic.from_body(answer.json())

    async def update_toxic(
        self, proxy: str, name: str, attributes: Mapping[str, int], *, toxicity: float | None = None
    ) -> Toxic:
        """Change attributes of a toxic, and its toxicity if given; what is not named stays."""
        body: Json = {"attributes": dict(attributes)} | ({} if toxicity is None else {"toxicity": toxicity})
        return Toxic.from_body((await self._call(self._consumer.post, _path(proxy, name), json=body)).json())

    async def remove_toxic(self, proxy: str, name: str) -> None:
        """Remove a toxic; raise `NotThere`."""
        await self._call(self._consumer.delete, _path(proxy, name))

    async def _call(self, verb: Callable[..., Any], path: str, **body: Json) -> requests.Response:
        return await asyncio.to_thread(_perform, verb, path, body)


def _perform(verb: Callable[..., Any], path: str, body: Mapping[str, Json]) -> requests.Response:
    try:
        response: requests.Response = verb(path, timeout=TIMEOUT_S, proxies=NO_PROXIES, **body)
    except ProxyExists as error:
        raise NameTaken(409, _detail(error.args[0])) from error
    except NotFound as error:
        raise NotThere(404, _detail(error.args[0])) from error
    except InvalidToxic as error:
        raise ToxiproxyRefused(400, _detail(error.args[0])) from error
    except requests.RequestException as error:
        raise ToxiproxyUnreachable(f"{path}: {error}") from error
    if not response.ok:
        raise ToxiproxyRefused(response.status_code, _detail(response.content))
    return response


def _detail(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip()[:500]


def _path(proxy: str, toxic: str | None = None) -> str:
    path = f"/proxies/{quote(proxy, safe='')}"
    return path if toxic is None else f"{path}/toxics/{quote(toxic, safe='')}"
