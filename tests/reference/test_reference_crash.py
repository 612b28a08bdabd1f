"""`kill -9` at any point loses nothing, and what is sent again does no harm."""

import json
import random

from reference_service import ECOMMERCE, ProcessService, make_order
from reference_vendors import HTML, UNAVAILABLE, refusal

LOCKED = refusal(400, "USER_ERROR", "This record has been locked by a user defined workflow.")


def kill_at(vendors, service, what):
    """Kill the service the first time the vendors see something."""
    killed = []

    def on_arrival(seen):
        if seen == what and not killed:
            killed.append(seen)
            service.kill()

    vendors.on_arrival = on_arrival
    return killed


def test_an_acknowledged_order_outlives_a_crash_before_it_was_sent(process, vendors):
    """Killed with the acknowledgement out and the send not made, the order is posted after the restart."""
    vendors.open_gate.clear()
    assert process.deliver(make_order(1001)).status_code == 200
    process.kill()
    vendors.open_gate.set()
    process.start()
    vendors.wait(lambda: vendors.records["SHP-1001"])


def test_an_order_whose_answer_was_not_read_is_one_sales_order(process, vendors):
    """Killed after the ERP has written the order and before its answer arrived, it is upserted under the same id."""
    killed = kill_at(vendors, process, "answered SHP-1001")
    process.deliver(make_order(1001))
    vendors.wait(lambda: killed)
    process.process.wait()
    process.start()
    vendors.wait(lambda: len(vendors.records["SHP-1001"]) == 2)

    assert set(vendors.records) == {"SHP-1001"}
    assert len(set(vendors.records["SHP-1001"])) == 1


def test_attempts_are_counted_across_a_crash(process, vendors):
    """Killed while it waits for the next attempt, the service does not begin to count anew."""
    vendors.plan["SHP-1001"] = [LOCKED] * 9
    process.deliver(make_order(1001))
    process.await_that(lambda: len(process.ops("exceptions")) == 2)
    process.kill()
    process.start()
    (letter,) = process.await_that(lambda: process.letters(handoff="order-to-erp"))

    assert letter["attempts"] == 3
    assert len(vendors.puts("SHP-1001")) == 3


def test_an_alert_that_was_not_confirmed_is_sent_again_under_its_key(process, vendors):
    """Killed while the on-call tool takes an alert, the service sends it again, as the same alert."""
    killed = kill_at(vendors, process, "alert")
    process.deliver(b"nonsense", webhook_id="w1")
    vendors.wait(lambda: killed)
    process.process.wait()
    process.start()
    process.await_that(lambda: [row for row in process.letters() if row["escalated_at"]])

    assert len({event["dedup_key"] for event in vendors.events}) == 1
    assert {event["routing_key"] for event in vendors.events} == {ECOMMERCE}


def test_dead_letters_and_their_episode_outlive_a_crash(process, vendors):
    """A dead letter waits through a restart, raises no second alert, and can be replayed."""
    vendors.plan["SHP-1001"] = [HTML]
    process.deliver(make_order(1001))
    (letter,) = process.await_that(lambda: [row for row in process.letters() if row["escalated_at"]])
    process.kill()
    process.start()
    assert process.letters() == [letter]
    assert process.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    vendors.wait(lambda: vendors.records["SHP-1001"])

    assert len(vendors.events) == 1


def test_a_job_that_was_cut_short_is_a_failed_one(process, vendors):
    """A run that did not live to its end is not shown as running for ever."""
    killed = kill_at(vendors, process, "listing")
    process.http.post("/ops/jobs/reconcile-orders/start")
    vendors.wait(lambda: killed)
    process.process.wait()
    process.start()

    assert process.ops("jobs")[0]["state"] == "failed"


def test_a_burst_with_kills_at_random_is_posted_completely(environment, vendors):
    """Whatever moment the kills fall on, every acknowledged order ends as one sales order with its own data."""
    moments = set(random.Random(7).sample(range(3, 40), 3))  # noqa: S311 -- moments, not secrets
    numbers = range(1001, 1041)
    for number in numbers[::5]:
        vendors.plan[f"SHP-{number}"] = [UNAVAILABLE]
    kills = []

    def on_arrival(_seen):
        if len(vendors.arrived) in moments:
            moments.discard(len(vendors.arrived))
            process.kill()
            kills.append(len(vendors.arrived))

    # The gate holds the ERP's answers until all orders were taken in, which must not take as long as a timeout.
    with ProcessService(environment | {"HANDOFF_TIME_SCALE": "4"}) as process:
        vendors.open_gate.clear()
        for number in numbers:
            assert process.deliver(make_order(number)).status_code == 200
        vendors.on_arrival = on_arrival
        vendors.open_gate.set()
        for earlier in range(3):
            vendors.wait(lambda earlier=earlier: len(kills) > earlier, "a moment to kill at")
            process.spawn()
        vendors.wait(lambda: all(vendors.records[f"SHP-{number}"] for number in numbers), "all orders to be posted")

    assert {eid.removeprefix("SHP-") for eid in vendors.records if vendors.records[eid]} == set(map(str, numbers))
    for eid, bodies in vendors.records.items():
        assert {json.loads(body)["otherRefNum"] for body in bodies} == {f"#{eid.removeprefix('SHP-')}"}


def test_being_asked_to_stop_lets_a_send_end(process, vendors):
    """SIGTERM waits for the send under way, commits what came of it, and ends with exit code 0."""
    vendors.open_gate.clear()
    process.deliver(make_order(1001))
    vendors.wait(lambda: vendors.assertions)
    vendors.open_gate.set()
    vendors.wait(lambda: vendors.records["SHP-1001"])
    assert process.stop() == 0
    process.start()
    process.deliver(make_order(1002))
    vendors.wait(lambda: vendors.records["SHP-1002"])

    assert len(vendors.puts("SHP-1001")) == 1


def test_the_logs_are_json_and_keep_secrets(environment, vendors):
    """Every line on standard error is a JSON object, and no secret is in any of them."""
    with ProcessService(environment) as service:
        vendors.plan["SHP-1001"] = [LOCKED] * 3
        service.deliver(make_order(1001))
        service.deliver(make_order(1002), secret="wrong")
        service.await_that(service.letters)
        assert service.stop() == 0
    lines = service.errors.decode().splitlines()
    events = [json.loads(line)["event"] for line in lines]

    assert {"webhook received", "webhook refused", "item failed", "item dead-lettered", "stopped"} <= set(events)
    for secret in ("hush", "shop-token", "token-1", "key-oncall", vendors.assertions[0]):
        assert not any(secret in line for line in lines)
