"""The circuit breaker: alone, and at the handoff."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from reference_service import CALM, ONCALL, PARTS, SCALE, make_order
from reference_vendors import EXPIRED, UNAVAILABLE
from tenacity.wait import wait_fixed

from reference.breaker import Breaker
from reference.outcomes import Health, Kind
from reference.policies import ORDER_TO_ERP
from reference.policy import RetryPath

POLICY = ORDER_TO_ERP.breaker


def make_breaker(pause_s: float = 3600.0, on_change: Callable[[], None] = lambda: None) -> Breaker:
    """Make a breaker of the reference's policy with another pause."""
    return Breaker("order-to-erp", POLICY, pause_s=pause_s, on_change=on_change)


def send(breaker, health):
    """Send once, with this outcome, and return the opening that caused."""
    permit = breaker.admit()
    assert permit is not None
    return breaker.record(permit, health)


def open_it(breaker):
    """Make it open and return the opening."""
    for _ in range(POLICY.failures - 1):
        assert send(breaker, Health.DOWN) is None
    return send(breaker, Health.DOWN)


async def wait_for_leave(breaker):
    """Wait until the breaker gives a permit, and return it."""
    async with asyncio.timeout(10):
        while (permit := breaker.admit()) is None:  # noqa: ASYNC110 -- the callback is tested on its own
            await asyncio.sleep(0.002)
    return permit


@pytest.mark.anyio
async def test_it_opens_at_the_fifth_failure_in_a_row():
    """Four failures leave it closed, the fifth opens it, and then nothing gets leave."""
    breaker = make_breaker()
    for _ in range(4):
        assert send(breaker, Health.DOWN) is None
    assert breaker.view() == {"handoff": "order-to-erp", "state": "closed", "consecutive_failures": 4}

    opening = send(breaker, Health.DOWN)
    assert opening is not None
    assert (opening.failures, opening.again) == (5, False)
    assert breaker.admit() is None
    assert breaker.view()["state"] == "open"


@pytest.mark.anyio
async def test_a_success_starts_the_count_anew():
    """Failures that are not in a row do not open it."""
    breaker = make_breaker()
    for health in [Health.DOWN] * 4 + [Health.UP] + [Health.DOWN] * 4:
        assert send(breaker, health) is None


@pytest.mark.anyio
async def test_a_refusal_neither_counts_nor_resets():
    """An answer such as 400 is no failure on the wire and no success either."""
    breaker = make_breaker()
    for health in [Health.DOWN] * 4 + [Health.REFUSED]:
        assert send(breaker, health) is None
    assert send(breaker, Health.DOWN) is not None


@pytest.mark.anyio
async def test_answers_to_sends_from_before_the_opening_are_ignored():
    """What was under way when it opened neither closes it nor counts as a failed probe."""
    breaker = make_breaker(pause_s=0.01)
    late = [breaker.admit() for _ in range(2)]
    open_it(breaker)
    breaker.record(late[0], Health.UP)
    assert breaker.view()["state"] != "closed"

    probe = await wait_for_leave(breaker)
    assert breaker.record(late[1], Health.DOWN) is None
    assert breaker.record(probe, Health.UP) is None
    assert breaker.view()["state"] == "closed"


@pytest.mark.anyio
async def test_one_probe_at_a_time_decides():
    """After the pause one send gets leave; its failure opens it again, its success closes it."""
    breaker = make_breaker(pause_s=0.01)
    first = open_it(breaker)
    probe = await wait_for_leave(breaker)
    assert breaker.admit() is None
    again = breaker.record(probe, Health.DOWN)
    assert (again.again, again.dedup_key) == (True, first.dedup_key)
    assert breaker.admit() is None

    breaker.record(await wait_for_leave(breaker), Health.UP)
    assert breaker.view()["state"] == "closed"
    assert open_it(breaker).dedup_key != first.dedup_key


@pytest.mark.anyio
async def test_a_probe_that_is_refused_closes_it():
    """A probe that reached a system that answers shows the outage is over."""
    breaker = make_breaker(pause_s=0.01)
    open_it(breaker)
    breaker.record(await wait_for_leave(breaker), Health.REFUSED)
    assert breaker.view()["state"] == "closed"


@pytest.mark.anyio
async def test_an_unused_probe_is_given_to_the_next():
    """A permit handed back lets another send probe."""
    breaker = make_breaker(pause_s=0.01)
    open_it(breaker)
    breaker.abandon(await wait_for_leave(breaker))
    assert breaker.admit() is not None


@pytest.mark.anyio
async def test_the_end_of_the_pause_is_announced():
    """Whoever holds orders hears of the opening and of the end of the pause, without asking."""
    heard = asyncio.Queue()
    breaker = make_breaker(pause_s=0.01, on_change=lambda: heard.put_nowait(breaker.view()["state"]))
    open_it(breaker)
    async with asyncio.timeout(10):
        assert await heard.get() == "open"
        assert await heard.get() == "half_open"


@pytest.fixture
def outage(start, vendors):
    """Take the ERP down and run an integration whose breaker has opened over five orders."""
    service = start()
    vendors.outage = UNAVAILABLE
    for number in range(1001, 1006):
        service.deliver(make_order(number))
    service.await_that(lambda: service.breaker()["state"] == "open", "the breaker to open")
    return service


def test_the_backlog_outlives_an_outage(outage, vendors):
    """While open, orders are acknowledged, nothing is sent or lost, one alert is out; then a probe passes and all are posted."""
    vendors.wait(lambda: vendors.events)
    opened = max(call.ended for call in vendors.calls)
    for number in range(1006, 1012):
        assert outage.deliver(make_order(number)).status_code == 200
    vendors.outage = None
    vendors.wait(lambda: sum(map(bool, vendors.records.values())) == 11, "all orders to be posted")

    after = sorted(call.began for call in vendors.calls if call.began > opened)
    assert after[0] - opened >= POLICY.pause_s / SCALE
    assert all(len(bodies) == 1 for bodies in vendors.records.values())
    assert [event["routing_key"] for event in vendors.events] == [ONCALL]
    assert vendors.events[0]["payload"]["custom_details"]["code"] == "BREAKER_OPEN"
    assert outage.letters() == []
    assert outage.breaker() == {"handoff": "order-to-erp", "state": "closed", "consecutive_failures": 0}


def test_a_failed_probe_opens_it_again_and_is_one_attempt(outage, vendors):
    """The probe that fails is an attempt of its order, the pause begins anew, and the alert is triggered again, not raised anew."""
    vendors.wait(lambda: len(vendors.events) == 2, "the second trigger")
    vendors.outage = None
    vendors.wait(lambda: sum(map(bool, vendors.records.values())) == 5, "all orders to be posted")

    assert len({event["dedup_key"] for event in vendors.events}) == 1
    assert max(len(vendors.puts(f"SHP-{number}")) for number in range(1001, 1006)) <= 3


def test_no_token_is_asked_for_while_open(start, vendors):
    """An open breaker also keeps the renewal of the session back."""
    policy = replace(CALM, breaker=replace(POLICY, pause_s=3600.0 * SCALE))
    service = start(replace(PARTS, order_to_erp=policy))
    vendors.outage = UNAVAILABLE
    vendors.plan["SHP-1001"] = [EXPIRED, *[UNAVAILABLE] * 9]
    for number in range(1002, 1007):
        service.deliver(make_order(number))
    service.await_that(lambda: service.breaker()["state"] == "open")
    seen = len(vendors.assertions)
    vendors.tokens.clear()
    assert service.deliver(make_order(1001)).status_code == 200
    assert service.ops("queues") == []

    assert len(vendors.assertions) == seen
    assert vendors.puts("SHP-1001") == []


def test_a_success_counts_from_when_the_vendor_gave_it(start, vendors):
    """Failures heard of while a written order is being read back are not in a row with those before it was written."""
    later = {**CALM.paths, Kind.OTHER: RetryPath(attempts=3, wait=wait_fixed(2 * SCALE))}
    service = start(replace(PARTS, order_to_erp=replace(CALM, paths=later)))
    for number in range(1001, 1005):
        vendors.plan[f"SHP-{number}"] = [UNAVAILABLE]
    vendors.read_gate.clear()
    for number in range(1001, 1005):
        service.deliver(make_order(number))
    service.await_that(lambda: len(service.ops("exceptions")) == 4)
    service.deliver(make_order(1005))
    vendors.wait(lambda: any(call.method == "GET" for call in vendors.calls))
    vendors.plan["SHP-1006"] = [UNAVAILABLE]
    service.deliver(make_order(1006))
    service.await_that(lambda: len(service.ops("exceptions")) == 5)
    vendors.read_gate.set()
    vendors.wait(lambda: all(vendors.records[f"SHP-{number}"] for number in range(1001, 1007)))

    assert service.breaker()["state"] == "closed"
    assert vendors.events == []
