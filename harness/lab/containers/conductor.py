"""
Connect a lab whose containers somebody else starts (`docker compose up`), and tell harnesses about it.

`python -m harness.lab.containers.conductor` waits until every part answers, connects them, and serves: `GET /healthz` (200 once all
is connected), `GET /lab` (the lab's variables, inside its network and outside) and `GET /hold` (has the lab to itself until
the caller hangs up). The last two need the lab's control token.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.lab.authority import make_authority
from harness.lab.clock import ensure_one_clock
from harness.lab.containers.places import Places
from harness.lab.containers.plan import CA_FILE, EVERYWHERE
from harness.lab.control import ControlClient
from harness.lab.errors import EnvironmentNotReady, LabError
from harness.lab.hostnames import list_hosts
from harness.lab.layout import choose_vendors, describe_needs
from harness.lab.ports import Address
from harness.lab.readiness import Healthy
from harness.lab.tap import TapClient
from harness.lab.together import run_together
from harness.lab.toxics import TOXIPROXY, ToxicEngine
from harness.lab.wiring import Wiring
from harness.wire.toxiproxy import ToxiproxyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from harness.core.stack import Stack
    from harness.lab.vendors import Vendor

PORT = 8470
READY_WITHIN_S = 120.0
CA_PATH = Path(CA_FILE)
NONCE_VARIABLE, DEFAULT_NONCE = "HANDOFF_NONCE", "compose"


@dataclass(slots=True)
class Conductor:
    """What is connected, and what is told of it."""

    stack: Stack
    stack_path: Path
    places: Places
    token: str
    id: str = field(default_factory=lambda: f"compose-{secrets.token_hex(4)}")
    connected: bool = False
    held: bool = False

    async def connect(self) -> None:
        """Wait for every part and connect them; what an earlier conductor connected is taken down first. Raises LabError."""
        vendors, _ = choose_vendors(self.stack, stack_path=self.stack_path)
        self._ensure_time()
        async with AsyncExitStack() as opened:
            tap = await opened.enter_async_context(TapClient(self.places.locate_control("TAP"), self.token))
            controls = {
                name: await opened.enter_async_context(
                    ControlClient(self.places.locate_control(vendor.prefix), self.token, system=name)
                )
                for name, vendor in vendors.items()
            }
            server = ToxiproxyServer(self.places.need("TOXIPROXY_URL"))
            await self._wait_for([*(client.base_url + "/healthz" for client in (*controls.values(), tap))])
            await self._wait_for([self.places.need("TOXIPROXY_URL") + "/version"])
            await ensure_one_clock((*controls.values(), tap))
            await _clear(tap, server)
            engine = ToxicEngine(
                TOXIPROXY, server, self.id, EVERYWHERE, Address.of(self.places.need("TOXIPROXY_URL")).host
            )
            await self._connect(
                vendors, Wiring(self.stack, os.environ.get(NONCE_VARIABLE, DEFAULT_NONCE), controls, tap, engine)
            )
        self.connected = True

    def tell(self) -> dict[str, Any]:
        """Tell what a harness needs to join."""
        more = {"CONTROL_TOKEN": self.token}
        return {
            "id": self.id,
            "stack": self.stack.name,
            "needs": describe_needs(self.stack),
            "inside": {**self.places.inside, **more},
            "outside": {**self.places.give_outside(), **more},
        }

    async def _connect_hosts(self, vendors: Mapping[str, Vendor], wiring: Wiring) -> None:
        """Lead the vendors' own names to the tap, and put the authority to trust where the integration finds it."""
        authority = make_authority()
        await asyncio.to_thread(CA_PATH.write_text, authority.ca_pem)
        await wiring.connect_hosts(list_hosts(self.stack, vendors), authority, host=EVERYWHERE)

    async def _connect(self, vendors: Mapping[str, Vendor], wiring: Wiring) -> None:
        entrances = self.places.locate_entrances(name for name in self.stack.integration.webhooks if name in vendors)
        integration = self.places.need("INTEGRATION_ADDRESS")
        await run_together(
            wiring.connect_receiver(name, integration=integration, address=f"{EVERYWHERE}:{at.port}")
            for name, at in entrances.items()
        )
        await run_together(
            wiring.connect_system(
                name,
                fake=vendor.fake,
                vendor=self.places.locate_vendor(vendor),
                entrance=str(entrances[name]) if name in entrances else None,
                address=f"{EVERYWHERE}:{self.places.locate_door(vendor)}",
            )
            for name, vendor in vendors.items()
        )
        await self._connect_hosts(vendors, wiring)

    def _ensure_time(self) -> None:
        """Raise EnvironmentNotReady where the fakes were told another time scale than the stack's."""
        told = float(self.places.inside.get("HANDOFF_TIME_SCALE", "1"))
        if told != self.stack.time.scale:
            why = f"the containers divide time by {told:g}, the stack by {self.stack.time.scale:g}"
            raise EnvironmentNotReady(
                "the lab", why, f"HANDOFF_TIME_SCALE={self.stack.time.scale:g} docker compose up --wait"
            )

    async def _wait_for(self, urls: list[str]) -> None:
        for url in urls:
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    await Healthy(url).wait()
            except TimeoutError as error:
                raise EnvironmentNotReady(
                    url, f"no answer within {READY_WITHIN_S:g} s", "docker compose logs"
                ) from error


def build_app(conductor: Conductor) -> Starlette:
    """Build what is served."""

    def tell_health(_: Request) -> Response:
        return PlainTextResponse("ok\n") if conductor.connected else PlainTextResponse("connecting\n", 503)

    def tell_lab(request: Request) -> Response:
        return _refuse(conductor, request) or JSONResponse(conductor.tell())

    def hold(request: Request) -> Response:
        refused = _refuse(conductor, request)
        if refused is None and conductor.held:
            refused = PlainTextResponse("another run has it to itself\n", 409)
        return refused or StreamingResponse(_keep(conductor), media_type="text/plain")

    return Starlette(
        routes=[Route("/healthz", tell_health), Route("/lab", tell_lab), Route("/hold", hold)],
    )


def main() -> int:
    """Connect, then serve until told to stop."""
    stack_path = Path(os.environ.get("HANDOFF_STACK", "stack.yaml"))
    token = os.environ.get("CONTROL_TOKEN", "")
    if not token:
        sys.stderr.write("CONTROL_TOKEN is not set: the control planes of the lab need it\n")
        return EnvironmentNotReady.exit_code
    try:
        stack = load_stack(stack_path.read_text(), file=str(stack_path))
    except (OSError, StackError) as error:
        sys.stderr.write(f"{error}\n")
        return 4
    return asyncio.run(_serve(Conductor(stack, stack_path, Places.read(), token)))


async def _serve(conductor: Conductor) -> int:
    config = uvicorn.Config(build_app(conductor), host=EVERYWHERE, port=PORT, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await conductor.connect()
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        server.should_exit = True
        await serving
        return error.exit_code
    sys.stdout.write(json.dumps({"lab": conductor.id}) + "\n")
    sys.stdout.flush()
    await serving
    return 0


async def _clear(tap: TapClient, server: ToxiproxyServer) -> None:
    for listener in await tap.listeners():
        await tap.remove_listener(listener["name"])
    for name in await server.proxies():
        await server.delete_proxy(name)


async def _keep(conductor: Conductor) -> AsyncIterator[str]:
    """Hold the lab until the caller hangs up, at which the server cancels this."""
    conductor.held = True
    try:
        yield "held\n"
        await asyncio.Event().wait()
    finally:
        conductor.held = False


def _refuse(conductor: Conductor, request: Request) -> Response | None:
    given = request.headers.get("authorization", "")
    if not secrets.compare_digest(given.encode(), f"Bearer {conductor.token}".encode()):
        return PlainTextResponse("give the lab's control token as a bearer token\n", 401)
    return None if conductor.connected else PlainTextResponse("its parts are still being connected\n", 503)


if __name__ == "__main__":
    raise SystemExit(main())
