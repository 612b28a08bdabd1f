"""Labels at the carrier: bought, bought again, voided, found and tracked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.carrier.conftest import code_of

if TYPE_CHECKING:
    from tests.fakes.carrier.conftest import Carrier


def test_a_label_is_bought(carrier: Carrier) -> None:
    """The label has what was asked for, a tracking number and a price by weight."""
    label = carrier.buy()
    assert {name: label[name] for name in ("reference", "order", "service", "status", "weight_g", "cost")} == {
        "reference": "#411001-1",
        "order": "#411001",
        "service": "standard",
        "status": "purchased",
        "weight_g": 1200,
        "cost": {"amount": "5.10", "currency": "EUR"},
    }
    assert label["id"].startswith("lbl_")
    assert label["tracking"] in label["tracking_url"]


def test_the_same_key_is_the_same_label(carrier: Carrier) -> None:
    """A key that was used gives its label again, whatever else the call says, and nothing is bought."""
    label = carrier.buy(key="k1")
    again = carrier.post("#411001-2", key="k1")
    assert (again.status_code, again.json(), again.headers["Idempotent-Replayed"]) == (201, label, "true")
    assert len(carrier.fake.state("labels")) == 1


@pytest.mark.parametrize("key", ["k2", None])
def test_another_key_buys_a_second_label(carrier: Carrier, key: str | None) -> None:
    """A new key, or none at all, buys another label for the same reference: this is how one pays twice."""
    first, second = carrier.buy(key=key and "k1"), carrier.buy(key=key)
    assert first["id"] != second["id"]
    assert first["tracking"] != second["tracking"]
    assert [label["reference"] for label in carrier.fake.state("labels")] == ["#411001-1", "#411001-1"]


def test_a_label_is_voided_once(carrier: Carrier) -> None:
    """A voided label says so everywhere, and cannot be voided again."""
    label = carrier.buy()
    answer = carrier.void(label)
    assert (answer.status_code, answer.json()) == (200, {**label, "status": "voided"})
    assert code_of(carrier.void(label)) == (409, "label_already_voided")
    assert carrier.client.get(f"/v1/labels/{label['id']}").json()["status"] == "voided"
    assert carrier.client.get(f"/v1/trackings/{label['tracking']}").json()["status"] == "cancelled"
    assert carrier.post().json()["status"] == "voided"


def test_labels_are_found_by_reference(carrier: Carrier) -> None:
    """After a lost answer a client asks for what it wanted: every label of that reference, and of no other."""
    first, second = carrier.buy(key="k1"), carrier.buy(key="k2")
    carrier.buy("#411002-1", key="k3")
    found = carrier.client.get("/v1/labels", params={"reference": "#411001-1"}).json()
    assert found == {"labels": [first, second]}
    assert carrier.client.get("/v1/labels", params={"reference": "#9-1"}).json() == {"labels": []}
    assert code_of(carrier.client.get("/v1/labels")) == (422, "validation_failed")


def test_a_parcel_is_tracked(carrier: Carrier) -> None:
    """A tracking number leads to its label and reference."""
    label = carrier.buy()
    assert carrier.client.get(f"/v1/trackings/{label['tracking']}").json() == {
        "tracking": label["tracking"],
        "label": label["id"],
        "reference": "#411001-1",
        "status": "pre_transit",
        "tracking_url": label["tracking_url"],
    }


@pytest.mark.parametrize("path", ["/v1/labels/lbl_none", "/v1/trackings/1Z", "/v2/labels", "/"])
def test_what_is_not_there_is_not_found(carrier: Carrier, path: str) -> None:
    """Unknown ids and paths are 404 in the carrier's own words."""
    assert code_of(carrier.client.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    "more",
    [
        {"reference": ""},
        {"order": None},
        {"to": {"country": "Germany"}},
        {"to": {}},
        {"parcels": []},
        {"parcels": [{"weight_g": 0}]},
        {"parcels": [{"weight_g": 100}, {}]},
    ],
)
def test_what_a_label_needs_is_required(carrier: Carrier, more: dict[str, Any]) -> None:
    """Reference, order, country and the weight of every parcel have to be there, and nothing is bought without."""
    assert code_of(carrier.post(**{"reference": "#411001-1", **more})) == (422, "validation_failed")
    assert carrier.fake.state("labels") == []


def test_a_body_that_is_no_json_is_refused(carrier: Carrier) -> None:
    """What cannot be read is not valid."""
    assert code_of(carrier.client.post("/v1/labels", content=b"{")) == (422, "validation_failed")


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Bearer carrier_handoff2", "carrier_handoff", ""])
def test_calls_carry_the_token(carrier: Carrier, token: str | None) -> None:
    """Without the right token nothing is answered, and nothing bought."""
    headers = {} if token is None else {"Authorization": token}
    with httpx2.Client(base_url=carrier.fake.url, headers=headers) as client:
        for answer in (client.post("/v1/labels", json={}), client.get("/v1/labels/x"), client.get("/nowhere")):
            assert code_of(answer) == (401, "unauthorized")


def test_calls_are_attributed_to_their_order(carrier: Carrier) -> None:
    """Every call names its order: by order or reference, by the label it is about, or by the parcel."""
    carrier.know("#411001", "#411002")
    label = carrier.buy("#411001-1")
    carrier.buy("#411002-1", key="k2")
    carrier.client.get("/v1/labels", params={"reference": "#411001-1"})
    carrier.client.get(f"/v1/labels/{label['id']}")
    carrier.client.get(f"/v1/trackings/{label['tracking']}")
    carrier.void(label)
    seen = [(call["operation"], call["entity"], call["key"]) for call in carrier.fake.journal("exchange")]
    assert seen == [
        ("label.create", "#411001", "k1"),
        ("label.create", "#411002", "k2"),
        ("label.search", "#411001", None),
        ("label.read", "#411001", None),
        ("tracking.read", "#411001", None),
        ("label.void", "#411001", None),
    ]
    changes = [
        (change["action"], change["entity"], change["record"]["status"]) for change in carrier.fake.journal("change")
    ]
    assert changes == [
        ("created", "#411001", "purchased"),
        ("created", "#411002", "purchased"),
        ("updated", "#411001", "voided"),
    ]


def test_ids_are_never_used_twice(carrier: Carrier) -> None:
    """After a reset, what was bought is gone, and calls without a key get ids nobody had."""
    before = carrier.buy(key=None)
    carrier.fake.reset()
    assert carrier.client.get(f"/v1/labels/{before['id']}").status_code == 404
    assert carrier.buy(key=None)["id"] != before["id"]


def test_of_many_who_void_one_label_one_does(carrier: Carrier) -> None:
    """Whoever voids at the same time as others finds it voided already: one of them did it, and one change tells."""
    label = carrier.buy()
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(lambda _: carrier.void(label), range(16)))
    assert statuses == [200] + [409] * 15
    assert [change["action"] for change in carrier.fake.journal("change")] == ["created", "updated"]


def test_of_many_who_buy_with_one_key_all_get_one_label(carrier: Carrier) -> None:
    """Calls with one key at the same time are one purchase."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: carrier.post(), range(16)))
    assert {answer.json()["id"] for answer in answers} == {carrier.fake.state("labels")[0]["id"]}
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 15
    assert len(carrier.fake.journal("change")) == 1
