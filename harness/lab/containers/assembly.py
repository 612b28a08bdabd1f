"""Bring the containers of one lab up side by side, connect them, and take them down."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.lab.authority import make_authority
from harness.lab.clock import ensure_one_clock
from harness.lab.containers import plan
from harness.lab.containers.box import DATA, FILES
from harness.lab.containers.fleet import Fleet
from harness.lab.containers.waits import Answers
from harness.lab.control import ControlClient
from harness.lab.credentials import make_credentials
from harness.lab.deaths import Deaths
from harness.lab.environment import Sites, build_controls, build_environment
from harness.lab.hostnames import list_hosts
from harness.lab.integration import HEALTHY_WITHIN_S, OwnIntegration
from harness.lab.layout import (
    NEEDS_FILE,
    PRIVATE_KEY_FILE,
    PUBLIC_KEY_FILE,
    build_watchdog,
    choose_vendors,
    describe_needs,
)
from harness.lab.ports import LOOPBACK, Address
from harness.lab.processes import Lifeline, Process
from harness.lab.readiness import FirstLine
from harness.lab.tap import TapClient
from harness.lab.together import run_together
from harness.lab.toxics import TOXIPROXY as TOXIPROXY_KIND
from harness.lab.toxics import Kind, ToxicEngine
from harness.lab.vendors import OPSDESK
from harness.lab.wiring import Wiring
from harness.wire.toxiproxy import ToxiproxyServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.core.stack import Stack
    from harness.lab.containers.container import Container
    from harness.lab.containers.images import ChosenImage
    from harness.lab.layout import Identity
    from harness.lab.registry import Registration

READY_WITHIN_S = 60.0
# Files that only this lab's folder leads to, which is closed to others: whoever a container is inside may read them there.
READABLE, WRITABLE = 0o644, 0o777


class Assembly:
    """The parts of one lab of containers."""

    def __init__(
        self,
        stack: Stack,
        registration: Registration,
        lab: Identity,
        chosen: ChosenImage,
        *,
        engine: Kind,
        run_id: str,
        stack_path: Path | None,
    ) -> None:
        self.stack = stack
        self.lab = lab
        self.registration = registration
        self.deaths = Deaths()
        self.credentials = make_credentials()
        self.authority = make_authority()
        self.vendors, self.absent = choose_vendors(stack, stack_path=stack_path)
        self._hosts = list_hosts(stack, self.vendors)
        self._make_folders()
        self._kind = engine
        self._chosen = chosen
        self._fleet = Fleet(lab.id, run_id, self.deaths)
        self._doors = plan.Doors.of(self.vendors, (name for name in stack.integration.webhooks if name in self.vendors))
        self._lifeline = Lifeline()
        keep = registration.reserve_port
        self._controls = {name: keep() for name in self.vendors}
        self._tap_control, self._tap_admin, self._toxics_admin, self._integration = (keep() for _ in range(4))
        toxics = self._toxics_admin if engine == TOXIPROXY_KIND else self._tap_admin
        self._toxics = ToxiproxyServer(_url(toxics))
        sites = self._locate(toxics)
        self.environment = build_environment(
            sites,
            self.credentials,
            nonce=lab.nonce,
            roles=stack.roles,
            stack_path=None if stack_path is None else PurePath(plan.STACK_FILE),
            scale=lab.scale,
        )
        self.published = {**self.environment, **build_controls(sites, self.credentials)}
        registration.publish(self.published)
        token = self.credentials.control_token
        self.controls = {name: ControlClient(_url(port), token, system=name) for name, port in self._controls.items()}
        self.tap = TapClient(_url(self._tap_control), token)
        self._watchdog = Process(
            build_watchdog(lab), registration, lab.folder / "logs", lifeline=self._lifeline, on_exit=None
        )
        self.fakes = {name: self._hold_fake(name) for name in self.vendors}
        self.tap_container = self._fleet.hold(
            plan.build_tap(
                self.credentials,
                control=self._tap_control,
                admin=self._tap_admin,
                integration=self._integration,
                aliases=self._hosts,
            )
        )
        self._toxiproxy = (
            self._fleet.hold(plan.build_toxiproxy(admin=self._toxics_admin)) if engine == TOXIPROXY_KIND else None
        )
        mapped = any(vendor.is_mapped for vendor in self.vendors.values())
        self._jvm_port = keep() if mapped else 0
        self._jvm = self._fleet.hold(plan.build_wiremock(port=self._jvm_port)) if mapped else None
        self._integration_container = self._fleet.hold(
            plan.build_integration(chosen, self.environment, lab, stack_path=stack_path)
        )
        self.integration = OwnIntegration(
            self._integration_container,
            _url(self._integration),
            stack.integration.health,
            f"docker run --rm {chosen.name}, to see it fail by itself",
        )

    @property
    def parts(self) -> dict[str, Container]:
        """Every container but the integration's, by role."""
        others = [each for each in (self._toxiproxy, self._jvm) if each is not None]
        return {each.role: each for each in (*self.fakes.values(), self.tap_container, *others)}

    @property
    def removed(self) -> bool:
        """Tell whether nothing of it is left at the engine."""
        return self._fleet.removed

    async def bring_up(self) -> None:
        """Start everything, connect it, seed it and wait until the integration is healthy."""
        await self._watchdog.start()
        await self._watchdog.wait_ready(FirstLine(), within_s=READY_WITHIN_S)
        await self._fleet.open(container.box.image for container in (*self.parts.values(), self._integration_container))
        await run_together([self._start(container, url) for container, url in self._list_starts()])
        await ensure_one_clock((*self.controls.values(), self.tap))
        self.wiring = Wiring(self.stack, self.lab.nonce, self.controls, self.tap, self._build_engine())
        await run_together(
            [
                *(self._connect_system(name) for name in self.vendors),
                *(self._connect_receiver(name) for name in self._doors.inbound),
            ]
        )
        await self.wiring.connect_hosts(self._hosts, self.authority, host=plan.EVERYWHERE)
        await self.integration.start()
        await self.integration.wait_healthy(within_s=HEALTHY_WITHIN_S)

    async def tear_down(self) -> None:
        """Remove every container and end the watchdog, also in the face of a cancellation."""
        try:
            await self._fleet.close()
        finally:
            try:
                for client in (*self.controls.values(), self.tap):
                    await client.aclose()
            finally:
                self._lifeline.close()
                await self._watchdog.kill()

    def locate_vendor(self, system: str) -> str:
        """Give where the toxic engine reaches a vendor itself."""
        return f"{self.fakes[system].address}:{plan.VENDOR_PORT}"

    def locate_tap(self, system: str) -> str:
        """Give where the integration calls a system."""
        return self._doors.tell_outbound(system)

    def _make_folders(self) -> None:
        folder = self.lab.folder
        self.registration.add_folder(folder)
        for name in ("logs", "data"):
            (folder / name).mkdir()
        (folder / "data").chmod(WRITABLE)
        files = {
            PRIVATE_KEY_FILE: self.credentials.private_key.decode(),
            PUBLIC_KEY_FILE: self.credentials.public_key.decode(),
            plan.CA_NAME: self.authority.ca_pem,
            NEEDS_FILE: json.dumps(describe_needs(self.stack)),
        }
        for name, content in files.items():
            (folder / name).write_text(content)
            (folder / name).chmod(READABLE)

    def _locate(self, toxics: int) -> Sites:
        prefixes = {name: vendor.prefix for name, vendor in self.vendors.items()}
        return Sites(
            outbound={prefixes[name]: self.locate_tap(name) for name in self.vendors if name != OPSDESK},
            opsdesk=self.locate_tap(OPSDESK),
            controls={
                **{prefixes[name]: _url(port) for name, port in self._controls.items()},
                "TAP": _url(self._tap_control),
            },
            toxics=_url(toxics),
            engine=self._kind,
            integration=Address(plan.EVERYWHERE, plan.INTEGRATION_PORT),
            data_folder=PurePath(DATA),
            private_key_file=PurePath(FILES, PRIVATE_KEY_FILE),
        )

    def _hold_fake(self, system: str) -> Container:
        box = plan.build_fake(system, self.vendors[system], self.lab, self.credentials, control=self._controls[system])
        return self._fleet.hold(box)

    def _list_starts(self) -> Iterator[tuple[Container, str]]:
        """List the containers, and the URL at which each says that it is ready."""
        for name, container in self.fakes.items():
            yield container, f"{_url(self._controls[name])}/healthz"
        yield self.tap_container, f"{self.tap.base_url}/healthz"
        if self._toxiproxy is not None:
            yield self._toxiproxy, f"{_url(self._toxics_admin)}/version"
        if self._jvm is not None:
            yield self._jvm, f"{_url(self._jvm_port)}/__admin/health"

    async def _start(self, container: Container, url: str) -> None:
        await container.start(Answers(container.role, url, within_s=READY_WITHIN_S, given_up=self._fleet.given_up))

    def _build_engine(self) -> ToxicEngine:
        if self._toxiproxy is None:
            return ToxicEngine(self._kind, self._toxics, self.lab.id)
        return ToxicEngine(self._kind, self._toxics, self.lab.id, plan.EVERYWHERE, self._toxiproxy.address)

    async def _connect_system(self, system: str) -> None:
        door = self._doors.inbound.get(system)
        await self.wiring.connect_system(
            system,
            fake=self.vendors[system].fake,
            vendor=self.locate_vendor(system),
            entrance=None if door is None else f"{self.tap_container.address}:{door}",
            address=f"{plan.EVERYWHERE}:{self._doors.outbound[system]}",
        )

    async def _connect_receiver(self, system: str) -> None:
        await self.wiring.connect_receiver(
            system,
            integration=f"{LOOPBACK}:{plan.INTEGRATION_PORT}",
            address=f"{plan.EVERYWHERE}:{self._doors.inbound[system]}",
        )


def _url(port: int) -> str:
    return Address(LOOPBACK, port).url
