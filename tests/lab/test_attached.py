"""Joining a lab that is up: what it gives, what it clears, whom it keeps out, and how it is left."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from harness.core.loading import load_stack
from harness.core.stack import Handoff, Role, System
from harness.engine.recorder import Recorder
from harness.lab import attached
from harness.lab.attached import open_attached_lab
from harness.lab.embedded import open_embedded_lab
from harness.lab.errors import EnvironmentNotReady, Unsupported
from harness.lab.registry import read_records
from harness.wire.rules import Rule
from harness.wire.signals import Signal

pytestmark = pytest.mark.anyio

STACK_PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
WITHIN_S = 30.0

HOLDER = """
import sys
from harness.lab.hold import hold_lab
from harness.lab.registry import read_records
with hold_lab(read_records()[0]):
    print("held", flush=True)
    sys.stdin.read()
"""


class Receiver(ThreadingHTTPServer):
    """An integration that takes everything and does nothing; `paths` are what was posted to it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.paths = []

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    """Answer 200 to anything."""

    def do_GET(self):
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        """Take a body and answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.do_GET()

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture(scope="module")
def stack():
    """Read the stack of the storefront and the ERP alone."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


@pytest.fixture
def receiver():
    """Run an integration that is nobody's child."""
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def up(stack, anyio_backend):
    """Bring a lab up as `handoff lab up` does, its place left free."""
    async with open_embedded_lab(
        stack, stack_path=STACK_PATH, run_id="up", with_integration=False, kind="up"
    ) as opened:
        yield opened


@pytest.fixture
def join(stack, receiver):
    """Join the lab that is up, for an integration that runs elsewhere."""
    return lambda given=stack, **options: open_attached_lab(
        given, stack_path=STACK_PATH, **{"attach_url": receiver.url, **options}
    )


async def _read_inbound(lab):
    return {item["name"]: item["upstream"] for item in await lab.tap.listeners() if item["direction"] == "inbound"}


async def _wait_delivery(lab, after):
    """Wait until the storefront has sent something; answer how that ended."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            page = await lab.controls["storefront"].journal(after=after, wait=5)
            for entry in page.entries:
                if entry["type"] == "delivery":
                    return entry["outcome"]
            after = page.last_seq


async def _arm_everything(lab):
    """Leave one of each: a fault, a rule, a signal, a proxy of this lab and one of another, an open alert."""
    await lab.controls["erp"].arm({"id": "f", "kind": "status", "params": {"status": 503}, "ttl_s": 600})
    await lab.tap.arm_rule(Rule(id="r", listener="erp", upstream="refuse", ttl_s=600))
    await lab.tap.signal(Signal(id="s", listener="inbound-storefront", pid=os.getpid(), signal="CONT", ttl_s=600))
    for name in (f"{lab.id}-fault-erp-f", "somebody-elses"):
        await lab.toxics.server.create_proxy(name, lab.vendor_addresses["erp"])


async def _list_armed(lab):
    rules = (await lab.tap._call("GET", "/rules"))["rules"]
    signals = (await lab.tap._call("GET", "/signals"))["signals"]
    return [*await lab.controls["erp"].faults(), *rules, *signals], set(await lab.toxics.server.proxies())


async def test_a_joined_lab_is_the_lab_that_is_up(up, join, receiver):
    """Addresses, variables and control planes are those of the lab; the integration and the processes are not ours."""
    async with join() as lab:
        assert (lab.id, lab.scale, lab.published) == (up.id, up.scale, up.published)
        assert lab.environment == up.environment
        assert (lab.vendor_addresses, lab.tap_addresses) == (up.vendor_addresses, up.tap_addresses)
        assert {name: control.base_url for name, control in lab.controls.items()} == {
            name: control.base_url for name, control in up.controls.items()
        }
        assert await lab.toxics.server.version() == await up.toxics.server.version()
        assert (lab.integration.url, lab.integration.owned) == (receiver.url, False)
        assert lab.processes["fake-erp"].pid == up.fakes["erp"].pid
        assert lab.processes["integration"].pid == os.getpid()
        with pytest.raises(Unsupported, match="attached"):
            await lab.integration.kill()


async def test_webhooks_go_to_the_integration_while_it_is_judged(up, join, receiver):
    """They reach it while the lab is joined, and the lab's own place is theirs again afterwards."""
    before = await _read_inbound(up)
    async with join() as lab:
        assert set((await _read_inbound(up)).values()) == {receiver.url.removeprefix("http://")}
        await lab.controls["storefront"].act("place-order", count=1)
        assert await _wait_delivery(lab, lab.journal_ends["storefront"]) == "delivered"
        assert receiver.paths == ["/webhooks/storefront"]
    assert await _read_inbound(up) == before
    assert (await up.controls["erp"].healthz())["status"] == "ok"


async def test_a_record_begins_where_the_lab_was_joined(up, join, stack):
    """What the journals held before is not read; what comes after is, from the first entry on."""
    await up.controls["storefront"].act("place-order", count=3)
    async with join() as lab:
        ended = lab.journal_ends
        assert ended["storefront"] == (await up.controls["storefront"].journal()).last_seq > 3
        async with Recorder(lab) as recorder:
            recorder.begin()
            await lab.controls["storefront"].act("reserve-orders", count=1)
            await recorder.catch_up()
            seqs = [entry.data["seq"] for entry in recorder.entries if entry.source == "storefront"]
            assert seqs[0] == ended["storefront"] + 1
            assert recorder.lost == {}


async def test_nothing_is_armed_when_it_is_joined_nor_when_it_is_left(up, join):
    """What a killed run left is lifted at the start, what this one left at the end; other people's proxies stay."""
    await _arm_everything(up)
    async with join() as lab:
        assert await _list_armed(lab) == ([], {"somebody-elses"})
        await lab.toxics.server.delete_proxy("somebody-elses")
        await _arm_everything(lab)
    assert await _list_armed(up) == ([], {"somebody-elses"})


async def test_an_alert_from_before_hides_none(up, join):
    """What was open at the ops desk is resolved, so that the next trigger is an alert of its own."""
    async with join() as lab:
        key = lab.environment["OPS_ROLE_INTEGRATION_ONCALL_KEY"]
    payload = {"summary": "old", "source": "before", "severity": "error"}
    event = {"routing_key": key, "event_action": "trigger", "dedup_key": "k", "payload": payload}
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{up.environment['OPS_PAGERDUTY_URL']}/v2/enqueue", json=event)
        assert answer.status_code == 202
    async with join() as lab:
        assert [alert["state"] for alert in await lab.controls["opsdesk"].state("alerts")] == ["resolved"]


async def test_two_runs_do_not_share_a_lab(up, join):
    """Whoever comes second hears which process holds it; once that is done, the lab is free."""
    async with join():
        with pytest.raises(EnvironmentNotReady, match=f"process {os.getpid()} runs experiments in it"):
            async with join():
                pass
    async with join():
        pass


async def test_a_killed_run_holds_nothing(up, join):
    """The lock goes with the process that had it."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(EnvironmentNotReady, match=f"process {holder.pid} runs"):
        async with join():
            pass
    holder.kill()
    await holder.wait()
    async with join():
        pass


async def test_an_integration_that_is_not_there_is_told(up, join, monkeypatch):
    """The address, and how it is to be started; the lab is free again."""
    monkeypatch.setattr(attached, "HEALTHY_WITHIN_S", 0.2)
    place = up.environment["INTEGRATION_PORT"]
    with pytest.raises(EnvironmentNotReady, match=rf":{place}/healthz.*(?s:.)*handoff lab env"):
        async with join(attach_url=None):
            pass
    async with join():
        pass


async def test_a_stack_that_has_outgrown_its_lab_is_told(up, join, stack):
    """What the lab was built to is compared, and what differs is named; the rest of a stack may change."""
    changed = replace(stack, time=replace(stack.time, scale=7.0), roles={**stack.roles, "new": Role("new")})
    with pytest.raises(EnvironmentNotReady, match=r"changed since it came up: roles, time scale\n.*handoff lab up"):
        async with join(changed):
            pass
    calmer = replace(stack, handoffs=tuple(replace(handoff, breaker=None) for handoff in stack.handoffs))
    async with join(calmer):
        pass


async def test_a_part_that_is_gone_is_told(up, join):
    """A lab of which a fake has died is no lab to run experiments in."""
    await up.fakes["erp"].kill()
    with pytest.raises(EnvironmentNotReady, match="does not answer: erp"):
        async with join():
            pass


async def test_a_lab_that_goes_down_meanwhile_is_left_quietly(up, join):
    """There is nothing to take back where nothing answers."""
    async with join():
        for process in (*up.fakes.values(), up.tap_process):
            await process.kill()
    assert [record.id for record in read_records()] == [up.id]


async def test_webhooks_of_every_vendor_are_led_to_the_integration(stack, receiver, join):
    """Shop, gateway and warehouse each have a listener that leads to the integration while it is joined, and not after."""
    fakes = {"shop": "shopify", "pay": "stripe", "depot": "wms"}
    systems = {name: System(name, fake=fake) for name, fake in fakes.items()}
    webhooks = {name: f"/from/{name}" for name in fakes}
    chain = replace(stack, systems=systems, integration=replace(stack.integration, webhooks=webhooks), handoffs=())
    async with open_embedded_lab(chain, stack_path=STACK_PATH, run_id="up", with_integration=False, kind="up") as up:
        before = await _read_inbound(up)
        async with join(chain) as lab:
            assert set(lab.controls) == {*fakes, "opsdesk"}
            led = await _read_inbound(up)
            assert {f"http://{upstream}" for upstream in led.values()} == {receiver.url}
            assert set(led) == {f"inbound-{name}" for name in fakes}
        assert await _read_inbound(up) == before
        dressed = replace(
            chain, handoffs=(Handoff("tell", "depot", "integration", "webhook", 60.0, operations=("order.cancelled",)),)
        )
        with pytest.raises(EnvironmentNotReady, match="webhook topics"):
            async with join(dressed):
                pytest.fail("it was joined")
