"""The proxies of a toxic engine by name, and what Toxiproxy's admin API does to them.

Every refusal is an `EngineError` with the status and the words of that API. Listening is asynchronous; all else is done on return.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fakes.kit.reach import NotAllowedError, own_reach
from harness.wire.address import Address
from harness.wire.toxics import bodies
from harness.wire.toxics.bodies import ProxyBody
from harness.wire.toxics.errors import EngineError, proxy_exists, proxy_not_found, toxic_exists, toxic_not_found
from harness.wire.toxics.proxy import Proxy

if TYPE_CHECKING:
    from harness.wire.toxics.fitting import Fitting


class Proxies:
    """Hold the proxies of one engine."""

    def __init__(self) -> None:
        self._by_name: dict[str, Proxy] = {}

    def all(self) -> list[Proxy]:
        """Return the proxies in the order they were made."""
        return list(self._by_name.values())

    def get(self, name: str) -> Proxy:
        """Return a proxy; 404 if there is none of that name."""
        try:
            return self._by_name[name]
        except KeyError:
            raise proxy_not_found() from None

    async def create(self, body: bytes) -> Proxy:
        """Make a proxy and let it listen unless the body says it is disabled; 409 if the name is taken."""
        wanted = ProxyBody.read(bodies.read_object(body))
        wanted.ensure_complete()
        await _ensure_allowed(wanted)
        if wanted.name in self._by_name:
            raise proxy_exists()
        return await self._add(wanted)

    async def update(self, name: str, body: bytes) -> Proxy:
        """Change listen address, upstream or enabled; a changed address or upstream drops every connection."""
        proxy = self.get(name)
        wanted = ProxyBody.read(bodies.read_object(body))
        await _ensure_allowed(wanted)
        enabled = proxy.enabled if wanted.enabled is None else wanted.enabled
        if _differs(proxy, wanted):
            proxy.stop()
            proxy.listen = proxy.listen if wanted.listen is None else wanted.listen
            proxy.upstream = proxy.upstream if wanted.upstream is None else wanted.upstream
        if enabled:
            await _start(proxy)
        else:
            proxy.stop()
        return proxy

    def delete(self, name: str) -> None:
        """Stop a proxy and forget it."""
        self.get(name).stop()
        del self._by_name[name]

    async def populate(self, body: bytes, made: list[Proxy]) -> None:
        """
        Make or replace the proxies listed; one that is there already with the same addresses stays as it is.

        They are added to `made`, also where a later one is refused.
        """
        for wanted in bodies.read_proxies(body):
            await _ensure_allowed(wanted)
            existing = self._by_name.get(wanted.name or "")
            if existing is not None:
                if not _differs(existing, wanted):
                    made.append(existing)
                    continue
                existing.stop()
            made.append(await self._add(wanted))

    async def reset(self) -> None:
        """Enable every proxy and take off every toxic."""
        for proxy in self.all():
            await _start(proxy)
            for fitting in proxy.fittings():
                proxy.remove(fitting)

    def close(self) -> None:
        """Stop every proxy and forget them all."""
        for name in list(self._by_name):
            self.delete(name)

    def toxic(self, proxy_name: str, name: str) -> Fitting:
        """Return a toxic; 404 if proxy or toxic are not there."""
        fitting = self.get(proxy_name).find(name)
        if fitting is None:
            raise toxic_not_found()
        return fitting

    def add_toxic(self, proxy_name: str, body: bytes) -> Fitting:
        """Fit a toxic to a proxy; 409 if the proxy has one of that name in either stream."""
        proxy = self.get(proxy_name)
        raw = bodies.read_object(body)
        fitting = bodies.read_fitting(raw)
        if proxy.find(fitting.name) is not None:
            raise toxic_exists()
        fitting.toxic = bodies.read_attributes(fitting.toxic, raw)
        proxy.add(fitting)
        return fitting

    def update_toxic(self, proxy_name: str, name: str, body: bytes) -> Fitting:
        """Change attributes or toxicity of a toxic; what the body leaves out stays."""
        fitting = self.toxic(proxy_name, name)
        raw = bodies.read_object(body)
        toxicity = bodies.read_toxicity(fitting, raw)
        fitting.toxic = bodies.read_attributes(fitting.toxic, raw)
        fitting.toxicity = toxicity
        self.get(proxy_name).update(fitting)
        return fitting

    def remove_toxic(self, proxy_name: str, name: str) -> None:
        """Take a toxic off a proxy."""
        fitting = self.toxic(proxy_name, name)
        self.get(proxy_name).remove(fitting)

    async def _add(self, wanted: ProxyBody) -> Proxy:
        proxy = Proxy(wanted.name or "", wanted.listen or "", wanted.upstream or "")
        if wanted.enabled is not False:
            await _start(proxy)
        self._by_name[proxy.name] = proxy
        return proxy


async def _ensure_allowed(wanted: ProxyBody) -> None:
    """Refuse to lead traffic off this machine and the lab's network; Toxiproxy would."""
    try:
        upstream = Address.parse(wanted.upstream or "")
    except ValueError:
        return
    try:
        await own_reach().ensure_allowed(upstream.host, upstream.port)
    except NotAllowedError as error:
        raise EngineError(403, f"upstream: {error}") from error


def _differs(proxy: Proxy, wanted: ProxyBody) -> bool:
    listen = proxy.listen
    if wanted.listen is not None:
        listen = str(_listen_address(wanted.listen))
    return listen != proxy.listen or wanted.upstream not in (None, proxy.upstream)


async def _start(proxy: Proxy) -> None:
    address = _listen_address(proxy.listen)
    try:
        await proxy.start()
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise EngineError(500, f"listen tcp {address}: bind: {reason}") from error


def _listen_address(text: str) -> Address:
    try:
        return Address.parse(text, default_host="127.0.0.1")
    except ValueError as error:
        raise EngineError(500, f"listen tcp: {error}") from error
