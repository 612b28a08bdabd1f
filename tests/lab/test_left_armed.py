"""A harness that is killed in the middle of an experiment leaves nothing broken: whatever it armed ends by itself."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from harness.core.loading import load_stack
from harness.lab.embedded import open_embedded_lab
from harness.lab.orphans import LAB_VARIABLE, end_processes
from tests.lab.test_attached import Receiver, Thread
from tests.programs import needs_toxiproxy

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "scenarios" / "slice.yaml"
WITHIN_S = 60.0
KILLED = -9

# Arms one of everything a run can arm, in a lab that is up, and waits to be killed.
HARNESS = """
import asyncio, json, sys
from pathlib import Path
from harness.core.loading import load_stack
from harness.lab.attached import open_attached_lab
from harness.wire.rules import Rule
from harness.wire.signals import Signal
from harness.wire.toxiproxy import Toxic

TTL = 4.0
path, integration, victim = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
VENDOR = [("erp", "status", {"status": 503}), ("erp", "lost_response", {"how": "hang"}), ("opsdesk", "rate_limited", {}),
    ("erp", "not_persisted", {}), ("erp", "delay", {"seconds": 900}), ("erp", "session_expired", {}),
    ("storefront", "webhook_dropped", {}), ("storefront", "subscription_removed", {}), ("storefront", "webhook_delayed", {"seconds": 1}),
    ("storefront", "webhook_bad_signature", {"how": "forged"}), ("storefront", "webhook_out_of_order", {})]

async def main():
    async with open_attached_lab(load_stack(path.read_text(), file=str(path)), stack_path=path, attach_url=integration) as lab:
        for number, (system, kind, params) in enumerate(VENDOR):
            await lab.controls[system].arm({"id": f"f{number}", "kind": kind, "params": params, "ttl_s": TTL})
        toxics = [Toxic("timeout", {"timeout": 0}), Toxic("reset_peer", {"timeout": 0}, "upstream")]
        for number, toxic in enumerate(toxics):
            upstream = await lab.toxics.open_proxy(f"fault-erp-{number}", lab.vendor_addresses["erp"], [toxic])
            await lab.tap.arm_rule(Rule(id=f"r{number}", listener="erp", upstream=upstream, ttl_s=TTL))
        await lab.tap.arm_rule(Rule(id="in", listener="inbound-storefront", upstream="refuse", ttl_s=TTL))
        await lab.tap.signal(Signal(id="s", listener="opsdesk", pid=victim, signal="STOP", ttl_s=TTL))
        await lab.tap.change_listener("storefront", accepting=False, ttl_s=TTL)
        print("armed", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


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
def victim():
    """Run a process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


async def _list_broken(lab, subscribed):
    """List everything that is not as it was."""
    faults = [fault["id"] for control in lab.controls.values() for fault in await control.faults()]
    shut = [item["name"] for item in await lab.tap.listeners() if not item["accepting"]]
    rules = [rule["id"] for rule in await lab.tap.rules()]
    signals = [each["id"] for each in (await lab.tap._call("GET", "/signals"))["signals"]]
    there = len(await lab.controls["storefront"].state("webhooks"))
    return [*faults, *shut, *rules, *signals, *(["subscriptions"] if there != subscribed else [])]


@pytest.mark.parametrize("engine", ["embedded", pytest.param("toxiproxy", marks=needs_toxiproxy)])
async def test_everything_that_a_killed_harness_had_armed_ends_by_itself(engine, receiver, victim, anyio_backend):
    """Faults of vendors and webhooks, rules, signals, toxics and a listener that refuses: afterwards calls and webhooks pass."""
    stack = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
    async with open_embedded_lab(
        stack, stack_path=STACK_PATH, run_id="up", with_integration=False, engine=engine, kind="up"
    ) as lab:
        subscribed = len(await lab.controls["storefront"].state("webhooks"))
        command = [sys.executable, "-c", HARNESS, str(STACK_PATH), receiver.url, str(victim.pid)]
        harness = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
        async with asyncio.timeout(WITHIN_S):
            assert await harness.stdout.readline() == b"armed\n"
            armed = await _list_broken(lab, subscribed)
            harness.kill()
            assert await harness.wait() == KILLED
            assert {"f0", "f10", "r0", "r1", "in", "s", "storefront", "subscriptions"} <= set(armed)

            while await _list_broken(lab, subscribed):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)

        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            for name, url in lab.tap_addresses.items():
                assert (name, (await client.get(f"{url}/nothing-here")).status_code) in {
                    (name, status) for status in (401, 404, 405)
                }
        await lab.controls["storefront"].act("place-order", count=1)
        async with asyncio.timeout(WITHIN_S):
            while not receiver.paths:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
    assert victim.poll() is None


@pytest.mark.usefixtures("anyio_backend")
async def test_a_process_that_stands_still_is_swept_like_any_other():
    """A harness that froze a part of its lab and died leaves nothing that only SIGCONT could end."""
    environment = {**os.environ, LAB_VARIABLE: "left-0"}
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    frozen = await asyncio.create_subprocess_exec(*command, env=environment)
    frozen.send_signal(signal.SIGSTOP)
    assert await asyncio.to_thread(end_processes, "left-0", within_s=WITHIN_S)
    assert await frozen.wait() == KILLED
