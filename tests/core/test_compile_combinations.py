"""Combinations: each trigger with each outcome and what follows it is exercised, or the matrix says why not."""

from itertools import product

import pytest
from compiled_stacks import compile_text, expected_attempts, steps_of
from histories import call, did, met, record, sent, told

from harness.core.checks.webhook import check_refused_again
from harness.core.ends import EndState
from harness.core.experiments import Arm, Await, Lift, Watch
from harness.core.faults import Layer
from harness.core.gates import run_check
from harness.core.triggers import CONDITIONS
from harness.core.verdict import Outcome

TEXT = """\
version: 1
name: some
time: {{scale: 20}}
systems: {{storefront: {{fake: shopify}}, erp: {{fake: netsuite}}, gateway: {{fake: stripe}}, wms: {{fake: wms}}}}
integration:
  command: [./run]
  webhooks: {{storefront: /hooks}}
  observe: {{dead_letters: /dlq, queues: /queues}}
roles: {{oncall: {{sla: 15m}}}}
handoffs:
  - id: capture
    from: storefront
    to: integration
    protocol: webhook
    owner: oncall
    operation: [orders/create, orders/updated]
    within: 5m
    resolved_when: {{system: erp, record: sales_order, state: exists_once}}
    paths:
      - {{on: {webhook}}}
  - id: post
    from: storefront
    to: {target}
    protocol: api
    after: [capture]
    owner: oncall
    operation: [{operation}]
    within: 10m
    resolved_when: {{system: {target}, record: {record}, state: exists_once}}
    paths:
      - {{on: {api}}}
"""
CALLS = {"erp": ("sales_order.upsert", "sales_order"), "gateway": ("payment_intent.capture", "payment_intent"),
         "wms": ("wms_order.create", "order")}  # fmt: skip
RETRY = "retry: {attempts: 3, initial: 4s}"
CASE = "queue: {role: oncall, decisions: {go: {to: continue}, stop: {to: cancel}}}"
ELSEWHERE = "branch: {to: ticket, resolved_when: {system: erp, record: customer, state: exists_once}}"
HERE = "branch: {to: other-way}"
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


def compile_paths(webhook="duplicate, deduplicate: true", api=f"any, {RETRY}, then: dead_letter", target="erp"):
    """Compile a webhook's and a call's path; return the experiments by id, and the rows of the matrix by clause."""
    operation, name = CALLS[target]
    text = TEXT.format(webhook=webhook, api=api, target=target, operation=operation, record=name)
    plan = compile_text(text)
    return {each.id: each for each in plan.experiments}, {row.clause: row for row in plan.coverage}


def compile_api(on, outcome, target="erp", more=""):
    """Compile one path of a call; return its experiments by shape, and its row of the matrix."""
    found, rows = compile_paths(api=f"{on}, {outcome}{more}", target=target)
    row = next(row for clause, row in rows.items() if clause.startswith("post/") and clause not in OWED)
    return {each.shape: each for each in found.values() if each.clause == row.clause}, row


ALWAYS = {"capture/clean:resolve", "capture/pairs:resolve"}
OWED = {"post/clean:resolve", "post/lost_answer:exactly_once", "post/outage:contain"}


def compile_webhook(on, outcome):
    """Compile one path of a webhook; return its experiments by shape, and its row of the matrix."""
    found, rows = compile_paths(webhook=f"{on}, {outcome}")
    row = next(row for clause, row in rows.items() if clause not in ALWAYS)
    return {each.shape: each for each in found.values() if each.clause == row.clause}, row


def judge(experiment, name, *facts, **more):
    """Judge one check of an experiment over a history."""
    check = next(each for each in experiment.checks if each.name == name)
    return check.judge(told(*facts, **more)).outcome


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


def tell_gaps(row):
    """Return the parts of a clause that nothing asks for, each with its reason."""
    return {gap.what: gap.why for gap in row.gaps}


FURTHER = ["unlisted-code", "connection", "timeout"]


@pytest.mark.parametrize(
    ("outcome", "name", "since"),
    [
        ("reconcile: {every: 20s, within: 40s}", "resolved_once", "place"),
        ("recover: {within: 40s}", "recovered", "lift"),
    ],
)
def test_healing_a_hanging_call_waits_for_the_client(outcome, name, since):
    """An order that comes right once a patient client gave up its call is held within the time of the handoff, not after."""
    found, _ = compile_api("any", outcome)
    for shape, late in (("timeout", Outcome.HELD), ("connection", Outcome.VIOLATED)):
        orders = (1, 2, 3) if since == "lift" else (1,)
        began = [call(0, 503), met(), did("place", 0.0, *orders), *([did("lift", 1.0)] if since == "lift" else [])]
        start = 1.0 if since == "lift" else 0.0
        told_at = [[record(start + t, order=order, record_id=str(order)) for order in orders] for t in (29.0, 31.0)]
        assert [judge(found[shape], name, *began, *records) for records in told_at] == [late, Outcome.VIOLATED]
        waits = [step.within_s for step in found[shape].steps if isinstance(step, Await)]
        assert (min(waits) >= 30.0) is (shape == "timeout")


@pytest.mark.parametrize(
    ("outcome", "first"),
    [
        ("dead_letter: {}", ["first"]),
        (CASE, ["opened", "decided-go", "decided-stop", "burst", "resumed-once"]),
        (HERE, ["taken"]),
        (ELSEWHERE, ["taken"]),
        ("reconcile: {every: 20s, within: 40s}", ["found"]),
        ("recover: {within: 40s}", ["outage"]),
    ],
)
def test_all_the_rest_is_more_than_an_outage(outcome, first):
    """Whatever a path does about all the rest, it is asked about each kind of failure that no other path names."""
    found, _ = compile_api("any", outcome)
    assert list(found) == [*first, *FURTHER]
    kinds = [found[shape].faults[0].kind for shape in (first[0], *FURTHER)]
    assert kinds == ["status", "error", "connection", "timeout"]


@pytest.mark.parametrize(("more", "kind"), [("", "error"), (f"}}\n      - {{on: {{status: 400}}, {CASE}", "status")])
def test_what_any_puts_aside_is_counted_without_the_breaker(more, kind):
    """Dead letters of `any` are filled by refusals, which open no breaker, however they have to be brought about."""
    breaker = "}\n    breaker: {failures: 2, pause: 40s, alert: oncall"
    escalated = f"{RETRY}, then: {{dead_letter: {{escalate_after: 2, to: oncall}}}}"
    found, _ = compile_paths(api=f"any, {escalated}{more}{breaker}")
    assert found["post/any:retry/at"].faults[0].kind == kind


def test_a_client_may_take_its_time_to_give_up():
    """How long a client waits for an answer is its own affair, bounded by what the handoff declares alone."""
    found, _ = compile_api("timeout", "dead_letter: {}")
    (put_aside,) = (step for step in steps_of(found["first"], Await))
    assert put_aside.within_s == 30.0
    lasting, _ = compile_api("timeout", f"{RETRY}, then: dead_letter")
    assert steps_of(lasting["exhausted"], Await)[0].within_s > 30.0


@pytest.mark.parametrize(
    ("named", "kinds"),
    [
        ((), ["error", "connection", "timeout"]),
        (("{status: 400}",), ["status", "connection", "timeout"]),
        (("{status: 400}", "{status: 422}", "{status: 409}"), ["connection", "timeout"]),
        (("{status: 400}", "{status: 422}", "{status: 409}", "connection"), ["timeout"]),
        (("{status: 400}", "{status: 422}", "{status: 409}", "connection", "timeout"), []),
    ],
)
def test_the_rest_where_every_outage_is_named(named, kinds):
    """Where each status of an outage has its own path, `any` still takes refusals, broken connections and answers that never come."""
    paths = [*(f"{{status: {status}}}" for status in (500, 502, 503, 504)), *named]
    more = "".join(f"}}\n      - {{on: {on}, dead_letter: {{}}" for on in paths)
    found, rows = compile_paths(api=f"any, {RETRY}, then: dead_letter{more}")
    row = rows["post/any:retry"]
    mine = [found[name] for name in row.experiments]
    assert list(dict.fromkeys(each.faults[0].kind for each in mine)) == kinds
    assert bool(row.not_exercised) is not bool(kinds)
    if "{status: 400}" in named and kinds:
        assert "status" in tell_gaps(row)["a code that no path names"]


@pytest.mark.parametrize(
    ("rest", "shape", "attempts"),
    [
        (f"{RETRY}, then: dead_letter", "other-text", 2),
        ("retry: {attempts: 1, initial: 1s}, then: dead_letter", "other-text", 1),
        ("dead_letter: {}", "other-text", 1),
        (CASE, "other-text", 1),
    ],
)
def test_nearly_the_declared_answer(rest, shape, attempts):
    """The same code with another text is the next path's, whatever that does about it."""
    more = f"}}\n      - {{on: any, {rest}"
    found, _ = compile_api("{code: LOCKED, text: by somebody}", CASE, more=more)
    assert expected_attempts(found[shape], attempts) is Outcome.HELD
    assert expected_attempts(found[shape], attempts + 1) is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("on", "rest", "what", "why"),
    [
        ("{code: LOCKED, text: by somebody}", "", "other-text", "no path takes it"),
        ("{code: LOCKED, text: by somebody}", "any, recover: {within: 40s}", "other-text", "`any:recover` takes it"),
        ("{code: LOCKED, text: x}", "{status: 409}, dead_letter: {}", "other-text", "by the status"),
        ("{code: LOCKED}", f"any, {RETRY}", "another code", "`any:retry` is asked"),
        ("{code: LOCKED}", "", "another code", "no path takes it"),
    ],
)
def test_what_is_nearly_the_declared_answer_and_not_asked(on, rest, what, why):
    """Where nobody says what becomes of an answer that is nearly the declared one, the matrix says so."""
    _, row = compile_api(on, "dead_letter: {}", more=f"}}\n      - {{on: {rest}" if rest else "")
    assert why in tell_gaps(row)[what]


def test_a_case_after_the_last_attempt_is_decided():
    """A case that follows the last attempt is told, decided and resumed as any other; the waits before it are waited for."""
    found, row = compile_api("malformed", f"{RETRY}, then: {{{CASE}}}")
    case = ["opened", "decided-go", "decided-stop", "burst", "resumed-once"]
    assert list(found) == ["once", "last", "exhausted", *case]
    assert expected_attempts(found["opened"], 3) is Outcome.HELD
    assert steps_of(found["decided-go"], Await)[0].declared_s == pytest.approx((4 + 8) / 20)
    assert found["burst"].faults[0].expected == 9
    assert "trouble while somebody decides" in tell_gaps(row)
    breaker = "}\n    breaker: {failures: 5, pause: 40s, alert: oncall"
    _, counted = compile_api("any", f"{RETRY}, then: {{{CASE}}}", more=breaker)
    assert "open the breaker" in tell_gaps(counted)["a burst of the same trouble"]


def test_a_burst_beyond_a_limit():
    """Several orders beyond a limit are as many cases, and nothing is sent of any of them."""
    found, _ = compile_api('{when: "amount > 500.00 EUR"}', CASE)
    burst = found["burst"]
    assert burst.totals == {1: "500.01", 2: "500.01", 3: "500.01"}
    assert [fault.kind for fault in burst.faults] == ["webhook_duplicate"]
    assert judge(burst, "attempts 1") is Outcome.HELD
    assert judge(burst, "attempts 1", call(1.0)) is Outcome.VIOLATED
    assert found["resumed-once"].faults == ()


@pytest.mark.parametrize(
    ("on", "outcome", "what", "why"),
    [
        ("rate_limited", "retry: {attempts: 3, initial: 4s, jitter: full, honour_retry_after: true}",
         "orders that fail together", "when each of them is to come again"),
        ("malformed", "retry: {attempts: 3, initial: 4s, honour_retry_after: true}", "retry-after", "no answer"),
        ("rate_limited", "retry: {attempts: 1, initial: 4s, honour_retry_after: true}", "retry-after", "no further"),
        ("any", "retry: {attempts: 3, initial: 4s, max: 60s}", "the longest gap", "3 attempts never wait"),
        ("any", f"{RETRY}, then: {{reject: {{status: 400}}}}", "every attempt failing", "`reject` is nothing"),
    ],
)  # fmt: skip
def test_what_is_not_asked_of_a_retry(on, outcome, what, why):
    """What of a retry cannot be shown stands in the matrix, with the true reason."""
    assert why in tell_gaps(compile_api(on, outcome)[1])[what]


def test_an_outage_that_says_when_to_come_again():
    """Where a path listens to Retry-After, any answer with a status can ask for it."""
    found, _ = compile_api("{status: 503}", "retry: {attempts: 3, initial: 4s, honour_retry_after: true}")
    assert found["retry-after"].faults[0].params == {"status": 503, "retry_after_s": 16.0}
    assert "retry_after_s" not in found["once"].faults[0].params
    reached, row = compile_api("any", "retry: {attempts: 3, initial: 4s, max: 8s}")
    assert "the longest gap" not in tell_gaps(row)
    assert "retry-after" not in reached


@pytest.mark.parametrize(
    ("on", "target", "why"),
    [("malformed", "erp", "malformed ends no session"), ("session_expired", "wms", "wms has no sessions to end")],
)
def test_sessions_that_do_not_end_at_once(on, target, why):
    """Several calls at once meet what ends sessions, at a vendor that gives any."""
    renewed = "renew_session: true, retry: {attempts: 2, initial: 1s}, then: dead_letter"
    assert why in tell_gaps(compile_api(on, renewed, target)[1])["several calls at once"]


@pytest.mark.parametrize(
    ("on", "outcome", "why"),
    [
        ("malformed", "reject: {status: 400}", "comes again"),
        ("malformed", CASE, "names no order"),
        ("duplicate", CASE, "nothing that shows"),
        ("bad_signature", CASE, "`reject` alone"),
        ("any", CASE, "names no order"),
        ("permission_denied", "dead_letter: {}", "happens to calls"),
    ],
)
def test_what_cannot_be_asked_of_a_webhook_says_why(on, outcome, why):
    """The reason tells what is in the way."""
    found, row = compile_webhook(on, outcome)
    assert found == {}
    assert why in row.not_exercised
