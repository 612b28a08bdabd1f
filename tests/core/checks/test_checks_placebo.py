"""Placebo: what comes out of nothing, and what only seems to."""

from decimal import Decimal
from pathlib import Path

import pytest
from histories import alert, call, did, letter, made, shown, told

from harness.core.checks.placebo import Calm, check_no_exception
from harness.core.history import Observation
from harness.core.verdict import Outcome, UnknownKind

HANDOFF, BESIDE = "order-to-erp", "payment-capture"
SEEN = frozenset({"dead_letters", "queues", "breakers"})
CALM = (Calm(HANDOFF, ("sales_order.upsert",)), Calm(BESIDE, ("payment_intent.capture",)), Calm("order-capture"))
THROUGH = (call(0.1), call(0.2, 200, operation="payment_intent.capture", system="gateway"))


def read(what, *items, t=9.0):
    """Make a reading of the queues or breakers."""
    return Observation(t, what, items)


def judge(*facts, handoffs=CALM, observable=SEEN, through=THROUGH):
    """Judge a history in which both calls of the first order got through, and nothing is shown but what is given."""
    shows = {fact.what for fact in facts if isinstance(fact, Observation)}
    quiet = [read(what) for what in ("dead_letters", "queues") if what in observable - shows]
    return check_no_exception(told(*through, *quiet, *facts, observable=observable), handoffs=handoffs, orders=(1, 2))


def case(order=1, handoff=HANDOFF, **more):
    """Make an open case."""
    return {
        "id": f"case {order}",
        "handoff": handoff,
        "entity": f"#100{order}",
        "role": "oncall",
        "state": "open",
        **more,
    }


def breaker(state, handoff=HANDOFF):
    """Make what the integration says of a breaker."""
    return {"handoff": handoff, "state": state}


@pytest.mark.parametrize(
    "fact",
    [
        read("queues", case()),
        read("queues", case(2, BESIDE)),
        shown(letter(1, handoff=BESIDE)),
        shown(letter(1, handoff="order-capture")),
        alert(entity="#1001"),
        alert(entity="#1001", role=None),
        alert(entity="order 51002", handoff=BESIDE),
        alert(entity="#1001", channel="slack"),
        read("breakers", breaker("open")),
    ],
)
def test_out_of_nothing(fact):
    """A dead letter, a case, an alert or an open breaker where nothing went wrong breaks a promise, whoever's it is."""
    assert judge(fact).outcome is Outcome.VIOLATED


def test_a_breaker_that_closed_again():
    """Only the last reading of the breakers counts, as the reference of the clauses says."""
    opened, closed = read("breakers", breaker("open"), t=8.0), read("breakers", breaker("closed"))
    assert judge(opened, closed).outcome is Outcome.HELD
    assert (
        judge(read("breakers", breaker("closed"), t=8.0), read("breakers", breaker("open"))).outcome is Outcome.VIOLATED
    )
    clauses = (Path(__file__).parents[3] / "docs" / "reference" / "clauses.md").read_text(encoding="utf-8")
    assert "no breaker stood open in the last reading" in clauses


@pytest.mark.parametrize(
    "fact",
    [
        read("queues", case(9)),
        shown(letter(9)),
        alert(entity="#1009"),
        alert(entity="#77001", handoff=None),
        alert(entity="#1001", handoff="to-the-carrier"),
        alert(entity="#1001", role=None, channel="slack"),
        alert(role=None, handoff=None, channel="slack"),
        read("breakers", breaker("half_open")),
        read("breakers", breaker("closed"), breaker("open")),
        read("breakers", breaker("open", "to-the-carrier")),
        read("breakers", breaker("open"), t=0.05),
    ],
)
def test_somebody_elses(fact):
    """What is about another order, of a handoff the lab is without, mere news, or from before proves nothing."""
    assert judge(fact).outcome is Outcome.HELD


@pytest.mark.parametrize("fact", [alert(), alert(handoff=None), alert(entity="#1001", handoff=None)])
def test_an_alert_that_may_be_about_it(fact):
    """An alert that does not say which order or which handoff may be about this one, or not."""
    assert judge(fact).kind is UnknownKind.NOT_OBSERVABLE


@pytest.mark.parametrize("more", [(shown(letter(9)),), (read("queues", case(9)),), (call(0.3, 503, order=None),)])
def test_what_accounts_for_a_vague_alert(more):
    """Where something else waits at the handoff, or failed there, an alert that names no order is about that."""
    assert judge(alert(), *more).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("t", "outcome"), [(0.5, Outcome.HELD), (0.9, Outcome.HELD), (1.0, Outcome.UNKNOWN), (1.5, Outcome.UNKNOWN)]
)
def test_a_vague_alert_from_before(t, outcome):
    """Before anything was done about an order, no alert is about one; what was done about none began nothing."""
    done = (did("wait", 0.2), did("place", 1.0, 1), did("ship", 2.0, 1))
    assert judge(alert(t), *done).outcome is outcome


def test_a_vague_alert_of_no_handoff_of_these():
    """A lab may be without a system of its handoff, which accounts for it."""
    assert judge(alert(handoff="to-the-carrier")).outcome is Outcome.HELD


def test_some_calls_failed():
    """Where one call of several failed, an open breaker does not come out of nothing."""
    assert judge(call(0.3, 503, order=2), read("breakers", breaker("open"))).outcome is Outcome.HELD


def test_a_call_that_failed_all_the_same():
    """Where the vendor refused the order although nothing was armed, what follows does not come out of nothing."""
    refused = (call(0.1, 400, code="LOCKED"), THROUGH[1])
    assert judge(alert(entity="#1001"), read("breakers", breaker("open")), through=refused).outcome is Outcome.HELD
    assert judge(alert(entity="#1001", handoff=BESIDE), through=refused).outcome is Outcome.VIOLATED
    assert judge(alert(entity="#1001", handoff="order-capture"), through=refused).outcome is Outcome.HELD
    looked = (*THROUGH, call(0.05, 404, operation="sales_order.read", method="GET"))
    assert judge(alert(entity="#1001", handoff="order-capture"), through=looked).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("total", "outcome"), [("600.00", Outcome.HELD), ("400.00", Outcome.VIOLATED), ("much", Outcome.UNKNOWN)]
)
def test_a_value_that_leads_there(total, outcome):
    """A case by the value of the order is declared; without it it is not, and where it cannot be read nobody can tell."""

    def is_dear(amount):
        return None if amount is None else amount > Decimal(500)

    handoffs = (Calm(HANDOFF, ("sales_order.upsert",), (is_dear,)),)
    sold = made("storefront", "orders", total_price=total)
    assert judge(sold, read("queues", case()), handoffs=handoffs).outcome is outcome


def test_cases_are_told_apart_by_their_names():
    """Two cases are two, each of its own order, also in one reading; the newest word on a case is what it is about."""
    assert judge(read("queues", case(1), case(9))).outcome is Outcome.VIOLATED
    assert judge(read("queues", case(9), case(1))).outcome is Outcome.VIOLATED
    assert judge(read("queues", case(1, id="c"), t=8.0), read("queues", case(9, id="c"))).outcome is Outcome.HELD


def test_a_case_about_nobody():
    """One that names no order is about none of these."""
    assert judge(read("queues", case(entity=None))).outcome is Outcome.HELD


def test_a_breaker_nobody_called_through():
    """Where the handoff made no call, nothing tells why its breaker is open."""
    assert judge(read("breakers", breaker("open")), through=THROUGH[1:]).outcome is Outcome.HELD


def test_what_is_not_shown_is_said():
    """Of what is shown nothing is said."""
    assert judge().observed == "none"
    assert judge(observable=frozenset()).observed == "none; dead letters and queues are not shown"


@pytest.mark.parametrize("what", ["dead_letters", "queues"])
def test_what_could_not_be_read(what):
    """What is declared and could not be read may have held anything; what is not declared is only said not to be shown."""
    facts = [read(other) for other in ("dead_letters", "queues") if other != what]
    unread = check_no_exception(told(*THROUGH, *facts, observable=SEEN), handoffs=CALM, orders=(1,))
    assert unread.kind is UnknownKind.NOT_OBSERVABLE
    undeclared = judge(observable=SEEN - {what})
    assert (undeclared.outcome, what.replace("_", " ") in undeclared.observed) == (Outcome.HELD, True)
