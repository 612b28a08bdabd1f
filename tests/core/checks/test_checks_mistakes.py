"""Small mistakes that could stand in a checker: each of these cases is one that no other test would notice."""

from functools import partial

import pytest
from histories import HANDOFF, alert, call, did, letter, met, record, sent, shown, told

from harness.core.checks.breaker import check_one_alert, check_opens, check_probes, check_reopened, check_stays_closed
from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.checks.dead_letter import check_dead_letter, check_escalation, check_replay, check_replayed_once
from harness.core.checks.ledger import Row, build_ledger, check_ledger
from harness.core.checks.money import describe_short_money, describe_surplus_money
from harness.core.checks.openings import UNDER_WAY_S, trace_openings
from harness.core.checks.quantities import describe_goods, describe_growth
from harness.core.checks.queue import check_case, check_told
from harness.core.checks.resolution import (
    check_recovered,
    check_resolved_once,
    check_same_end_state,
    check_untouched,
)
from harness.core.checks.retry import Sent, check_attempts
from harness.core.checks.session import check_renewed
from harness.core.checks.stock import check_stock
from harness.core.ends import EndState
from harness.core.experiments import Check, LedgerRule, Station
from harness.core.gates import run_check
from harness.core.history import Change, Observation, Order
from harness.core.outcomes import DeadLetter
from harness.core.stack import Breaker
from harness.core.starts import Start
from harness.core.verdict import Outcome, UnknownKind, build_held, build_violated

HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
VACUOUS, HIDDEN = UnknownKind.VACUOUS, UnknownKind.NOT_OBSERVABLE
OPERATIONS = ("sales_order.upsert",)
# Three failures open it for two seconds; the third of `failing` ends at a quarter of a second, exactly.
THREE = Breaker(failures=3, pause_s=2.0, probes=1, alert="oncall")
OPENED, UNTIL = 0.25, 2.25
SALES_ORDER = EndState("erp", "sales_order")
TWO_PROBES = Breaker(failures=3, pause_s=2.0, probes=2, alert="oncall")


def failing(n=3, status=503):
    """Make calls that fail one after another."""
    return [call(0.0625 * place, status, order=place + 1, took=0.125) for place in range(n)]


def ask(check, *things, breaker=THREE, now=10.0, observable=frozenset({"dead_letters"}), **declared):
    """Ask a check of breakers."""
    return check(told(*things, now=now, observable=observable), OPERATIONS, breaker, scale=1.0, **declared)


probes = partial(ask, check_probes, latest_s=1.0)
stays_closed = partial(ask, check_stays_closed, handoff=HANDOFF)
one_alert = partial(ask, check_one_alert, handoff=HANDOFF)


def made(system, collection, record_id="1", *, t=1.0, order=1, action="created", **fields):
    """Make a change of any record."""
    return Change(t, system, collection, record_id, order, action, fields, f"#100{order}")


class TestBreakers:
    """What stands between a breaker that does as declared and one that does not."""

    @pytest.mark.parametrize(("now", "outcome"), [(UNTIL - 0.0625, UNKNOWN), (UNTIL, HELD), (UNTIL + 1, HELD)])
    def test_a_pause_is_watched_to_its_end(self, now, outcome):
        """A silence counts from the moment the pause is over."""
        assert ask(check_opens, *failing(), now=now).outcome is outcome

    def test_a_probe_shows_that_the_pause_was_watched(self):
        """Whoever probes a little early has ended the pause: nothing is left to watch."""
        assert ask(check_opens, *failing(), call(UNTIL - 0.125), now=UNTIL - 0.0625).outcome is HELD

    @pytest.mark.parametrize(
        ("calls", "kind"),
        [
            ([call(0, 503), call(1, 200), call(2, 503)], UnknownKind.INTERFERENCE),
            ([call(0, 503), call(1, 200)], VACUOUS),
        ],
    )
    def test_what_an_uninterrupted_run_below_needs(self, calls, kind):
        """One failure fewer than opens it is needed; where there were as many, they did not come in a row."""
        assert stays_closed(*calls).kind is kind

    def test_the_next_call_is_the_first(self):
        """The one that follows at once tells that it went on, whatever comes after a long time."""
        two = failing(2)
        assert stays_closed(*two, call(two[-1].ended, 200), call(9.0, 200)).outcome is HELD

    def test_a_probe_that_is_still_to_come(self):
        """An opening that was probed counts, though a later one is still waiting for its probe."""
        result = probes(*failing(), call(2.5, 503), now=4.0)
        assert result.outcome is HELD

    def test_a_pause_not_watched_proves_nothing(self):
        """Without a probe, and too early for one, nothing was tested."""
        result = probes(*failing(), now=3.0)
        assert (result.outcome, result.kind) == (UNKNOWN, VACUOUS)

    @pytest.mark.parametrize(("now", "outcome"), [(UNTIL + 1.0, VIOLATED), (UNTIL + 0.875, UNKNOWN)])
    def test_how_long_a_probe_may_take(self, now, outcome):
        """The time a probe may take ends with its last moment."""
        assert probes(*failing(), now=now).outcome is outcome

    def test_calls_before_the_pause_was_over_and_none_after(self):
        """It is late by as much as the last of them was beyond what may have been under way."""
        result = probes(*failing(), call(0.5, 200), call(1.25, 200))
        assert result.observed == "2 sent before the pause was over"
        assert result.margin_s == pytest.approx(1.0 - UNDER_WAY_S)

    def test_a_call_before_the_probe_is_for_the_silence_to_judge(self):
        """Where a probe came in time the number of probes is as declared."""
        assert probes(*failing(), call(0.5, 200), call(2.5, 200)).outcome is HELD

    def test_the_first_of_two_probes_is_in_time(self):
        """The second may come as late as it likes, as long as the first is under way."""
        late = [call(2.5, 200, took=3.0), call(4.0, 200, took=3.0)]
        assert probes(*failing(), *late, breaker=TWO_PROBES).outcome is HELD

    def test_by_how_much_a_probe_is_late(self):
        """The margin is what is beyond the time it may take."""
        result = probes(*failing(), call(UNTIL + 1.5, 200))
        assert (result.outcome, result.margin_s) == (VIOLATED, pytest.approx(0.5))

    @pytest.mark.parametrize(
        ("later", "now", "outcome"),
        [
            ([], 4.5, UNKNOWN),
            ([], 4.5 + 0.0625, HELD),
            ([call(4.375, 200)], 4.5 - 0.0625, HELD),
            ([call(4.6, 200)], 5.0, HELD),
        ],
    )
    def test_the_second_pause_is_watched_too(self, later, now, outcome):
        """A failed probe, ending half a second late, begins a pause that must be seen to its end or to its probe."""
        probe = call(UNTIL, 503, took=0.25)
        now = now + (0.0 if later or now != 4.5 else -0.0625)
        assert ask(check_reopened, *failing(), probe, *later, now=now).outcome is outcome

    def test_one_nameless_alert_among_others_is_doubt_enough(self):
        """Any alert that names no handoff may be the one that is missing."""
        result = one_alert(*failing(), alert(0.3, handoff=None), alert(0.3, handoff="other"))
        assert (result.outcome, result.kind) == (UNKNOWN, HIDDEN)

    @pytest.mark.parametrize(
        ("escalate_after", "left", "outcome"),
        [(None, 0, VIOLATED), (3, 0, VIOLATED), (3, 2, HELD), (2, 1, HELD), (1, 0, HELD)],
    )
    def test_alerts_that_dead_letters_account_for(self, escalate_after, left, outcome):
        """One more alert is explained from as many dead letters on as escalate, those of earlier experiments included."""
        old = [letter(None, id=f"old {n}", payload_sha256="old", entity="#900") for n in range(left)]
        alerts = [alert(0.3), alert(0.4, key="b")]
        rules = (DeadLetter(to="oncall", escalate_after=escalate_after),)
        assert one_alert(*failing(), *alerts, shown(letter(1), *old), rules=rules).outcome is outcome

    def test_leftovers_alone_raise_no_alert(self):
        """What earlier experiments left behind tells nobody anything where nothing was added to it."""
        old = letter(None, id="old", payload_sha256="old", entity="#900")
        rules = (DeadLetter(to="oncall", escalate_after=1),)
        alerts = [alert(0.3), alert(0.4, key="b")]
        assert one_alert(*failing(), *alerts, shown(old), rules=rules).outcome is VIOLATED

    @pytest.mark.parametrize(("escalate_after", "outcome"), [(None, VIOLATED), (1, HELD)])
    def test_alerts_where_nobody_shows_dead_letters(self, escalate_after, outcome):
        """Any order given up may have been told, where the stack says that dead letters are."""
        alerts = [alert(0.3), alert(0.4, key="b")]
        rules = (DeadLetter(to="oncall", escalate_after=escalate_after),)
        assert one_alert(*failing(), *alerts, rules=rules).outcome is outcome


SENT = Sent(OPERATIONS, 1)
TWO = (call(0, 503), call(0.3, 503))
OLD = letter(None, id="old", payload_sha256="old", entity="#900")
escalation = partial(check_escalation, handoff=HANDOFF, role="oncall", after=2, horizon_s=5)


class TestDeadLetters:
    """What is put aside, told and replayed."""

    def test_a_payload_of_which_no_body_was_seen(self):
        """Where every call was cut off before it was whole, no payload can be said to be none that was sent."""
        cut = call(0, None, body_sha256="", end="client_closed")
        found = check_dead_letter(told(cut, shown(letter(attempts=1))), SENT, handoff=HANDOFF, horizon_s=5)
        assert found.outcome is HELD

    def test_a_letter_without_a_payload_is_not_told_from_a_body_that_was_cut_off(self):
        """A body nobody saw whole is no body: a letter that shows another one is not excused by it."""
        calls = (call(0, None, body_sha256="", end="client_closed"), call(1, 503))
        found = check_dead_letter(
            told(*calls, shown(letter(payload_sha256="other"))), SENT, handoff=HANDOFF, horizon_s=5
        )
        assert found.outcome is VIOLATED

    def test_one_left_over_and_one_of_this_experiment(self):
        """With one waiting from before, the first of this experiment is the second in all."""
        history = told(*TWO, shown(letter(1), OLD), alert())
        assert escalation(history, expected=0).outcome is HELD
        assert escalation(told(*TWO, shown(letter(1), OLD)), expected=0).outcome is VIOLATED

    @pytest.mark.parametrize(("left", "outcome"), [(1, UNKNOWN), (2, HELD), (3, HELD)])
    def test_as_many_left_over_as_escalate(self, left, outcome):
        """They were told of when they came, so silence is as declared; with fewer, as many as needed must have come."""
        old = [letter(None, id=f"old {n}", payload_sha256="old", entity="#900") for n in range(left)]
        result = escalation(told(*TWO, shown(*old)), expected=1, waiting=2)
        assert result.outcome is outcome

    def test_what_is_beside(self):
        """What earlier experiments left behind is told of where there is some, and only there."""
        beside = escalation(told(*TWO, shown(letter(1), OLD), alert()), expected=0).observed
        alone = escalation(told(*TWO, shown(letter(1), letter(2)), alert()), expected=1).observed
        assert (beside, alone) == ("1 alert, beside 1 dead letters of earlier experiments", "1 alert")

    def test_no_alert_and_no_letters_to_be_seen(self):
        """Where none was expected and none is needed, silence is enough even if nobody shows dead letters."""
        assert escalation(told(*TWO), expected=0).outcome is HELD
        assert escalation(told(*TWO), expected=0, waiting=1).kind is HIDDEN

    def test_an_alert_tells_that_enough_were_held(self):
        """Where the role was told, it is not asked how many letters are still to be seen."""
        assert escalation(told(*TWO, shown(letter(1)), alert()), expected=1, waiting=2).outcome is HELD

    def test_nothing_to_replay(self):
        """Without a letter a replay proves nothing."""
        found = check_replay(told(*TWO, shown()), handoff=HANDOFF, order=1)
        assert (found.outcome, found.kind) == (UNKNOWN, VACUOUS)

    def test_what_was_sent_the_moment_it_was_replayed(self):
        """A call that begins with the replay is the replay's."""
        history = told(*TWO, shown(letter()), did("replay", 2.0, 1), call(2.0))
        assert check_replayed_once(history, SENT, handoff=HANDOFF).outcome is HELD

    def test_no_way_to_replay(self):
        """Where the integration offers none, nobody can tell what a replay would do."""
        history = told(*TWO, shown(letter()), did("replay", 2.0, 1, met=False))
        assert check_replayed_once(history, SENT, handoff=HANDOFF).kind is HIDDEN

    def test_an_alert_that_names_no_handoff_hides_a_cascade(self):
        """Nobody can tell whether it is about another handoff."""
        neighbours = (Neighbour("order-capture", ()),)
        found = check_contained(told(shown(), alert(handoff=None)), neighbours=neighbours, orders=(1,))
        assert (found.outcome, found.kind) == (UNKNOWN, HIDDEN)

    def test_orders_that_may_wait_where_nobody_can_look(self):
        """What is not resolved may have been put aside."""
        history = told(did("lift", 1.0), shown(error="down"))
        found = check_drained(history, handoff=HANDOFF, end=SALES_ORDER, orders=(1,), breaks=False, within_s=5)
        assert (found.outcome, found.kind) == (UNKNOWN, HIDDEN)


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

    @pytest.mark.parametrize("amount", [None, "much", ""])
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


def case(**more):
    """Make a case about order 1."""
    return {"id": "c1", "handoff": HANDOFF, "role": "finance", "entity": "#1001", "state": "open", **more}


def judge_case(*cases, sla_s=60.0):
    """Judge what the role queues show."""
    history = told(Observation(9.0, "queues", cases), observable=frozenset({"queues"}))
    return check_case(history, handoff=HANDOFF, order=1, role="finance", sla_s=sla_s, horizon_s=5)


resolved_once = partial(check_resolved_once, end=SALES_ORDER)


class TestResolution:
    """Once, in time, the same, or not at all."""

    @pytest.mark.parametrize(
        "name", ["entity", "modified_at", "created_at", "updated_at", "last_modified_date", "created_date"]
    )
    def test_what_differs_between_equal_records(self, name):
        """Whose it is and when it was written makes no two states of one."""
        records = [record(1, memo="a", **{name: "one"}), record(1, order=2, record_id="8", memo="a", **{name: "other"})]
        assert check_same_end_state(told(*records), end=SALES_ORDER, order=1, twin=2).outcome is HELD

    def test_nothing_to_compare(self):
        """Records that show nothing but names cannot be said to be the same."""
        records = [record(1, id="7"), record(1, order=2, record_id="8", id="8")]
        found = check_same_end_state(told(*records), end=SALES_ORDER, order=1, twin=2)
        assert (found.outcome, found.kind) == (UNKNOWN, HIDDEN)

    def test_fields_in_another_order(self):
        """A record says the same whatever order its fields stand in, those of a nested one included; longer names go first."""
        records = [
            record(1, memo="1001 51001", more={"a": 1, "b": 2}),
            record(1, order=2, record_id="8", memo="1002 51002", more={"b": 2, "a": 1}),
        ]
        assert check_same_end_state(told(*records), end=SALES_ORDER, order=1, twin=2).outcome is HELD

    @pytest.mark.parametrize(("lacking", "outcome"), [((1, 2), UNKNOWN), ((1,), VIOLATED)])
    def test_orders_that_had_to_be_replayed(self, lacking, outcome):
        """Only where there was no way for any of the missing ones, nobody can tell."""
        found = resolved_once(told(did("place", 0, 1, 2), did("replay", 1, *lacking, met=False)), orders=(1, 2))
        assert (found.outcome, "replayed" in found.observed) == (outcome, outcome is UNKNOWN)

    def test_the_slowest_of_the_late(self):
        """The one that took longest says by how much it was too late."""
        found = resolved_once(
            told(did("place", 0, 1, 2), record(3), record(5, order=2, record_id="8")), orders=(1, 2), within_s=2
        )
        assert (found.observed, found.margin_s) == ("too late (5.00 s): #1001, #1002", 3)

    def test_its_first_action_counts(self):
        """An order that was set in motion twice is due since the first time."""
        history = told(did("act", 1.0, 1), did("act", 4.0, 1), record(5))
        assert resolved_once(history, orders=(1,), within_s=3, since="act").outcome is VIOLATED

    def test_its_own_action_counts(self):
        """What the driver did about another order before is not this one's."""
        history = told(did("act", 1.0, 2), did("act", 4.0, 1), record(5))
        assert resolved_once(history, orders=(1,), within_s=3, since="act").outcome is HELD

    def test_what_nobody_set_in_motion(self):
        """Without any action the time counts from the beginning."""
        assert resolved_once(told(record(2.0)), orders=(1,), within_s=2, since="act").outcome is HELD
        assert resolved_once(told(record(2.25)), orders=(1,), within_s=2, since="act").margin_s == 0.25

    @pytest.mark.parametrize(
        ("delivery", "outcome"),
        [
            (sent(1.0), VIOLATED),
            (sent(2.0), VIOLATED),
            (sent(2.5), UNKNOWN),
            (sent(1.0, 299), VIOLATED),
            (sent(1.0, 300), UNKNOWN),
            (sent(1.0, order=None), UNKNOWN),
            (sent(1.0, topic="orders/updated"), UNKNOWN),
        ],
    )
    def test_what_was_acknowledged_before_it_died(self, delivery, outcome):
        """Owed is what was answered 2xx by then, of an order and one of the topics; with nothing owed nothing was tested."""
        history = told(delivery, did("restart", 2.0))
        found = check_recovered(history, end=SALES_ORDER, within_s=1, topics=("orders/create",))
        assert (found.outcome, found.kind) == (outcome, VACUOUS if outcome is UNKNOWN else None)

    @pytest.mark.parametrize(("t", "outcome"), [(0.5, HELD), (1.0, VIOLATED), (1.5, VIOLATED)])
    def test_what_vendors_knew_before(self, t, outcome):
        """What changed before the driver did anything is nobody's doing."""
        history = told(did("place", 1.0, 1), did("act", 3.0, 1), record(t))
        assert check_untouched(history, orders=(1,), horizon_s=5).outcome is outcome

    def test_records_where_the_driver_did_nothing(self):
        """Without any action whatever changed counts from the beginning."""
        assert check_untouched(told(record(0.25)), orders=(1,), horizon_s=5).outcome is VIOLATED


class TestQueuesAndSessions:
    """Cases, who was told of them, and renewals."""

    def test_an_sla_nobody_promised(self):
        """Where none is declared it is nobody's affair what the case says."""
        assert judge_case(case(sla_s="soon"), sla_s=None).outcome is HELD

    def test_an_sla_that_cannot_be_read(self):
        """Where one is declared it must be told in words that can be read."""
        assert judge_case(case(sla_s="soon")).kind is HIDDEN

    def test_a_case_without_an_sla(self):
        """What it does not say is not held against it."""
        assert judge_case(case(sla_s=None)).outcome is HELD

    def test_an_alert_of_another_handoff_that_names_no_order(self):
        """It is not about this one, so nobody was told."""
        found = check_told(told(alert(handoff="other")), handoff=HANDOFF, order=1, role="finance", horizon_s=5)
        assert found.outcome is VIOLATED

    def test_twice_in_one_of_two_channels(self):
        """Once by a page and twice by mail is twice."""
        alerts = [
            alert(1.0, "finance", entity="#1001", key=str(number), channel=channel)
            for number, channel in enumerate(("pagerduty", "zendesk", "zendesk"))
        ]
        found = check_told(told(*alerts), handoff=HANDOFF, order=1, role="finance", horizon_s=5)
        assert (found.outcome, found.observed) == (VIOLATED, "2 times")

    @pytest.mark.parametrize(("renewed", "outcome"), [(1.0, HELD), (0.5, VIOLATED), (1.5, HELD)])
    def test_a_renewal_counts_from_the_first_who_met_it(self, renewed, outcome):
        """What ended before anybody met the expired session is no renewal of it."""
        call_ = call(renewed - 0.25, 200, order=None, operation="token.create", took=0.25)
        found = check_renewed(told(met(t=1.0), met(t=2.0), call_), system="erp", renewals=("token.create",), fault="f1")
        assert found.outcome is outcome

    def test_one_renewal_is_what_is_declared_unless_said_otherwise(self):
        """Two are one too many."""
        renewals = [call(t, 200, order=None, operation="token.create") for t in (1.5, 2.5)]
        found = check_renewed(told(met(t=1.0), *renewals), system="erp", renewals=("token.create",), fault="f1")
        assert found.outcome is VIOLATED


class TestVerdicts:
    """What gates and margins make of a check."""

    @pytest.mark.parametrize("margin_s", [None, 0.1, 0.3])
    def test_what_is_held_stays_held_in_a_busy_lab(self, margin_s):
        """Only a broken promise is put down to the lab, and only one that was broken by being late."""
        late = Check("late", lambda _: build_violated("late", "", "", margin_s=margin_s))
        fine = Check("fine", lambda _: build_held("fine", "", ""))
        busy = told(disturbance_s=0.2)
        assert run_check(fine, busy).outcome is HELD
        assert run_check(late, busy).outcome is (UNKNOWN if margin_s == 0.1 else VIOLATED)

    def test_attempts_that_met_no_fault(self):
        """As many as declared, the last through though nothing failed it: that is held; one fewer proves nothing."""
        calls = [call(0, 503, faults=("f1",)), call(1, 200)]
        counted = partial(check_attempts, declared="", at_least=3)
        assert counted(told(*calls), SENT, expected=3).outcome is UNKNOWN
        assert check_attempts(told(*calls), SENT, expected=2, declared="").outcome is HELD
        assert check_attempts(told(*calls), SENT, expected=1, declared="").outcome is VIOLATED


class TestOpenings:
    """The automaton over several openings."""

    ONE = Breaker(failures=1, pause_s=1.0, probes=1, alert="oncall")

    def trace(self, *calls, breaker=ONE):
        """Trace the openings of calls."""
        return trace_openings(calls, breaker, scale=1.0)

    def test_under_way_when_it_opened_again(self):
        """A call that began before the newest opening is no failure of the next count."""
        first, second = call(0, 503, took=0.125), call(2.0, 503, took=0.125)
        under_way = call(2.0625, 503, took=0.25)
        assert len(self.trace(first, call(1.25, 200), second, under_way)) == 2

    def test_the_last_of_several_probes_decides(self):
        """What succeeds first does not close it while another one may still fail."""
        pair = [call(1.25, 200, took=0.25), call(1.375, 503, took=0.25)]
        two = Breaker(failures=1, pause_s=1.0, probes=2, alert="oncall")
        found = self.trace(call(0, 503, took=0.125), *pair, breaker=two)
        assert [opening.reopened for opening in found] == [False, True]

    def test_what_broke_the_silence_is_no_failure_of_the_next_count(self):
        """After a probe that succeeded everything before it is past."""
        assert len(self.trace(call(0, 503, took=0.125), call(0.5, 503), call(1.25, 200))) == 1

    def test_one_contested_opening_is_doubt_enough(self):
        """Where one of two may not have been one, an alert too few proves nothing."""
        again = [call(5 + 0.0625 * place, 503, order=place + 1, took=0.125) for place in range(3)]
        contesting = call(5.125, 200, took=0.1875)
        result = one_alert(*failing(), call(2.5, 200), *again, contesting)
        assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.INTERFERENCE)


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
