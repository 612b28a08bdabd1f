"""Small mistakes that could stand in the ledger and the sums of money, goods and stock, which no other test would notice."""

import pytest
from histories import did, made, record, shown, told

from harness.core.checks.ledger import Row, build_ledger, check_ledger
from harness.core.checks.money import describe_short_money, describe_surplus_money
from harness.core.checks.quantities import describe_goods, describe_growth
from harness.core.checks.resolution import (
    check_same_end_state,
)
from harness.core.checks.stock import check_stock
from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.history import Change, Order
from harness.core.starts import Start
from harness.core.verdict import Outcome, UnknownKind

HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
VACUOUS, HIDDEN = UnknownKind.VACUOUS, UnknownKind.NOT_OBSERVABLE
OPERATIONS = ("sales_order.upsert",)
SALES_ORDER = EndState("erp", "sales_order")
ORDER = made("storefront", "orders", total_price="37.50")
CANCELLED = made("storefront", "orders", total_price="37.50", cancelled_at="2026-03-01T10:00:00Z")
POSTED = made("erp", "sales_orders")
PLACED = did("place", 0.0, 1)
RULE = LedgerRule((Station("post", end=SALES_ORDER),))


def row(*things, rule=RULE):
    """Tell in which row order 1 is."""
    (entry,) = build_ledger(told(PLACED, shown(), *things), rule)
    return entry


class TestTheLedger:
    """Where an order is, and what was taken for it."""

    @pytest.mark.parametrize(
        ("status", "where"),
        [("Cancelled", Row.CANCELLED), ("Closed", Row.CANCELLED), ("Pending Fulfillment", Row.LOST)],
    )
    def test_how_an_erp_says_that_nothing_more_comes(self, status, where):
        """A cancelled order goes on where its sales order is neither cancelled nor closed."""
        assert row(CANCELLED, made("erp", "sales_orders", status=status)).row is where

    def test_a_cancelled_order_that_was_credited_does_not_go_on(self):
        """Where its money was given back in the ERP, the sales order may stand."""
        credited = made("erp", "credit_memos", total="0.00")
        assert row(CANCELLED, made("erp", "sales_orders", status="Billed"), credited).row is Row.CANCELLED

    @pytest.mark.parametrize(
        ("status", "where"),
        [(each, Row.LOST) for each in ("received", "held", "allocated", "partially_allocated", "backordered")]
        + [("picking", Row.LOST), ("packed", Row.LOST), ("cancelled", Row.CANCELLED), ("shipped", Row.CANCELLED)],
    )
    def test_how_a_warehouse_says_that_something_will(self, status, where):
        """A cancelled order goes on where the warehouse is still to send it."""
        found = row(CANCELLED, made("wms", "orders", "w1", reference="#1001", status=status))
        assert found.row is where
        assert (f"the warehouse has it {status}" in found.story) is (where is Row.LOST)

    def test_another_order_of_the_same_status_is_none_of_the_warehouses(self):
        """Only a record that was given a reference is a warehouse's."""
        assert row(CANCELLED, made("pos", "orders", "p1", status="held")).row is Row.CANCELLED

    @pytest.mark.parametrize(("cents", "taken"), [(0, False), (1, True), (3750, True)])
    def test_whether_money_was_taken(self, cents, taken):
        """A cent is money."""
        payment = made("gateway", "payment_intents", amount_received=cents)
        assert row(ORDER, POSTED, payment).captured is taken

    @pytest.mark.parametrize(
        ("found", "where"),
        [
            ((), Row.LOST),
            (("customers",), Row.POSTED),
            (("cases",), Row.POSTED),
            (("customers", "cases"), Row.POSTED),
            (("customers", "customers"), Row.DUPLICATED),
            (("sales_orders", "customers", "customers"), Row.POSTED),
        ],
    )
    def test_where_a_branch_or_a_decision_leads(self, found, where):
        """What ends elsewhere by a declared way is there instead, once; where it ends as usual nobody looks elsewhere."""
        ends = (EndState("erp", "customer"), EndState("erp", "case"))
        rule = LedgerRule((Station("post", end=SALES_ORDER, others=ends),))
        records = [made("erp", collection, str(number)) for number, collection in enumerate(found)]
        assert row(ORDER, *records, rule=rule).row is where

    @pytest.mark.parametrize(("status", "where"), [("Cancelled", Row.POSTED), ("Closed", Row.DUPLICATED)])
    def test_what_was_called_off_holds_no_goods(self, status, where):
        """A cancelled sales order with more on it than was sold is no surplus beside the one that stands."""
        lines = [{"sku": "CAP", "quantity": 2}]
        shop = made("storefront", "orders", total_price="37.50", lines=lines)
        called_off = made("erp", "sales_orders", "s1", status=status, lines=[{"sku": "CAP", "quantity": 9}])
        stands = made("erp", "sales_orders", "s2", status="Billed", lines=lines)
        assert row(shop, called_off, stands).row is where

    def test_stations_that_nothing_made_due_are_no_part_of_the_story(self):
        """What was never shipped is not told to be at its fulfilment."""
        rule = LedgerRule((*RULE.stations, Station("tell", Start.SHIPPED, ("post",), EndState("erp", "fulfilment"))))
        assert not any("fulfilment" in words for words in row(ORDER, POSTED, rule=rule).story)

    def test_rows_without_orders_are_not_counted(self):
        """The sum names the rows that hold some."""
        assert check_ledger(told(PLACED, shown(), ORDER, POSTED), RULE).observed == "1 posted"

    def test_no_order_at_all(self):
        """Where none was placed, that is said."""
        assert check_ledger(told(), RULE).observed == "no order was placed"

    @pytest.mark.parametrize("after", [("post", "nowhere"), ("nowhere",), ("owed", "post")])
    def test_handoffs_before_that_nobody_knows(self, after):
        """A station may come after handoffs the ledger does not know, or after itself by a detour."""
        rule = LedgerRule(
            (
                Station("post", after=("owed",), end=SALES_ORDER),
                Station("owed", after=after, end=EndState("wms", "order")),
            )
        )
        assert row(ORDER, rule=rule).row is Row.LOST

    def test_goods_are_compared_where_they_were_shipped(self):
        """What a sales order holds beside the parcel is no surplus: only what tells of a parcel is held against it."""
        lines = [{"sku": "CAP", "quantity": 1}]
        parcel = made("wms", "shipments", "s1", order_id="w1", lines=lines)
        held = made("erp", "sales_orders", lines=[{"sku": "CAP", "quantity": 3}])
        named = made("erp", "invoices", lines=[{"sku": "CAP", "quantity": 3}])
        told_of = made("erp", "item_fulfillments", lines=lines)
        rule = LedgerRule((*RULE.stations, Station("tell", Start.SHIPPED, (), EndState("erp", "item_fulfillment"))))
        assert row(ORDER, held, named, parcel, told_of, rule=rule).row is Row.FULFILLED


class TestMoneyAndGoods:
    """What adds up, and what cannot be read."""

    def test_major_and_minor_units(self):
        """A gateway counts cents: a hundredth more than the order is worth is too much."""
        payment = made("gateway", "payment_intents", amount_received=3751)
        assert describe_surplus_money(told(ORDER, payment), 1) == "captured 37.51 of 37.50"

    def test_no_memo_is_no_short_one(self):
        """Nothing was credited where there is no memo; that is for the station to miss."""
        refund = made("storefront", "refunds", "r1", order_id="1", amount="5.00")
        assert describe_short_money(told(ORDER, refund), 1) == ""

    def test_a_memo_whose_total_nobody_shows(self):
        """One memo without a total may hold what is missing."""
        refund = made("storefront", "refunds", "r1", order_id="1", amount="5.00")
        memos = [made("erp", "credit_memos", "m1", total="2.00"), made("erp", "credit_memos", "m2")]
        assert describe_short_money(told(ORDER, refund, memos[0]), 1) == "credited 2.00 of 5.00"
        assert describe_short_money(told(ORDER, refund, *memos), 1) == ""

    def test_what_was_shipped_of_no_priced_order(self):
        """Whether all was shipped is told by the order that has a price, not by the warehouse's."""
        lines = [{"sku": "CAP", "quantity": 2}]
        order = made("storefront", "orders", total_price="20.00", lines=lines)
        stored = made("wms", "orders", "w1", lines=[{"sku": "CAP", "quantity": 1}])
        parcel = made("wms", "shipments", "s1", order_id="w1", lines=[{"sku": "CAP", "quantity": 1}])
        payment = made("gateway", "payment_intents", amount_received=1000)
        assert describe_short_money(told(order, stored, parcel, payment), 1) == ""
        assert describe_short_money(told(order, payment), 1) == "captured 10.00 of 20.00"

    def test_the_newest_price_counts(self):
        """An order that is shown twice is worth what it was shown with last."""
        shop = [ORDER, made("legacy", "orders", "o2", total_price="10.00")]
        payment = made("gateway", "payment_intents", amount_received=2000)
        assert describe_surplus_money(told(*shop, payment), 1) == "captured 20.00 of 10.00"

    @pytest.mark.parametrize("amount", [None, "much", "", "NaN", "Infinity"])
    def test_amounts_that_cannot_be_read_are_none(self, amount):
        """A field without a number holds no money."""
        payment = made("gateway", "payment_intents", amount_received=100)
        odd = made("gateway", "payment_intents", "pi_2", amount_received=amount)
        assert describe_surplus_money(told(made("storefront", "orders", total_price="1.00"), payment, odd), 1) == ""

    def test_a_record_grows_beyond_the_order_as_it_is_now(self):
        """An order that was made larger may have a larger record; one that was made smaller may not."""

        def shop(units, **more):
            return made("storefront", "orders", "o1", lines=[{"sku": "CAP", "quantity": units}], **more)

        def erp(units, **more):
            return made("erp", "sales_orders", lines=[{"sku": "CAP", "quantity": units}], **more)

        larger = [shop(2), erp(2), shop(4, action="updated"), erp(4, action="updated")]
        smaller = [shop(4), erp(1), shop(1, action="updated"), erp(2, action="updated")]
        assert describe_growth(told(*larger), SALES_ORDER, 1) == ""
        assert describe_growth(told(*smaller), SALES_ORDER, 1) == "1 units became 2"

    def test_goods_of_records_of_the_end_itself_name_nothing(self):
        """That a system calls goods as the warehouse does must show in another record than the one in question."""
        lines = [{"sku": "CAP", "quantity": 2}]
        parcel = made("wms", "shipments", "s1", order_id="w1", lines=[{"sku": "CAP", "quantity": 1}])
        end = EndState("erp", "item_fulfillment")
        history = told(parcel, made("erp", "item_fulfillments", lines=lines))
        assert describe_goods(history, end, 1, history.records("shipments", 1)) == ("", "")

    def test_goods_of_no_parcel(self):
        """Where nothing that can be read was shipped, nothing is held against it."""
        history = told(made("erp", "item_fulfillments", lines=[{"sku": "CAP", "quantity": 2}]))
        assert describe_goods(history, EndState("erp", "item_fulfillment"), 1, ()) == ("", "")

    @pytest.mark.parametrize("lines", ["two caps", {"sku": "CAP"}, 2])
    def test_lines_that_are_none(self, lines):
        """What is no list of lines counts nothing and ends nothing."""
        history = told(
            made("erp", "sales_orders", lines=lines), made("erp", "sales_orders", action="updated", lines=lines)
        )
        assert describe_growth(history, SALES_ORDER, 1) == ""


FULL = {"opening": 9, "received": 0, "adjusted": 0, "shipped": 0, "on_hand": 9, "allocated": 0, "available": 9}


def stock(t=1.0, *, order=None, action="updated", left_out=(), **units):
    """Make a change of a stock."""
    shown_units = {name: value for name, value in {**FULL, **units}.items() if name not in left_out}
    return Change(
        t, "wms", "stock", "CAP@MAIN", order, action, {"sku": "CAP", "location": "MAIN", **shown_units}, "CAP"
    )


class TestStock:
    """Numbers that add up, as far as they are shown."""

    def test_a_stock_that_is_no_more(self):
        """What a deleted stock shows is nobody's, and a new one begins anew."""
        gone = stock(2.0, action="deleted", on_hand=0, available=0)
        assert check_stock(told(stock(), gone)).outcome is HELD

    @pytest.mark.parametrize(
        ("left_out", "said"),
        [
            (("allocated", "available"), "8 on hand, but 9 by what came and went"),
            (("opening", "received", "adjusted", "shipped"), "9 available, but 8 by what is allocated"),
        ],
    )
    def test_as_much_as_is_shown_is_asked(self, left_out, said):
        """A warehouse may show no more than one of the two sums needs."""
        assert said in check_stock(told(stock(on_hand=8, left_out=left_out))).observed

    def test_what_is_not_shown_has_not_fallen(self):
        """A stock that opened empty, and shows nothing that was received, is as it was."""
        empty = dict.fromkeys(FULL, 0)
        assert check_stock(told(stock(**empty), stock(2.0, **empty))).outcome is HELD

    def test_who_moved_it_is_whose_change_it_was(self):
        """A change that names its order is that order's, whatever follows."""
        after = made("wms", "orders", "w2", order=2, lines=[{"sku": "CAP"}])
        broken = stock(order=1, shipped=1, on_hand=9, available=9)
        assert "changed by #1001" in check_stock(told(broken, after)).observed

    def test_lines_that_are_none_move_nothing(self):
        """What follows may have lines that cannot be read."""
        after = made("wms", "orders", "w2", order=2, lines=7)
        assert "no order of this experiment" in check_stock(told(stock(shipped=1), after)).observed

    def test_units_that_were_shipped_and_no_order_told_of(self):
        """A mover is looked for where what orders move has changed."""
        after = made("wms", "orders", "w2", order=2, lines=[{"sku": "CAP"}])
        moved = [stock(), stock(2.0, shipped=1, on_hand=9, available=9), after]
        assert "changed by #1002" in check_stock(told(*moved)).observed


class TestNamesAndUnits:
    """What is taken out of records before they are compared, and what never falls."""

    def test_longer_names_first(self):
        """An id that ends in the number of its order is taken out whole."""
        orders = (Order(1, "#1001", "51001", "1001"), Order(2, "#1002", "71002", "1002"))
        records = [record(1, memo="51001"), record(1, order=2, record_id="8", memo="71002")]
        assert check_same_end_state(told(*records, orders=orders), end=SALES_ORDER, order=1, twin=2).outcome is HELD

    def test_what_was_shipped_stays_shipped(self):
        """Sums that add up do not excuse it."""
        back = stock(2.0, shipped=0, on_hand=9, available=9)
        assert "shipped fell from 1 to 0" in check_stock(told(stock(shipped=1, on_hand=8, available=8), back)).observed
