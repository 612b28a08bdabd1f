"""
The attached lab: one that is up already (`handoff lab up`), joined for a run and left as it was found.

    async with open_attached_lab(stack, stack_path=path, attach_url="http://127.0.0.1:9000") as lab:
        ...

Everything is learnt from the register, the variables the lab published and its control planes. Its processes belong to
whoever keeps it up, its integration to whoever started that: they can be watched, not touched.
"""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from harness.core.record import TAP
from harness.core.stack import Stack
from harness.lab.choice import choose_lab
from harness.lab.clock import ensure_one_clock
from harness.lab.conducted import INSIDE_VARIABLE, START, hold_conducted
from harness.lab.conducted import KIND as CONDUCTED
from harness.lab.control import ControlClient
from harness.lab.deaths import Deaths
from harness.lab.environment import is_for_the_integration
from harness.lab.errors import ControlError, ControlUnreachable, EnvironmentNotReady
from harness.lab.hold import hold_lab
from harness.lab.integration import AttachedIntegration
from harness.lab.lab import Lab, Running
from harness.lab.layout import NEEDS_FILE, choose_vendors, describe_needs
from harness.lab.marks import ProcessMark
from harness.lab.registry import LabRecord, sweep
from harness.lab.tap import TapClient
from harness.lab.target import choose_target, ensure_here, is_loopback
from harness.lab.tidy import finish_all, tidy_lab
from harness.lab.toxics import ToxicEngine
from harness.lab.vendors import Vendor
from harness.wire.address import Address
from harness.wire.reach import own_reach
from harness.wire.toxiproxy import ToxiproxyError, ToxiproxyServer

HEALTHY_WITHIN_S = 10.0
# No journal is this long: after it there is nothing, and the answer tells where the journal ends.
BEYOND = 2**53
INTEGRATION = "integration"


@asynccontextmanager
async def open_attached_lab(
    stack: Stack,
    *,
    stack_path: Path | None = None,
    attach_url: str | None = None,
    lab_id: str | None = None,
    allowed_hosts: tuple[str, ...] = (),
) -> AsyncIterator[Lab]:
    """
    Join the lab of this stack that is up, yield it with webhooks led to the integration, and leave it up and unarmed.

    The integration listens at `attach_url`, else where the stack says, else where the lab keeps its place (there the lab's
    own runs, where it was brought up with one). `lab_id` names one lab among several; `allowed_hosts` may be attached to although they are not
    loopback. Raises EnvironmentNotReady (exit 12) and StackError (exit 4).
    """
    await asyncio.to_thread(sweep)
    given = choose_target(stack, attach_url, allowed_hosts=allowed_hosts)
    record = choose_lab(stack_path, lab_id=lab_id, target=given)
    with hold_lab(record), _hold_elsewhere(record):
        _ensure_fits(stack, record)
        place = record.environment
        target = given or Address(place["INTEGRATION_HOST"], int(place["INTEGRATION_PORT"]))
        async with AsyncExitStack() as opened:
            lab = await _join(stack, stack_path, record, target, opened)
            own_reach().allow(allowed_hosts)
            if allowed_hosts:
                await finish_all(*(part.allow_hosts(allowed_hosts) for part in (lab.tap, *lab.controls.values())))
            await opened.enter_async_context(_leading_to(lab, _locate_for_tap(record, given, target)))
            await _wait_healthy(lab)
            yield replace(lab, journal_ends=await _read_ends(lab))


def _hold_elsewhere(record: LabRecord) -> AbstractContextManager[None]:
    """Hold a lab that runs of other machines and containers may join too."""
    return hold_conducted(record.stack) if record.kind == CONDUCTED else nullcontext()


def _locate_for_tap(record: LabRecord, given: Address | None, target: Address) -> Address:
    """Tell where the tap reaches the integration. Raises EnvironmentNotReady where a container would look for it in itself."""
    if record.kind != CONDUCTED:
        return target
    if given is None:
        return Address.parse(record.environment[INSIDE_VARIABLE])
    if is_loopback(given.host):
        why = f"{given.host} is the container itself to the tap of {record.id}"
        way_out = f"name the machine as its containers do: --attach http://host.docker.internal:{given.port} --allow-host host.docker.internal"
        raise EnvironmentNotReady(f"the integration at {given}", why, way_out)
    return given


def _ensure_fits(stack: Stack, record: LabRecord) -> None:
    """Raise EnvironmentNotReady where the stack needs another lab than was built from it."""
    if not record.environment:
        raise _not_ready(record, "it is only coming up")
    try:
        built = json.loads(Path(record.folders[0], NEEDS_FILE).read_text())
    except (OSError, ValueError, IndexError) as error:
        raise _not_ready(record, f"what it was built to cannot be read: {error}") from error
    changed = [name for name, need in describe_needs(stack).items() if built.get(name) != need]
    if changed:
        raise _not_ready(record, f"the stack has changed since it came up: {', '.join(changed)}")


async def _join(
    stack: Stack, stack_path: Path | None, record: LabRecord, target: Address, opened: AsyncExitStack
) -> Lab:
    """Reach every control plane and learn from the tap where everything is."""
    published = record.environment
    for name, url in published.items():
        if name == "TOXIPROXY_URL" or name.endswith("_CONTROL_URL"):
            ensure_here(url, f"the lab {record.id}")
    vendors, absent = _choose_present(stack, stack_path, published)
    token = published["CONTROL_TOKEN"]
    tap = await opened.enter_async_context(TapClient(published["TAP_CONTROL_URL"], token))
    controls = {
        name: await opened.enter_async_context(
            ControlClient(published[f"{vendor.prefix}_CONTROL_URL"], token, system=name)
        )
        for name, vendor in vendors.items()
    }
    server = ToxiproxyServer(published["TOXIPROXY_URL"])
    try:
        await finish_all(*(control.faults() for control in controls.values()))
        await ensure_one_clock((*controls.values(), tap))
        listeners = await tap.listeners()
        outbound = {item["name"]: item for item in listeners if item["direction"] == "outbound" and item["upstream"]}
        upstreams = {name: item["upstream"] for name, item in outbound.items()}
        toxics, vendor_addresses = await ToxicEngine.join(server, record.id, upstreams)
    except (ControlError, ToxiproxyError) as error:
        raise _not_ready(record, f"a part of it does not answer: {error}") from error
    if missing := [name for name in vendors if name not in outbound]:
        raise _not_ready(record, f"it is not up yet, or not whole: no listener for {', '.join(missing)}")
    return Lab(
        id=record.id,
        scale=stack.time.scale,
        environment={name: value for name, value in published.items() if is_for_the_integration(name)},
        published=published,
        controls=controls,
        tap=tap,
        integration=AttachedIntegration(f"http://{target}", stack.integration.health),
        processes=await asyncio.to_thread(_list_processes, record, target),
        absent=absent,
        toxics=toxics,
        vendor_addresses=vendor_addresses,
        tap_addresses={name: f"http://{item['address']}" for name, item in outbound.items()},
        journal_ends={},
        deaths=Deaths(),
    )


def _choose_present(
    stack: Stack, stack_path: Path | None, published: Mapping[str, str]
) -> tuple[dict[str, Vendor], dict[str, str]]:
    """Choose the vendors that are in the lab: it may have come up without WireMock."""
    vendors, absent = choose_vendors(stack, stack_path=stack_path)
    missing = [name for name, vendor in vendors.items() if f"{vendor.prefix}_CONTROL_URL" not in published]
    absent |= dict.fromkeys(missing, "the lab came up without WireMock, which plays it; next: handoff doctor")
    return {name: vendor for name, vendor in vendors.items() if name not in absent}, absent


def _list_processes(record: LabRecord, target: Address) -> dict[str, Running]:
    """List what runs on this machine: the lab's own processes, and whatever listens where the integration is to be."""
    marks: dict[str, Running] = {mark.role: mark for mark in record.processes if mark.role != INTEGRATION}
    try:
        found = psutil.net_connections("tcp") if is_loopback(target.host) else []
    except psutil.Error:
        return marks
    for listening in found:
        at = listening.laddr
        if listening.status == psutil.CONN_LISTEN and at and at.port == target.port and listening.pid:
            with suppress(psutil.Error):
                marks[INTEGRATION] = ProcessMark.of(listening.pid, INTEGRATION)
    return marks


@asynccontextmanager
async def _leading_to(lab: Lab, target: Address) -> AsyncIterator[None]:
    """Free the lab of what an earlier run left and lead its webhooks to the integration; in the end take back both."""
    inbound = [item for item in await lab.tap.listeners() if item["direction"] == "inbound"]
    await tidy_lab(lab)
    try:
        for item in inbound:
            await lab.tap.change_listener(item["name"], upstream=str(target), accepting=True)
        yield
    finally:
        with suppress(ControlUnreachable):  # a lab that went down meanwhile has nothing left to take back
            await tidy_lab(lab)
            for item in inbound:
                await lab.tap.change_listener(item["name"], upstream=item["upstream"])


async def _wait_healthy(lab: Lab) -> None:
    try:
        await lab.integration.wait_healthy(within_s=HEALTHY_WITHIN_S)
    except EnvironmentNotReady as error:
        way_out = "start it with the variables that `handoff lab env` prints, or say where it listens: --attach URL"
        raise EnvironmentNotReady(error.what, error.why, way_out) from error


async def _read_ends(lab: Lab) -> dict[str, int]:
    sources = {TAP: lab.tap, **lab.controls}
    return {name: (await source.journal(after=BEYOND)).last_seq for name, source in sources.items()}


def _not_ready(record: LabRecord, why: str) -> EnvironmentNotReady:
    if record.kind == CONDUCTED:
        return EnvironmentNotReady(f"the lab {record.id}", why, f"docker compose down, then {START}")
    stack = shlex.quote(record.stack)
    again = f"handoff lab down {stack}, then handoff lab up {stack} --env lab.env, and start the integration with it"
    return EnvironmentNotReady(f"the lab {record.id}", why, again)
