"""
Where a process of a lab may connect to: this machine, the lab's own network, and hosts somebody allowed by name.

A name is looked up and what it stands for is looked at; the connection then goes to that very address, so that a name which
means something else a moment later leads nowhere new.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

T = TypeVar("T")

NETWORK_VARIABLE = "HANDOFF_LAB_NETWORK"
"""Networks of the lab, as ``172.28.0.0/16,…``; ``own`` stands for those this process has an interface in."""
ALLOWED_VARIABLE = "HANDOFF_ALLOW_HOSTS"
OWN = "own"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NotAllowedError(OSError):
    """A host is neither this machine nor of the lab, and nobody allowed it."""

    def __init__(self, host: str, found: str) -> None:
        stands = "" if found == host else f", which is {found},"
        super().__init__(
            f"{host}{stands} is neither this machine nor the lab's network: give --allow-host {host} where that is meant"
        )


class Reach:
    """Decide about hosts. ``networks`` are the lab's, as texts; ``hosts`` are allowed whatever they stand for."""

    def __init__(self, networks: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        given = [network.strip() for network in networks if network.strip()]
        self._own = OWN in given
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(one) for one in given if one != OWN)
        self._hosts = {host.strip().lower() for host in hosts if host.strip()}

    def names(self, host: str) -> bool:
        """Tell whether a host was allowed by name."""
        return host.lower() in self._hosts

    def allow(self, hosts: Iterable[str]) -> None:
        """Allow further hosts from now on."""
        self._hosts |= {host.lower() for host in hosts}

    def allows(self, address: str) -> bool:
        """Tell whether an address, not a name, may be connected to."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if parsed.is_loopback or address.lower() in self._hosts:
            return True
        return any(parsed in network for network in (*self._networks, *(_list_own() if self._own else ())))

    async def resolve(self, host: str, port: int) -> list[str]:
        """
        Return the addresses of a host that may be connected to.

        Raises NotAllowedError where it has none of them, OSError where it has none at all.
        """
        if self.allows(host):
            return [host]
        loop = asyncio.get_running_loop()
        return self._choose(host, await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    def resolve_now(self, host: str, port: int) -> list[str]:
        """Do as `resolve`, outside of a loop."""
        if self.allows(host):
            return [host]
        return self._choose(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    def _choose(self, host: str, infos: Iterable[tuple[Any, ...]]) -> list[str]:
        found = [str(info[4][0]) for info in infos]
        if self.names(host):
            return found
        allowed = [address for address in found if self.allows(address)]
        if not allowed:
            raise NotAllowedError(host, found[0] if found else host)
        return allowed

    async def open_connection(
        self, host: str, port: int, *, secure: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a host, under TLS if so asked, in its own name; raises OSError, as `resolve`."""
        more: dict[str, Any] = {"ssl": True, "server_hostname": host} if secure else {}
        return await _try_each(
            await self.resolve(host, port), lambda address: asyncio.open_connection(address, port, **more)
        )

    async def create_connection(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> None:
        """Connect a protocol to a host; raises OSError, as `resolve`."""
        loop = asyncio.get_running_loop()
        found = await self.resolve(host, port)
        await _try_each(found, lambda address: loop.create_connection(factory, address, port))

    async def ensure_allowed(self, host: str, port: int) -> None:
        """Raise NotAllowedError where a host leads elsewhere; one that cannot be looked up yet is looked at again when it counts."""
        try:
            await self.resolve(host, port)
        except NotAllowedError:
            raise
        except OSError:
            return


async def _try_each(addresses: Iterable[str], connect: Callable[[str], Awaitable[T]]) -> T:
    failure = OSError("no address")
    for address in addresses:
        try:
            return await connect(address)
        except OSError as error:
            failure = error
    raise failure


@cache
def own_reach() -> Reach:
    """Return the reach of this process, as its environment has it."""
    return read_reach(os.environ)


def read_reach(environ: Mapping[str, str]) -> Reach:
    """Read a reach from variables; raises ValueError where a network is none."""
    return Reach(environ.get(NETWORK_VARIABLE, "").split(","), environ.get(ALLOWED_VARIABLE, "").split(","))


@cache
def _list_own() -> tuple[Network, ...]:
    """List the private networks this process has an interface in: what is public is nobody's own."""
    import psutil  # noqa: PLC0415 - only what runs in a container asks

    found = [
        ipaddress.ip_network(f"{address.address}/{address.netmask}", strict=False)
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and address.netmask
    ]
    return tuple(network for network in found if network.is_private)
