"""All the rest: what `any` takes beside the outage, what is nearly the declared answer, and what follows the last attempt."""

import pytest
from combined_stacks import CASE, ELSEWHERE, HERE, RETRY, compile_api, compile_paths, compile_webhook, judge, tell_gaps
from compiled_stacks import expected_attempts, steps_of
from histories import call, did, met, record

from harness.core.experiments import Await
from harness.core.verdict import Outcome

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
