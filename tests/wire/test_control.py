"""The tap's control plane over HTTP, through the lab's client."""

import json

import httpx2
import pytest

from harness.lab.authority import make_authority
from harness.lab.errors import ControlError, ControlUnreachable
from harness.lab.tap import TapClient
from harness.wire.rules import Rule
from harness.wire.signals import Signal
from wire.process import TOKEN, listen
from wire.stands import Client, Origin, answer_ok, run, unused_address


def play(wire, scene):
    """Play a scene with a client of the tap, and leave nothing behind."""

    async def whole():
        async with TapClient(wire.control_url, TOKEN) as tap:
            try:
                await scene(tap)
            finally:
                for listener in await tap.listeners():
                    await tap.remove_listener(listener["name"])
                await tap.reset()

    run(whole)


def call(wire, method, path, body=None):
    """Call the control plane with its token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx2.request(method, wire.control_url + path, json=body, headers=headers, trust_env=False)


def test_a_listener_is_added_shown_changed_and_removed(wire):
    """What goes in comes out, with the address it got."""

    async def scene(tap):
        wanted = {
            "name": "erp",
            "system": "netsuite",
            "direction": "outbound",
            "upstream": "127.0.0.1:9",
            "routes": [{"operation": "read", "method": "GET", "path": "/a/[0-9]+"}],
        }
        added = await tap.add_listener(**wanted)
        assert added["address"].startswith("127.0.0.1:")
        assert added == wanted | {"relay": "http", "address": added["address"], "accepting": True}
        assert await tap.listeners() == [added]
        changed = await tap.change_listener("erp", upstream="127.0.0.1:8", accepting=False)
        assert changed == added | {"upstream": "127.0.0.1:8", "accepting": False}
        assert await tap.remove_listener("erp") == changed
        assert await tap.listeners() == []

    play(wire, scene)


def test_a_front_is_added_and_its_keys_are_not_shown(wire):
    """Where it leads and for which hosts it has certificates comes out, chains and keys do not."""

    async def scene(tap):
        await listen(tap, "gateway", unused_address())
        certificate = make_authority().issue(["api.stripe.com"])
        front = await tap.add_front(
            "front", hosts={"api.stripe.com": "gateway"}, tls={"certificates": [certificate.as_body()]}
        )
        assert front["hosts"] == {"api.stripe.com": "gateway"}
        assert front["tls"] == {"certificates": [{"hosts": ["api.stripe.com"]}], "passthrough": None}
        assert "BEGIN" not in json.dumps(await tap.listeners())
        with pytest.raises(ControlError, match="leads to other listeners; name one of gateway"):
            await tap.change_listener("front", upstream="127.0.0.1:9")
        await tap.remove_listener("front")
        await tap.remove_listener("gateway")

    play(wire, scene)


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        ({}, "expected either upstream, or hosts with the listener of each"),
        ({"upstream": "127.0.0.1:9", "hosts": {"a": "b"}}, "expected either upstream, or hosts"),
        ({"upstream": "127.0.0.1:9"}, "expected system and direction beside upstream"),
        ({"hosts": {"a": "nobody"}}, "hosts.a: unknown name 'nobody'"),
        (
            {"upstream": "127.0.0.1:9", "system": "s", "direction": "outbound"}
            | {"tls": {"certificates": [{"hosts": ["a"], "chain_pem": "SECRET", "key_pem": "SECRET"}]}},
            "tls.certificates.0: ",
        ),
        ({"tls": {"certificates": [{"hosts": [], "chain_pem": "SECRET", "key_pem": 7}]}}, "tls.certificates.0.key_pem"),
    ],
)
def test_what_is_wrong_with_a_listener_is_told_without_its_key(wire, more, detail):
    """Located, and never with what stood there."""
    answer = call(wire, "POST", "/listeners", {"name": "x", **more})
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]
    assert "SECRET" not in answer.text


def test_a_rule_leaves_its_receipt_in_the_journal(wire):
    """Armed by HTTP, hit by a client, read back with its hits and the entry from which on it acts."""

    async def scene(tap):
        async with Origin(answer_ok) as origin:
            listener = await listen(tap, "erp", origin.address)
            armed = await tap.arm_rule(Rule("a/b", "erp", "refuse", entities={"#1": ("7",)}, attempts=(1,)))
            client = await Client.connect(listener["address"])
            client.post("/", b"7")
            assert await client.end() == "reset"
            await client.close()
            page = await tap.journal(after=armed["armed_seq"], wait=5)
            assert [entry["type"] for entry in page.entries] == ["exchange_open", "exchange"]
            assert page.entries[1]["rule"] == "a/b"
            assert (await tap.rules())[0]["hits"] == 1
            assert (await tap.lift_rule("a/b"))["hits"] == 1
            assert await tap.lift_rules() == []
            assert page.epoch == (await tap.healthz())["epoch"]

    play(wire, scene)


def test_reset_lifts_everything_and_keeps_the_listeners(wire):
    """Rules and signals go, the journal is empty, a closed listener accepts again."""

    async def scene(tap):
        async with Origin(answer_ok) as origin:
            listener = await listen(tap, "erp", origin.address)
            await tap.arm_rule(Rule("f1", "erp", "refuse"))
            await tap.signal(Signal("s1", "erp", 4_000_000, "KILL"))
            await tap.change_listener("erp", accepting=False)
            await tap.reset()
            client = await Client.connect(listener["address"])
            assert await client.ask("/") == 200
            await client.close()
            page = await tap.journal()
            assert [entry["seq"] for entry in page.entries] == [1]
            with pytest.raises(ControlError) as refused:
                await tap.lift_signal("s1")
            assert refused.value.status == 404

    play(wire, scene)


def test_the_client_says_when_nobody_answers():
    """A tap that is not there is `ControlUnreachable`."""

    async def scene():
        async with TapClient(f"http://{unused_address()}", "t") as tap:
            with pytest.raises(ControlUnreachable):
                await tap.healthz()

    run(scene)


LISTENER = {"name": "l", "system": "s", "direction": "outbound", "upstream": "127.0.0.1:9"}
RULE = {"id": "r", "listener": "nowhere", "upstream": "refuse"}
SIGNAL = {"id": "s", "listener": "nowhere", "pid": 4711, "signal": "KILL", "when": "response_head"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/listeners", {}, 422),
        ("POST", "/listeners", LISTENER | {"name": "a/b"}, 422),
        ("POST", "/listeners", LISTENER | {"direction": "sideways"}, 422),
        ("POST", "/listeners", LISTENER | {"upstream": "nowhere"}, 422),
        ("POST", "/listeners", LISTENER | {"upstream": "127.0.0.1:0"}, 422),
        ("POST", "/listeners", LISTENER | {"routes": [{"operation": "o", "method": "GET", "path": "("}]}, 422),
        ("POST", "/listeners", LISTENER | {"fd": 0}, 422),
        ("POST", "/listeners", LISTENER | {"fd": 9999}, 422),
        ("POST", "/listeners", LISTENER | {"address": "192.0.2.1:1"}, 422),
        ("POST", "/listeners", LISTENER | {"upstream": "192.0.2.1:80"}, 422),
        ("PATCH", "/listeners/none", {"upstream": "192.0.2.1:80"}, 422),
        ("POST", "/rules", RULE | {"upstream": "192.0.2.1:80"}, 422),
        ("POST", "/listeners", LISTENER | {"address": "nonsense"}, 422),
        ("POST", "/listeners", [], 400),
        ("PATCH", "/listeners/none", {"accepting": True}, 404),
        ("DELETE", "/listeners/none", None, 404),
        ("POST", "/rules", RULE, 404),
        ("POST", "/rules", RULE | {"attempts": [0]}, 422),
        ("POST", "/rules", RULE | {"ttl_s": 3601}, 422),
        ("POST", "/rules", RULE | {"ttl_s": 0}, 422),
        ("POST", "/rules", RULE | {"entities": {"#1": []}}, 422),
        ("POST", "/rules", RULE | {"upstream": "x"}, 422),
        ("DELETE", "/rules/none", None, 404),
        ("POST", "/signals", SIGNAL, 404),
        ("POST", "/signals", SIGNAL | {"pid": 1}, 422),
        ("POST", "/signals", SIGNAL | {"signal": "NOPE"}, 422),
        ("POST", "/signals", SIGNAL | {"when": "later"}, 422),
        ("POST", "/signals", SIGNAL | {"nth": 0}, 422),
        ("DELETE", "/signals/none", None, 404),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_problem_document(wire, method, path, body, status):
    """Wrong input is located, never a server error."""
    answer = call(wire, method, path, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_an_address_in_use_is_refused_and_leaves_nothing(wire):
    """A second listener on a port that is taken is a located error, and its name stays free."""

    async def scene(tap):
        first = await listen(tap, "one", "127.0.0.1:9")
        refused = call(wire, "POST", "/listeners", LISTENER | {"name": "two", "address": first["address"]})
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("address: ")
        with pytest.raises(ControlError) as taken:
            await listen(tap, "one", "127.0.0.1:9")
        assert taken.value.status == 409
        await listen(tap, "two", "127.0.0.1:9")

    play(wire, scene)


def test_every_call_is_described(wire):
    """The OpenAPI document lists the calls of the contract."""
    paths = call(wire, "GET", "/openapi.json").json()["paths"]
    assert {"/healthz", "/journal", "/reset", "/listeners", "/rules", "/signals"} <= set(paths)
