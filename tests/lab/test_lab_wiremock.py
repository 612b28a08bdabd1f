"""Systems that mappings play: the lab's WireMock, the fakes in front of it, and what happens where it cannot be had."""

import asyncio
import json
import os
import shutil
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from harness.core.loading import load_stack
from harness.core.stack import System
from harness.core.witnesses import list_disagreements, pair_calls
from harness.lab.embedded import open_embedded_lab
from harness.lab.errors import ControlUnreachable, EnvironmentNotReady
from harness.lab.layout import choose_vendors
from harness.lab.ports import Address
from harness.lab.tools import WIREMOCK_VARIABLE, find_wiremock
from harness.lab.wiremock import SERVE_OPTIONS, Programs, build_wiremock, find_mappings, find_programs
from tests.programs import NOT_HERE

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "scenarios" / "slice.yaml"
QUOTE = {
    "name": "tax.quote",
    "request": {"method": "POST", "urlPath": "/v2/taxes"},
    "response": {"status": 200, "jsonBody": {"rate": "0.19"}},
}

# How the tap says that a call with a fault of the connection ended for the client.
SOCKET_ENDS = {
    "empty_response": "closed",
    "malformed_chunk": "closed",
    "random_then_close": "closed",
    "connection_reset": "reset",
}

lacking = find_programs()
needs_wiremock = pytest.mark.skipif(isinstance(lacking, str), reason=f"{NOT_HERE}{lacking}")


@pytest.fixture
def bare():
    """Give a stack without vendors: only the ops desk and the tap stand around the place of the integration."""
    stack = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
    return replace(stack, systems={}, handoffs=(), integration=replace(stack.integration, webhooks={}))


def with_systems(bare, **folders):
    """Give the stack systems that mappings play."""
    return replace(bare, systems={name: System(name, wiremock=str(folder)) for name, folder in folders.items()})


def write_mapping(folder, document, name="quote.json"):
    """Write a mapping and answer its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return folder


def open_lab(stack, **given):
    """Open a lab without an integration."""
    return open_embedded_lab(stack, stack_path=STACK_PATH, run_id="mapped", with_integration=False, **given)


@needs_wiremock
async def test_carrier_and_crm_share_one_wiremock(bare):
    """Both are fakes like any other to the lab, behind one WireMock, each with its own calls, token and journal."""
    stack = with_systems(bare, carrier="fakes/carrier", crm="fakes/crm")
    async with open_lab(stack) as lab, httpx2.AsyncClient() as client:
        assert lab.absent == {}
        assert [role for role in lab.processes if role == "wiremock"] == ["wiremock"]
        assert [operation["name"] for operation in (await lab.controls["crm"].catalogue())["operations"]] == [
            "contact.upsert",
            "contact.read",
        ]
        await lab.controls["carrier"].seed(entities=[{"name": "#1001", "aliases": ["1001"]}])
        address = lab.environment["CARRIER_URL"]
        headers = {"Authorization": f"Bearer {lab.environment['CARRIER_TOKEN']}", "Idempotency-Key": "k"}
        parcel = {"reference": "#1001-1", "order": "#1001", "to": {"country": "DE"}, "parcels": [{"weight_g": 400}]}
        answer = await client.post(f"{address}/v1/labels", json=parcel, headers=headers)
        assert answer.status_code == 201
        other = {"Authorization": f"Bearer {lab.environment['CRM_TOKEN']}"}
        assert (await client.post(f"{address}/v1/labels", json=parcel, headers=other)).status_code == 401
        (label,) = await lab.controls["carrier"].state("labels")
        assert (label["id"], label["entity"]) == (answer.json()["id"], "#1001")
        assert await lab.controls["crm"].state("contacts") == []
        seen = [entry for entry in (await lab.tap.journal()).entries if entry["type"] == "exchange"]
        assert [(entry["operation"], entry["status"]) for entry in seen] == [
            ("label.create", 201),
            ("label.create", 401),
        ]


@needs_wiremock
async def test_a_folder_of_anybodys_plugs_in(bare, tmp_path):
    """A folder with one plain mapping is a system: its operation by the mapping's name, faults, and calls of orders."""
    stack = with_systems(bare, tax=write_mapping(tmp_path / "tax", QUOTE))
    async with open_lab(stack) as lab, httpx2.AsyncClient() as client:
        tax = lab.controls["tax"]
        await tax.seed(entities=[{"name": "#1001", "aliases": ["1001"]}])
        await tax.arm({"id": "f1", "kind": "status", "params": {"status": 503}, "entities": ["#1001"], "attempts": [1]})
        url = f"{lab.environment['TAX_URL']}/v2/taxes"
        statuses = [
            (await client.post(url, json={"order": order})).status_code for order in ("#1002", "#1001", "#1001")
        ]
        assert statuses == [200, 503, 200]
        entries = (await tax.journal()).entries
        calls = [entry for entry in entries if entry["type"] == "exchange"]
        assert [(call["operation"], call["entity"], call["faults"]) for call in calls] == [
            ("tax.quote", None, []),
            ("tax.quote", "#1001", ["f1"]),
            ("tax.quote", "#1001", []),
        ]


@needs_wiremock
async def test_a_fake_ends_when_wiremock_is_gone(bare, tmp_path):
    """Where WireMock was killed its fakes do not answer in its place: they end, and their journals with them."""
    stack = with_systems(bare, tax=write_mapping(tmp_path / "tax", QUOTE))
    async with open_lab(stack) as lab, httpx2.AsyncClient() as client:
        url = f"{lab.environment['TAX_URL']}/v2/taxes"
        assert (await client.post(url, json={})).status_code == 200
        os.kill(lab.processes["wiremock"].pid, signal.SIGKILL)
        assert (await lab.deaths.wait()).role == "wiremock"
        assert (await client.post(url, json={})).status_code == 502
        assert (await lab.deaths.wait(known=1)).role == "fake-tax"
        with pytest.raises(ControlUnreachable):
            await lab.controls["tax"].healthz()


@needs_wiremock
async def test_both_witnesses_agree(bare, tmp_path):
    """Tap and fake pair call by call, also many at once, and differ on nothing but what a fault explains."""
    stack = with_systems(bare, tax=write_mapping(tmp_path / "tax", QUOTE))
    async with open_lab(stack) as lab, httpx2.AsyncClient() as client:
        tax, url = lab.controls["tax"], f"{lab.environment['TAX_URL']}/v2/taxes"
        orders = [f"#{number}" for number in range(1001, 1013)]
        await tax.seed(entities=[{"name": order, "aliases": [order[1:]]} for order in orders])
        kinds = ["status", "malformed", "lost_response", *SOCKET_ENDS]
        params = {"status": {"status": 503}, "malformed": {"mutation": "html"}, "lost_response": {"how": "reset"}}
        for kind, order in zip(kinds, orders, strict=False):
            fault = {"id": kind, "kind": kind, "params": params.get(kind, {}), "entities": [order], "attempts": [1]}
            await tax.arm(fault)

        async def call(order):
            with suppress(httpx2.TransportError):
                await client.post(url, json={"order": order})

        for _ in range(3):
            await asyncio.gather(*(call(order) for order in orders))
        seen = [entry for entry in (await lab.tap.journal()).entries if entry["type"] == "exchange"]
        told = [entry for entry in (await tax.journal()).entries if entry["type"] == "exchange"]
        pairs = pair_calls(seen, told)
        assert len(pairs) == 36
        assert all(pair.tap and pair.fake for pair in pairs)
        assert list_disagreements(pairs, since=0.0) == ()
        ends = {pair.fake["faults"][0]: pair.tap["end"] for pair in pairs if pair.fake["faults"]}
        assert ends == {"status": "complete", "malformed": "complete", "lost_response": "reset", **SOCKET_ENDS}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"request": {},\n "response": }', r"quote\.json:2:14: is not valid JSON"),
        ('{"response": {"status": 200}}', r"quote\.json:1:1: the mapping has no request"),
        ('{"mappings": [{"request": {}},\n  {"response": {}}]}', r"quote\.json:2:3: mappings\[1\] has no request"),
    ],
)
@needs_wiremock
async def test_a_mapping_that_cannot_be_served_is_told_with_its_place(bare, tmp_path, content, said):
    """What is wrong with a mapping is told with file, line and column, and no lab comes up."""
    stack = with_systems(bare, tax=write_mapping(tmp_path / "tax", content))
    with pytest.raises(EnvironmentNotReady, match=said):
        async with open_lab(stack):
            pytest.fail("the lab came up")


@needs_wiremock
async def test_a_mapping_that_wiremock_refuses_is_told_in_its_words(bare, tmp_path):
    """WireMock's own refusal reaches the user, with the mapping's place."""
    document = {"request": {"method": "GET", "urlPath": "/", "nonsense": True}, "response": {}}
    stack = with_systems(bare, tax=write_mapping(tmp_path / "tax", document))
    with pytest.raises(EnvironmentNotReady, match=r"quote\.json:1:1: WireMock refuses it: .*nonsense"):
        async with open_lab(stack):
            pytest.fail("the lab came up")


async def test_a_folder_that_is_not_there_is_told_with_its_place(bare, tmp_path):
    """A folder that is nowhere is told with the place in the stack and everywhere it was looked for."""
    stack = with_systems(bare, tax="mappings/tax")
    with pytest.raises(EnvironmentNotReady, match=r"'mappings/tax'.*scenarios/mappings/tax.*\n  next: mkdir"):
        async with open_lab(stack):
            pytest.fail("the lab came up")


async def test_without_wiremock_its_systems_are_absent_aloud(bare, monkeypatch, tmp_path):
    """Without the jar a lab comes up all the same, says why the system is absent and what gets it."""
    monkeypatch.setenv(WIREMOCK_VARIABLE, str(tmp_path / "none.jar"))
    async with open_lab(with_systems(bare, carrier="fakes/carrier")) as lab:
        assert "carrier" not in lab.controls
        assert "CARRIER_URL" not in lab.environment
        assert lab.absent["carrier"].endswith("next: make wiremock")


def test_without_java_the_command_that_gets_it_is_told(monkeypatch, tmp_path):
    """Java is asked for before the jar, since the jar is nothing without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(find_programs()).endswith("next: apt-get install default-jre-headless")


def test_mappings_are_looked_for_beside_the_stack_first(monkeypatch, tmp_path):
    """A folder beside the stack file wins over one in the current folder, and that over one that is installed."""
    system = System("carrier", wiremock="fakes/carrier")
    monkeypatch.chdir(tmp_path)
    assert find_mappings(system, tmp_path / "shop" / "stack.yaml") == ROOT / "fakes" / "carrier"
    here = tmp_path / "fakes" / "carrier"
    here.mkdir(parents=True)
    assert find_mappings(system, tmp_path / "shop" / "stack.yaml") == here
    beside = tmp_path / "shop" / "fakes" / "carrier"
    beside.mkdir(parents=True)
    assert find_mappings(system, tmp_path / "shop" / "stack.yaml") == beside


def test_a_mapped_system_cannot_take_the_variables_of_another(bare):
    """`TAP_CONTROL_URL` is the tap's: a system of that name could not be told apart from it."""
    with pytest.raises(EnvironmentNotReady, match="the variable TAP_URL has another meaning"):
        choose_vendors(with_systems(bare, tap=ROOT / "fakes" / "carrier"))


def test_wiremock_keeps_a_bounded_journal_and_listens_on_loopback_alone(tmp_path):
    """Its journal is on, so that a person can look, and bounded, so that a long run does not fill its memory."""
    program = build_wiremock(Programs(Path("java"), Path("w.jar")), Address("127.0.0.1", 8099), tmp_path)
    line = " ".join(program.argv)
    assert "--bind-address 127.0.0.1" in line
    assert "--max-request-journal-entries" in SERVE_OPTIONS
    assert "--no-request-journal" not in line


def test_an_archive_of_classes_is_used_where_there_is_one(tmp_path):
    """Beside the jar it is mapped in; where there is none Java is not told of any, which would cost it its own."""
    programs = Programs(Path("java"), tmp_path / "w.jar")
    (tmp_path / "without").mkdir()
    without = build_wiremock(programs, Address("127.0.0.1", 8099), tmp_path / "without")
    (tmp_path / "w.jsa").touch()
    shared = f"-XX:SharedArchiveFile={tmp_path / 'w.jsa'}"
    assert not any(word.startswith("-XX:SharedArchiveFile") for word in without.argv)
    assert shared in build_wiremock(programs, Address("127.0.0.1", 8099), tmp_path).argv


@pytest.mark.skipif(
    find_wiremock() is None or shutil.which("java") is None, reason=f"{NOT_HERE}Java, or WireMock's jar"
)
def test_what_is_on_this_machine_is_found():
    """Where Java and the jar are there, both are found."""
    assert isinstance(find_programs(), Programs)
