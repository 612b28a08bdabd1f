"""The questions checks ask of a history."""

import pytest
from histories import HANDOFF, call, did, letter, met, record, sent, shown, told

from harness.core.history import Change, Exchange, Observation, Order

ORDER = Order(1, "#1001", "5100001", "1001")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("#1001", True),
        ("1001", True),
        ("SHP-1001", True),
        ("eid:SHP-1001?replace=item", True),
        ("order 5100001.", True),
        ("10010", False),
        ("91001", False),
        ("", False),
        ("#1002", False),
    ],
)
def test_an_order_is_named_by_whole_tokens(text, named):
    """An order is named where one of its names stands as a whole token."""
    assert ORDER.is_named_in(text) is named


def test_an_order_without_other_names():
    """An order that was never reserved has only its name, and no empty one."""
    assert Order(1, "order 1").aliases == {"order 1"}
    assert not Order(1, "").is_named_in("anything at all")


@pytest.mark.parametrize(
    ("status", "end", "garbled", "succeeded", "counts"),
    [
        (200, "complete", False, True, False),
        (204, "complete", False, True, False),
        (299, "complete", False, True, False),
        (300, "complete", False, False, False),
        (199, "complete", False, False, False),
        (200, "complete", True, False, False),
        (200, "reset", False, False, True),
        (200, "client_closed", False, False, True),
        (400, "complete", False, False, False),
        (401, "complete", False, False, False),
        (428, "complete", False, False, False),
        (429, "complete", False, False, True),
        (430, "complete", False, False, False),
        (499, "complete", False, False, False),
        (500, "complete", False, False, True),
        (599, "complete", False, False, True),
        (None, "complete", False, False, True),
        (None, "refused", False, False, True),
    ],
)
def test_what_a_call_came_to(status, end, garbled, succeeded, counts):
    """A success is a whole 2xx that can be understood; a breaker counts what never came back whole, 429 and 5xx."""
    made = call(0, status, end=end, garbled=garbled)
    assert (made.succeeded, made.counts_for_breaker) == (succeeded, counts)


def test_a_call_in_words():
    """A call shows its answer and code, or how it ended where there was no whole answer."""
    assert str(call(0, 429, code="BUSY")) == "PUT /salesOrder/eid:SHP-1 → 429 BUSY"
    assert str(call(0, 200, end="reset")) == "PUT /salesOrder/eid:SHP-1 → reset"


def test_attempts():
    """Attempts are the calls of the named operations, of one order where it is given."""
    history = told(call(0), call(1, order=2), call(2, operation="token.create", order=None))
    assert [made.order for made in history.attempts(["sales_order.upsert"])] == [1, 2]
    assert [made.started for made in history.attempts(["sales_order.upsert"], 2)] == [1]
    assert history.attempts([]) == ()


def test_deliveries_of_an_order():
    """Deliveries are asked for by order."""
    assert [each.started for each in told(sent(0), sent(1, order=2), sent(2)).sent_by(1)] == [0, 2]


def test_standing_records():
    """Records stand from their creation to their deletion, each in its newest state."""
    history = told(
        record(1, memo="a"),
        record(2, record_id="8"),
        record(3, action="updated", memo="b"),
        record(4, record_id="8", action="deleted"),
        record(5, order=2, record_id="9"),
    )
    (standing,) = history.records("sales_orders", 1)
    assert (standing.record_id, standing.record["memo"], standing.t) == ("7", "b", 3)
    assert history.records("invoices", 1) == ()


def test_the_newest_good_observation():
    """What was observed last counts, and what could not be read does not."""
    history = told(shown(letter(), t=1), shown(t=2), shown(t=3, error="down"), Observation(4, "queues"))
    assert history.observed("dead_letters").t == 2
    assert history.observed("jobs") is None


def test_every_letter_that_was_seen():
    """A dead letter stays seen, in its newest state, though it is no longer shown; other handoffs' are not this one's."""
    history = told(
        shown(letter(1), letter(2), letter(1, id="x", handoff="order-capture"), t=1), shown(letter(1, state="replayed"))
    )
    assert [item["state"] for item in history.dead_letters(HANDOFF)] == ["replayed", "waiting"]
    assert [item["id"] for item in history.dead_letters(HANDOFF, 2)] == ["letter 2"]


@pytest.mark.parametrize(
    ("readings", "waiting"),
    [
        ([], 0),
        ([shown(letter())], 1),
        ([shown(letter(state="replayed"))], 0),
        ([shown(letter(), t=1), shown()], 0),
        ([shown(letter(), t=1), shown(error="down")], 1),
        ([shown({"id": "a", "handoff": HANDOFF, "entity": "1001"})], 1),
        ([shown(letter(handoff="order-capture"))], 0),
        ([shown(letter(2))], 0),
    ],
)
def test_waiting_letters(readings, waiting):
    """What waits is what the newest good reading shows as waiting, or without a state."""
    assert len(told(*readings).waiting(HANDOFF, 1)) == waiting


def test_letters_left_over():
    """Left over are letters that wait and have neither an order nor a payload of this experiment."""
    history = told(
        call(0),
        sent(0),
        shown(
            letter(1),
            letter(None, id="body", payload_sha256="body 1"),
            letter(None, id="webhook", payload_sha256="webhook 1"),
            letter(None, id="old", payload_sha256="old", entity="#900"),
            letter(None, id="same", payload_sha256="body 1", entity="#901"),
            letter(None, id="done", payload_sha256="old", state="replayed"),
        ),
        bystanders=frozenset({"901"}),
    )
    assert [item["id"] for item in history.left_over(HANDOFF)] == ["old", "same"]


@pytest.mark.parametrize(
    ("entity", "foreign"), [("#900", False), ("SHP-900", False), ("#9001", True), ("9f", True), (None, True)]
)
def test_foreign_references(entity, foreign):
    """A reference is foreign unless it names an order of this lab."""
    assert told(bystanders=frozenset({"900"})).is_foreign(entity) is foreign


@pytest.mark.parametrize(
    ("item", "ours"),
    [
        (letter(1), True),
        (letter(None, payload_sha256="body 1"), True),
        (letter(None, payload_sha256="webhook 1"), True),
        (letter(None, payload_sha256="other", entity="#900"), True),
        (letter(None, payload_sha256="other", entity="#9001"), False),
        (letter(None, payload_sha256=None, entity=None), False),
    ],
)
def test_what_is_put_aside_here(item, ours):
    """Ours is what names an order of this lab, or holds a payload of this experiment."""
    assert told(call(0), sent(0), bystanders=frozenset({"900"})).is_ours(item) is ours


def test_an_order_of_the_plan():
    """An order is found by its ordinal; one that was never placed has that for a name."""
    assert told().order(2).name == "#1002"
    assert told().order(77).name == "order 77"


def test_receipts_of_a_fault():
    """Receipts are asked for by fault."""
    assert [each.t for each in told(met(t=1), met("f2", t=2), met(t=3)).hits("f1")] == [1, 3]


def test_when_the_driver_first_did_it():
    """The first action of a kind tells when."""
    history = told(did("place", 1), did("replay", 2), did("replay", 3))
    assert (history.when("replay"), history.when("restart")) == (2, None)


def test_a_call_knows_no_fault_of_its_own():
    """A call that nothing is said about met no fault and reached the vendor."""
    plain = Exchange("x", "erp", None, None, 0, 1, 200)
    assert (plain.faults, plain.rule, plain.fake, plain.shared, plain.garbled) == ((), None, True, False, False)


def queues(*cases, t=9.0, error=None):
    """Make a reading of the role queues."""
    return Observation(t, "queues", cases, error)


def case(order=1, **more):
    """Make a role-queue case."""
    return {"id": f"case {order}", "handoff": HANDOFF, "entity": f"#100{order}", "state": "open", **more}


def test_every_case_that_was_seen():
    """A case stays seen, in its newest state; dead letters and other handoffs' cases are none of them."""
    history = told(
        shown(letter(1)), queues(case(1), case(2), case(1, id="x", handoff="other"), t=1), queues(case(1, state="done"))
    )
    assert [item["state"] for item in history.cases(HANDOFF)] == ["done", "open"]
    assert [item["id"] for item in history.cases(HANDOFF, 2)] == ["case 2"]


@pytest.mark.parametrize(
    ("readings", "count"),
    [
        ([], 0),
        ([queues(case())], 1),
        ([queues({"id": "a", "handoff": HANDOFF, "entity": "1001"})], 1),
        ([queues(case(state="decided"))], 0),
        ([queues(case(), t=1), queues()], 0),
        ([queues(case(), t=1), queues(error="down")], 1),
        ([queues(case(handoff="other"), case(2))], 0),
        ([shown(case())], 0),
    ],
)
def test_open_cases(readings, count):
    """Open is what the newest good reading shows as open, or without a state."""
    assert len(told(*readings).open_cases(HANDOFF, 1)) == count


def test_records_of_one_system():
    """Two systems may name a collection alike: each can be asked for its own, or all together."""
    mine = [Change(1, system, "orders", "1", 1, "created") for system in ("storefront", "wms")]
    history = told(*mine)
    assert [each.system for each in history.records("orders", 1, "wms")] == ["wms"]
    assert history.records("orders", 1, "erp") == ()
    assert [each.system for each in history.records("orders", 1)] == ["storefront", "wms"]
    gone = told(*mine, Change(2, "wms", "orders", "1", 1, "deleted"))
    assert [each.system for each in gone.records("orders", 1)] == ["storefront"]


def test_an_order_is_known_by_further_tokens():
    """An order is named by the tokens of its payment too, as whole tokens."""
    order = Order(1, "#1001", "51001", "1001", frozenset({"3MtwBw"}))
    assert order.is_named_in("pi_3MtwBw")
    assert not order.is_named_in("pi_3MtwBwx")
    assert order.aliases == {"51001", "1001", "3MtwBw"}
