"""The handoff to the ERP: what is sent again, how often, and what becomes a dead letter."""

import time
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from reference_service import CALM, ONCALL, PARTS, SCALE, make_order
from reference_vendors import EXPIRED, HTML, TOO_MANY, UNAVAILABLE, Reply, refusal

from reference.policies import ORDER_TO_ERP
from reference.policy import RetryPath

EXISTS = refusal(400, "USER_ERROR", "Error while accessing a resource. This record already exists.")
LOCKED = refusal(400, "USER_ERROR", "This record has been locked by a user defined workflow.")


def fail(vendors, service, *replies, number=1001):
    """Place an order whose first upserts are answered with these replies."""
    eid = f"SHP-{number}"
    vendors.plan[eid] = list(replies)
    service.deliver(make_order(number))
    return eid


def gaps(calls):
    """Return the seconds between the end of each call and the beginning of the next."""
    return [later.began - earlier.ended for earlier, later in pairwise(calls)]


@pytest.mark.parametrize(
    ("replies", "attempts"),
    [
        ([TOO_MANY] * 3, 4),
        ([UNAVAILABLE] * 2, 3),
        ([LOCKED] * 2, 3),
        ([EXPIRED], 2),
        ([UNAVAILABLE, TOO_MANY, TOO_MANY], 4),
    ],
    ids=["rate limited", "unavailable", "refused", "session expired", "mixed, the latest decides"],
)
def test_an_order_that_fails_for_a_while_is_posted_by_the_last_attempt(service, vendors, replies, attempts):
    """Every attempt of a path is used, and the one that succeeds ends it without a dead letter."""
    eid = fail(vendors, service, *replies)
    vendors.wait(lambda: vendors.records[eid])

    assert len(vendors.puts(eid)) == attempts
    assert len({call.body for call in vendors.puts(eid)}) == 1
    assert service.letters() == []


@pytest.mark.parametrize(
    ("reply", "attempts", "code"),
    [
        (TOO_MANY, 4, "CONCURRENCY_LIMIT_EXCEEDED"),
        (UNAVAILABLE, 3, "UNEXPECTED_ERROR"),
        (Reply(502, b"<html>Bad Gateway</html>"), 3, "HTTP_502"),
        (LOCKED, 3, "USER_ERROR"),
        (EXPIRED, 2, "INVALID_LOGIN"),
        (HTML, 1, "MALFORMED_RESPONSE"),
        (Reply(200, b""), 1, "MALFORMED_RESPONSE"),
        (Reply(200, {"id": 7}), 1, "MALFORMED_RESPONSE"),
    ],
    ids=["429", "503", "502 html", "refused", "session", "html", "empty", "json that is no answer"],
)
def test_an_order_that_keeps_failing_becomes_a_dead_letter(service, vendors, reply, attempts, code):
    """After exactly the attempts of its path the order is kept with the bytes that failed, and sent no more."""
    eid = fail(vendors, service, *[reply] * 9)
    (letter,) = service.await_that(lambda: service.letters(handoff="order-to-erp"))

    calls = vendors.puts(eid)
    assert len(calls) == attempts == letter["attempts"]
    assert letter["code"] == code
    assert letter["entity"] == "#1001"
    assert letter["payload_sha256"] == sha256(calls[-1].body).hexdigest()
    assert letter["first_failed_at"] <= letter["parked_at"] <= time.time()


def test_no_retry_comes_before_its_time(service, vendors):
    """The gaps grow as declared, none of them shorter."""
    eid = fail(vendors, service, *[UNAVAILABLE] * 2)
    vendors.wait(lambda: vendors.records[eid])

    first, second = gaps(vendors.puts(eid))
    assert first >= 4 / SCALE
    assert second >= 8 / SCALE


def test_a_renewed_session_is_waited_for(service, vendors):
    """A refused session is renewed, and the order sent again no sooner than declared."""
    eid = fail(vendors, service, EXPIRED)
    vendors.wait(lambda: vendors.records[eid])

    assert len(vendors.assertions) == 2
    assert gaps(vendors.puts(eid))[0] >= 2 / SCALE


def test_an_order_that_exists_already_is_done(service, vendors):
    """The vendor's text is believed once reading the record back has found it; nothing is sent again."""
    eid = fail(vendors, service, replace(EXISTS, commit=True))
    vendors.wait(lambda: any(call.method == "GET" for call in vendors.calls))
    service.deliver(make_order(1002))
    vendors.wait(lambda: vendors.records["SHP-1002"])

    assert [(call.method, call.status) for call in vendors.calls if call.external_id == eid] == [
        ("PUT", 400),
        ("GET", 200),
    ]
    assert len(vendors.records[eid]) == 1


def test_an_order_that_only_seems_to_exist_is_sent_again(service, vendors):
    """When reading it back finds nothing, the answer counts as any other failure; the read is no attempt."""
    eid = fail(vendors, service, EXISTS)
    vendors.wait(lambda: vendors.records[eid] and len([call for call in vendors.calls if call.external_id == eid]) == 4)

    # What is written the second time is read back as well.
    assert [call.method for call in vendors.calls if call.external_id == eid] == ["PUT", "GET", "PUT", "GET"]
    assert service.letters() == []


def test_an_answer_that_never_comes_is_a_failure(start, vendors):
    """An attempt without an answer ends at its timeout and is made again; the vendor may have carried it out."""
    service = start(replace(PARTS, order_to_erp=replace(CALM, timeout_s=0.3 * SCALE)))
    eid = fail(vendors, service, Reply(204, commit=True, hang=True))
    vendors.wait(lambda: len(vendors.puts(eid)) == 2)
    service.await_that(lambda: [row for row in service.ops("exceptions") if row["code"] == "TIMEOUT"])

    assert len(vendors.records[eid]) == 2
    assert set(vendors.records) == {eid}


def test_a_refused_connection_is_a_failure(start, vendors):
    """An ERP that cannot be reached at all costs the declared attempts, token requests included, then the order waits."""
    service = start(ERP_URL="http://127.0.0.1:1/erp")
    service.deliver(make_order(1001))
    (letter,) = service.await_that(lambda: service.letters(handoff="order-to-erp"))

    assert (letter["code"], letter["attempts"]) == ("CONNECTION", 3)


def test_every_failed_attempt_is_an_exception_with_its_code_and_trigger(service, vendors):
    """What is shown to operators names the job, the vendor's code and text, and what had started it."""
    eid = fail(vendors, service, TOO_MANY, UNAVAILABLE)
    vendors.wait(lambda: vendors.records[eid])
    rows = service.ops("exceptions")

    assert [row["code"] for row in rows] == ["CONCURRENCY_LIMIT_EXCEEDED", "UNEXPECTED_ERROR"]
    assert {(row["job_id"], row["entity"], row["trigger"]) for row in rows} == {
        ("order-to-erp:1001", "#1001", "webhook")
    }


def test_newer_data_wait_with_the_dead_letter(service, vendors):
    """An update of an order that a dead letter holds is not sent by itself; the replay sends it."""
    eid = fail(vendors, service, *[LOCKED] * 3)
    (letter,) = service.await_that(lambda: service.letters(handoff="order-to-erp"))
    service.deliver(make_order(1001, note="newer", updated_at="2026-11-20T11:00:00+01:00"), topic="orders/updated")
    service.deliver(make_order(1002))
    vendors.wait(lambda: vendors.records["SHP-1002"])
    assert len(vendors.puts(eid)) == 3

    assert service.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    vendors.wait(lambda: vendors.records[eid])
    assert b'"memo":"#1001 newer"' in vendors.records[eid][0]


def test_three_dead_letters_are_escalated_once(service, vendors):
    """Two dead letters raise nothing, the third raises one alert to the on-call role, and a fourth no other."""
    for number in (1001, 1002):
        fail(vendors, service, *[LOCKED] * 3, number=number)
    service.await_that(lambda: len(service.letters()) == 2)
    assert vendors.events == []

    fail(vendors, service, *[LOCKED] * 3, number=1003)
    vendors.wait(lambda: vendors.events)
    fail(vendors, service, *[LOCKED] * 3, number=1004)
    service.await_that(lambda: len([row for row in service.letters() if row["escalated_at"]]) == 4)

    (event,) = vendors.events
    assert event["routing_key"] == ONCALL
    assert event["payload"]["custom_details"] == {
        "handoff": "order-to-erp",
        "entity": "#1003",
        "code": "USER_ERROR",
        "role": "integration-oncall",
    }


def test_an_answer_that_is_no_answer_is_escalated_at_once(service, vendors):
    """An order whose fate at the ERP is unknown reaches the on-call role without waiting for others."""
    fail(vendors, service, HTML)
    vendors.wait(lambda: vendors.events)

    assert vendors.events[0]["routing_key"] == ONCALL
    assert vendors.events[0]["payload"]["custom_details"]["code"] == "MALFORMED_RESPONSE"


def test_the_policy_in_production_time_is_the_declared_one():
    """The reference's own numbers, which the stack beside it describes."""
    assert (ORDER_TO_ERP.workers, ORDER_TO_ERP.timeout_s) == (4, 20.0)
    retries = {kind.value: path for kind, path in ORDER_TO_ERP.paths.items() if isinstance(path, RetryPath)}
    assert {kind: path.attempts for kind, path in retries.items()} == {
        "rate_limited": 4,
        "session_expired": 2,
        "permission_denied": 1,
        "malformed": 1,
        "not_persisted": 3,
        "other": 3,
    }
