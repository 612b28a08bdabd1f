"""The lab of containers, with a container engine."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest

from harness.core.loading import load_stack
from harness.lab.containers.box import LAB_LABEL, RUN_LABEL
from harness.lab.containers.images import complete_image
from harness.lab.containers.lab import open_container_lab
from harness.lab.errors import EnvironmentNotReady
from harness.lab.registry import read_records
from harness.wire.rules import Rule

pytestmark = [pytest.mark.containers, pytest.mark.anyio, pytest.mark.usefixtures("engine")]

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "reference" / "stack.yaml"
STACK = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
IMAGE = complete_image("handoff/base")
WITHIN_S = 60.0
HANDOFF = Path(sys.executable).with_name("handoff")

# Answers its health path, and counts in its data folder how often it was started.
SMALL = """
import http.server, os, pathlib
seen = pathlib.Path(os.environ["INTEGRATION_DATA_DIR"], "starts")
seen.write_text(seen.read_text() + "x" if seen.exists() else "x")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = seen.read_bytes()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer((os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"])), Handler).serve_forever()
"""


# A program that knows its vendors by their own names and by nothing else. It tells what came of each call.
UNMODIFIED = """
import http.server, json, os, urllib.error, urllib.request
CALLS = {
    "/shop": ("https://acme.myshopify.com/admin/api/2026-10/shop.json", {"X-Shopify-Access-Token": os.environ["STOREFRONT_TOKEN"]}),
    "/payment": ("https://api.stripe.com/v1/payment_intents", {"Authorization": "Bearer " + os.environ["GATEWAY_API_KEY"]}),
    "/plain": ("http://tax.acme.example/v1/payment_intents", {"Authorization": "Bearer " + os.environ["GATEWAY_API_KEY"]}),
}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = self.call(*CALLS[self.path]) if self.path in CALLS else "ok"
        body = json.dumps(told).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def call(self, url, headers):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError as error:
            return repr(error)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer((os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register in a folder of the test's own."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def bare():
    """Give the stack without its vendors: only the ops desk, the tap and Toxiproxy stand around the integration."""
    return replace(STACK, systems={}, integration=replace(STACK.integration, webhooks={}))


def _open(stack, code=SMALL, **options):
    command = shlex.join(["python3", "-c", code])
    return open_container_lab(stack, run_id="test", image=IMAGE, command=command, **options)


async def test_every_container_is_confined_and_nothing_stays(bare, engine, list_left):
    """As the engine sees them: no root, no rights, a root that is read-only, ports on loopback; and then nothing at all."""
    async with _open(bare) as lab:
        label = f"{LAB_LABEL}={lab.id}"
        containers = engine.containers.list(filters={"label": label})
        assert {each.labels[RUN_LABEL] for each in containers} == {"test"}
        assert {each.labels["handoff.role"] for each in containers} == {
            "tap",
            "toxiproxy",
            "fake-opsdesk",
            "integration",
        }
        for each in containers:
            config = each.attrs["HostConfig"]
            assert each.attrs["Config"]["User"].split(":")[0] not in {"", "0", "root"}
            assert (config["ReadonlyRootfs"], config["CapDrop"], config["Privileged"]) == (True, ["ALL"], False)
            bindings = [binding for given in (config["PortBindings"] or {}).values() for binding in given]
            assert {binding["HostIp"] for binding in bindings} <= {"127.0.0.1"}
        assert lab.toxics.kind == "toxiproxy"
        assert await lab.toxics.server.version() == "2.12.0"
        folder = lab.folder
    assert list_left(label) == []
    assert (folder.exists(), read_records(), lab.deaths) == (False, [], [])


async def test_an_integration_is_killed_and_comes_back_to_its_data(bare):
    """At the same address; that end was asked for, so it is no death."""
    async with _open(bare) as lab:
        killed = await _kill_by_the_tap(lab)
        assert killed == -signal.SIGKILL
        assert not lab.integration.alive
        await lab.integration.start()
        await lab.integration.wait_healthy()
        answer = httpx2.get(lab.integration.url, trust_env=False)
        assert (answer.text, lab.deaths) == ("xx", [])


async def _kill_by_the_tap(lab):
    """Have a process beside the tap send the signal, as the tap does: it shares its processes and its user."""
    lab.integration.expect_exit()
    code = f"import os; os.kill({lab.integration.signal_pid}, {signal.SIGKILL:d})"
    tap = lab.containers["tap"]
    await asyncio.to_thread(tap._made.exec, ["python3", "-c", code])
    async with asyncio.timeout(WITHIN_S):
        return await lab.integration.wait_exit()


async def test_a_part_that_dies_is_told_with_its_last_lines(bare, engine):
    """Whoever killed it."""
    async with _open(bare) as lab:
        (desk,) = engine.containers.list(filters={"label": [f"{LAB_LABEL}={lab.id}", "handoff.role=fake-opsdesk"]})
        await asyncio.to_thread(desk.kill)
        async with asyncio.timeout(WITHIN_S):
            death = await lab.deaths.wait()
        assert (death.role, death.returncode) == ("fake-opsdesk", -signal.SIGKILL)
        assert any("control_url" in line for line in death.tail)


async def test_a_frozen_part_goes_on_where_it_stood(bare):
    """It neither dies nor answers meanwhile."""
    async with _open(bare) as lab:
        tap = lab.containers["tap"]
        await tap.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await lab.tap.healthz()
        assert tap.alive
        await tap.thaw()
        assert (await lab.tap.healthz())["status"] == "ok"
        assert lab.deaths == []


async def test_an_unmodified_program_meets_the_tap_at_its_vendors_names(bare):
    """Under TLS it trusts by the lab's variables alone, and without; its calls are recorded, and faults meet them."""
    gateway = replace(STACK.systems["gateway"], hosts=("tax.acme.example",))
    stack = replace(bare, systems={"storefront": STACK.systems["storefront"], "gateway": gateway})
    async with _open(stack, code=UNMODIFIED) as lab:
        told = {path: await _ask(lab, path) for path in ("/shop", "/payment", "/plain")}
        assert told == {"/shop": 200, "/payment": 200, "/plain": 200}
        met = [entry for entry in (await lab.tap.journal(after=0)).entries if entry["type"] == "exchange"]
        assert [(entry["listener"], entry["status"]) for entry in met] == [
            ("storefront", 200),
            ("gateway", 200),
            ("gateway", 200),
        ]
        await lab.tap.arm_rule(Rule(id="away", listener="gateway", upstream="refuse"))
        told = await _ask(lab, "/payment")
        assert isinstance(told, str), "it got no answer, but an error of the connection"


async def _ask(lab, path):
    async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
        return (await client.get(f"{lab.integration.url}{path}")).json()


async def test_an_integration_that_ends_at_once_says_why(bare, list_left):
    """Exit 12 with its last words, and nothing stays."""
    with pytest.raises(EnvironmentNotReady, match="no such shop") as failed:
        async with _open(bare, code="raise SystemExit('no such shop')"):
            pass
    assert "exit code 1" in failed.value.why
    assert list_left(f"{RUN_LABEL}=test") == []


async def test_an_image_that_is_not_here_is_named(bare, list_left):
    """With the command that gets it."""
    with pytest.raises(EnvironmentNotReady, match="handoff/nobody") as missing:
        async with open_container_lab(bare, run_id="test", image="handoff/nobody"):
            pass
    assert missing.value.next_command == "make images"
    assert list_left(f"{RUN_LABEL}=test") == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("parts", [1, 5, 9])
def test_a_killed_harness_leaves_nothing(tmp_path, engine, list_left, parts):
    """Whether it was killed while containers came up or after: no container, network, volume, folder or process stays."""
    environment = {**os.environ, "HANDOFF_STATE_DIR": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    before = set(list_left(LAB_LABEL))
    harness = subprocess.Popen(
        [HANDOFF, "run", STACK_PATH, "--lab", "containers", "-n", "1", "-k", "order-to-erp"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _until(lambda: len(set(list_left(LAB_LABEL)) - before) > parts or harness.poll() is not None)
    assert harness.poll() is None
    harness.kill()
    harness.wait()
    _until(lambda: not (tmp_path / "state" / "labs").is_dir() or not list((tmp_path / "state" / "labs").glob("*.json")))
    assert set(list_left(LAB_LABEL)) <= before
    assert list(tmp_path.glob("handoff-*")) == []
    assert [process for process in psutil.process_iter() if _names(process, str(tmp_path))] == []


def _names(process, text):
    with suppress(psutil.Error):
        return process.environ().get("TMPDIR") == text
    return False


def _until(happened):
    """Wait for something the engine does, which tells nobody: the pauses only space the questions."""
    deadline = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
