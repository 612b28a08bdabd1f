"""Which order shows that the way is free again, by histories told like golden traces."""

from dataclasses import replace

import pytest
from canaries import BOTH, HANDOFF, RETRIED, find, read

from harness.core.canary import find_canary


def test_an_order_that_recovered_is_the_canary():
    """An order that was refused once and then taken shows that the way is free."""
    assert find(*RETRIED) == 1


def test_another_order_may_show_it():
    """Where the refused order came through before the last refusal of another one, that other one shows it."""
    late = ("0.20 sales_order.upsert 2 429 f1", "0.50 sales_order.upsert 2 204 record=8")
    assert find(*BOTH, *late) == 2
    assert find(*BOTH, *late, "0.60 sales_order.read 1 200", "0.60 transaction.create 1 201 system=storefront") == 2


@pytest.mark.parametrize(
    "lines",
    [
        RETRIED[:-1],
        [*RETRIED[:-1], "0.19 sales_order.upsert 1 503"],
        ["0.00 breaker closed handoff=order-to-erp", "0.00 arm f1"],
        ["0.00 breaker closed handoff=order-to-erp", "0.00 arm f1", *RETRIED[3:]],
        [*RETRIED[:4], RETRIED[-1]],
    ],
    ids=["nowhere", "refused-again", "nothing-placed", "not-placed", "never-bitten"],
)
def test_nobody_came_through(lines):
    """Without an order that was placed, refused and then taken nothing is shown."""
    assert find(*lines) is None


@pytest.mark.parametrize(
    "line",
    [
        "0.30 breaker half_open handoff=order-to-erp",
        "0.30 breaker open handoff=order-to-erp",
        "0.30 breaker open handoff=order-capture",
        "0.30 breakers unreadable",
        "0.30 breakers none",
        "0.30 letters unreadable",
        "0.30 cases unreadable",
    ],
)
def test_what_is_shown_speaks_against_it(line):
    """A breaker that is not closed, or any list that cannot be read, leaves it open."""
    assert (find(*RETRIED, line) is None) == (line != "0.30 breakers none")


def test_a_breaker_that_is_not_shown_is_not_closed():
    """A list without the breaker that a handoff declares says nothing of it; where none is declared, none needs to be shown."""
    assert find(*RETRIED[1:]) is None
    assert find(*RETRIED, breakers=frozenset({HANDOFF, "order-capture"})) is None
    assert find(*RETRIED[1:], breakers=frozenset()) == 1
    assert find(*RETRIED[1:], "0.30 breaker open handoff=order-to-erp", breakers=frozenset()) is None


def test_what_was_shown_before_the_last_event_is_not_asked():
    """What the integration showed before the order came through says nothing of what it shows since."""
    trace = read(RETRIED)
    earlier = replace(trace.history, observations=tuple(replace(each, t=0.1) for each in trace.history.observations))
    assert find_canary(earlier, trace.experiment, breakers=frozenset({HANDOFF})) is None


@pytest.mark.parametrize("shown", ["breakers", "dead_letters", "queues"])
def test_what_cannot_be_shown_is_not_asked_for(shown):
    """An integration that does not show a list at all is not waited for; of breakers, where none is declared."""
    assert find(*RETRIED[1:], breakers=frozenset(), more=f"observable: {shown}\n") == 1
    assert find(*RETRIED[1:], more="observable: dead_letters\n") is None


def test_what_is_left_of_earlier_experiments():
    """What was taken up in vain at the end of an earlier experiment does nothing by itself, whatever it is about."""
    lines = (*RETRIED, "0.30 letter - handoff=order-capture")
    trace = read(lines)
    (letter,) = next(each.items for each in trace.history.observations if each.what == "dead_letters" and each.items)

    assert find(*lines) is None
    assert find(*lines, left=frozenset({"another"})) is None
    assert find(*lines, left=frozenset({letter["id"]})) == 1


def test_a_call_that_is_held():
    """A call that a fault holds is under way, though no witness has told of it."""
    trace = read(RETRIED)
    history = replace(trace.history, holding=frozenset({"f1"}))
    assert find_canary(history, trace.experiment, breakers=frozenset({HANDOFF})) is None


def test_what_can_be_read_no_more():
    """A list that was read since the last event, and can be read no more, says nothing."""
    assert find(*RETRIED, "0.40 letters none", "0.50 letters unreadable") is None


def test_without_a_state():
    """What is shown without a state waits."""
    trace = read((*RETRIED, "0.30 letter 1 state=replayed"))
    told = tuple(
        replace(each, items=tuple({k: v for k, v in item.items() if k != "state"} for item in each.items))
        if each.what == "dead_letters"
        else each
        for each in trace.history.observations
    )
    history = replace(trace.history, observations=told)
    assert find_canary(history, trace.experiment, breakers=frozenset({HANDOFF})) is None


@pytest.mark.parametrize(
    "line",
    [
        "0.30 letter 1 attempts=4",
        "0.30 letter 1 handoff=inventory-sync",
        "0.30 letter - handoff=order-capture",
        "0.30 case 1 role=oncall",
        "0.30 case 1 role=oncall state=decided decision=approve",
        "0.30 case - handoff=elsewhere role=oncall",
    ],
)
def test_something_is_put_aside(line):
    """Whatever is put aside, at any handoff and of whichever order, may be taken up at any time."""
    assert find(*RETRIED, line) is None


@pytest.mark.parametrize(
    "line",
    ["0.30 letter 1 state=replayed", "0.30 letter 1 state=discarded", "0.30 case 1 role=oncall state=done"],
)
def test_what_was_put_aside_is_over(line):
    """What was replayed, discarded or done is put aside no more."""
    assert find(*RETRIED, line) == 1


@pytest.mark.parametrize("answer", ["503", "429", "409", "lost", "hung", "reset", "unreached", "refused"], ids=str)
def test_a_retry_is_still_due(answer):
    """An order that stands at its end although its last call failed will be sent again."""
    assert find(*BOTH, "0.10 record 2 8", f"0.12 sales_order.upsert 2 {answer} f1") is None
    assert find(*RETRIED, f"0.30 sales_order.upsert 1 {answer} f1 body=other") is None


@pytest.mark.parametrize(
    "line",
    [
        "0.30 contact.upsert 1 503 system=erp",
        "0.30 session.create - 503 key=",
        "0.30 sales_order.upsert - 503 key=SHP-999",
    ],
)
def test_other_calls_are_to_be_repeated(line):
    """A failed call of another kind, or one that names no order of these, is due again as well."""
    assert find(*RETRIED, line) is None


def test_nobody_knows_whose_second_attempt_it_is():
    """Of a call that names an order nobody placed, nobody can tell what a later one is about."""
    assert (
        find(
            *RETRIED, "0.30 sales_order.upsert - 503 key=SHP-9 body=b", "0.40 sales_order.upsert - 204 key=SHP-9 body=b"
        )
        is None
    )


def test_another_call_is_no_second_attempt():
    """Of two parcels of one order, that one was written back says nothing of the other whose answer was lost."""
    ours = ("0.30 sales_order.upsert 1 lost f1 body=one", "0.40 sales_order.upsert 1 204 body=two")
    assert find(*RETRIED, *ours) is None
    assert find(*RETRIED, *ours, "0.60 sales_order.upsert 1 204 body=one") == 1


def test_a_call_that_took_longer_ends_last():
    """An earlier call that ran into its timeout after a later one got through is repeated all the same."""
    assert find(*RETRIED, "0.20 sales_order.upsert 1 hung f1 took=0.5", "0.30 sales_order.upsert 1 204") is None


def test_a_call_for_all_orders_may_fail_and_be_made_again():
    """A session that was renewed at the second try holds nobody up."""
    again = ("0.12 session.create - 503 key= body=s", "0.14 session.create - 200 key= body=s")
    assert find(*RETRIED, *again) == 1


def test_a_call_is_not_answered_yet():
    """A record nobody was answered about stands for a call that is still under way."""
    aside = "0.10 record 2 8"
    assert find(*BOTH, aside) is None
    assert find(*BOTH, aside, "0.12 sales_order.upsert 2 204") == 1
    assert find(*BOTH, "0.05 sales_order.upsert 2 204", aside) is None


def test_a_record_that_its_vendor_changes_later():
    """What a vendor does with a record afterwards is no call that anybody is to be answered about."""
    assert find(*RETRIED, "0.60 record 1 7 updated memo=seen") == 1


def test_only_one_witness_knows_of_a_call():
    """A call that only the vendor, or only the tap, has written down may be under way."""
    assert find(*RETRIED, "0.30 sales_order.upsert 1 204 only=fake") is None
    assert find(*RETRIED, "0.30 sales_order.upsert 1 204 only=tap") is None


def test_trouble_in_the_lab():
    """Where the lab was not in order, an order is sent to see whether it is now."""
    assert find(*RETRIED, '0.30 trouble environment "the ERP died"') is None


def test_it_has_just_happened():
    """What came through a moment ago may be followed by something."""
    assert find(*RETRIED, until=0.29) is None
    assert find(*RETRIED, until=0.31) == 1
    assert find(*RETRIED, "1.15 sales_order.read 1 200") is None
    assert find(*RETRIED, "1.15 webhook 1 200 topic=orders/updated") is None
    assert find(*RETRIED, "1.15 record 1 7 updated memo=late") is None


@pytest.mark.parametrize(
    "line", ["1.15 sales_order.list - 200 key=", "1.15 webhook - 200 topic=products/update", "1.15 record - 99 created"]
)
def test_what_is_about_no_order_may_just_have_happened(line):
    """What is always going on, such as a listing, is not waited for."""
    assert find(*RETRIED, line) == 1


def test_faults_of_two_systems():
    """One order shows the way free past one system, not past two."""
    trace = read((*RETRIED, "0.25 transaction.create 1 201 system=storefront"))
    (fault,) = trace.experiment.faults
    for system, order in (("storefront", None), ("erp", 1)):
        other = replace(fault, system=system, operations=())
        twice = replace(trace.experiment, faults=(fault, other))
        assert find_canary(trace.history, twice, breakers=frozenset({HANDOFF})) == order


def test_items_do_not_end():
    """An item is never the canary."""
    trace = read(RETRIED)
    items = replace(trace.experiment, subject="item")
    assert find_canary(trace.history, items, breakers=frozenset({HANDOFF})) is None


def test_a_handoff_whose_end_nobody_shows():
    """Where a handoff says no end state, its work may go on."""
    trace = read(RETRIED)
    first, *others = trace.experiment.ledger.stations
    blind = replace(
        trace.experiment, ledger=replace(trace.experiment.ledger, stations=(replace(first, end=None), *others))
    )
    assert find_canary(trace.history, blind, breakers=frozenset({HANDOFF})) is None


def test_a_fault_of_all_calls_of_a_system():
    """Where a fault names no call, any that got through since shows the way free."""
    trace = read(RETRIED)
    (fault,) = trace.experiment.faults
    whole = replace(trace.experiment, faults=(replace(fault, operations=()),))
    assert find_canary(trace.history, whole, breakers=frozenset({HANDOFF})) == 1


def test_without_a_fault():
    """Where nothing was made to fail, an order that is through is enough."""
    lines = (
        "0.00 breaker closed handoff=order-to-erp",
        "0.00 place 1",
        "0.01 webhook 1 200",
        "0.05 sales_order.upsert 1 204 record=7",
    )
    assert find(*lines, experiment="clean:resolve/one") == 1
    assert find(*lines[:-1], experiment="clean:resolve/one") is None


def test_another_handoff_is_not_done_with_it():
    """Along the whole chain an order is through once every handoff it set in motion is done with it."""
    chain = {"stack": "reference/stack.yaml", "more": "absent: [carrier, crm]\n"}
    wanted = frozenset({HANDOFF})
    lines = (
        *RETRIED,
        "0.00 record 1 storefront/orders/6411001 created total_price=37.50",
        "0.20 payment_intent.capture 1 200 system=gateway",
        "0.205 record 1 gateway/payment_intents/pi_1 updated status=succeeded amount_received=3750",
        "0.22 transaction.create 1 201 system=storefront",
        "0.225 record 1 storefront/transactions/t1 created kind=capture status=success amount=37.50",
        "0.24 wms_order.create 1 201",
    )
    stored = "0.245 record 1 wms/orders/w1 created status=received reference=411001"
    assert find(*lines, breakers=wanted, **chain) is None
    assert find(*lines, stored, breakers=wanted, **chain) == 1
    asked = [line for line in lines if "wms_order" not in line]
    assert find(*asked, stored, "0.30 transaction.list 1 200 system=storefront", breakers=wanted, **chain) is None
    taken = [line for line in lines if "capture" not in line or "record" in line]
    known = (
        "0.00 record 1 gateway/payment_intents/pi_1 created status=requires_capture",
        "0.10 payment_intent.read 1 200 system=gateway",
    )
    assert find(*taken, *known, stored, breakers=wanted, **chain) is None
    parcel = ("0.40 record 1 wms/shipments/s1 created order_id=w1",)
    assert find(*lines, stored, *parcel, breakers=wanted, **chain) is None


def test_what_the_handoff_waits_for_never_came():
    """An order that was never shipped shows nothing of the handoffs that a shipment sets in motion."""
    lines = (
        "0.00 breaker closed handoff=order-to-erp",
        "0.00 place 1",
        "0.01 webhook 1 200 topic=orders/create",
        "0.02 sales_order.upsert 1 204 record=71",
        "0.03 payment_intent.capture 1 200 record=pi_1",
        "0.05 transaction.create 1 201 record=t1",
        "0.05 wms_order.create 1 201 record=w1",
    )
    chain = {"stack": "reference/stack.yaml", "more": "absent: [carrier, crm]\n", "experiment": "clean:resolve/one"}
    assert find(*lines, handoff="erp-to-wms", **chain) == 1
    assert find(*lines, handoff="shipment-to-erp", **chain) is None
