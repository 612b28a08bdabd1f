"""Small mistakes that could stand in what says whether an order came through, which no other test would notice."""

from functools import partial

import pytest
from histories import HANDOFF, alert, call, did, met, record, sent, told

from harness.core.checks.queue import check_case, check_told
from harness.core.checks.resolution import (
    check_recovered,
    check_resolved_once,
    check_same_end_state,
    check_untouched,
)
from harness.core.checks.session import check_renewed
from harness.core.ends import EndState
from harness.core.history import Observation
from harness.core.verdict import Outcome, UnknownKind

HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
VACUOUS, HIDDEN = UnknownKind.VACUOUS, UnknownKind.NOT_OBSERVABLE
OPERATIONS = ("sales_order.upsert",)
SALES_ORDER = EndState("erp", "sales_order")


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
