"""The embedded lab with a real Toxiproxy as its engine: what is in the way, whose it is, and what it says when it cannot be had."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from harness.core.loading import load_stack
from harness.lab.attached import open_attached_lab
from harness.lab.embedded import open_embedded_lab
from harness.lab.errors import ControlError, EnvironmentNotReady
from harness.lab.orphans import LAB_VARIABLE, find_processes
from harness.lab.ports import is_free
from harness.lab.registry import read_records
from harness.lab.tools import TOXIPROXY_VARIABLE, tell_toxiproxy
from harness.lab.toxics import FAULT
from harness.wire.rules import Rule
from harness.wire.toxiproxy import Toxic
from tests.programs import needs_toxiproxy

pytestmark = pytest.mark.anyio

STACK_PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
WITHIN_S = 30.0

# Answers any question with the version it is told to have.
OLD_SERVER = """#!{python}
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "{length}"); self.end_headers()
        self.wfile.write({answer!r})
    def log_message(self, *a): pass
host, port = sys.argv[sys.argv.index("-host") + 1], int(sys.argv[sys.argv.index("-port") + 1])
http.server.HTTPServer((host, port), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def stack():
    """Read the stack of the storefront and the ERP alone."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


def _open(stack, **options):
    return open_embedded_lab(stack, stack_path=STACK_PATH, run_id="test", engine="toxiproxy", **options)


async def _read_listeners(lab):
    return {item["name"]: item for item in await lab.tap.listeners()}


async def _wait_exchange(lab, listener):
    """Wait until the tap has seen an exchange at this listener; give it."""
    after = 0
    async with asyncio.timeout(WITHIN_S):
        while True:
            page = await lab.tap.journal(after=after, wait=5)
            for entry in page.entries:
                if entry["type"] == "exchange" and entry["listener"] == listener:
                    return entry
            after = page.last_seq


@needs_toxiproxy
class TestInTheWay:
    """A lab that came up."""

    async def test_every_byte_goes_through_the_server_and_nothing_is_left_of_it(self, stack):
        """Webhooks come through it, calls leave through it; when the lab is closed, its process and port are gone."""
        async with _open(stack) as lab:
            proxies = await lab.toxics.server.proxies()
            listeners = await _read_listeners(lab)
            ways = {name.removeprefix(lab.toxics.prefix + "-"): proxy for name, proxy in proxies.items()}
            assert set(ways) == {"clean-storefront", "clean-erp", "clean-opsdesk", "inbound-storefront"}
            assert {listeners[name]["upstream"] for name in ("storefront", "erp", "opsdesk")} == {
                ways[f"clean-{name}"].listen for name in ("storefront", "erp", "opsdesk")
            }
            assert lab.vendor_addresses["erp"] == ways["clean-erp"].upstream
            assert ways["inbound-storefront"].upstream == listeners["inbound-storefront"]["address"]

            told = [e for e in (await lab.controls["storefront"].journal()).entries if e["type"] == "subscription"]
            assert {entry["address"] for entry in told} == {
                f"http://{ways['inbound-storefront'].listen}/webhooks/storefront"
            }
            await lab.controls["storefront"].act("place-order", count=1)
            assert (await _wait_exchange(lab, "erp"))["end"] == "complete"
            assert lab.processes["toxiproxy"].pid in {mark.pid for mark in find_processes(lab.id)}
            (port,) = [port for port in read_records()[0].ports if str(port) in lab.published["TOXIPROXY_URL"]]
        assert lab.deaths == []
        assert find_processes(lab.id) == []
        assert is_free(port)

    async def test_calls_go_through_the_server_and_not_past_it(self, stack):
        """Cut off there, a call gets no answer, and the ERP never hears of it."""
        async with _open(stack, with_integration=False) as lab:
            await lab.toxics.server.update_proxy(f"{lab.toxics.prefix}-clean-erp", enabled=False)
            host, port = lab.tap_addresses["erp"].removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /services/rest/record/v1/salesOrder/1 HTTP/1.1\r\nHost: erp\r\n\r\n")
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), WITHIN_S)
            writer.close()
            heard = [entry for entry in (await lab.controls["erp"].journal()).entries if entry["type"] == "exchange"]
            assert heard == []

    async def test_the_end_of_the_server_is_heard_of(self, stack):
        """It is watched like every other part: whoever kills it is told of its death, and calls to it fail as its own."""
        async with _open(stack, with_integration=False) as lab:
            os.kill(lab.processes["toxiproxy"].pid, signal.SIGKILL)
            death = await asyncio.wait_for(lab.deaths.wait(), WITHIN_S)
            assert (death.role, death.returncode) == ("toxiproxy", -signal.SIGKILL)
            with pytest.raises(ControlError, match="toxiproxy") as told:
                await lab.toxics.read_ways()
            assert told.value.system == "toxiproxy"

    async def test_a_joined_lab_is_tidied_of_faults_and_keeps_its_ways(self, stack):
        """Whoever joins learns which engine it is, where it reaches the vendors, and removes only what faults left."""
        async with _open(stack, kind="up") as up:
            await up.toxics.open_proxy(f"{FAULT}-erp", up.vendor_addresses["erp"], [Toxic("timeout", {"timeout": 0})])
            ways = await up.toxics.read_ways()
            async with open_attached_lab(stack, stack_path=STACK_PATH) as lab:
                assert (lab.toxics.kind, lab.vendor_addresses) == ("toxiproxy", up.vendor_addresses)
                assert await lab.toxics.server.proxies() == ways
                address = await lab.toxics.open_proxy(f"{FAULT}-erp", lab.vendor_addresses["erp"])
                await lab.tap.arm_rule(Rule(id="r", listener="erp", upstream=address))
            assert await up.toxics.server.proxies() == ways

    async def test_a_proxy_whose_toxic_is_refused_is_not_left_behind(self, stack):
        """What could not be made whole is taken away again, and the reason is the server's own."""
        async with _open(stack, with_integration=False) as lab:
            ways = await lab.toxics.read_ways()
            with pytest.raises(ControlError, match="invalid toxic type"):
                await lab.toxics.open_proxy(f"{FAULT}-x", lab.vendor_addresses["erp"], [Toxic("no-such-toxic")])
            assert await lab.toxics.server.proxies() == ways


def _assert_nothing_is_left():
    assert read_records() == []
    # A server of a lab's, that is: the tests of the wire have one of their own.
    assert [child for child in psutil.Process().children() if LAB_VARIABLE in child.environ()] == []


async def test_a_machine_without_the_server_is_told_how_to_get_it(stack, monkeypatch, tmp_path):
    """Exit 12 with the command, before anything is started."""
    monkeypatch.setenv(TOXIPROXY_VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(EnvironmentNotReady, match="there is no `toxiproxy-server`") as told:
        async with _open(stack):
            pass
    assert (told.value.next_command, told.value.exit_code) == (tell_toxiproxy(), 12)
    _assert_nothing_is_left()


@pytest.mark.parametrize(
    ("answer", "version"),
    [(b"2.1.4", "2.1.4"), (b'{"version": 2.6.0}\n', "2.6.0")],
    ids=["before its answers were JSON", "whose JSON was none"],
)
async def test_a_server_out_of_date_is_told(stack, monkeypatch, tmp_path, answer, version):
    """Its version is named, the one that is needed, and the command that gets it; nothing stays up."""
    program = tmp_path / "toxiproxy-server"
    program.write_text(OLD_SERVER.format(python=sys.executable, length=len(answer), answer=answer))
    program.chmod(0o755)
    monkeypatch.setenv(TOXIPROXY_VARIABLE, str(program))
    with pytest.raises(EnvironmentNotReady, match=f"version {version}, and 2.7 or newer is needed") as told:
        async with _open(stack):
            pass
    assert told.value.next_command == tell_toxiproxy()
    _assert_nothing_is_left()
