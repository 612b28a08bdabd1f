"""Gates: what must be true before anything that was seen counts, and checks that run behind them."""

from dataclasses import replace

import pytest
from histories import alert, call, did, met, record, sent, told

from harness.core.ends import EndState
from harness.core.experiments import HALT, Check, Experiment, LedgerRule, Station
from harness.core.faults import Fault, Layer
from harness.core.gates import judge, list_gates, run_check
from harness.core.history import Change, Trouble
from harness.core.starts import Start
from harness.core.verdict import Outcome, UnknownKind, build_held, build_violated

HELD = Check("fine", lambda _: build_held("fine", "", "as declared"))
BROKEN = Check("broken", lambda _: build_violated("broken", "", "not as declared"))
EXPERIMENT = Experiment(
    id="order-to-erp/any:retry/once",
    handoff="order-to-erp",
    clause="order-to-erp/any:retry",
    shape="once",
    declared="",
    location="",
    orders=1,
    steps=(),
    checks=(HELD,),
    ledger=LedgerRule((Station("order-to-erp", end=EndState("erp", "sales_order")),)),
    operations=("sales_order.upsert",),
)
FAULT = Fault("f1", "status", Layer.VENDOR, "erp", ("sales_order.upsert",), minimum=2)


def raising(_):
    """Be a check that crashes."""
    raise ZeroDivisionError("no calls")


def failed(history, experiment=EXPERIMENT):
    """Name the gates that failed, each with its kind."""
    return [(gate.name, gate.kind.value) for gate in list_gates(experiment, history) if not gate.passed]


def test_all_gates_open():
    """With traffic and nothing wrong every gate passes."""
    assert failed(told(call(0))) == []
    assert judge(EXPERIMENT, told(call(0))).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("history", "gate"),
    [
        (told(call(0), Trouble(1, "environment", "erp died")), ("environment", "environment")),
        (told(call(0), Trouble(1, "something else", "odd")), ("environment", "environment")),
        (told(call(0), Trouble(1, "interference", "tap stalled")), ("harness healthy", "interference")),
        (told(call(0), disagreements=("they differ",)), ("witnesses agree", "interference")),
        (told(call(0, order=None, entity="9f")), ("attributed", "not_observable")),
        (told(call(0, order=None, entity=None)), ("attributed", "not_observable")),
        (told(call(0), record(0, order=None)), ("attributed", "not_observable")),
        (told(), ("traffic", "vacuous")),
        (told(alert(), record(1)), ("traffic", "vacuous")),
    ],
)
def test_each_gate(history, gate):
    """Each gate fails by itself, with its own kind of unknown, and the verdict is of that kind."""
    assert failed(history) == [gate]
    verdict = judge(replace(EXPERIMENT, checks=(BROKEN,)), history)
    assert (verdict.outcome, verdict.kind) == (Outcome.UNKNOWN, gate[1])


@pytest.mark.parametrize(
    "history",
    [
        told(sent(0)),
        told(call(0, order=None, shared=True, entity=None)),
        told(call(0, order=None, fake=False, entity=None)),
        told(call(0, order=None, entity="#2001"), bystanders=frozenset({"2001"})),
        told(call(0, order=None, entity=None, operation="order.list")),
        told(call(0), replace(record(0, order=None), collection="sessions")),
        told(call(0), replace(record(0, order=None), entity="#2001"), bystanders=frozenset({"2001"})),
    ],
)
def test_what_needs_no_order(history):
    """Deliveries are traffic too; shared calls, other operations and what earlier experiments left need no order."""
    assert failed(history) == []


def test_records_of_what_is_not_asked_about():
    """A level of stock is no order's; where items are asked about, a record of orders is nobody's business, and no end is none."""
    stock = Station("inventory-sync", Start.ADJUSTED, end=EndState("storefront", "inventory_level", "in_sync"))
    blind = Station("order-capture")
    experiment = replace(EXPERIMENT, ledger=LedgerRule((*EXPERIMENT.ledger.stations, stock, blind)))
    level = Change(1.0, "storefront", "inventory_levels", "5", None, "updated", {}, "CAP")
    order = record(0, order=None)

    assert failed(told(call(0), level), experiment) == []
    assert failed(told(call(0), level, order), experiment) == [("attributed", "not_observable")]
    items = replace(experiment, subject="item")
    assert failed(told(call(0), order), items) == []
    assert failed(told(call(0), level), items) == [("attributed", "not_observable")]


def test_a_fault_that_others_kept_the_order_from():
    """Where a fault kept the order from coming further the others need no receipt; where none was met, nothing is excused."""
    experiment = replace(EXPERIMENT, faults=(FAULT, replace(FAULT, id="f2", minimum=1)))
    kept = told(call(0), met("f2"), did(HALT, 1.0))
    assert failed(kept, experiment) == []
    for history in (told(call(0), met("f2")), told(call(0), did(HALT, 1.0))):
        assert ("receipts f1", "vacuous") in failed(history, experiment)


@pytest.mark.parametrize(("receipts", "passed"), [(0, False), (1, False), (2, True), (3, True)])
def test_receipts(receipts, passed):
    """A fault needs its minimum of receipts, and other faults' receipts are none of its."""
    experiment = replace(EXPERIMENT, faults=(FAULT,))
    history = told(call(0), met("f2"), *(met() for _ in range(receipts)))
    assert (failed(history, experiment) == []) is passed
    if not passed:
        word = "touched too little" if receipts else "never touched"
        reason = (
            f"the fault f1 (status at erp sales_order.upsert) {word} traffic: {receipts} receipts, at least 2 needed"
        )
        assert judge(experiment, history).reason == reason


def test_a_call_that_is_held_is_a_receipt():
    """Of a call that never ends nobody tells more than that it began; who holds another one meets nothing of this fault."""
    experiment = replace(EXPERIMENT, faults=(replace(FAULT, minimum=1),))
    assert failed(told(call(0), holding=frozenset({"f1"})), experiment) == []
    assert failed(told(call(0), holding=frozenset({"f2"})), experiment) == [("receipts f1", "vacuous")]


def test_the_first_failed_gate_speaks():
    """When several gates fail the trouble of the environment is told before what may follow from it."""
    history = told(Trouble(1, "interference", "tap stalled"), Trouble(2, "environment", "erp died"))
    assert judge(EXPERIMENT, history).reason == "erp died"


def test_many_troubles_are_told_shortly():
    """Of many troubles three are told and the others counted."""
    history = told(call(0), *(Trouble(n, "environment", f"t{n}") for n in range(5)))
    assert judge(EXPERIMENT, history).reason == "t0; t1; t2 (and 2 more)"


def test_a_check_that_raises_is_unknown():
    """A crashed check is unknown, says why, and does not stop the others."""
    verdict = judge(replace(EXPERIMENT, checks=(Check("odd", raising), HELD)), told(call(0)))
    assert (verdict.outcome, verdict.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)
    assert verdict.reason == "the check odd crashed: ZeroDivisionError: no calls"
    assert [check.name for check in verdict.checks] == ["odd", "fine"]


def test_a_violation_stands_beside_a_crash():
    """What one check saw broken is not undone by another that crashed."""
    assert judge(replace(EXPERIMENT, checks=(Check("odd", raising), BROKEN)), told(call(0))).outcome is Outcome.VIOLATED


def test_a_result_bears_the_name_of_its_check():
    """Two checks of one family are told apart by the names the experiment gives them."""
    assert run_check(Check("fine 2", HELD.judge), told()).name == "fine 2"


@pytest.mark.parametrize(
    ("margin_s", "disturbance_s", "outcome"),
    [
        (0.2, 0.3, "unknown"),
        (0.3, 0.3, "unknown"),
        (0.31, 0.3, "violated"),
        (None, 9.0, "violated"),
        (0.1, 0.0, "violated"),
    ],
)
def test_lateness_in_a_disturbed_lab(margin_s, disturbance_s, outcome):
    """Late by no more than the lab was held up is unknown; anything else that is broken is not excused by that."""
    late = Check("late", lambda _: build_violated("late", "", "late", margin_s=margin_s))
    found = run_check(late, told(disturbance_s=disturbance_s))
    assert found.outcome == outcome
    assert (found.kind is UnknownKind.INTERFERENCE) is (outcome == "unknown")


def test_what_held_is_not_weighed():
    """A promise that was kept in a disturbed lab was kept."""
    assert run_check(HELD, told(disturbance_s=99.0)).outcome is Outcome.HELD
