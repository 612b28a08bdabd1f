"""What the judgement of one experiment says of its orders."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.checks.ledger import Row
from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.golden import build_stage, load_trace
from harness.core.history import Change, Trouble
from harness.core.judging import judge_whole, select_stations
from harness.core.starts import Start
from harness.core.verdict import Outcome, UnknownKind

ROOT = Path(__file__).parents[2]
SLICE = "scenarios/slice.yaml"


def read_trace(name):
    """Read a golden trace of the slice."""
    stage = build_stage((ROOT / SLICE).read_text(encoding="utf-8"), file=SLICE)
    return load_trace((ROOT / "scenarios/golden" / name).read_text(encoding="utf-8"), file=name, stage=stage)


@pytest.mark.parametrize(
    ("name", "row"), [("ledger-lost.yaml", Row.LOST), ("answer-lost-and-doubled.yaml", Row.DUPLICATED)]
)
@pytest.mark.parametrize("kind", [UnknownKind.ENVIRONMENT, UnknownKind.INTERFERENCE])
def test_no_order_is_called_lost_where_the_lab_was_in_trouble(name, row, kind):
    """What a sound lab shows as lost or doubled nobody can see in one that was disturbed or cut short."""
    trace = read_trace(name)
    sound = judge_whole(trace.experiment, trace.history, trace.rested)
    trouble = Trouble(0.5, str(kind), "interrupted by the user before it was decided")
    driven = replace(trace.history, troubles=(*trace.history.troubles, trouble))
    cut_short = judge_whole(trace.experiment, driven, trace.rested)

    assert row in {entry.row for entry in sound.ledger}
    assert cut_short.verdict.outcome is Outcome.UNKNOWN
    assert {entry.row for entry in cut_short.ledger if entry.name in list_wrong(sound, row)} == {Row.UNSEEN}
    assert [entry.story for entry in cut_short.ledger] == [entry.story for entry in sound.ledger]


def list_wrong(judgement, row):
    """List the orders that stand in a row."""
    return [entry.name for entry in judgement.ledger if entry.row is row]


def judge_sound(name="ledger-parked.yaml", **changed):
    """Judge a trace in which nothing is wrong, its experiment or what was seen at rest changed."""
    trace = read_trace(name)
    experiment = replace(trace.experiment, **{key: changed.pop(key) for key in ("subject", "ledger") if key in changed})
    return judge_whole(experiment, trace.history, replace(trace.rested, **changed))


def test_at_rest_only_troubles_count():
    """What witnesses differ on while the lab comes to rest is no doubt in what was seen before; a trouble is."""
    assert judge_sound(disagreements=("they differ",)).verdict.outcome is Outcome.HELD
    assert judge_sound(troubles=(Trouble(5.0, UnknownKind.ENVIRONMENT, "erp died"),)).verdict.outcome is Outcome.UNKNOWN


def test_where_an_order_may_be_is_told_in_any_lab():
    """Only what speaks against an order is taken back where the lab was in disorder."""
    sound = judge_sound()
    troubled = judge_sound(troubles=(Trouble(5.0, UnknownKind.ENVIRONMENT, "erp died"),))
    assert [entry.row for entry in troubled.ledger] == [entry.row for entry in sound.ledger] != []


def test_items_have_no_ledger_and_no_stock_is_not_asked():
    """The ledger is of orders, and stock is asked for where some moved."""
    assert [check.name for check in judge_sound().verdict.checks][-1] == "ledger"
    of_items = judge_sound(subject="item")
    assert of_items.ledger == ()
    assert "ledger" not in {check.name for check in of_items.verdict.checks}


def test_orders_pass_no_station_of_items():
    """What starts with an item is no station of the ledger, whatever its end."""
    items = Station("sync", Start.ADJUSTED, (), EndState("erp", "sales_order"))
    rule = read_trace("ledger-parked.yaml").experiment.ledger
    experiment = replace(read_trace("ledger-parked.yaml").experiment, ledger=LedgerRule((*rule.stations, items)))
    assert items not in select_stations(experiment).stations


def test_a_ledger_that_crashes_is_its_checks_to_tell():
    """A record that no vendor would write makes the verdict unknown, and ends nothing."""
    trace = read_trace("ledger-parked.yaml")
    odd = Change(1.0, "wms", "shipments", "s1", 1, "created", {"order_id": "w1", "lines": [7]})
    paid = Change(1.0, "gateway", "payment_intents", "p1", 1, "created", {"amount_received": 1})
    shop = Change(1.0, "storefront", "orders", "o1", 1, "created", {"total_price": "1.00"})
    rested = replace(trace.rested, changes=(*trace.rested.changes, odd, paid, shop))
    judged = judge_whole(trace.experiment, trace.history, rested)
    assert (judged.verdict.outcome, judged.ledger) == (Outcome.UNKNOWN, ())
    assert "the check ledger crashed" in judged.verdict.reason
