"""The ledger over a whole chain: parked upstream, lost downstream, as often as due, cancelled, unseen."""

import pytest
from histories import did, letter, told

from harness.core.checks.ledger import Row, build_ledger, check_ledger
from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.history import Change, Observation
from harness.core.starts import Start
from harness.core.verdict import Outcome, UnknownKind

SALES_ORDER, FULFILMENT = EndState("erp", "sales_order"), EndState("erp", "item_fulfillment")
PAID, SHOWN = EndState("gateway", "payment_intent", "succeeded"), EndState("storefront", "fulfillment")
BEFORE = ("capture", "post", "pay")
RULE = LedgerRule(
    (
        Station("capture", end=SALES_ORDER),
        Station("post", after=("capture",), end=SALES_ORDER, queues=True),
        Station("pay", after=("capture",), end=PAID),
        Station("send", after=BEFORE, end=EndState("wms", "order")),
        Station("shipped", Start.SHIPPED, (*BEFORE, "send"), FULFILMENT),
        Station("tell-erp", Start.SHIPPED, (*BEFORE, "send", "shipped"), FULFILMENT),
        Station("tell-shop", Start.SHIPPED, (*BEFORE, "send", "shipped"), SHOWN),
        Station("credit", Start.REFUNDED, ("capture", "post"), EndState("erp", "credit_memo")),
        Station("sync", Start.ADJUSTED, (), EndState("storefront", "inventory_level", "in_sync")),
        Station("unsaid", after=("capture",)),
    )
)


def made(system, collection, record_id="1", *, order=1, **shown):
    """Make a record of a system."""
    return Change(1.0, system, collection, record_id, order, "created", shown)


def shipment(record_id="s1"):
    """Make a shipment at the warehouse."""
    return made("wms", "shipments", record_id, order_id="w1")


def refund(record_id="r1"):
    """Make a refund at the storefront."""
    return made("storefront", "refunds", record_id, order_id="1", amount="5.00")


def fulfilled(*places, number=1):
    """Make that many fulfilments at each of the places."""
    collections = {"erp": "item_fulfillments", "storefront": "fulfillments"}
    return [made(place, collections[place], f"f{n}") for place in places for n in range(1, number + 1)]


ORDER = made("storefront", "orders", total_price="37.50")
POSTED = [ORDER, made("erp", "sales_orders")]
PAYMENT = made("gateway", "payment_intents", status="succeeded", amount_received=3750)
SENT = [*POSTED, PAYMENT, made("wms", "orders")]
CANCELLED = made("storefront", "orders", total_price="37.50", cancelled_at="2026-03-01T10:00:00Z")


def letters(*handoffs, t=9.0, error=None, **more):
    """Make a reading of dead letters of order 1, one a handoff."""
    items = tuple(letter(1, id=f"{n} {name}", handoff=name, **more) for n, name in enumerate(handoffs))
    return Observation(t, "dead_letters", items, error)


def cases(*handoffs, error=None, **more):
    """Make a reading of the role queues, one case of order 1 a handoff."""
    items = ({"id": f"{n} {name}", "handoff": name, "entity": "#1001", **more} for n, name in enumerate(handoffs))
    return Observation(9.0, "queues", tuple(items), error)


def judge(*things):
    """Judge order 1; return its row."""
    seen = {each.what for each in things if isinstance(each, Observation)}
    things = (*things, *(each for each in (letters(), cases()) if each.what not in seen))
    history = told(did("place", 0.0, 1), *things)
    (entry,) = build_ledger(history, RULE)
    expected = {Row.UNSEEN: Outcome.UNKNOWN, Row.LOST: Outcome.VIOLATED, Row.DUPLICATED: Outcome.VIOLATED}
    assert check_ledger(history, RULE).outcome is expected.get(entry.row, Outcome.HELD)
    return entry.row


@pytest.mark.parametrize(
    ("things", "row"),
    [
        (SENT, Row.POSTED),
        ([*SENT, shipment(), *fulfilled("erp", "storefront")], Row.FULFILLED),
        ([*SENT, refund(), made("erp", "credit_memos", total="5.00")], Row.POSTED),
        ([*SENT, *fulfilled("erp")], Row.POSTED),
    ],
)
def test_through(things, row):
    """An order that reached every end that is due is posted, and fulfilled once something of it was shipped."""
    assert judge(*things) is row


@pytest.mark.parametrize(
    ("things", "row"),
    [
        ([ORDER, letters("capture")], Row.PARKED),
        ([ORDER, PAYMENT, letters("post")], Row.PARKED),
        ([ORDER, letters("post")], Row.LOST),
        ([ORDER, letters("post", "pay")], Row.PARKED),
        ([*POSTED, letters("pay")], Row.PARKED),
        ([*POSTED, PAYMENT, letters("send")], Row.PARKED),
        ([*POSTED, PAYMENT, letters("pay")], Row.PARKED),
        ([*POSTED, PAYMENT, letters("tell-erp")], Row.LOST),
        ([*POSTED, PAYMENT, letters("credit")], Row.LOST),
        ([*POSTED, PAYMENT], Row.LOST),
        ([*POSTED, letters("pay", state="replayed")], Row.LOST),
    ],
)
def test_parked_upstream_lost_downstream(things, row):
    """What waits at a handoff, or before it, cannot have come further; what waits behind it or beside it is no excuse."""
    assert judge(*things) is row


@pytest.mark.parametrize(
    ("things", "row"),
    [
        ([*POSTED, cases("pay")], Row.PARKED),
        ([*POSTED, cases("pay", state="open")], Row.PARKED),
        ([*POSTED, cases("pay", state="decided")], Row.LOST),
        ([ORDER, letters("pay"), cases("post")], Row.PARKED),
        ([*POSTED, cases("tell-shop")], Row.LOST),
    ],
)
def test_parked_in_a_role_queue(things, row):
    """An open case parks an order like a dead letter; a decided one does no more."""
    assert judge(*things) is row


@pytest.mark.parametrize(
    ("things", "row"),
    [
        (fulfilled("erp", "storefront", number=2), Row.FULFILLED),
        ([*fulfilled("erp"), *fulfilled("storefront", number=2)], Row.LOST),
        ([*fulfilled("erp", number=2), *fulfilled("storefront")], Row.LOST),
        ([*fulfilled("erp"), *fulfilled("storefront", number=2), letters("tell-erp")], Row.PARKED),
        ([*fulfilled("erp"), *fulfilled("storefront", number=2), letters("shipped")], Row.PARKED),
        ([*fulfilled("erp"), *fulfilled("storefront", number=2), letters("tell-shop")], Row.LOST),
        ([*fulfilled("erp"), *fulfilled("storefront"), letters("tell-erp", "tell-shop")], Row.PARKED),
        ([letters("tell-erp", "tell-erp", "tell-shop", "tell-shop")], Row.PARKED),
        ([letters("tell-erp", "tell-erp", "tell-erp", "tell-shop")], Row.DUPLICATED),
        ([*fulfilled("erp", number=3), *fulfilled("storefront", number=2)], Row.DUPLICATED),
        ([*fulfilled("erp", number=2), *fulfilled("storefront", number=3)], Row.DUPLICATED),
    ],
)
def test_two_shipments(things, row):
    """Each shipment is due once in each system that is told of it: one less waits or is lost, one more is doubled."""
    assert judge(*SENT, shipment(), shipment("s2"), *things) is row


@pytest.mark.parametrize(
    ("things", "row"),
    [
        (
            [made("erp", "credit_memos", "c1", total="5.00"), made("erp", "credit_memos", "c2", total="5.00")],
            Row.POSTED,
        ),
        ([made("erp", "credit_memos", "c1", total="5.00")], Row.LOST),
        ([made("erp", "credit_memos", "c1", total="5.00"), letters("credit")], Row.PARKED),
        ([made("erp", "credit_memos", f"c{n}", total="1.00") for n in range(3)], Row.DUPLICATED),
        ([made("erp", "credit_memos", f"c{n}", total="6.00") for n in range(2)], Row.DUPLICATED),
    ],
)
def test_two_refunds(things, row):
    """Each refund is due once, and what is credited is no more than was given back."""
    assert judge(*SENT, refund(), refund("r2"), *things) is row


@pytest.mark.parametrize(
    ("lines", "row", "said"),
    [
        ([("MUG", 2), ("TEE", 1)], Row.FULFILLED, ""),
        ([("MUG", 2)], Row.LOST, "0 TEE in fulfillments, 1 shipped"),
        ([("MUG", 1), ("TEE", 2)], Row.DUPLICATED, "2 TEE in fulfillments, 1 shipped"),
        ([("MUG", 3)], Row.DUPLICATED, "3 MUG in fulfillments, 2 shipped"),
        ([("TEE", 1), ("CUP", 2)], Row.DUPLICATED, "2 CUP in fulfillments, 0 shipped"),
        ([("MUG", "two")], Row.FULFILLED, ""),
        (None, Row.FULFILLED, ""),
    ],
)
def test_goods_of_a_parcel(lines, row, said):
    """What the shop is told of a parcel is what was in it, SKU by SKU; lines that cannot be read say nothing."""
    entry = tell_goods(lines)
    assert entry.row is row
    assert said in "; ".join(entry.story)


def test_goods_by_other_names():
    """Where the shop calls its goods by other names than the warehouse, nobody can tell which is which."""
    assert tell_goods([("mug-white", 1)], ordered=[("mug-white", 3)]).row is Row.FULFILLED


def tell_goods(told_of, *, ordered=(("MUG", 2), ("TEE", 1))):
    """Tell of one parcel of two mugs and a shirt; return the order's entry."""

    def lines(goods):
        return {} if goods is None else {"lines": [{"sku": sku, "quantity": count} for sku, count in goods]}

    parcel = made("wms", "shipments", "s1", order_id="w1", **lines([("MUG", 2), ("TEE", 1)]))
    shop = made("storefront", "orders", total_price="37.50", **lines(ordered))
    fulfilment = made("storefront", "fulfillments", "f1", **lines(told_of))
    sent = [shop, made("erp", "sales_orders"), PAYMENT, made("wms", "orders")]
    history = told(did("place", 0.0, 1), *sent, parcel, *fulfilled("erp"), fulfilment, letters(), cases())
    (entry,) = build_ledger(history, RULE)
    return entry


def test_a_refund_credited_in_part():
    """Less credited than was given back is money that the books do not know of."""
    assert judge(*SENT, refund(), made("erp", "credit_memos", total="4.00")) is Row.LOST
    assert judge(*SENT, refund(), made("erp", "credit_memos")) is Row.POSTED


def test_the_gateways_refunds_are_no_cause():
    """What the gateway notes of giving money back makes no credit memo due."""
    assert judge(*SENT, made("gateway", "refunds", payment_intent="pi_1", amount=500)) is Row.POSTED


@pytest.mark.parametrize(
    ("things", "row"),
    [
        ([CANCELLED], Row.CANCELLED),
        ([CANCELLED, letters("pay")], Row.CANCELLED),
        ([CANCELLED, made("gateway", "payment_intents", amount_received=3750, amount_refunded=3750)], Row.CANCELLED),
        ([CANCELLED, made("gateway", "payment_intents", amount_received=3750, amount_refunded=3700)], Row.LOST),
        ([CANCELLED, made("gateway", "payment_intents", amount_received=3750)], Row.LOST),
        ([CANCELLED, made("erp", "sales_orders", "a"), made("erp", "sales_orders", "b")], Row.DUPLICATED),
        ([made("storefront", "orders", cancelled_at=None)], Row.LOST),
        ([*POSTED, made("wms", "orders", "w", reference="1001", cancelled_at="2026-03-01T10:00:00Z")], Row.LOST),
        ([CANCELLED, made("erp", "sales_orders", status="Cancelled")], Row.CANCELLED),
        ([CANCELLED, made("erp", "sales_orders", status="Pending Fulfillment")], Row.LOST),
        ([CANCELLED, made("wms", "orders", "w", reference="1001", status="cancelled")], Row.CANCELLED),
        ([CANCELLED, made("wms", "orders", "w", reference="1001", status="allocated")], Row.LOST),
    ],
)
def test_cancelled(things, row):
    """Nothing is due of a cancelled order but its money and that it goes on nowhere; what was doubled stays doubled."""
    assert judge(*things) is row


@pytest.mark.parametrize(
    "readings", [[letters(error="down")], [cases(error="down")], [letters(error="down"), cases(error="down")]]
)
def test_unseen(readings):
    """While dead letters or role queues cannot be read, an order that is owed may wait there."""
    others = [each for each in (letters(), cases()) if each.what not in {reading.what for reading in readings}]
    history = told(did("place", 0.0, 1), *POSTED, *readings, *others)
    result = check_ledger(history, RULE)
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    assert judge(*SENT, *readings) is Row.POSTED


def test_queues_that_nobody_needs():
    """Where no path leads to a role queue, none needs to be read."""
    rule = LedgerRule((Station("post", end=SALES_ORDER),))
    assert check_ledger(told(did("place", 0.0, 1), letters()), rule).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    "things",
    [
        [made("erp", "sales_orders", "2")],
        [made("gateway", "payment_intents", "2", status="succeeded", amount_received=3750)],
        [made("gateway", "payment_intents", "2", amount_received=1)],
        [letters("pay", "pay")],
        [cases("pay", "pay")],
    ],
)
def test_doubled_anywhere(things):
    """A second record, letter or case at any station, or more money than the order is worth, doubles an order."""
    assert judge(*SENT, *things) is Row.DUPLICATED


def test_a_letter_and_a_case_are_one_place_each():
    """An order may wait in a dead letter and in a case of one handoff: neither is there twice."""
    assert judge(*POSTED, letters("pay"), cases("pay")) is Row.PARKED


def test_items_have_no_row():
    """What an item's handoff does is no end of an order."""
    level = made("storefront", "inventory_levels", location="MAIN", available=1)
    assert judge(*SENT, level) is Row.POSTED


def test_the_story_tells_of_each_end():
    """The story names each end that is due once, how often it was reached, and what is wrong with the money."""
    history = told(
        did("place", 0.0, 1), *SENT, shipment(), shipment("s2"), *fulfilled("erp"), refund(), letters(), cases(),
        made("erp", "credit_memos", total="9.00"),
    )  # fmt: skip
    (entry,) = build_ledger(history, RULE)
    assert entry.story == (
        "placed at the storefront",
        "0 webhooks, 0 acknowledged",
        "1 in sales_orders",
        "1 in payment_intents as succeeded",
        "1 in orders",
        "1 in item_fulfillments of 2 due",
        "0 in fulfillments of 2 due",
        "1 in credit_memos",
        "0 dead letters waiting",
        "credited 9.00 of 5.00",
    )


def test_invented_anywhere():
    """An order that nobody placed and that reached any end is told, with where."""
    paid = made("gateway", "payment_intents", "2", order=2, status="succeeded")
    result = check_ledger(told(did("place", 0.0, 1), *SENT, paid, letters(), cases()), RULE)
    assert result.observed == "never placed, but #1002 in payment_intents as succeeded"


def lined(system, collection, record_id, *units, order=1, **more):
    """Make a record of an order that shows units of one SKU in its lines, and no prices."""
    return made(
        system, collection, record_id, order=order, lines=[{"sku": "CAP", "quantity": n} for n in units], **more
    )


def test_a_pack_that_is_stored_in_pieces():
    """One pack sold and six pieces sent is no excess; what is told of parcels beyond what was in them is one."""
    sold = lined("storefront", "orders", "1", 1, total_price="37.50")
    parcels = [lined("wms", "shipments", "s1", 6, order_id="w1")]
    stored = [lined("erp", "sales_orders", "7", 6), PAYMENT, lined("wms", "orders", "w1", 6), *parcels]
    told_of = [
        lined(place, name, "f1", 6) for place, name in (("erp", "item_fulfillments"), ("storefront", "fulfillments"))
    ]
    history = told(did("place", 0.0, 1), sold, *stored, *told_of, letters())
    (entry,) = build_ledger(history, RULE)
    assert entry.row is Row.FULFILLED, entry.story
    (entry,) = build_ledger(
        told(did("place", 0.0, 1), sold, *stored, lined("erp", "item_fulfillments", "f1", 7), letters()), RULE
    )
    assert entry.row is Row.DUPLICATED


def test_a_parcel_that_is_sent_again():
    """Where a parcel is replaced, both are told of, and more is sent than was sold."""
    sold = lined("storefront", "orders", "1", 2, total_price="37.50")
    parcels = [lined("wms", "shipments", name, 2, order_id="w1") for name in ("s1", "s2")]
    stored = [lined("erp", "sales_orders", "7", 2), PAYMENT, lined("wms", "orders", "w1", 2), *parcels]
    told_of = [
        lined(place, name, record_id, 2)
        for place, name in (("erp", "item_fulfillments"), ("storefront", "fulfillments"))
        for record_id in ("f1", "f2")
    ]
    (entry,) = build_ledger(told(did("place", 0.0, 1), sold, *stored, *told_of, letters()), RULE)
    assert entry.row is Row.FULFILLED, entry.story
