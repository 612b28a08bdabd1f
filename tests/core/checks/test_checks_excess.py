"""Excess: what an order had too much of at any moment, when, and what is no excess at all."""

import pytest
from histories import call, did, made, shown, told

from harness.core.checks.excess import LONGEST, list_excess, tell_changes
from harness.core.checks.ledger import Row, audit_ledger, build_ledger, check_ledger
from harness.core.checks.money import are_summed
from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.starts import Start
from harness.core.verdict import Outcome
from harness.core.witnesses import CLOCK_GRAIN_S

SALES_ORDER, FULFILMENT = EndState("erp", "sales_order"), EndState("erp", "item_fulfillment")
ENDS = ((SALES_ORDER, ""), (FULFILMENT, "shipments"), (EndState("storefront", "transaction", "capture"), ""))
PRICE = made("storefront", "orders", t=0.0, total_price="37.50")
GRAIN = CLOCK_GRAIN_S


def paid(t, received=3750, back=0, *, pi="pi_1", action="updated"):
    """Make a change of a payment, in minor units."""
    return made("gateway", "payment_intents", pi, t=t, action=action, amount_received=received, amount_refunded=back)


def wrote(t, amount="37.50", *, txn="t1", status="success", kind="capture", **more):
    """Make a change of a transaction at the storefront."""
    return made("storefront", "transactions", txn, t=t, kind=kind, status=status, amount=amount, **more)


def refund(t, amount="10.00", record_id="r1"):
    """Make a refund of the order at the storefront."""
    return made("storefront", "refunds", record_id, t=t, order_id="1", amount=amount)


def memo(t, total="10.00", record_id="c1", **more):
    """Make a change of a credit memo."""
    return made("erp", "credit_memos", record_id, t=t, total=total, **more)


def posted(t, record_id="7", **more):
    """Make a change of a sales order."""
    return made("erp", "sales_orders", record_id, t=t, **more)


def find(*things, ends=ENDS):
    """Say what order 1 had too much of, and when."""
    things = sorted(things, key=lambda thing: getattr(thing, "t", 0.0))
    return [str(each) for each in list_excess(told(*things), 1, ends)]


class TestMoney:
    """What moves against what there is."""

    @pytest.mark.parametrize(
        ("things", "said"),
        [
            ([paid(1, 4000)], ["captured 40.00 of 37.50 from 1.000 s on"]),
            ([paid(1, 4000), paid(2, 0)], ["captured 40.00 of 37.50 from 1.000 s to 2.000 s"]),
            ([paid(1), paid(2, pi="pi_2"), paid(3, pi="pi_2", action="deleted")], ["captured 75.00 of 37.50 from 2.000 s to 3.000 s"]),
            ([paid(1), paid(2, back=3751), paid(3, back=1)], ["refunded 37.51 of 37.50 from 2.000 s to 3.000 s"]),
            ([paid(1, 1000, 2000), paid(1.001, back=2000)], ["refunded 20.00 of 10.00 from 1.000 s to 1.001 s"]),
            ([paid(1), wrote(2), wrote(2.5, txn="t2")], ["written back as captured 75.00 of 37.50 from 2.500 s on"]),
            ([wrote(1, "37.51")], ["written back as captured 37.51 of 37.50 from 1.000 s on"]),
            ([paid(1, 0), wrote(2), paid(3)], ["written back as captured 37.50 of 0.00 from 2.000 s to 2.995 s"]),
            ([refund(1), memo(2, "10.01"), memo(3, "9.99")], ["credited 10.01 of 10.00 from 2.000 s to 3.000 s"]),
            ([memo(1), refund(2)], ["credited 10.00 of 0.00 from 1.000 s to 1.995 s"]),
            ([memo(1), refund(2, "4.00"), refund(3, "6.00", "r2")], ["credited 10.00 of 0.00 from 1.000 s to 2.995 s"]),
        ],
    )  # fmt: skip
    def test_too_much(self, things, said):
        """More captured than the order is worth, given back than taken, written back than captured, credited than given back."""
        assert find(PRICE, *things) == said

    @pytest.mark.parametrize(
        "things",
        [
            [paid(1)],
            [paid(1, 1000), wrote(1.1, "10.00"), paid(2), wrote(2.1, "27.50", txn="t2")],
            [paid(1, 0), paid(1.1, 0, pi="pi_2"), paid(2, pi="pi_2"), wrote(3)],
            [paid(1), paid(2, back=3750)],
            [paid(1), wrote(2), wrote(2.1, txn="t2", status="failure"), wrote(2.1, txn="t3", kind="authorization")],
            [paid(1), wrote(2), wrote(2.2, action="deleted"), wrote(2.2, txn="t2")],
            [paid(1), paid(2, back=1000), memo(2.1), refund(3)],
            [refund(1), memo(1.1), refund(2, "5.00", "r2"), memo(2.1, "5.00", "c2")],
            [refund(1), memo(1.1), made("gateway", "refunds", "re_1", t=1.2, amount=1000)],
            [refund(1), memo(1, "0.00")],
        ],
        ids=["taken", "in parts", "anew", "returned", "failed", "replaced", "known there", "twice", "of a payment", "none"],
    )  # fmt: skip
    def test_as_much_as_there_was(self, things):
        """What was taken in parts, anew, returned, failed or credited before the shop knew is not too much."""
        assert find(PRICE, *things) == []

    def test_what_moves_at_one_time(self):
        """Two changes that were written at one time are one, whichever stands first."""
        assert find(PRICE, paid(1), paid(2, pi="pi_2"), paid(2, action="deleted")) == []
        assert find(PRICE, paid(1), paid(2, action="deleted"), paid(2, pi="pi_2")) == []

    def test_without_a_price_nothing_is_too_much(self):
        """As at rest, nothing is asked of an order whose worth nobody shows."""
        assert find(paid(1, 4000), wrote(2), memo(3)) == []
        assert find(made("wms", "orders", "w1", t=0.0, reference="#1001"), paid(1, 4000)) == []

    def test_a_price_that_changes(self):
        """Room is what the order was worth by then: a lower price later takes none away, a higher one later excuses nothing."""
        lower, higher = (
            made("storefront", "orders", t=5.0, total_price="1.00"),
            made("storefront", "orders", t=5.0, total_price="50.00"),
        )
        assert find(PRICE, paid(1), lower) == []
        assert find(PRICE, paid(1, 5000), higher) == ["captured 50.00 of 37.50 from 1.000 s to 4.995 s"]
        assert find(PRICE, higher, paid(6, 5000)) == []
        assert find(PRICE, higher, paid(6, 5001)) == ["captured 50.01 of 50.00 from 6.000 s on"]

    def test_money_may_be_taken_before_the_order_is_placed(self):
        """What an order is worth at first, it was worth before it was shown."""
        late = made("storefront", "orders", t=9.0, total_price="37.50")
        assert find(paid(1), wrote(2), late) == []

    def test_what_a_shop_writes_back_without_a_gateway(self):
        """Where no payment shows, no more is written back than the order is worth."""
        assert find(PRICE, wrote(1)) == []


class TestClocks:
    """Two journals are two clocks; one journal is none."""

    @pytest.mark.parametrize(("early_s", "excess"), [(GRAIN * 0.9, 0), (GRAIN * 1.1, 1), (-GRAIN, 0)])
    def test_room_made_within_the_grain(self, early_s, excess):
        """What is written back no more than a grain before it is captured may have been captured before."""
        assert len(find(PRICE, paid(0.5, 0), paid(1), wrote(1 - early_s))) == excess

    def test_small_change(self):
        """A few cents are room as well."""
        assert find(PRICE, memo(1, "0.40"), refund(1 + GRAIN / 2, "0.40")) == []

    @pytest.mark.parametrize(("later_s", "excess"), [(GRAIN * 0.9, 0), (GRAIN * 1.1, 1)])
    def test_room_taken_within_the_grain(self, later_s, excess):
        """What is taken away no more than a grain before it is replaced may have been replaced before."""
        things = [paid(0.5), wrote(1), paid(2, 0), wrote(2 + later_s, status="failure")]
        assert len(find(PRICE, *things)) == excess

    def test_one_journal_is_exact(self):
        """In the journal of one system even what lasts less than a grain was so."""
        things = [posted(1), posted(1.001, "8"), posted(1.002, "8", action="deleted")]
        assert find(*things) == ["2 sales_orders of 1 due from 1.001 s to 1.002 s"]


class TestRecords:
    """Live records of an end against how often it is due."""

    @pytest.mark.parametrize(
        ("things", "said"),
        [
            ([posted(1), posted(2, "8")], ["2 sales_orders of 1 due from 2.000 s on"]),
            ([posted(1), posted(2, "8"), posted(3, "9"), posted(4, "9", status="Cancelled")], ["2 sales_orders of 1 due from 2.000 s on"]),
            ([posted(1), posted(2, "8"), posted(3, "7", status="voided")], ["2 sales_orders of 1 due from 2.000 s to 3.000 s"]),
            ([posted(1), posted(2, "8", status="Closed")], ["2 sales_orders of 1 due from 2.000 s on"]),
            ([posted(1), posted(2, "8", status="canceled")], []),
            ([posted(1), posted(2, action="deleted"), posted(3, "8")], []),
            ([posted(1), posted(2), posted(3, status="Pending")], []),
            ([posted(1), made("crm", "sales_orders", "8", t=2)], []),
        ],
    )  # fmt: skip
    def test_once_due(self, things, said):
        """An order is posted once: a second record is too many while both stand, one called off or deleted before is none."""
        assert find(*things) == said

    @pytest.mark.parametrize("field", ["status", "state"])
    @pytest.mark.parametrize(
        "word", ["Cancelled", "canceled", "void", "voided", "refunded", "expired", "failed", "failure", "error"]
    )
    def test_what_counts_no_more(self, word, field):
        """Vendors have several words for a record that is none any more, or never was one, and two places for them."""
        assert find(posted(1), posted(2, "8", **{field: word})) == []

    def test_a_charge_that_was_declined_first(self):
        """A declined charge stands for none beside the one that got through; two that got through are two."""
        charge = EndState("gateway", "charge")
        first, second, third = (
            made("gateway", "charges", f"ch_{n}", t=n, status=status)
            for n, status in ((1, "failed"), (2, "succeeded"), (3, "succeeded"))
        )
        assert find(first, second, ends=((charge, ""),)) == []
        assert find(first, second, third, ends=((charge, ""),)) == ["2 charges of 1 due from 3.000 s on"]

    def test_what_is_said_of_an_orders_money(self):
        """An order whose money went back is there all the same."""
        end = EndState("storefront", "order", "fulfilled")
        things = [
            made("storefront", "orders", str(n), t=n, fulfillment_status="fulfilled", financial_status="refunded")
            for n in (1, 2)
        ]
        assert find(*things, ends=((end, ""),)) == ["2 orders as fulfilled of 1 due from 2.000 s on"]

    def test_as_often_as_due_in_all(self):
        """What is due once a shipment may be there twice for two of them, also before the second left; never for one, or none."""
        parcels = [made("wms", "shipments", f"s{n}", t=4.0, order_id="w1") for n in (1, 2)]
        told_of = [made("erp", "item_fulfillments", f"f{n}", t=2.0 + n) for n in (1, 2)]
        assert find(*told_of, *parcels) == []
        said = ["2 item_fulfillments of 1 due from 4.000 s on"]
        assert find(*told_of, parcels[0]) == find(*told_of) == said
        assert find(told_of[0]) == []

    def test_captures_with_amounts_are_summed(self):
        """What is written back in parts is judged by its sum, where that can be told; else by its number."""
        parts = [wrote(2, "10.00"), wrote(3, "27.50", txn="t2")]
        assert find(PRICE, *parts) == []
        said = ["2 transactions as capture of 1 due from 3.000 s on"]
        assert find(*parts) == said
        assert (
            find(PRICE, parts[0], wrote(3, None, txn="t2"))
            == find(PRICE, wrote(1, "0.00", txn="t0"), wrote(3, None))
            == said
        )
        assert not are_summed(told(PRICE), 1, [memo(1)])

    def test_an_end_that_is_called_off(self):
        """Where being called off is the end, a record that is called off has come to it."""
        end = EndState("erp", "sales_order", "Cancelled")
        things = [posted(1, status="Cancelled"), posted(2, "8", status="Cancelled")]
        assert find(*things, ends=((end, ""),)) == ["2 sales_orders as Cancelled of 1 due from 2.000 s on"]

    def test_levels_in_sync_are_not_counted(self):
        """An item has a level at each location."""
        end = EndState("storefront", "inventory_level", "in_sync")
        levels = [made("storefront", "inventory_levels", f"i@{n}", t=n, status="in_sync") for n in (1, 2)]
        assert find(*levels, ends=((end, ""),)) == []


class TestExceptions:
    """What is right at rest and cannot be asked before."""

    def test_who_was_told_that_money_is_taken(self):
        """Whoever got a 2xx for a capture that was never written need not know; at most the order's worth is written back."""
        lied = call(0.5, 200, garbled=True)
        assert find(PRICE, paid(0.1, 0), lied, wrote(1), paid(3)) == []
        assert find(PRICE, paid(0.1, 0), lied, wrote(1, "40.00"), paid(3)) == [
            "written back as captured 40.00 of 37.50 from 1.000 s on"
        ]
        assert len(find(PRICE, paid(0.1, 0), call(0.5, 200), wrote(1), paid(3))) == 1

    def test_an_order_that_is_undone(self):
        """A cancelled order may be credited first; that the warehouse cancelled its own says nothing."""
        undone = made("storefront", "orders", t=5.0, total_price="37.50", cancelled_at="2026-03-01T10:00:00Z")
        stopped = made("wms", "orders", "w1", t=5.0, reference="#1001", cancelled_at="2026-03-01T10:00:00Z")
        assert find(PRICE, memo(1), refund(2), undone) == []
        assert len(find(PRICE, memo(1), refund(2), stopped)) == 1


class TestLedger:
    """What the ledger makes of it."""

    RULE = LedgerRule((Station("order-to-erp", end=SALES_ORDER), Station("ship", Start.SHIPPED, (), FULFILMENT)))

    def judge(self, *things):
        """Put order 1 into its row by where it is, and by all that became of it, and judge that."""
        history = told(did("place", 0.0, 1), PRICE, shown(), *things)
        (now,), (entry,) = build_ledger(history, self.RULE), audit_ledger(history, self.RULE)
        return now, entry, check_ledger(history, self.RULE)

    def test_put_right_is_not_held(self):
        """An order that stood twice is doubled, although it is where it may be now: with the moment, and its story in time."""
        now, entry, result = self.judge(posted(1), posted(2, "8"), posted(3, "8", action="deleted"))
        assert (now.row, now.excess, entry.row) == (Row.POSTED, (), Row.DUPLICATED)
        assert result.outcome is Outcome.VIOLATED
        assert result.observed == "doubled: #1001 (2 sales_orders of 1 due from 2.000 s to 3.000 s)"
        assert result.evidence[0].t == 2.0
        assert entry.story[-4:] == (
            "0.000 s storefront orders 1 created (total_price 37.50)",
            "1.000 s erp sales_orders 7 created",
            "2.000 s erp sales_orders 8 created",
            "3.000 s erp sales_orders 8 deleted",
        )

    def test_what_still_stands_is_named_alone(self):
        """The reason names an order that still has too much as ever; its story tells since when."""
        _, entry, result = self.judge(posted(1), posted(2, "8"))
        assert result.observed == "doubled: #1001"
        assert "2 sales_orders of 1 due from 2.000 s on" in entry.story

    def test_nothing_in_excess(self):
        """An order that never had too much is where it is, and its story is as short as ever."""
        now, entry, result = self.judge(posted(1))
        assert now == entry
        assert result.outcome is Outcome.HELD
        assert result.evidence[0].t is None

    def test_called_off_and_posted_anew(self):
        """A record that was called off before the next was made is no second one, neither then nor now."""
        now, entry, _ = self.judge(posted(1), posted(2, status="Cancelled"), posted(3, "8"))
        assert (now.row, entry.row) == (Row.POSTED, Row.POSTED)
        now, entry, _ = self.judge(posted(1, status="Closed"), posted(3, "8"))
        assert (now.row, entry.row) == (Row.DUPLICATED, Row.DUPLICATED)

    def test_the_first_of_all_is_told_first(self):
        """Of several things there was too much of, the first comes first."""
        _, entry, result = self.judge(posted(1), posted(1.5, "8"), paid(2, 4000), posted(3, "8", action="deleted"))
        assert [each.what for each in entry.excess] == ["2 sales_orders of 1 due", "captured 40.00 of 37.50"]
        assert result.evidence[0].t == 1.5

    def test_the_story_is_that_of_every_system(self):
        """Orders, payments, transactions, refunds, memos and parcels are told, with what they say of state and money."""
        parcel = made("wms", "shipments", "s1", t=1.2, order_id="w1")
        shop = made("storefront", "orders", "o1", t=0.5, financial_status="paid", total_price="37.50")
        lines = list(tell_changes(told(shop, paid(1), wrote(1.1), parcel, refund(2), memo(3)), 1, ()))
        assert lines == [
            "0.500 s storefront orders o1 created (financial_status paid, total_price 37.50)",
            "1.000 s gateway payment_intents pi_1 updated (amount_received 3750, amount_refunded 0)",
            "1.100 s storefront transactions t1 created (status success, kind capture, amount 37.50)",
            "1.200 s wms shipments s1 created",
            "2.000 s storefront refunds r1 created (amount 10.00)",
            "3.000 s erp credit_memos c1 created (total 10.00)",
        ]

    def test_a_long_story_is_cut(self):
        """So many changes are told, and how many there are more; those of other collections not at all."""
        other = made("gateway", "events", "e1", t=0.5)
        changes = [posted(float(n), status=None) for n in range(1, LONGEST + 1)]
        assert len(list(tell_changes(told(other, *changes), 1, ENDS))) == LONGEST
        lines = list(tell_changes(told(other, *changes, posted(99.0), posted(100.0)), 1, ENDS))
        assert (len(lines), lines[0], lines[-1]) == (
            LONGEST + 1,
            "1.000 s erp sales_orders 7 created",
            "and 2 changes more",
        )
