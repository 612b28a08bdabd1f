"""Records as lines of a history: what was written is read back, and what is missing is noticed."""

import json

import pytest

from harness.core.archive import (
    DRIVEN,
    JUDGED,
    RESTED,
    Stored,
    find_moments,
    list_damages,
    list_lines,
    mark_judged,
    read_stored,
)
from harness.core.history import History
from harness.core.record import DRIVER, Entry
from harness.core.result import Result, Timing
from harness.core.verdict import merge

CALL = {"type": "exchange", "seq": 3, "mono": 10.5}


@pytest.fixture
def record():
    """Give a record of two journals and the driver: five entries known when the steps were done, seven at rest."""
    known = [Entry("tap", CALL), Entry("erp", CALL | {"seq": 8}), Entry("erp", CALL | {"seq": 9})]
    driver = [Entry(DRIVER, {"type": "order", "mono": 10.0}), Entry(DRIVER, {"type": "action", "mono": 10.1})]
    driven = Entry(DRIVER, {"type": JUDGED, "mono": 11.0, **mark_judged([*known, *driver], DRIVEN, 1.0)})
    later = [Entry("tap", CALL | {"seq": 4})]
    after = [driven, Entry(DRIVER, {"type": "observation", "mono": 12.0})]
    rested = Entry(
        DRIVER, {"type": JUDGED, "mono": 13.0, **mark_judged([*known, *later, *driver, *after], RESTED, 3.0)}
    )
    return [*known, *later, *driver, *after, rested]


@pytest.fixture
def lines(record, experiments):
    """Give the lines of that record."""
    experiment = experiments["order-to-erp/429:retry/once"]
    history = History(1.0, observable=frozenset({"queues", "breakers"}))
    result = Result(experiment, merge((), ()), history, Timing(4.0, 1.0, 1.0, 2.0), lab=2)
    return [json.dumps(line) for line in list_lines(result, record, 10.0)]


def read_one(lines):
    """Read lines that are of one experiment."""
    (stored,) = read_stored(lines)
    return stored


def test_whole(lines, record, experiments):
    """What was written is read back as it was, and nothing is missing."""
    stored = read_one(lines)
    assert stored.entries == record
    assert (stored.experiment, stored.lab) == ("order-to-erp/429:retry/once", 2)
    assert stored.head["observable"] == ["breakers", "queues"]
    assert stored.head["stations"] == [each.handoff for each in experiments[stored.experiment].ledger.stations]
    assert list(list_damages(stored)) == []


def test_moments(lines, record):
    """Each moment knows what was recorded by then, journals before the driver's own, and no mark among them."""
    stored = read_one(lines)
    assert find_moments(stored)[DRIVEN].now == 1.0
    assert list(find_moments(stored)[DRIVEN].entries) == [*record[:3], *record[4:6]]
    assert find_moments(stored)[RESTED].now == 3.0
    assert list(find_moments(stored)[RESTED].entries) == [*record[:6], record[7]]


@pytest.mark.parametrize("missing", range(10))
def test_a_missing_line_is_noticed(lines, missing):
    """Whichever line is missing, the head too, something is said of it."""
    assert len(lines) == 10
    del lines[missing]
    assert list(list_damages(read_one(lines)))


@pytest.mark.parametrize("kept", range(1, 10))
def test_a_cut_is_noticed(lines, kept):
    """Wherever the file ends too early, in the middle of a line as well, something is said of it."""
    assert list(list_damages(read_one(lines[:kept])))
    assert list(list_damages(read_one([*lines[:kept], lines[kept][: len(lines[kept]) // 2]])))


def test_what_is_said(lines):
    """What is missing is named: entries, lines, a gap in a journal, the head, the marks."""
    without_one = read_one([line for line in lines if '"seq": 8' not in line])
    assert list(list_damages(without_one)) == ["8 of its 9 entries are there"]
    gap = read_one([line.replace('"seq": 9', '"seq": 10') for line in lines])
    assert list(list_damages(gap)) == ["the journal of erp has a gap: 8 is followed by 10"]
    assert list(list_damages(read_one(lines[1:]))) == ["the line that begins it is missing"]
    broken = read_one([*lines[:-1], "{"])
    assert list(list_damages(broken)) == [
        "1 of its lines cannot be read",
        "8 of its 9 entries are there",
        "it does not say what was known when it was judged",
    ]


def test_two_experiments(lines):
    """Each head begins another one, and so do lines of another experiment whose head is missing."""
    other = [line.replace("429:retry/once", "429:retry/last") for line in lines]
    whole = read_stored([*lines, *other, *lines])
    assert [(each.experiment[-4:], len(each.entries)) for each in whole] == [("once", 9), ("last", 9), ("once", 9)]
    headless = read_stored([*lines, *other[1:]])
    assert [each.head is None for each in headless] == [False, True]
    assert [list(list_damages(each)) for each in whole] == [[], [], []]


@pytest.mark.parametrize(
    "line", ["", "[]", "7", "null", '{"type": "exchange"}', '{"experiment": "x", "lab": 0, "type": "order"}']
)
def test_what_is_no_line(lines, line):
    """A line that is none of a history is a damage of the experiment it stands in, and none before the first."""
    assert read_stored([line]) == []
    stored = read_one([*lines, line])
    assert isinstance(stored, Stored)
    assert list(list_damages(stored)) == ["1 of its lines cannot be read"]
