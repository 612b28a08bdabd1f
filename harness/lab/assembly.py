"""Bring the parts of one lab up side by side, connect them, and take them down."""

import asyncio
import json
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from harness.core.stack import Stack
from harness.lab.control import ControlClient
from harness.lab.credentials import make_credentials, write_private
from harness.lab.deaths import Deaths
from harness.lab.environment import Sites, build_controls, build_environment
from harness.lab.integration import (
    HEALTHY_WITHIN_S,
    AbsentIntegration,
    AttachedIntegration,
    Integration,
    OwnIntegration,
)
from harness.lab.layout import (
    NEEDS_FILE,
    PRIVATE_KEY_FILE,
    PUBLIC_KEY_FILE,
    Identity,
    Place,
    Seat,
    bind_seats,
    build_fake,
    build_integration,
    build_tap,
    build_watchdog,
    choose_vendors,
    describe_needs,
)
from harness.lab.orphans import end_processes
from harness.lab.ports import LOOPBACK, Address, Listener
from harness.lab.processes import Lifeline, Process, Program
from harness.lab.readiness import FirstLine, Healthy
from harness.lab.registry import Registration
from harness.lab.tap import TapClient
from harness.lab.together import run_together
from harness.lab.toxics import EMBEDDED, TOXIPROXY, Kind, ToxicEngine
from harness.lab.toxiproxy import build_toxiproxy, ensure_recent
from harness.lab.vendors import OPSDESK
from harness.lab.wiremock import READY_WITHIN_S as WIREMOCK_WITHIN_S
from harness.lab.wiremock import Programs, build_wiremock, find_programs, is_up
from harness.lab.wiring import Wiring, name_inbound
from harness.wire.toxiproxy import ToxiproxyServer

READY_WITHIN_S = 30.0


class Assembly:
    """
    The parts of one lab.

    Every address is bound before anything starts, so everything may start at once: who connects early waits in a backlog.
    `toxiproxy` is the program of a real server, where that is to be the engine.
    """

    def __init__(
        self,
        stack: Stack,
        registration: Registration,
        lab: Identity,
        place: Place,
        *,
        toxiproxy: Path | None = None,
        stack_path: Path | None,
    ) -> None:
        self.stack = stack
        self.lab = lab
        self.registration = registration
        self.deaths = Deaths()
        self.credentials = make_credentials()
        programs = find_programs() if any(system.wiremock for system in stack.systems.values()) else ""
        lack = programs if isinstance(programs, str) else ""
        vendors, self.absent = choose_vendors(stack, stack_path=stack_path, without_wiremock=lack)
        self._place = place
        self.integration_address = (
            Address.of(place.url) if place.url else Address(LOOPBACK, registration.reserve_port())
        )
        self._make_folders()
        self.seats = bind_seats(vendors)
        self.inbound = {name: Listener() for name in stack.integration.webhooks if name in self.seats}
        self.outbound = {name: Listener() for name in self.seats}
        self.tap_control, self.tap_admin = Listener(), Listener()
        self._engine_address = (
            self.tap_admin.address if toxiproxy is None else Address(LOOPBACK, registration.reserve_port())
        )
        engine: Kind = EMBEDDED if toxiproxy is None else TOXIPROXY
        self.toxics = ToxicEngine(engine, ToxiproxyServer(self._engine_address.url), lab.id)
        self._lifeline = Lifeline()
        sites = self._locate()
        self.environment = build_environment(
            sites,
            self.credentials,
            nonce=lab.nonce,
            roles=stack.roles,
            stack_path=stack_path and stack_path.resolve(),
            scale=lab.scale,
        )
        self.published = {**self.environment, **build_controls(sites, self.credentials)}
        registration.publish(self.published)
        token = self.credentials.control_token
        self.controls = {
            name: ControlClient(seat.control.address.url, token, system=name) for name, seat in self.seats.items()
        }
        self.tap = TapClient(self.tap_control.address.url, token)
        self.wiring = Wiring(stack, lab.nonce, self.controls, self.tap, self.toxics)
        self._wiremock_at = Address(LOOPBACK, registration.reserve_port()) if isinstance(programs, Programs) else None
        self.wiremock = self._place_wiremock(programs)
        self.fakes = {
            name: self._hold(build_fake(seat, lab, self.credentials, wiremock=self._wiremock_at))
            for name, seat in self.seats.items()
        }
        self.tap_process = self._hold(
            build_tap(self.tap_control, self.tap_admin, self._name_served(), lab, self.credentials)
        )
        self.toxiproxy = (
            None if toxiproxy is None else self._hold(build_toxiproxy(toxiproxy, self._engine_address, lab.folder))
        )
        self._watchdog = self._hold(build_watchdog(lab), watched=False)
        self._integration_process: Process | None = None

    async def bring_up(self) -> Integration:
        """Start everything, connect it, seed it and wait until the integration is healthy."""
        integration = self._place_integration()
        # From here on we may be killed at any moment without leaving anything: who sweeps then is there before what is swept.
        await self._watchdog.start()
        await run_together([*(process.start() for process in self.parts), *self._start_own(integration)])
        engine_ready = asyncio.ensure_future(self._wait_engine())
        tap_ready = asyncio.ensure_future(self._wait_ready(self.tap_process))
        try:
            await run_together(
                [
                    *(self._connect_fake(seat, tap_ready, engine_ready) for seat in self.seats.values()),
                    *(self._connect_receiver(name, tap_ready) for name in self.inbound),
                    self._wait_ready(self._watchdog),
                    self._wait_wiremock(),
                    integration.wait_healthy(within_s=HEALTHY_WITHIN_S),
                ]
            )
        finally:
            tap_ready.cancel()
            engine_ready.cancel()
        return integration

    @property
    def parts(self) -> list[Process]:
        """Every process of the lab but the integration and the watchdog."""
        ours = [*self.fakes.values(), self.tap_process]
        return [*ours, *(each for each in (self.toxiproxy, self.wiremock) if each is not None)]

    async def tear_down(self) -> None:
        """End every process, also in the face of a cancellation. Folders and the entry are the register's."""
        marks = self.registration.record.processes
        try:
            if self._integration_process is not None:
                await self._integration_process.stop()
            await asyncio.gather(*(process.kill() for process in (*self.parts, self._watchdog)))
            for client in (*self.controls.values(), self.tap):
                await client.aclose()
        finally:
            end_processes(self.lab.id, marks)
            self._lifeline.close()
            for listener in self._list_listeners():
                listener.close()

    def _make_folders(self) -> None:
        self.registration.add_folder(self.lab.folder)
        (self.lab.folder / "logs").mkdir()
        (self.lab.folder / "data").mkdir()
        write_private(self.lab.folder / PRIVATE_KEY_FILE, self.credentials.private_key)
        write_private(self.lab.folder / PUBLIC_KEY_FILE, self.credentials.public_key)
        write_private(self.lab.folder / NEEDS_FILE, json.dumps(describe_needs(self.stack)))

    def _locate(self) -> Sites:
        vendors = {name: seat.vendor.prefix for name, seat in self.seats.items()}
        return Sites(
            outbound={vendors[name]: tap.address.url for name, tap in self.outbound.items() if name != OPSDESK},
            opsdesk=self.outbound[OPSDESK].address.url,
            controls={
                **{vendors[name]: seat.control.address.url for name, seat in self.seats.items()},
                "TAP": self.tap_control.address.url,
            },
            toxics=self._engine_address.url,
            engine=self.toxics.kind,
            integration=self.integration_address,
            data_folder=self.lab.folder / "data",
            private_key_file=self.lab.folder / PRIVATE_KEY_FILE,
        )

    def _name_served(self) -> dict[str, Listener]:
        return {**self.outbound, **{name_inbound(name): listener for name, listener in self.inbound.items()}}

    def _list_listeners(self) -> Iterable[Listener]:
        for seat in self.seats.values():
            yield from (seat.listener, seat.control)
        yield from (*self.outbound.values(), *self.inbound.values(), self.tap_control, self.tap_admin)

    def _hold(self, program: Program, *, watched: bool = True) -> Process:
        on_exit = self.deaths.note if watched else None
        return Process(program, self.registration, self.lab.folder / "logs", lifeline=self._lifeline, on_exit=on_exit)

    def _place_integration(self) -> Integration:
        health = self.stack.integration.health
        url = self._place.url or self.integration_address.url
        if self._place.free:
            return AbsentIntegration(url, health)
        if self._place.url:
            return AttachedIntegration(url, health)
        self._integration_process = self._hold(build_integration(self._place, self.environment))
        return OwnIntegration(
            self._integration_process, url, health, "handoff lab up, then start the integration by hand"
        )

    def _start_own(self, integration: Integration) -> Iterable[Coroutine[Any, Any, None]]:
        return [integration.start()] if integration.owned else []

    async def _connect_fake(
        self, seat: Seat, tap_ready: "asyncio.Future[None]", engine_ready: "asyncio.Future[None]"
    ) -> None:
        await self._wait_ready(self.fakes[seat.system])
        await asyncio.shield(engine_ready)
        inbound = self.inbound.get(seat.system)
        seeding = self.wiring.seed(
            seat.system, fake=seat.vendor.fake, entrance=None if inbound is None else str(inbound.address)
        )
        await asyncio.gather(seeding, asyncio.shield(tap_ready))
        await self.wiring.lead_out(seat.system, str(seat.listener.address), fd=self.tap_process.fds[seat.system])

    async def _connect_receiver(self, system: str, tap_ready: "asyncio.Future[None]") -> None:
        await asyncio.shield(tap_ready)
        await self.wiring.connect_receiver(
            system, integration=str(self.integration_address), fd=self.tap_process.fds[name_inbound(system)]
        )

    def _place_wiremock(self, programs: Programs | str) -> Process | None:
        if self._wiremock_at is None or isinstance(programs, str):
            return None
        return self._hold(build_wiremock(programs, self._wiremock_at, self.lab.folder))

    async def _wait_wiremock(self) -> None:
        """Wait for WireMock itself: its fakes wait for it too, but its last words are its own."""
        if self.wiremock is not None and self._wiremock_at is not None:
            await self.wiremock.wait_ready(is_up(self._wiremock_at), within_s=WIREMOCK_WITHIN_S)

    async def _wait_engine(self) -> None:
        """Wait for the engine where it is a process of its own; the tap's is needed only once the tap is ready."""
        if self.toxiproxy is not None:
            ready = Healthy(f"{self._engine_address.url}/version")
            await self.toxiproxy.wait_ready(ready, within_s=READY_WITHIN_S)
            await ensure_recent(self.toxics.server)

    async def _wait_ready(self, process: Process) -> None:
        await process.wait_ready(FirstLine(), within_s=READY_WITHIN_S)
