"""Combinations: each trigger with each outcome and what follows it is exercised, or the matrix says why not."""

from itertools import product

import pytest
from combined_stacks import (
    ALWAYS,
    CASE,
    ELSEWHERE,
    HERE,
    OWED,
    RETRY,
    compile_api,
    compile_paths,
    compile_webhook,
    judge,
)
from compiled_stacks import expected_attempts, steps_of
from histories import call, did, met, record, sent, told

from harness.core.checks.webhook import check_refused_again
from harness.core.ends import EndState
from harness.core.experiments import Arm, Await, Lift, Watch
from harness.core.faults import Layer
from harness.core.gates import run_check
from harness.core.triggers import CONDITIONS
from harness.core.verdict import Outcome

OUTCOMES = [
    *(f"{RETRY}, then: {{{then}}}" for then in ("dead_letter: {}", CASE, HERE, ELSEWHERE)),
    *(f"{RETRY}, then: {{{then}}}" for then in ("reconcile: {every: 20s, within: 40s}", "recover: {within: 40s}")),
    RETRY,
    "retry: {attempts: 1, initial: 1s}",
    "renew_session: true, retry: {attempts: 2, initial: 1s}, then: dead_letter",
    HERE,
    ELSEWHERE,
    CASE,
    "dead_letter: {escalate_after: 2, to: oncall}",
    "reconcile: {every: 20s, within: 40s}",
    "deduplicate: true",
    "reorder: true",
    "reject: {status: 401}",
    "recover: {within: 40s}",
    "resend: {attempts: 2, after: 10s}",
    "resend: {}",
]
TRIGGERS = [
    *CONDITIONS,
    "{status: 429}",
    "{status: 409}",
    "{code: LOCKED}",
    "{code: LOCKED, text: by somebody}",
    '{when: "amount > 500.00 EUR"}',
]


@pytest.mark.parametrize("on", TRIGGERS)
def test_nothing_is_passed_over(on):
    """Whatever a path says, its row has experiments that can be driven and can fail, or a reason in words."""
    target = "wms" if on == "partial_allocation" else "erp"
    for outcome in OUTCOMES:
        path = f"{on}, {outcome}"
        found, rows = compile_paths(webhook=path, api=path, target=target)
        assert all(bool(row.experiments) is not bool(row.not_exercised) for row in rows.values()), path
        for row in rows.values():
            for name in row.experiments if row.clause not in ALWAYS | OWED else ():
                ensure_drivable(found[name])


def ensure_drivable(experiment):
    """Fail where an experiment arms what it does not have, waits without end, or could be held over nothing at all."""
    faults = {fault.id for fault in experiment.faults}
    assert {step.fault for step in steps_of(experiment, Arm)} == faults
    assert {step.fault for step in steps_of(experiment, Lift)} <= faults
    assert all(step.declared_s <= step.within_s for step in steps_of(experiment, Await))
    assert steps_of(experiment, Watch)
    results = [run_check(check, told(orders=())) for check in experiment.checks]
    assert all("crashed" not in result.observed for result in results)
    assert any(result.outcome is not Outcome.HELD for result in results)


def test_most_combinations_are_exercised():
    """Every trigger that can happen to a call is exercised with every outcome that can be done about it."""
    happening = [on for on in TRIGGERS if on not in NOT_AT_CALLS]
    done = [outcome for outcome in OUTCOMES if outcome not in NOT_ABOUT_CALLS]
    missing = [
        (on, outcome)
        for on, outcome in product(happening, done)
        if not compile_api(on, outcome)[0] and (on, outcome) not in SPECIAL
    ]
    assert missing == []


NOT_AT_CALLS = {
    "partial_allocation", "dropped", "duplicate", "out_of_order", "bad_signature", "stale", "receiver_down", "crash",
    "subscription_removed", "file_truncated", "file_duplicate", "file_missing", "file_rejected", "ack_missing",
    '{when: "amount > 500.00 EUR"}',
}  # fmt: skip
NOT_ABOUT_CALLS = {"deduplicate: true", "reorder: true", "reject: {status: 401}", "resend: {}"}
SPECIAL = {("{status: 429}", HERE), ("{status: 409}", HERE), ("lost_response", "retry: {attempts: 1, initial: 1s}")}


@pytest.mark.parametrize(
    ("on", "outcome", "why"),
    [
        ("{status: 409}", HERE, "name its code"),
        ("malformed", "deduplicate: true", "has not done"),
        ("any", "reorder: true", "nothing that can be done about a call"),
        ("any", "resend: {}", "`after`"),
        ("partial_allocation", "dead_letter: {}", "only a warehouse"),
        ("stale", "dead_letter: {}", "happens to webhooks"),
        ("file_missing", "resend: {}", "happens to files"),
        ("crash", RETRY, "nothing that can be done about a crash"),
        ('{when: "amount > 500.00 EUR"}', RETRY, "a value is no failure"),
    ],
)
def test_what_cannot_be_asked_of_a_call_says_why(on, outcome, why):
    """The reason tells which of trigger and outcome is in the way."""
    found, row = compile_api(on, outcome)
    assert found == {}
    assert why in row.not_exercised


@pytest.mark.parametrize(
    ("on", "outcome", "shapes"),
    [
        ("dropped", "reconcile: {every: 20s, within: 40s}", ["one", "some"]),
        ("dropped", "recover: {within: 40s}", ["one", "some"]),
        ("subscription_removed", "recover: {within: 40s}", ["silent"]),
        ("duplicate", "reject: {status: 409}", ["one-after-another"]),
        ("stale", "reject: {status: 400}", ["stale"]),
        ("receiver_down", "reconcile: {every: 20s, within: 40s}", ["once", "twice"]),
        ("crash", "reconcile: {every: 20s, within: 40s}", ["after-ack", "in-a-burst"]),
        ("any", "dead_letter: {escalate_after: 2, to: oncall}",
         ["truncated", "wrong-types", "missing-fields", "empty", "at", "beyond"]),
        ("duplicate", "dead_letter: {}", []),
        ("out_of_order", "deduplicate: true", []),
        ("stale", "deduplicate: true", []),
    ],
)  # fmt: skip
def test_shapes_of_webhooks(on, outcome, shapes):
    """What happens to a webhook is exercised with each outcome that shows, and with no other."""
    found, row = compile_webhook(on, outcome)
    assert list(found) == shapes
    assert bool(row.not_exercised) is not bool(shapes)


@pytest.mark.parametrize(
    ("on", "outcome", "shapes"),
    [
        ("crash", "recover: {within: 40s}", ["after-commit"]),
        ("not_persisted", "reconcile: {every: 20s, within: 40s}", ["found"]),
        ("{status: 503}", "recover: {within: 40s}", ["outage"]),
        ("lost_response", "deduplicate: true", ["repeated"]),
        ("{status: 503}", "resend: {attempts: 2, after: 10s}", ["once", "last", "exhausted"]),
        ("malformed", "dead_letter: {escalate_after: 1, to: oncall}", ["first", "beyond"]),
        ("malformed", "dead_letter: {escalate_after: 3, to: oncall}", ["first", "below", "at", "beyond"]),
        ("{code: LOCKED}", f"{RETRY}, then: {{dead_letter: {{escalate_after: 2, to: oncall}}}}",
         ["once", "last", "exhausted", "below", "at", "beyond"]),
        ('{when: "amount > 500.00 EUR"}', ELSEWHERE, ["beyond-limit", "within-limit"]),
        ('{when: "amount > 500.00 EUR"}', "dead_letter: {}", ["beyond-limit", "within-limit"]),
        ("permission_denied", "renew_session: true", ["once", "exhausted"]),
    ],
)  # fmt: skip
def test_shapes_of_calls(on, outcome, shapes):
    """What happens to a call is exercised with each outcome, and what follows the last attempt with it."""
    assert list(compile_api(on, outcome)[0]) == shapes


@pytest.mark.parametrize("outcome", [RETRY, "renew_session: true, retry: {attempts: 2, initial: 1s}"])
def test_what_is_carried_out_is_not_failed_for_good(outcome):
    """Where the vendor carries the call out at the first attempt, nobody is asked for every further one."""
    found, row = compile_api("lost_response", f"{outcome}, then: dead_letter")
    assert "exhausted" not in found
    assert "every attempt failing" in [gap.what for gap in row.gaps]


def test_a_crash_after_the_vendor_has_it():
    """The integration dies by the head of the answer it is to get, of that call, before it can know of it."""
    found, _ = compile_api("crash", "recover: {within: 40s}")
    (fault,) = found["after-commit"].faults
    assert (fault.layer, fault.system, fault.operations) == (Layer.PROCESS, "erp", ("sales_order.upsert",))
    assert fault.params == {"outbound": True}


@pytest.mark.parametrize(("then", "hit"), [(HERE, (1, 2, 3)), (ELSEWHERE, None)])
def test_what_follows_the_last_attempt(then, hit):
    """A branch to the handoff's own record may send what gets through; one that ends elsewhere gets nothing through here."""
    found, _ = compile_api("any", f"{RETRY}, then: {{{then}}}")
    (fault,) = found["exhausted"].faults
    assert fault.attempts == hit
    least = 4 if hit else 3
    assert [expected_attempts(found["exhausted"], calls) for calls in (least - 1, least)] == [
        Outcome.VIOLATED,
        Outcome.HELD,
    ]


def test_a_branch_that_ends_elsewhere():
    """Nothing is carried out where the branch ends in another record, and an order that is there is not lost."""
    found, _ = compile_api("{code: LOCKED}", ELSEWHERE)
    taken = found["taken"]
    assert "commit" not in taken.faults[0].params
    assert taken.ledger.stations[1].others == (EndState("erp", "customer"),)
    here, _ = compile_api("{code: LOCKED}", HERE)
    assert here["taken"].faults[0].params["commit"] is True
    assert here["taken"].ledger.stations[1].others == ()


def test_a_decision_about_what_was_carried_out():
    """Where the vendor carried the call out for all that, turning it down does not undo the record."""
    lost, _ = compile_api("lost_response", CASE)
    refused, _ = compile_api("{code: LOCKED}", CASE)
    assert [check.name for check in lost["decided-stop"].checks] == ["decided"]
    assert [check.name for check in refused["decided-stop"].checks] == ["decided", "not_resolved"]
    partly, _ = compile_api("partial_allocation", CASE, "wms")
    assert partly["opened"].faults[0].kind == "partial_allocation"


def test_a_value_beyond_the_limit_takes_the_branch():
    """A cent more ends elsewhere and nowhere else, or is put aside without a call; the limit itself passes."""
    found, _ = compile_api('{when: "amount > 500.00 EUR"}', ELSEWHERE)
    assert [each.totals for each in found.values()] == [{1: "500.01"}, {1: "500.00"}]
    assert judge(found["beyond-limit"], "not_resolved", record(1.0)) is Outcome.VIOLATED
    aside, _ = compile_api('{when: "amount > 500.00 EUR"}', "dead_letter: {}")
    assert expected_attempts(aside["beyond-limit"], 0) is Outcome.HELD
    assert expected_attempts(aside["beyond-limit"], 1) is Outcome.VIOLATED


@pytest.mark.parametrize(("answers", "outcome"), [((200, 409, 409), "held"), ((200, 200, 409), "violated"),
                                                  ((409, 409, 409), "violated"), ((200,), "unknown")])  # fmt: skip
def test_refused_again(answers, outcome):
    """The first delivery must be taken and every further one refused as declared; a single one proves nothing."""
    deliveries = [sent(t, status) for t, status in enumerate(answers)]
    assert check_refused_again(told(*deliveries), order=1, status=409).outcome == outcome


def test_another_code_with_the_same_status():
    """At the gateway an unlisted card error is what the path for the rest takes, to the end, as it is kept under the key."""
    rest = f"}}\n      - {{on: any, {RETRY}, then: dead_letter"
    found, _ = compile_api("{code: card_declined}", CASE, "gateway", rest)
    (fault,) = found["other-code"].faults
    assert (fault.params["code"], fault.attempts) == ("expired_card", None)
    tried = [call(n, 402, operation="payment_intent.capture") for n in range(3)]
    assert judge(found["other-code"], "attempts", *tried) is Outcome.HELD
    assert judge(found["other-code"], "attempts", *tried[:1]) is Outcome.VIOLATED
    assert "other-code" not in compile_api("{code: LOCKED}", CASE, "erp", rest)[0]
    text, _ = compile_api("{code: LOCKED, text: by somebody}", CASE, "erp", rest)
    assert "by somebody" not in text["other-text"].faults[0].params["text"]


def test_recovered_is_counted_from_the_end_of_the_outage():
    """An order that arrives in time after the outage is over is held, however long the outage was."""
    found, _ = compile_api("{status: 503}", "recover: {within: 40s}")
    began = [call(0, 503), met(), did("place", 0.0, 1, 2, 3), did("lift", 10.0)]
    early = [record(t, order=order, record_id=str(order)) for order, t in ((1, 11.0), (2, 11.5))]
    assert judge(found["outage"], "recovered", *began, *early, record(12.0, order=3, record_id="3")) is Outcome.HELD
    assert judge(found["outage"], "recovered", *began, *early, record(14.0, order=3, record_id="3")) is Outcome.VIOLATED
