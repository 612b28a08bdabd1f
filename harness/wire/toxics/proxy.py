"""A proxy: a listen port, an upstream, the toxics between them, and the connections open now."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from fakes.kit.reach import own_reach
from harness.wire.address import Address
from harness.wire.toxics.endpoint import Endpoint
from harness.wire.toxics.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.wire.toxics.fitting import Fitting


class Session:
    """One client's connection through a proxy."""

    def __init__(self, proxy: Proxy, ended: Callable[[Session], None]) -> None:
        self.client = Endpoint(self._lost)
        self._upstream = Endpoint(self._lost)
        self._ended = ended
        self._proxy = proxy
        random = proxy.random
        self._up = Link(self.client, self._upstream, random=random, reset_on_close=self._reset_on_close)
        self._down = Link(self._upstream, self.client, random=random, reset_on_close=self._reset_on_close)
        self._upstream.feeds(self._up.relieved)
        self.client.feeds(self._down.relieved)
        self._started = False
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    def link(self, fitting: Fitting) -> Link | None:
        """Return the direction a toxic acts on, or None while the upstream is being dialled."""
        if not self._started:
            return None
        return self._up if fitting.direction == "upstream" else self._down

    def abort(self) -> None:
        """Close both sockets at once."""
        if not self._started:
            self._dialling.cancel()
            self._upstream.gone = True
        self.client.abort()
        self._upstream.abort()

    async def _dial(self) -> None:
        try:
            upstream = Address.parse(self._proxy.upstream)
            await own_reach().create_connection(lambda: self._upstream, upstream.host, upstream.port)
        except (OSError, ValueError):
            self._upstream.gone = True
            self.client.finish()
            self._lost(self.client)
            return
        self._started = True
        self._up.start(self._proxy.fittings("upstream"))
        self._down.start(self._proxy.fittings("downstream"))

    def _reset_on_close(self) -> None:
        self.client.reset_on_close()
        self._upstream.reset_on_close()

    def _lost(self, _: Endpoint) -> None:
        if self.client.gone and self._upstream.gone:
            self._up.cancel()
            self._down.cancel()
            self._ended(self)


class Proxy:
    """A named proxy of the toxic engine; it listens while it is enabled."""

    def __init__(self, name: str, listen: str, upstream: str) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.enabled = False
        # Spread of delays and sizes only; whether a fault hits is decided per exchange, elsewhere.
        self.random = Random()  # noqa: S311
        self._fittings: list[Fitting] = []
        self._sessions: set[Session] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, if not listening yet; `listen` then names the real port. Raise OSError when the port cannot be had."""
        if self.enabled:
            return
        address = Address.parse(self.listen, default_host="127.0.0.1")
        self._server = await asyncio.get_running_loop().create_server(self._accept, address.host, address.port)
        self.listen = str(Address.of(self._server.sockets[0]))
        self.enabled = True

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        self.enabled = False
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in list(self._sessions):
            session.abort()

    @property
    def sessions(self) -> int:
        """Return how many connections are open."""
        return len(self._sessions)

    def fittings(self, direction: str | None = None) -> list[Fitting]:
        """Return the toxics in the order they act, upstream ones first; of one direction if named."""
        ordered = sorted(self._fittings, key=lambda fitting: fitting.direction, reverse=True)
        return [fitting for fitting in ordered if direction in (None, fitting.direction)]

    def find(self, name: str) -> Fitting | None:
        """Return the toxic of that name, or None."""
        return next((fitting for fitting in self._fittings if fitting.name == name), None)

    def add(self, fitting: Fitting) -> None:
        """Fit a toxic, to open connections too."""
        self._fittings.append(fitting)
        for link in self._links(fitting):
            link.add(fitting)

    def update(self, fitting: Fitting) -> None:
        """Apply what was changed in a fitted toxic."""
        for link in self._links(fitting):
            link.update(fitting)

    def remove(self, fitting: Fitting) -> None:
        """Take a toxic off."""
        self._fittings.remove(fitting)
        for link in self._links(fitting):
            link.remove(fitting)

    def view(self) -> dict[str, Any]:
        """Return the proxy as the admin API shows it."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "toxics": [fitting.view() for fitting in self.fittings()],
        }

    def _accept(self) -> Endpoint:
        session = Session(self, self._sessions.discard)
        self._sessions.add(session)
        return session.client

    def _links(self, fitting: Fitting) -> Iterator[Link]:
        for session in list(self._sessions):
            if (link := session.link(fitting)) is not None:
                yield link
