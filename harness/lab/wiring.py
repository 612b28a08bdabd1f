"""
Connect the parts of a lab that are up, wherever they run.

    wiring = Wiring(stack, nonce=nonce, controls=controls, tap=tap, toxics=toxics)
    for system in …:
        await wiring.connect_system(system, fake="shopify", vendor="shop:8000", entrance="tap:8101", address="0.0.0.0:8001")
        await wiring.connect_receiver(system, integration="shop-integration:8080", address="0.0.0.0:8101")

It works from addresses and clients alone. The tap serves a listener at what is said last: `address`, or `fd` where it
inherited a socket.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.lab.credentials import build_role_key
from harness.lab.goods import build_goods
from harness.lab.topics import list_topics
from harness.lab.vendors import OPSDESK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.stack import Stack
    from harness.lab.authority import Authority
    from harness.lab.control import ControlClient
    from harness.lab.tap import TapClient
    from harness.lab.toxics import ToxicEngine


@dataclass(frozen=True, slots=True)
class Wiring:
    """What is connected: the fakes' control planes by system, the tap and the toxic engine. Every call raises ControlError."""

    stack: Stack
    nonce: str
    controls: Mapping[str, ControlClient]
    tap: TapClient
    toxics: ToxicEngine

    async def connect_system(self, system: str, *, fake: str, vendor: str, entrance: str | None, **serve: Any) -> None:
        """
        Seed a fake, and lead the integration's calls to it; all of these addresses are `host:port`.

        `vendor` is where the engine reaches it, `entrance` the tap's for its webhooks (None where the stack receives none).
        """
        await asyncio.gather(self.seed(system, fake=fake, entrance=entrance), self.lead_out(system, vendor, **serve))

    async def connect_hosts(self, hosts: Mapping[str, str], authority: Authority, *, host: str) -> None:
        """
        Lead who asks for one of these hosts, with TLS or without, to its system; serve that at the usual ports of `host`.

        Every system must be connected. The certificates are the authority's, which programs must trust.
        """
        if not hosts:
            return
        tls = {"certificates": [authority.issue(hosts).as_body()]}
        await self.tap.add_front("front-443", hosts=hosts, address=f"{host}:443", tls=tls)
        await self.tap.add_front("front-80", hosts=hosts, address=f"{host}:80")

    async def connect_receiver(self, system: str, *, integration: str, **serve: Any) -> None:
        """Lead a system's webhooks from the tap to the integration, which the tap reaches at `host:port`."""
        await self.tap.add_listener(
            name_inbound(system), system=system, direction="inbound", upstream=integration, routes=[], **serve
        )

    async def seed(self, system: str, *, fake: str, entrance: str | None) -> None:
        """Give a fake its goods, the ops desk its roles, and a sender of webhooks the way to the integration's receiver."""
        parts = dict(build_goods(fake))
        if system == OPSDESK:
            parts["settings"] = {"roles": self._list_roles()}
        if entrance is not None:
            way = await self.toxics.lead_inbound(system, entrance)
            address = f"http://{way}{self.stack.integration.webhooks[system]}"
            topics = list_topics(self.stack, system)
            parts["webhooks"] = [{"topic": topic, "address": address} for topic in topics]
        if parts:
            await self.controls[system].seed(**parts)

    async def lead_out(self, system: str, vendor: str, **serve: Any) -> None:
        """Lead the integration's calls from the tap to a vendor, by the operations of its catalogue."""
        catalogue = await self.controls[system].catalogue()
        routes = [
            {key: item[key] for key in ("method", "path")} | {"operation": item["name"]}
            for item in catalogue["operations"]
        ]
        upstream = await self.toxics.lead_clean(system, vendor)
        await self.tap.add_listener(
            system, system=system, direction="outbound", upstream=upstream, routes=routes, **serve
        )

    def _list_roles(self) -> list[dict[str, str]]:
        return [
            {"role": role.name, "key": build_role_key(self.nonce, role.name), "channel": role.channel}
            for role in self.stack.roles.values()
        ]


def name_inbound(system: str) -> str:
    """Name the tap's listener for the webhooks of a system."""
    return f"inbound-{system}"
