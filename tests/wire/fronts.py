"""Fronts for the tests: a tap that ends TLS and leads connections by the host they ask for."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from harness.lab.authority import Authority
from harness.wire.tap import Tap
from harness.wire.values import Certificate, Listener, Tls
from wire.stands import Client, Origin, Script, Stand, answer_ok

STRIPE, SHOP = "api.stripe.com", "acme.myshopify.com"


def serve(authority: Authority, *hosts: str, passthrough: str | None = None) -> Tls:
    """Build the TLS of a listener with one certificate for these hosts."""
    issued = authority.issue(hosts)
    return Tls((Certificate(issued.hosts, issued.chain_pem, issued.key_pem),), passthrough)


@contextlib.asynccontextmanager
async def open_front(hosts: dict[str, str], *, tls: Tls | None = None, **upstreams: str) -> AsyncIterator[Stand]:
    """Run a tap with a listener for each upstream, and a front that leads these hosts to them."""
    tap = Tap(Journal(SystemClock(), epoch="test"))
    try:
        for name, upstream in upstreams.items():
            await tap.add_listener(Listener(name, name, "outbound", upstream))
        yield Stand(tap, await tap.add_listener(Listener("front", "front", "outbound", "", tls=tls, hosts=hosts)))
    finally:
        tap.close()


@contextlib.asynccontextmanager
async def open_gateway(authority: Authority, script: Script = answer_ok) -> AsyncIterator[Stand]:
    """Run a front with TLS before one vendor that follows a script."""
    async with (
        Origin(script) as origin,
        open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=origin.address) as stand,
    ):
        yield stand


async def connect(stand: Stand, context: ssl.SSLContext, name: str | None) -> Client:
    """Connect by TLS and ask for a host."""
    host, _, port = stand.listener.address.rpartition(":")
    return Client(*await asyncio.open_connection(host, int(port), ssl=context, server_hostname=name))


def trust(authority: Authority) -> ssl.SSLContext:
    """Build the context of a client that trusts the lab."""
    return ssl.create_default_context(cadata=authority.ca_pem)
