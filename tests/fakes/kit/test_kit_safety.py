"""What a fake does not do: take orders from strangers, call machines that nobody allowed, take keys to real accounts."""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING

import httpx2
import pytest

from fakes.kit.livekeys import LAB_MARK, find_live_key
from fakes.kit.reach import NotAllowedError, Reach, read_reach
from tests.fakes.conftest import start_fake

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

AWAY = "203.0.113.7"
VENDORS = ("fakes.storefront", "fakes.erp", "fakes.gateway", "fakes.wms", "fakes.opsdesk", "harness.wire")


@pytest.mark.parametrize("module", VENDORS)
def test_every_call_of_every_control_plane_needs_the_token(module: str) -> None:
    """Whatever is described is refused without it, as a web page, and under a foreign name; only health is anybody's."""
    with start_fake(module) as fake:
        described = fake.control.get("/openapi.json").json()["paths"]
        url = fake.address["control_url"]
        calls = [(method.upper(), path) for path, methods in described.items() for method in methods]
        assert len(calls) >= 8
        for method, path in [*calls, ("HEAD", "/journal")]:
            asked = f"{url}{path.replace('{', '').replace('}', '')}"
            answer = httpx2.request(method, asked)
            expected = 200 if path == "/healthz" else 401
            assert (method, path, answer.status_code) == (method, path, expected)
            if expected == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        for headers, status in (
            ({"Origin": "https://shop.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Host": "rebound.example"}, 421),
            ({"Host": f"rebound.example:{fake.port}"}, 421),
        ):
            for path in ("/healthz", "/journal"):
                assert fake.control.get(path, headers=headers).status_code == status
        for host in ("localhost", "127.0.0.1:1", "[::1]:9", "fake-erp:8081"):
            assert fake.control.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("address", [f"http://{AWAY}/hooks", "http://[2001:db8::1]:80/", "https://0.0.0.0/x"])
def test_webhooks_are_not_seeded_to_machines_elsewhere(storefront: RunningFake, address: str) -> None:
    """The refusal names the option that allows it."""
    answer = storefront.control.post("/seed", json={"webhooks": [{"topic": "orders/create", "address": address}]})
    assert answer.status_code == 422
    assert "--allow-host" in answer.json()["detail"]
    assert storefront.state("webhooks") == []


def test_what_an_integration_subscribes_elsewhere_is_not_sent(toy: RunningFake) -> None:
    """The vendor takes any address, as the real one does; the lab does not go there, once, and says so."""
    toy.seed(settings={"address": f"http://{AWAY}:9/hooks"}, entities=[{"name": "#1", "aliases": ["411001"]}])
    toy.client.post("/notes", json={"text": "411001"})
    [entry] = toy.wait_for(lambda entry: entry["type"] == "delivery", count=1)
    assert (entry["error"], entry["outcome"], entry["attempt"]) == ("not_allowed", "gave_up", 1)


def test_names_are_looked_up_and_what_they_stand_for_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may mean this machine now and another one next: what was looked at is what is connected to."""
    meanings = iter(["127.0.0.1", AWAY, AWAY])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(meanings), 80))])
    reach = Reach(hosts=["staging.example"])
    assert reach.resolve_now("rebound.example", 80) == ["127.0.0.1"]
    with pytest.raises(NotAllowedError, match=f"rebound.example, which is {AWAY}, .* --allow-host rebound.example"):
        reach.resolve_now("rebound.example", 80)
    assert reach.resolve_now("Staging.Example", 80) == [AWAY]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True), ("172.28.3.4", True),
        ("172.29.0.1", False), ("10.0.0.1", False), ("0.0.0.0", False), ("169.254.169.254", False), (AWAY, False),
        ("::ffff:8.8.8.8", False), ("fe80::1%eth0", False), ("2130706433", False),
    ],
)  # fmt: skip
def test_addresses_of_this_machine_and_of_the_labs_network(address: str, allowed: bool) -> None:
    """Loopback and the networks named, and nothing that merely looks like them."""
    assert read_reach({"HANDOFF_LAB_NETWORK": "172.28.0.0/16"}).allows(address) is allowed


def test_the_own_networks_of_a_container_are_the_labs() -> None:
    """``own`` stands for the private networks the process has an interface in; loopback is one of any machine's."""
    assert read_reach({"HANDOFF_LAB_NETWORK": "own"}).allows("127.0.0.1")
    assert not read_reach({"HANDOFF_LAB_NETWORK": "own"}).allows(AWAY)


def test_hosts_are_allowed_for_a_fake_that_runs() -> None:
    """``POST /hosts`` is how a run passes --allow-host on."""
    with start_fake("fakes.storefront") as fake:
        assert fake.control.post("/hosts", json={"allow": [AWAY]}).json() == {"allowed": [AWAY]}
        fake.seed(webhooks=[{"topic": "orders/create", "address": f"http://{AWAY}/hooks"}])


LIVE = {
    "Bearer sk_" + "live_51Habcdefgh": "authorization",
    "Basic " + base64.b64encode(("rk_" + "live_51Habcdefgh:").encode()).decode(): "authorization",
    "shpat_" + "0123456789abcdef" * 2: "x-shopify-access-token",
    "AKIA" + "IOSFODNN7EXAMPLE": "x-api-key",
}


@pytest.mark.parametrize(("value", "header"), LIVE.items(), ids=["stripe", "stripe-login", "shopify", "aws"])
def test_a_call_with_a_key_to_a_real_account_is_turned_away(toy: RunningFake, value: str, header: str) -> None:
    """The vendor answers as to a wrong key, nothing is carried out, and the journal tells all but the key."""
    answer = toy.client.post("/notes", json={"text": "x"}, headers={header: value})
    assert (answer.status_code, toy.state("notes")) == (401, [])
    [found] = toy.journal("credential")
    [exchange] = toy.journal("exchange")
    assert (found["header"], found["exchange"]) == (header, exchange["id"])
    assert value.rpartition(" ")[2] not in json.dumps(toy.journal())
    assert found["shown"] in ("sk_live_", "rk_live_", "shpat_", "AKIA")


@pytest.mark.parametrize(
    "text",
    [
        "sk_test_51Habcdefgh",
        f"shpat_{LAB_MARK}{'0' * 24}",
        "shpat_handoff",
        "whsec_0123456789abcdef",
        "wms_" + "0" * 32,
        "",
    ],
)
def test_keys_of_a_lab_are_none_of_those(text: str) -> None:
    """Test keys, and tokens with a lab's mark, open nothing real."""
    assert find_live_key(text) is None
