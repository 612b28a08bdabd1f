"""What the judgement of one experiment says of its orders."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.checks.ledger import Row
from harness.core.golden import build_stage, load_trace
from harness.core.history import Trouble
from harness.core.judging import judge_whole
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
