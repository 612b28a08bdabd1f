"""Reconciliation: finding what no webhook brought."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from reference_service import PARTS, SCALE, make_order
from starlette.responses import JSONResponse, Response

from reference.policies import RECONCILE_ORDERS

EVERY_S = RECONCILE_ORDERS.every_s / SCALE


@pytest.fixture
def idle(start):
    """Run the integration with a reconciliation that only runs when asked to."""
    policy = replace(PARTS.reconcile, every_s=3600.0 * SCALE, hold_s=0.0)
    return start(replace(PARTS, reconcile=policy))


def run(service):
    """Run the job once and return its record."""
    answer = service.http.post("/ops/jobs/reconcile-orders/start")
    assert answer.status_code == 202
    return service.await_that(
        lambda: next(
            (row for row in service.ops("jobs") if row["id"] == answer.json()["id"] and row["finished_at"]), None
        )
    )


def test_an_order_without_a_webhook_is_found_within_a_period(service, vendors):
    """The job runs by itself, one period after the start, and what it finds is posted."""
    began = time.monotonic()
    vendors.orders = [make_order(1001)]
    vendors.wait(lambda: vendors.records["SHP-1001"])

    assert vendors.puts("SHP-1001")[0].began - began >= EVERY_S * 0.5
    (job, *_) = service.ops("jobs")
    assert (job["name"], job["trigger"]) == ("reconcile-orders", "schedule")


def test_every_page_is_read(idle, vendors):
    """Pages are followed by their cursor, beside which only the limit is sent, at the configured address."""
    vendors.orders, vendors.page_size = [make_order(1001 + index) for index in range(7)], 3
    job = run(idle)
    vendors.wait(lambda: sum(map(bool, vendors.records.values())) == 7)

    assert (job["state"], job["captured"]) == ("succeeded", 7)
    assert [query.get("page_info") for query in vendors.listings] == [None, "3", "6"]
    assert set(vendors.listings[1]) == {"limit", "page_info"}
    assert vendors.listings[0]["status"] == "any"


def test_known_orders_are_left_alone(idle, vendors):
    """What a webhook has brought already is not posted again."""
    idle.deliver(make_order(1001))
    vendors.wait(lambda: vendors.records["SHP-1001"])
    vendors.orders = [make_order(1001), make_order(1002)]
    assert run(idle)["captured"] == 1
    vendors.wait(lambda: vendors.records["SHP-1002"])

    assert len(vendors.puts("SHP-1001")) == 1


def test_the_next_run_begins_where_the_last_one_did(idle, vendors):
    """Each run lists from the start of the last successful one, less the overlap; the first looks back a day."""
    began = time.time()
    run(idle)
    run(idle)
    first, second = (datetime.fromisoformat(query["updated_at_min"]).timestamp() for query in vendors.listings)

    assert first == pytest.approx(began - RECONCILE_ORDERS.lookback_s - RECONCILE_ORDERS.overlap_s, abs=60)
    assert second == pytest.approx(began - RECONCILE_ORDERS.overlap_s, abs=60)
    assert datetime.fromisoformat(vendors.listings[0]["updated_at_min"]).tzinfo == UTC


def test_throttling_is_obeyed(idle, vendors):
    """A 429 is waited out for as long as the storefront says, in production time, and the page asked for again."""
    wait = {"Retry-After": f"{0.2 * SCALE}"}
    throttled = JSONResponse({"errors": "Exceeded 2 calls per second"}, 429, headers=wait)
    vendors.listing_replies, vendors.orders = [throttled], [make_order(1001)]
    began = time.monotonic()
    assert run(idle)["state"] == "succeeded"

    assert time.monotonic() - began >= 0.2
    assert len(vendors.listings) == 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Response("<html>", 500), "HTTP_500"),
        (JSONResponse({"errors": "no"}, 401), "HTTP_401"),
        (Response("<html>", 200), "MALFORMED_RESPONSE"),
        (JSONResponse({"orders": "many"}), "MALFORMED_RESPONSE"),
        (JSONResponse([1]), "MALFORMED_RESPONSE"),
    ],
)
def test_a_listing_that_fails_is_a_failed_run(idle, vendors, reply, code):
    """A run that could not list is recorded as failed with its code, and the next one looks back as far."""
    vendors.listing_replies = [reply]
    assert run(idle)["state"] == "failed"
    run(idle)

    assert [row["code"] for row in idle.ops("exceptions")] == [code]
    first, second = vendors.listings
    assert (
        abs(
            datetime.fromisoformat(first["updated_at_min"]).timestamp()
            - datetime.fromisoformat(second["updated_at_min"]).timestamp()
        )
        < 60
    )


def test_an_order_that_cannot_be_read_does_not_hold_up_the_rest(idle, vendors):
    """A listed order without a usable line becomes one dead letter however often it is listed; the others are captured."""
    vendors.orders = [make_order(1001, line_items=[]), make_order(1002)]
    assert run(idle)["captured"] == 1
    assert run(idle)["captured"] == 0

    (letter,) = idle.letters()
    assert (letter["handoff"], letter["entity"], letter["code"]) == ("order-capture", "#1001", "MALFORMED_PAYLOAD")


def test_a_run_is_refused_while_one_is_under_way(idle, vendors):
    """The job never runs twice at once."""
    vendors.listing_replies = [JSONResponse({}, 429, headers={"Retry-After": f"{0.3 * SCALE}"})]
    assert idle.http.post("/ops/jobs/reconcile-orders/start").status_code == 202
    vendors.wait(lambda: vendors.listings)
    answer = idle.http.post("/ops/jobs/reconcile-orders/start")

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert [row["state"] for row in idle.ops("jobs")] == ["running"]


def test_a_dead_letter_whose_order_was_found_is_discarded(idle, vendors):
    """Once escalated, a malformed webhook about a known order yields to the order's good data; one about nobody stays."""
    idle.deliver(json.dumps({"name": "#1001"}).encode())
    idle.deliver(b"nonsense", webhook_id="w2")
    idle.await_that(lambda: all(row["escalated_at"] for row in idle.letters()))
    vendors.orders = [make_order(1001)]
    run(idle)

    assert {row["entity"]: row["state"] for row in idle.letters()} == {"#1001": "discarded", "w2": "waiting"}


def test_a_dead_letter_is_not_discarded_before_somebody_heard_of_it(idle, vendors):
    """While its alert has not been taken, a dead letter stays whatever reconciliation finds."""
    vendors.event_replies = [503] * 1000
    idle.deliver(json.dumps({"name": "#1001"}).encode())
    vendors.orders = [make_order(1001)]
    run(idle)
    assert [row["state"] for row in idle.letters()] == ["waiting"]

    vendors.event_replies.clear()
    idle.await_that(lambda: all(row["escalated_at"] for row in idle.letters()))
    run(idle)
    assert [row["state"] for row in idle.letters()] == ["discarded"]
