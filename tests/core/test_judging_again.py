"""Judging stored records again: golden traces, whole and damaged."""

import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from harness.core.archive import DRIVEN, JUDGED, RESTED, list_lines, mark_judged, read_stored
from harness.core.golden import build_stage, judge_trace, load_trace
from harness.core.judging import judge_whole
from harness.core.record import DRIVER, Entry
from harness.core.replay import judge_again, judge_stored
from harness.core.result import Result, Timing
from harness.core.verdict import Outcome, UnknownKind

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scenarios/golden").glob("*.yaml"))
SLICE = "scenarios/slice.yaml"
CUTS = 6


@cache
def read_stage(name):
    """Read a stack that traces name."""
    path = ROOT / name
    return build_stage(path.read_text(encoding="utf-8"), file=name) if path.is_file() else None


@cache
def read_trace(name):
    """Read a trace."""
    path = ROOT / "scenarios/golden" / name
    return load_trace(path.read_text(encoding="utf-8"), file=name, stage=read_stage(SLICE), find=read_stage)


def store(trace):
    """Write a trace down as a run would: journals first, then the driver's own, with both moments marked."""
    told, rest = list(trace.entries), list(trace.rest)
    driven = trace.history
    told_marked = [*told, mark(told, DRIVEN, driven.now)]
    whole = [*told_marked, *rest]
    whole.append(mark(whole, RESTED, driven.now))
    record = [entry for entry in whole if entry.source != DRIVER] + [entry for entry in whole if entry.source == DRIVER]
    judgement = judge_whole(trace.experiment, driven, trace.rested)
    result = Result(trace.experiment, judgement.verdict, driven, Timing(1.0, 0.5, 0.2, 0.3), judgement.ledger)
    return [json.dumps(line) for line in list_lines(result, record, trace.scope.origin)]


def mark(record, moment, now):
    """Mark what was known at a moment."""
    return Entry(DRIVER, {"type": JUDGED, "mono": 0.0, **mark_judged(record, moment, now)})


def judge(trace, lines):
    """Judge the lines of a trace again."""
    (stored,) = read_stored(lines)
    return judge_stored(read_stage(SLICE).stack, trace.experiment, stored)


@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_every_trace_is_judged_again_alike(name):
    """Verdict, kind, reason, gates and checks are the same, word for word, as when the history was there as a whole."""
    trace = read_trace(name)
    if trace.raising:
        pytest.skip("a check that is made to raise is not in the record")
    again = judge(trace, store(trace)).verdict
    assert (again.outcome, again.kind, again.reason) == (
        (first := judge_trace(trace)).outcome,
        first.kind,
        first.reason,
    )
    assert again == judge_whole(trace.experiment, trace.history, trace.rested).verdict


@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_a_damaged_record_is_never_held(name):
    """Whatever is cut off or taken out, the verdict is unknown and says that the stored record is damaged."""
    trace = read_trace(name)
    lines = store(trace)
    draw = random.Random(name)  # noqa: S311 - drawn alike each time
    for _ in range(CUTS):
        at = draw.randrange(1, len(lines))
        for damaged in (lines[:at], lines[:at] + lines[at + 1 :], [*lines[:at], lines[at][:-5], *lines[at + 1 :]]):
            verdict = judge(trace, damaged).verdict
            assert verdict.outcome is Outcome.UNKNOWN
            assert any("the stored record: " in gate.detail for gate in verdict.gates if not gate.passed)


@pytest.fixture
def held():
    """Give a trace of the slice that is held, and its lines."""
    trace = read_trace("retry-recovers-at-once.yaml")
    return trace, store(trace)


def test_a_changed_record_is_judged_for_what_it_says(held):
    """A whole record that says something else gets another verdict: it is judged, not looked up."""
    trace, lines = held
    stage = read_stage(SLICE)
    assert [each.verdict.outcome for each in judge_again(stage.stack, [trace.experiment.id], read_stored(lines))] == [
        Outcome.HELD
    ]
    changed = [line.replace('"collection": "sales_orders"', '"collection": "estimates"') for line in lines]
    assert changed != lines
    (result,) = judge_again(stage.stack, [trace.experiment.id], read_stored(changed))
    assert result.verdict.outcome is Outcome.VIOLATED


def test_nothing_stored(held):
    """An experiment of which nothing is stored is unknown, and one the stack does not compile to is left out."""
    trace, lines = held
    chosen = [trace.experiment.id, "order-to-erp/429:retry/last", "order-to-erp/nothing/of-the-kind"]
    first, second = judge_again(read_stage(SLICE).stack, chosen, read_stored(lines))
    assert first.verdict.outcome is Outcome.HELD
    assert (second.verdict.outcome, second.verdict.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)
    assert "nothing of it is stored" in second.verdict.reason


def test_a_second_run_counts(held):
    """Of an experiment that was run twice the second verdict stands, with the first beside it."""
    trace, lines = held
    (result,) = judge_again(read_stage(SLICE).stack, [trace.experiment.id], read_stored([*lines[:-1], *lines]))
    assert result.verdict.outcome is Outcome.HELD
    assert result.rerun_of.verdict.outcome is Outcome.UNKNOWN
    assert result.timing == Timing(1.0, 0.5, 0.2, 0.3)


def test_what_was_left_out_is_expected_of_no_order(held):
    """Where a handoff could not be driven when it ran, the ledger does not ask for it now."""
    trace, lines = held
    stack = read_stage(SLICE).stack
    more = replace(stack.handoffs[-1], id="order-to-tax", paths=())
    grown = replace(stack, handoffs=(*stack.handoffs, more))
    (result,) = judge_again(grown, [trace.experiment.id], read_stored(lines))
    assert [each.handoff for each in result.experiment.ledger.stations] == [each.id for each in stack.handoffs]
    assert result.verdict.outcome is Outcome.HELD
