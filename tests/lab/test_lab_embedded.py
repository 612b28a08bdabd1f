"""The embedded lab with the real fakes, the real tap and the reference integration, or a small one."""

import asyncio
import json
import signal
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest

from harness.core.loading import load_stack
from harness.core.stack import System
from harness.lab.embedded import open_embedded_lab
from harness.lab.errors import EnvironmentNotReady, Unsupported
from harness.lab.goods import SKUS
from harness.lab.orphans import find_processes
from harness.lab.registry import read_records

pytestmark = pytest.mark.anyio

STACK_PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
WITHIN_S = 30.0

SMALL = """
import http.server, json, os
from pathlib import Path
Path(os.environ["INTEGRATION_DATA_DIR"], "seen.json").write_text(json.dumps({"env": dict(os.environ), "cwd": os.getcwd()}))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/leave":
            os._exit(7)
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer((os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"])), Handler).serve_forever()
"""


# Calls when it starts and when it is asked to end, and does not.
STUBBORN = """
import signal, socket, sys, time
def call(*_):
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
signal.signal(signal.SIGTERM, call)
call()
while True:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def stack():
    """Read the stack of the storefront and the ERP alone."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


@pytest.fixture
def bare(stack):
    """Give a stack without vendors: only the ops desk and the tap stand around the integration."""
    return replace(stack, systems={}, integration=replace(stack.integration, webhooks={}))


@pytest.fixture
def small(tmp_path):
    """Give the command of an integration that only answers its health path."""
    script = tmp_path / "small.py"
    script.write_text(SMALL)
    return ["python", str(script)]


def _open(stack, **options):
    return open_embedded_lab(stack, stack_path=STACK_PATH, run_id="test", **options)


def _read_seen(lab):
    """Read what the small integration wrote about itself."""
    return json.loads(Path(lab.environment["INTEGRATION_DATA_DIR"], "seen.json").read_text())


def _exists(path):
    return Path(path).exists()


def _leave_file(lab):
    """Leave a file where the integration keeps its state."""
    path = Path(lab.environment["INTEGRATION_DATA_DIR"], "kept")
    path.touch()
    return path


async def _wait_orders(lab, count):
    """Wait until the ERP holds so many sales orders."""
    after = 0
    async with asyncio.timeout(WITHIN_S):
        while True:
            orders = await lab.controls["erp"].state("sales_orders")
            if len(orders) >= count:
                return orders
            after = (await lab.controls["erp"].journal(after=after, wait=5)).last_seq


async def test_an_order_finds_its_way_and_nothing_is_left_behind(stack):
    """An order placed at the storefront is in the ERP, seen by the tap in both directions; a closed lab leaves nothing."""
    async with _open(stack) as lab:
        placed = (await lab.controls["storefront"].act("place-order", count=1))["orders"]
        assert len(await _wait_orders(lab, len(placed))) == 1
        seen = {
            (entry["listener"], entry["operation"])
            for entry in (await lab.tap.journal()).entries
            if entry["type"] == "exchange"
        }
        assert {("inbound-storefront", None), ("erp", "token.create")} <= seen
        assert lab.folder.exists()
        assert len(find_processes(lab.id)) >= 5
    assert lab.deaths == []
    assert find_processes(lab.id) == []
    assert not lab.folder.exists()
    assert read_records() == []


CHAIN = {"shop": "shopify", "books": "netsuite", "pay": "stripe", "depot": "wms"}


@pytest.fixture
def chain(bare):
    """Give a stack of every vendor there is a fake of, under names of its own; the integration has three receivers."""
    receivers = {name: f"/webhooks/{name}" for name in ("shop", "pay", "depot")}
    systems = {name: System(name, fake=fake) for name, fake in CHAIN.items()}
    return replace(bare, systems=systems, integration=replace(bare.integration, webhooks=receivers), handoffs=())


async def test_every_vendor_stands_in_one_lab(chain):
    """Each fake is a process behind the tap with an account of its own, and each receiver is subscribed through the tap."""
    async with _open(chain, with_integration=False) as lab:
        assert set(lab.processes) == {"tap", *(f"fake-{name}" for name in (*CHAIN, "opsdesk"))}
        listeners = {each["name"]: f"http://{each['address']}" for each in await lab.tap.listeners()}
        assert set(listeners) == {*CHAIN, "opsdesk", "inbound-shop", "inbound-pay", "inbound-depot"}
        assert lab.environment["GATEWAY_URL"] == listeners["pay"]
        assert lab.environment["WMS_URL"] == listeners["depot"]
        assert {"GATEWAY_CONTROL_URL", "WMS_CONTROL_URL"} <= lab.published.keys() - lab.environment.keys()
        told = {
            name: {
                (entry["topic"], entry["address"])
                for entry in (await lab.controls[name].journal()).entries
                if entry["type"] == "subscription"
            }
            for name in ("shop", "pay", "depot")
        }
        assert told == {
            "shop": {
                (topic, f"{listeners['inbound-shop']}/webhooks/shop") for topic in ("orders/create", "orders/updated")
            },
            "pay": {("payment_intent.succeeded", f"{listeners['inbound-pay']}/webhooks/pay")},
            "depot": {("order.shipped", f"{listeners['inbound-depot']}/webhooks/depot")},
        }


async def test_accounts_and_goods_are_those_of_the_lab(chain):
    """The variables open the vendors' doors, and shop and warehouse hold the same goods; the warehouse sells no others."""
    async with _open(chain, with_integration=False) as lab:
        key, token = lab.environment["GATEWAY_API_KEY"], lab.environment["WMS_TOKEN"]
        async with httpx2.AsyncClient(trust_env=False) as client:
            paid = await client.get(f"{lab.environment['GATEWAY_URL']}/v1/events", auth=(key, ""))
            order = {"reference": "A-1", "ship_to": {}, "lines": [{"sku": "NO-SUCH-ITEM", "quantity": 1}]}
            bearer = {"Authorization": f"Bearer {token}"}
            refused = await client.post(f"{lab.environment['WMS_URL']}/orders", json=order, headers=bearer)
        assert paid.status_code == 200
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_item")
        levels = {
            (each["sku"], each["location"]): each["available"]
            for each in await lab.controls["shop"].state("inventory_levels")
        }
        stock = {
            (each["sku"], each["location"]): each["available"] for each in await lab.controls["depot"].state("stock")
        }
        assert levels == stock
        assert len(stock) == 2 * len(SKUS)


async def test_labs_stand_side_by_side(stack):
    """What happens in one lab is not seen in another."""
    async with _open(stack, index=0) as one, _open(stack, index=1) as other:
        await one.controls["storefront"].act("place-order", count=1)
        await _wait_orders(one, 1)
        assert await other.controls["erp"].state("sales_orders") == []
        assert not set(one.environment.items()) & {
            (name, value)
            for name, value in other.environment.items()
            if name.endswith(("_URL", "_KEY", "_PORT", "_DIR"))
        }
        assert one.nonce != other.nonce


async def test_a_killed_integration_comes_back_where_it_was(bare, small):
    """Kill, start and restart keep port and data folder; none of them is a death."""
    async with _open(bare, integration_command=small) as lab:
        url, first = lab.integration.url, lab.integration.pid
        kept = _leave_file(lab)
        await lab.integration.kill()
        assert not lab.integration.alive
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{url}/healthz", trust_env=False)
        await lab.integration.start()
        await lab.integration.wait_healthy()
        await lab.integration.restart()
        assert httpx2.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert lab.integration.url == url
        assert lab.integration.pid != first
        assert _exists(kept)
        assert lab.deaths == []


async def test_the_integration_is_told_what_it_needs_and_no_more(stack, small, monkeypatch, tmp_path):
    """Its environment is ours and its variables, without tokens of any control plane; its folder is the caller's."""
    monkeypatch.setenv("DATABASE_URL", "kept")
    monkeypatch.setenv("CONTROL_TOKEN", "of an outer lab")
    monkeypatch.chdir(tmp_path)
    async with _open(stack, integration_command=small) as lab:
        seen = _read_seen(lab)
        assert seen["cwd"] == str(tmp_path)
        assert seen["env"].items() >= lab.environment.items()
        assert seen["env"]["DATABASE_URL"] == "kept"
        assert "CONTROL_TOKEN" not in seen["env"]
        assert lab.environment["HANDOFF_STACK"] == str(STACK_PATH)
        assert lab.published.keys() >= {
            "STOREFRONT_CONTROL_URL",
            "ERP_CONTROL_URL",
            "OPSDESK_CONTROL_URL",
            "CONTROL_TOKEN",
        }


async def test_deaths_nobody_asked_for_are_told_at_once(bare, small):
    """A fake that is killed and an integration that leaves are deaths, in order, each told; an announced end is none."""
    told = []
    async with _open(bare, integration_command=small) as lab:
        lab.deaths.on_death = told.append
        lab.integration.expect_exit()
        psutil.Process(lab.integration.pid).kill()
        assert await lab.integration.wait_exit() == -signal.SIGKILL
        await lab.integration.start()
        await lab.integration.wait_healthy()
        psutil.Process(lab.fakes["opsdesk"].pid).kill()
        async with asyncio.timeout(WITHIN_S):
            first = await lab.deaths.wait()
            with pytest.raises(httpx2.TransportError):
                httpx2.get(f"{lab.integration.url}/leave", trust_env=False)
            second = await lab.deaths.wait(known=1)
        assert (first.role, first.returncode) == ("fake-opsdesk", -signal.SIGKILL)
        assert (second.role, second.returncode) == ("integration", 7)
        assert "SIGKILL" in str(first)
        assert told == [first, second]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("python -c \"import sys; print('reading config'); sys.exit('no database')\"", ["exit code 1", "no database"]),
        ("no-such-command --serve", ["no command 'no-such-command'"]),
    ],
)
async def test_an_integration_that_does_not_come_up_is_told_with_its_words(bare, command, said):
    """The error names what happened and what to do next, and nothing is left behind."""
    with pytest.raises(EnvironmentNotReady) as caught:
        async with _open(bare, integration_command=command):
            pytest.fail("the lab came up")
    assert all(words in caught.value.why for words in said)
    assert caught.value.next_command
    assert caught.value.exit_code == 12
    assert read_records() == []


async def test_an_integration_that_runs_elsewhere_is_left_alone(stack, small):
    """Attached to one lab's integration, another lab leads webhooks to it and refuses to touch it."""
    async with _open(stack, integration_command=small) as owner:
        url = owner.integration.url
        elsewhere = replace(stack, integration=replace(stack.integration, command=(), url=url))
        async with _open(elsewhere) as lab:
            assert (lab.integration.url, lab.integration.owned, lab.integration.pid) == (url, False, None)
            inbound = next(each for each in await lab.tap.listeners() if each["name"] == "inbound-storefront")
            assert url.endswith(inbound["upstream"])
            for touch in (
                lab.integration.kill,
                lab.integration.start,
                lab.integration.restart,
                lab.integration.wait_exit,
            ):
                with pytest.raises(Unsupported, match="attached"):
                    await touch()
        await owner.integration.kill()
        with pytest.raises(EnvironmentNotReady, match="attached integration"):
            await lab.integration.wait_healthy(within_s=0.05)


async def test_a_lab_without_an_integration_keeps_its_place(stack):
    """The port is kept and told, nobody listens there, and whoever starts there gets the webhooks."""
    async with _open(stack, with_integration=False) as lab:
        assert not lab.integration.alive
        assert lab.integration.url.endswith(lab.environment["INTEGRATION_PORT"])
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(lab.integration.url, trust_env=False)


async def test_the_body_of_a_lab_fails_as_itself(bare):
    """An error raised while the lab is open is not mistaken for one of the lab."""
    with pytest.raises(PermissionError):
        async with _open(bare, with_integration=False):
            raise PermissionError("mine")
    assert read_records() == []


@pytest.mark.parametrize("cancels", [1, 2])
async def test_giving_up_while_a_lab_comes_up_leaves_nothing(bare, cancels):
    """Cancelled while it waits for its integration, and again while it goes down, a lab takes down what it had started."""
    calls = asyncio.Queue()

    async def note(_, writer):
        writer.close()
        calls.put_nowait(True)

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        command = ["python", "-c", STUBBORN, str(port)]

        async def bring_up():
            async with _open(bare, integration_command=command):
                pytest.fail("the lab came up")

        task = asyncio.create_task(bring_up())
        for _ in range(cancels):
            async with asyncio.timeout(WITHIN_S):
                await calls.get()
            (record,) = read_records()
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert find_processes(record.id) == []
        assert not any(map(_exists, record.folders))
        # Whatever is still told of processes that ended is not written down any more.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(
            [each for each in others if each.get_name().startswith("watch ")]
            or [asyncio.ensure_future(asyncio.sleep(0))]
        )
        assert read_records() == []


async def test_a_fake_that_does_not_exist_is_told_with_the_nearest(stack):
    """The error names the system, its place and the fakes there are."""
    systems = {**stack.systems, "erp": System("erp", fake="netsuit")}
    with pytest.raises(EnvironmentNotReady, match="did you mean 'netsuite'"):
        async with _open(replace(stack, systems=systems)):
            pytest.fail("the lab came up")


async def test_two_systems_cannot_share_a_fake(stack):
    """A lab holds one of each fake: which of two an integration talks to could not be told apart."""
    systems = {**stack.systems, "outlet": System("outlet", fake="shopify")}
    with pytest.raises(EnvironmentNotReady, match="outlet"):
        async with _open(replace(stack, systems=systems)):
            pytest.fail("the lab came up")


async def test_a_stack_that_names_no_integration_is_told(bare):
    """Neither a command nor a URL: there is nothing to start."""
    nameless = replace(bare, integration=replace(bare.integration, command=()))
    with pytest.raises(EnvironmentNotReady, match="neither its command nor its url"):
        async with _open(nameless):
            pytest.fail("the lab came up")


async def test_a_register_that_cannot_be_written_is_told(bare, monkeypatch, tmp_path):
    """Trouble with the state folder is an environment that is not ready."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(blocked))
    with pytest.raises(EnvironmentNotReady, match="the lab"):
        async with _open(bare):
            pytest.fail("the lab came up")
