"""Replaying dead letters: by the way they failed, exactly once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from reference_service import make_order
from reference_vendors import UNAVAILABLE, refusal
from starlette.responses import Response

LOCKED = refusal(400, "USER_ERROR", "This record has been locked by a user defined workflow.")


def replay(service, letter):
    """Replay a dead letter and return the status of the answer."""
    return service.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code


@pytest.fixture
def letter(service, vendors):
    """Leave the dead letter of an order that failed three times and would be taken now."""
    vendors.plan["SHP-1001"] = [LOCKED] * 3
    service.deliver(make_order(1001))
    return service.await_that(lambda: service.letters(handoff="order-to-erp"))[0]


def test_a_replayed_order_is_posted_once(service, vendors, letter):
    """Of several replays at the same time one is taken, the others refused, and the order is sent once more."""
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda _: replay(service, letter), range(4)))
    vendors.wait(lambda: vendors.records["SHP-1001"])

    assert statuses == [202, 409, 409, 409]
    assert len(vendors.puts("SHP-1001")) == 4
    assert [row["state"] for row in service.letters()] == ["replayed"]
    assert replay(service, letter) == 409


def test_a_replay_that_fails_again_is_a_new_dead_letter(service, vendors, letter):
    """A replay is a run of its own, with all its attempts, at the end of which the order is parked anew."""
    vendors.plan["SHP-1001"] = [UNAVAILABLE] * 3
    assert replay(service, letter) == 202
    service.await_that(lambda: len(service.letters()) == 2)

    assert [(row["state"], row["code"], row["attempts"]) for row in service.letters()] == [
        ("replayed", "USER_ERROR", 3),
        ("waiting", "UNEXPECTED_ERROR", 3),
    ]


def test_an_episode_ends_with_its_last_dead_letter(service, vendors):
    """After three were escalated and all replayed, three more are escalated by a new alert."""
    for round_ in (1000, 2000):
        for number in range(round_ + 1, round_ + 4):
            vendors.plan[f"SHP-{number}"] = [LOCKED] * 3
            service.deliver(make_order(number))
        waiting = service.await_that(lambda: (rows := service.letters(state="waiting")) and len(rows) == 3 and rows)
        vendors.wait(lambda expected=round_ // 1000: len(vendors.events) == expected)
        assert [replay(service, letter) for letter in waiting] == [202] * 3
        vendors.wait(lambda first=round_: all(vendors.records[f"SHP-{first + index}"] for index in (1, 2, 3)))

    assert len({event["dedup_key"] for event in vendors.events}) == 2


def test_an_unreadable_webhook_is_replayed_by_asking_the_storefront(service, vendors):
    """What the body cannot say is fetched from the storefront, posted, and the dead letter resolved."""
    service.deliver(b'{"id": 1', webhook_id="w1")
    vendors.orders = [make_order(1001)]
    (letter,) = service.letters()
    assert replay(service, letter) == 202
    vendors.wait(lambda: vendors.records["SHP-1001"])

    assert [row["state"] for row in service.letters()] == ["replayed"]
    assert replay(service, letter) == 409


def test_an_unreadable_webhook_waits_on_when_the_storefront_is_down(service, vendors):
    """A replay that could not recover anything leaves the dead letter as it was."""
    service.deliver(b'{"id": 1', webhook_id="w1")
    vendors.listing_replies = [Response("", 500)] * 3
    (letter,) = service.letters()

    assert replay(service, letter) == 502
    assert [row["state"] for row in service.letters()] == ["waiting"]


def test_malformed_webhooks_of_one_episode_are_one_alert(service, vendors):
    """Each further unreadable webhook triggers the alert that is open already; after the last is resolved a new one opens."""
    for webhook_id in ("w1", "w2"):
        service.deliver(json.dumps({"name": f"#{webhook_id}"}).encode(), webhook_id=webhook_id)
    vendors.wait(lambda: len(vendors.events) == 2)
    assert len({event["dedup_key"] for event in vendors.events}) == 1

    for letter in service.letters():
        assert replay(service, letter) == 202
    service.deliver(b"nonsense", webhook_id="w3")
    vendors.wait(lambda: len(vendors.events) == 3)
    assert len({event["dedup_key"] for event in vendors.events}) == 2


def test_an_unknown_dead_letter_cannot_be_replayed(service):
    """An id that is none is answered 404."""
    assert replay(service, {"id": "dl-none"}) == 404
