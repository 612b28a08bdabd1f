"""Compiling: every clause to experiments that can be run, can fail, and are always the same."""

from collections import Counter
from dataclasses import replace

import pytest
from compiled_stacks import Shape, expected_attempts, shapes, steps_of, watched_s
from histories import alert, call, letter, met, shown, told
from hypothesis import given, settings

from harness.core.compile import compile_stack
from harness.core.compile.clauses import list_clauses
from harness.core.compile.frame import HORIZON
from harness.core.conditions import AllOf, AnyOf, Attempted, DeadLettered, Delivered, PayloadDeadLettered, Received
from harness.core.experiments import Act, Arm, Await, Lift, Place, Replay, Restart, Watch
from harness.core.faults import Layer
from harness.core.gates import run_check
from harness.core.loading import load_stack
from harness.core.verdict import CheckResult, Outcome, UnknownKind

STACKS = settings(max_examples=15)


def conditions_of(experiment):
    """List every condition an experiment waits for, joined ones taken apart."""
    found = [step.condition for step in steps_of(experiment, Await)]
    found += [step.until for step in steps_of(experiment, Watch) if step.until is not None]
    for condition in found:
        if isinstance(condition, AnyOf | AllOf):
            found += condition.conditions
    return found


def test_the_reference(plan):
    """The reference stack compiles to its experiments, every clause exercised."""
    assert len(plan.experiments) >= 30
    assert [row.clause for row in plan.coverage if row.not_exercised] == []
    breaker = [each.shape for each in plan.experiments if each.clause == "order-to-erp/breaker"]
    assert breaker == [
        "below",
        "reset",
        "opens",
        "opens-on-connection",
        "closes",
        "reopens",
        "probe-answer-lost",
        "contained",
    ]


@STACKS
@given(shapes)
def test_ids(shape):
    """Ids are unique, are `<clause>/<shape>`, and are the same each time."""
    plan = shape.plan
    ids = [experiment.id for experiment in plan.experiments]
    assert len(ids) == len(set(ids))
    again = compile_stack(load_stack(shape.text, file="stack.yaml"))
    assert ids == [experiment.id for experiment in again.experiments]
    for experiment in plan.experiments:
        assert experiment.id == f"{experiment.clause}/{experiment.shape}"
        assert experiment.clause.startswith(f"{experiment.handoff}/")
        assert experiment.location.startswith("stack.yaml:")


@STACKS
@given(shapes)
def test_coverage_is_complete(shape):
    """Every clause has a row with its experiments, or with the reason why it has none; every experiment is in one row."""
    plan = shape.plan
    stack = load_stack(shape.text, file="stack.yaml")
    clauses = [
        clause.id
        for handoff in stack.handoffs
        for clause in list_clauses(handoff, journey=handoff is stack.handoffs[0])
    ]
    assert [row.clause for row in plan.coverage] == clauses
    assert all(bool(row.experiments) is not bool(row.not_exercised) for row in plan.coverage)
    listed = Counter(experiment for row in plan.coverage for experiment in row.experiments)
    assert listed == Counter(experiment.id for experiment in plan.experiments)


@STACKS
@given(shapes)
def test_faults_are_armed_and_can_bite(shape):
    """Every fault is armed by a step and every fault a step or condition names exists; each names attempts it can meet."""
    for experiment in shape.plan.experiments:
        faults = {fault.id for fault in experiment.faults}
        assert {step.fault for step in steps_of(experiment, Arm)} == faults
        assert {step.fault for step in steps_of(experiment, Lift)} <= faults
        assert {each.fault for each in conditions_of(experiment) if isinstance(each, Received)} <= faults
        for fault in experiment.faults:
            assert fault.attempts is None or (fault.attempts and min(fault.attempts) >= 1)
            assert 1 <= fault.minimum <= fault.expected
            assert fault.operations
            assert fault.system in {"storefront", "erp"}
            assert bool(fault.toxics) is (fault.layer is Layer.WIRE and not fault.params.get("refuse"))


@STACKS
@given(shapes)
def test_orders_are_placed_once(shape):
    """Each order is placed at most once and in time; nothing is awaited or checked of an order outside the plan."""
    for experiment in shape.plan.experiments:
        placed = [order for step in steps_of(experiment, Place) for order in step.orders]
        assert len(placed) == len(set(placed))
        assert max(placed, default=1) <= experiment.orders
        assert placed == sorted(placed)
        for condition in conditions_of(experiment):
            about = set(getattr(condition, "orders", ())) | {getattr(condition, "order", None) or 1}
            assert max(about) <= experiment.orders


@STACKS
@given(shapes)
def test_waits_can_end(shape):
    """Every wait has an end, declares no more than that, and every experiment waits for something that can happen."""
    for experiment in shape.plan.experiments:
        awaited = steps_of(experiment, Await)
        assert awaited
        assert all(step.within_s > 0 and 0 <= step.declared_s <= step.within_s for step in awaited)
        assert all(step.for_s > 0 for step in steps_of(experiment, Watch))
        dead = any(isinstance(each, DeadLettered | PayloadDeadLettered) for each in conditions_of(experiment))
        assert not dead or "dead_letters" in experiment.needs


@STACKS
@given(shapes)
def test_nothing_seen_is_nothing_proven(shape):
    """Over an empty history no experiment is held, and no check of one raises."""
    for experiment in shape.plan.experiments:
        results = [run_check(check, told(orders=())) for check in experiment.checks]
        assert results
        assert all(isinstance(result, CheckResult) and "crashed" not in result.observed for result in results)
        assert any(result.outcome is not Outcome.HELD for result in results)


@STACKS
@given(shapes)
def test_checks_are_told_apart(shape):
    """No two checks of one experiment have the same name."""
    for experiment in shape.plan.experiments:
        names = [check.name for check in experiment.checks]
        assert len(names) == len(set(names))


def test_other_declarations_keep_their_ids():
    """Numbers, an unrelated path and the order of the file change no id of the other clauses."""
    ids = set(Shape().experiments)
    changed = Shape(scale=1, pause="70s", api_paths=("malformed", "session_expired", "{status: 429}"))
    assert set(changed.experiments) == ids
    more = Shape(api_paths=(*Shape().api_paths, "{code: LOCKED}"))
    assert set(more.experiments) - ids == {f"post/LOCKED:retry/{shape}" for shape in ("once", "exhausted")}


def test_the_fallback_of_a_branch():
    """The same code with another text falls to the code's own path, else to `any`, whatever that does."""
    branch = "{code: USER_ERROR, text: already exists}"
    other = "post/USER_ERROR+already-exists:branch/other-text"
    aside = Shape(api_paths=(branch,), any_path="dead_letter: {}").experiments[other]
    assert expected_attempts(aside, 1) is Outcome.HELD
    assert expected_attempts(aside, 2) is Outcome.VIOLATED
    assert other not in Shape(api_paths=(branch,), any_path=None).experiments
    found = Shape(api_paths=(branch,)).experiments[other]
    assert found.faults[0].params["code"] == "USER_ERROR"
    assert "already exists" not in found.faults[0].params["text"]


def test_a_branch_is_seen_by_what_is_not_put_aside():
    """The vendor holds the record whatever happens, so the branch is judged by the dead letters, shown or not."""
    for observed in (True, False):
        branch = "{code: USER_ERROR, text: already exists}"
        taken = Shape(api_paths=(branch,), observed=observed).experiments["post/USER_ERROR+already-exists:branch/taken"]
        assert [check.name for check in taken.checks] == ["attempts", "resolved_once", "no_dead_letter"]
        assert taken.faults[0].params["commit"] is True


def test_a_branch_is_taken_at_the_first_answer():
    """One send is what a branch takes; a second is one too many."""
    taken = Shape(api_paths=("{code: USER_ERROR, text: already exists}",)).experiments[
        "post/USER_ERROR+already-exists:branch/taken"
    ]
    assert [expected_attempts(taken, calls) for calls in (1, 2)] == [Outcome.HELD, Outcome.VIOLATED]


@pytest.mark.parametrize(("shape", "most"), [("once", 1), ("concurrent", 1), ("exhausted", 2)])
def test_renewals(shape, most):
    """One expiry is renewed once, however many meet it; a vendor that refuses every session once an attempt."""
    experiment = Shape().experiments[f"post/session_expired:renew_session/{shape}"]
    check = next(check for check in experiment.checks if check.name == "renewed")
    renewals = [call(n, 200, order=None, operation="token.create") for n in range(1, most + 2)]
    assert check.judge(told(met(), *renewals[:most])).outcome is Outcome.HELD
    assert check.judge(told(met(), *renewals)).outcome is Outcome.VIOLATED


def test_only_the_first_answer_is_lost():
    """An answer is lost once, so that whoever sends again gets through; its record is awaited to be one."""
    for shape in ("answer-lost", "answer-hangs"):
        experiment = Shape().experiments[f"post/lost_answer:exactly_once/{shape}"]
        assert experiment.faults[0].attempts == (1,)
        assert [check.name for check in experiment.checks] == ["resolved_once", "no_dead_letter"]
    assert not any("lost_answer" in name for name in Shape(effects="at_least_once").experiments)


def test_without_sight_of_dead_letters():
    """What the wire proves needs no dead letters; a replay that nobody can make blames nobody."""
    unseen = Shape(observed=False).experiments
    assert [check.name for check in unseen["post/clean:resolve/one"].checks] == [
        "resolved_once",
        "attempts 1",
        "no_exception",
    ]
    assert [check.name for check in unseen["post/dead_letter:escalate/replay"].checks] == ["replay", "replayed_once"]
    seen = Shape().experiments["post/dead_letter:escalate/replay"]
    assert [check.name for check in seen.checks] == ["replay", "replayed_once", "resolved_once"]


@pytest.mark.parametrize(
    ("after", "shapes_of_it"),
    [
        (1, ["at", "beyond", "replay"]),
        (2, ["below", "at", "beyond", "replay"]),
        (None, ["replay"]),
    ],
)
def test_shapes_of_an_escalation(after, shapes_of_it):
    """N-1, N and N+1 dead letters and a replay; nothing is below one, and nothing is escalated that is not declared."""
    found = [name for name in Shape(escalate_after=after).experiments if "escalate" in name]
    assert [name.rpartition("/")[2] for name in found] == shapes_of_it


@pytest.mark.parametrize(("shape", "waiting", "alerts"), [("below", 2, 0), ("at", 3, 1), ("beyond", 4, 1)])
def test_numbers_of_an_escalation(shape, waiting, alerts):
    """As many orders are put aside as the shape says, and as many alerts expected as that number owes."""
    experiment = Shape().experiments[f"post/dead_letter:escalate/{shape}"]
    assert experiment.orders == waiting
    assert experiment.faults[0].orders == tuple(range(1, waiting + 1))
    (check,) = experiment.checks
    letters = shown(*(letter(n, handoff="post") for n in range(1, waiting + 1)))
    outcomes = [
        check.judge(told(letters, *(alert(n, handoff="post") for n in range(count)))).outcome for count in range(3)
    ]
    expected = [Outcome.VIOLATED] * 3
    expected[alerts] = Outcome.HELD
    assert outcomes == expected
    fewer = shown(*(letter(n, handoff="post") for n in range(1, waiting)))
    assert check.judge(told(fewer)).kind is UnknownKind.VACUOUS


def test_dead_letters_are_filled_without_opening_the_breaker():
    """Dead letters are filled by what the breaker does not count, as soon as can be; by nothing where there is no such thing."""
    for shape in (Shape(), Shape(api_paths=("malformed", "{code: LOCKED}"))):
        experiment = shape.experiments["post/dead_letter:escalate/at"]
        assert experiment.faults[0].kind in {"session_expired", "error"}
    counted = Shape(api_paths=("{status: 429}",), any_path=None)
    assert not any("escalate" in name for name in counted.experiments)
    assert any("escalate" in name for name in replace(counted, failures=None).experiments)


def test_dead_letters_at_once_fill_too():
    """A path that puts an order aside at the first failure fills the handoff's dead letters as well as a retry."""
    at_once = Shape(api_paths=("{status: 429}",), any_path="dead_letter: {escalate_after: 3, to: oncall}")
    experiment = at_once.experiments["post/dead_letter:escalate/at"]
    assert [each.count for each in conditions_of(experiment) if isinstance(each, Attempted)] == [1, 1, 1]


@pytest.mark.parametrize(("failures", "below"), [(1, False), (2, True), (5, True)])
def test_shapes_of_a_breaker(failures, below):
    """Below the number there is something to see only where it is above one."""
    found = {name.rpartition("/")[2] for name in Shape(failures=failures).experiments if "/breaker/" in name}
    assert {"opens", "opens-on-connection", "closes", "reopens", "contained"} <= found
    assert ({"below", "reset"} <= found) is below


def test_numbers_of_a_breaker():
    """N-1 calls fail below, twice N-1 with all let through between to reset, and exactly N to open it."""
    found = Shape(failures=4).experiments
    assert found["post/breaker/below"].faults[0].attempts == (1, 2, 3)
    assert [fault.attempts for fault in found["post/breaker/reset"].faults] == [(1, 2, 3), (1, 2, 3)]
    assert found["post/breaker/opens"].faults[0].attempts == (1, 2, 3, 4)
    assert found["post/breaker/reopens"].faults[0].attempts is None


def test_a_breaker_gets_work_to_show_itself_by():
    """An order is placed after the last failure, and one more when the pause is over, for a breaker that waits for work."""
    found = Shape().experiments
    below = [step for step in found["post/breaker/below"].steps if isinstance(step, Place | Await)]
    assert isinstance(below[-2], Place)
    opens = found["post/breaker/opens"].steps
    lifted = next(at for at, step in enumerate(opens) if isinstance(step, Lift))
    assert [type(step) for step in opens[lifted:]] == [Lift, Place, Await, Place, Await]
    probe = opens[lifted + 2]
    assert 2.0 < probe.within_s <= 2.0 * HORIZON
    reopens = found["post/breaker/reopens"].steps
    assert [len(step.orders) for step in reopens if isinstance(step, Place)] == [5, 1, 1, 1]


def test_containment_needs_a_handoff_before():
    """What a breaker must not touch is the handoff before it; without one there is nothing to touch."""
    alone = load_stack(Shape().text.replace("    after: [capture]\n", ""), file="stack.yaml")
    assert not any(each.shape == "contained" for each in compile_stack(alone).experiments)


def test_reconciliation_is_watched_into_the_next():
    """After a dropped webhook was found the next reconciliation is watched too."""
    found = Shape(scale=1).experiments
    assert watched_s(found["capture/dropped:reconcile/one"]) == pytest.approx(60 * HORIZON)


@pytest.mark.parametrize(
    ("name", "minimum"),
    [
        ("capture/dropped:reconcile/some", 3),
        ("capture/duplicate:deduplicate/together", 1),
        ("capture/receiver_down:recover/twice", 2),
        ("post/429:retry/last", 1),
    ],
)
def test_least_receipts(name, minimum):
    """What only the harness decides must have happened as often as planned; what the integration decides, once."""
    assert Shape().experiments[name].faults[0].minimum == minimum


def test_crashes():
    """A crash is armed after a reconciliation, followed by a restart, and judged by what was acknowledged."""
    burst = Shape().experiments["capture/crash:recover/in-a-burst"]
    kinds = [type(step) for step in burst.steps]
    assert kinds.index(Await) < kinds.index(Arm) < kinds.index(Restart)
    assert burst.faults[0].params == {"nth": 3}
    assert [check.name for check in burst.checks] == ["recovered", "resolved_once"]
    alone = Shape(webhook_paths=("crash",)).experiments["capture/crash:recover/after-ack"]
    assert isinstance(alone.steps[0], Arm)


def test_forged_webhooks_are_about_orders_nobody_placed():
    """A forged webhook is posted by an act, about an order that is reserved and never placed."""
    for how in ("forged", "missing", "other-body"):
        experiment = Shape().experiments[f"capture/bad_signature:reject/{how}"]
        assert (steps_of(experiment, Place), experiment.orders) == ([], 1)
        assert experiment.faults[0].layer is Layer.ACT
        assert experiment.faults[0].params == {"how": how.replace("-", "_")}


def test_late_creations_have_a_twin():
    """An order that is updated before its creation arrives is compared with an equal one that meets no fault."""
    experiment = Shape().experiments["capture/out_of_order:reorder/update-first"]
    assert experiment.twins
    assert experiment.faults[0].orders == (2,)
    assert [step.params["order"] for step in steps_of(experiment, Act)] == [1, 2]
    delivered = [(each.order, each.topics) for each in conditions_of(experiment) if isinstance(each, Delivered)]
    created, updated = ("orders/create",), ("orders/updated",)
    assert delivered == [(1, created), (1, updated), (2, created), (2, updated)]


def test_replays_follow_lifting():
    """A dead letter is replayed once its cause is gone."""
    steps = [type(step) for step in Shape().experiments["post/dead_letter:escalate/replay"].steps]
    assert steps.index(Arm) < steps.index(Lift) < steps.index(Replay)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "    resolved_when: {system: erp, record: sales_order, state: exists_once}\n",
            "",
            "the handoff says no end state",
        ),
        ("protocol: api", "protocol: edi_batch", "handoffs over edi_batch are not driven"),
        ("    to: erp\n", "    to: integration\n", "nobody makes calls to the integration itself"),
        ("    operation: [sales_order.create, sales_order.upsert]\n", "", "its operations are not named"),
    ],
)
def test_what_cannot_be_driven(old, new, reason):
    """A handoff that cannot be driven has every clause in the matrix, each with the reason."""
    text = Shape(webhook_paths=("dropped",), api_paths=("{status: 429}",)).text
    head, post, tail = text.partition("  - id: post\n")
    plan = compile_stack(load_stack(head + post + tail.replace(old, new, 1), file="stack.yaml"))
    rows = [row for row in plan.coverage if row.handoff == "post"]
    assert len(rows) >= 4
    assert all(reason in row.not_exercised and not row.experiments for row in rows)


def test_calls_to_the_integration_are_not_driven():
    """No fake stands where calls go to the integration itself, so nothing can be brought about there."""
    text = Shape().text
    head, post, tail = text.partition("  - id: post\n")
    plan = compile_stack(load_stack(head + post + tail.replace("to: erp", "to: integration", 1), file="stack.yaml"))
    assert {row.handoff for row in plan.coverage if row.experiments} == {"capture"}


def test_breakers_and_dead_letters_of_webhooks():
    """A breaker or escalation of an inbound handoff is in the matrix with a reason, and compiles to nothing that cannot run."""
    more = "    dead_letter: {escalate_after: 2, to: oncall}\n    breaker: {failures: 2, pause: 20s, alert: oncall}\n"
    text = Shape().text.replace("  - id: post\n", f"{more}  - id: post\n")
    rows = {row.clause: row for row in compile_stack(load_stack(text, file="stack.yaml")).coverage}
    for clause in ("capture/dead_letter:escalate", "capture/breaker"):
        assert (rows[clause].experiments, bool(rows[clause].not_exercised)) == ((), True)
