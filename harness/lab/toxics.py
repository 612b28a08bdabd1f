"""The toxic engine of a lab, whichever it is: the proxies it holds, and whether they are what the bytes go through."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from harness.lab.errors import ControlError, ControlUnreachable
from harness.lab.ports import LOOPBACK
from harness.wire.address import Address
from harness.wire.toxiproxy import NotThere, ToxiproxyError, ToxiproxyServer, ToxiproxyUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.wire.toxiproxy import Toxic, ToxicProxy

Kind = Literal["embedded", "toxiproxy"]
EMBEDDED: Final = "embedded"
TOXIPROXY: Final = "toxiproxy"
KINDS: Final[tuple[Kind, ...]] = (EMBEDDED, TOXIPROXY)
# What a proxy is for, by the beginning of its name: the way without a fault, the way of webhooks, the way of one fault.
CLEAN, INBOUND, FAULT = "clean", "inbound", "fault"


@dataclass(frozen=True, slots=True)
class ToxicEngine:
    """
    The toxic engine of one lab: the tap's own, or a Toxiproxy server.

    Its proxies listen at `listen_host`, and whoever is to reach one does so at `reach_host` where that is another (a container's
    alias). `prefix` begins every name of them, as one server may serve several labs.
    """

    kind: Kind
    server: ToxiproxyServer
    prefix: str
    listen_host: str = LOOPBACK
    reach_host: str | None = None

    async def lead_clean(self, system: str, vendor: str) -> str:
        """Give where exchanges that meet no fault go: through a proxy without toxics, where the engine is a server of its own."""
        return vendor if self.kind == EMBEDDED else await self.open_proxy(f"{CLEAN}-{system}", vendor)

    async def lead_inbound(self, system: str, entrance: str) -> str:
        """Give where a system's webhooks go so that they come to the tap's `entrance`, likewise."""
        return entrance if self.kind == EMBEDDED else await self.open_proxy(f"{INBOUND}-{system}", entrance)

    async def open_proxy(self, name: str, upstream: str, toxics: Iterable[Toxic] = ()) -> str:
        """Open a proxy to `upstream` with these toxics in order; give the `host:port` at which it is reached. Raises ControlError."""
        full = self._name(name)
        with _told(f"the proxy {full}"):
            proxy = await self.server.create_proxy(full, upstream, listen=str(Address(self.listen_host, 0)))
            try:
                for toxic in toxics:
                    await self.server.add_toxic(full, toxic)
            except ToxiproxyError:
                with suppress(ToxiproxyError):
                    await self.server.delete_proxy(full)
                raise
        return self._reach(proxy)

    async def close_proxy(self, name: str) -> None:
        """Close a proxy and drop its connections. Raises ControlError, also where it is not there."""
        with _told(f"the proxy {self._name(name)}"):
            await self.server.delete_proxy(self._name(name))

    async def read_ways(self) -> dict[str, ToxicProxy]:
        """Read the lab's proxies that are no fault's, by name: while the lab is up they stay as they are. Raises ControlError."""
        with _told("the proxies"):
            shown = await self.server.proxies()
        faults, ours = self._name(FAULT + "-"), self._name("")
        return {name: proxy for name, proxy in shown.items() if name.startswith(ours) and not name.startswith(faults)}

    async def close_faults(self) -> None:
        """Close what faults went through, whoever left it open. Raises ControlError."""
        with _told("the proxies of faults"):
            for name in await self.server.proxies():
                if name.startswith(self._name(FAULT + "-")):
                    with suppress(NotThere):
                        await self.server.delete_proxy(name)

    @classmethod
    async def join(
        cls, server: ToxiproxyServer, prefix: str, upstreams: Mapping[str, str]
    ) -> tuple[ToxicEngine, dict[str, str]]:
        """
        Learn from a server how the engine of a lab that is up is set up, and where it reaches the vendors.

        `upstreams` are where the tap's listeners lead, by system: to proxies, or to the vendors themselves. Raises ToxiproxyError.
        """
        shown = await server.proxies()
        named = {system: shown.get(name_proxy(prefix, f"{CLEAN}-{system}")) for system in upstreams}
        clean = {system: proxy for system, proxy in named.items() if proxy is not None}
        if not clean:
            return cls(EMBEDDED, server, prefix), dict(upstreams)
        system, proxy = next(iter(clean.items()))
        listen, reach = Address.parse(proxy.listen).host, Address.parse(upstreams[system]).host
        engine = cls(TOXIPROXY, server, prefix, listen, reach)
        return engine, {**upstreams, **{system: proxy.upstream for system, proxy in clean.items()}}

    def _name(self, name: str) -> str:
        return name_proxy(self.prefix, name)

    def _reach(self, proxy: ToxicProxy) -> str:
        at = Address.parse(proxy.listen)
        return str(Address(self.reach_host or at.host, at.port))


def name_proxy(prefix: str, name: str) -> str:
    """Name a proxy of a lab at the server, in letters that a path needs no quotes for."""
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{prefix}-{name}")


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Tell trouble with the engine as that of a part of the lab."""
    try:
        yield
    except ToxiproxyUnreachable as error:
        raise ControlUnreachable(TOXIPROXY, what, str(error)) from error
    except ToxiproxyError as error:
        raise ControlError(TOXIPROXY, what, getattr(error, "status", None), str(error)) from error
