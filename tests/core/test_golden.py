"""The oracle against hand-written histories, and the reader of those."""

from pathlib import Path

import pytest
from traces import ROOT, TRACE, read

from harness.core.golden import judge_trace, list_differences
from harness.core.verdict import Outcome, UnknownKind

FILES = sorted((ROOT / "scenarios/golden").glob("*.yaml"))
FAMILIES = (
    "retry",
    "session",
    "letter",
    "replay",
    "escalation",
    "breaker",
    "webhook",
    "crash",
    "branch",
    "gate",
    "ledger",
    "case",
    "threshold",
    "outage",
    "drained",
    "capture",
    "writeback",
    "refund",
    "asked",
    "allocation",
    "shipments",
    "stock",
    "subscription",
    "label",
    "herd",
    "layers",
    "undeclared",
    "surplus",
    "placebo",
    "settled",
)

TOLD_CHECKS = {
    "case": {"violated", "unknown"},
    "told": {"violated", "unknown"},
    "decided": {"violated", "unknown"},
    "not_resolved": {"violated"},
    "contained": {"violated", "unknown"},
    "goes_on": {"violated"},
    "drained": {"violated", "unknown"},
    "backoff": {"violated", "unknown"},
    "stock": {"violated"},
    "ledger": {"violated", "unknown"},
    "herd": {"violated", "unknown"},
    "no_storm": {"violated", "unknown"},
    "declared": {"violated"},
    "resumed_once": {"violated", "unknown"},
    "no_exception": {"violated", "unknown"},
    "settled": {"violated", "unknown"},
    "acknowledged": {"violated"},
}
# What a trace must leave in doubt by itself: the doubts of the others are their gates', or beside another's.
DOUBTING = ("opens", "one_alert", "stays_closed", "probes", "reopens", "recovered", "same_end_state", "settled", "told")


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_verdict(file):
    """Every golden trace gets the verdict it must get, by what must decide it."""
    trace = read(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))
    assert list_differences(trace, judge_trace(trace)) == ()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_good_and_bad(family):
    """Every family has traces that must be held and traces that must not."""
    texts = [file.read_text(encoding="utf-8") for file in FILES if file.stem.startswith(family)]
    assert len(texts) >= 3
    outcomes = {"held" if "\nverdict: held" in text else "not" for text in texts}
    assert outcomes == ({"not"} if family == "gate" else {"held", "not"})


def test_every_story_is_its_own():
    """No two traces tell the same story."""
    stories = [read_story(file) for file in FILES]
    assert len(stories) == len(set(stories)) >= 25


def read_story(file: Path) -> str:
    """Return the story of a trace, which is a sentence."""
    trace = read(file.read_text(encoding="utf-8"), file.name)
    assert trace.story.endswith(".")
    return trace.story


def test_every_kind_of_unknown_is_told():
    """There is a trace for each kind of unknown."""
    texts = "".join(file.read_text(encoding="utf-8") for file in FILES)
    assert [kind for kind in UnknownKind if f"verdict: unknown {kind}" not in texts] == []


def test_checks_are_told_from_all_sides():
    """Every check of the chain, and every one that looks at several orders at once, is told in traces where it is held, where it is broken, and unknown where it can be."""
    told = {name: set() for name in TOLD_CHECKS}
    for file in FILES:
        trace = read(file.read_text(encoding="utf-8"), file.name)
        for check in judge_trace(trace).checks:
            if check.name.split()[0] in told:
                told[check.name.split()[0]].add(str(check.outcome))
    assert told == {name: {"held", *others} for name, others in TOLD_CHECKS.items()}


def test_every_doubt_decides():
    """For each of these checks there is a trace that it alone, or with others, makes unknown."""
    texts = ((file.read_text(encoding="utf-8"), file.name) for file in FILES)
    unknown = [read(*told).expected for told in texts if "\nverdict: unknown" in told[0]]
    assert set(DOUBTING) - {by.split()[0] for each in unknown for by in each.by} == set()


def test_a_wrong_expectation_is_told():
    """A trace whose verdict, decider or words are other than it says is told to differ, and why."""
    wrong = read(TRACE.replace("verdict: held", "verdict: violated\nby: backoff\nsays: something else"))
    found = list_differences(wrong, judge_trace(wrong))
    assert found[:3] == (
        "verdict: held instead of violated",
        "decided by:  instead of backoff",
        "reason: does not say 'something else'",
    )


def test_the_rest_is_seen_by_the_ledger_alone():
    """What happened while the lab came to rest can only change what the ledger says."""
    rest = "rest:\n  - 1.3 sales_order.upsert 1 204 record=8\n"
    verdict = judge_trace(read(TRACE.replace("verdict: held", f"{rest}verdict: violated\nby: ledger")))
    assert [check.name for check in verdict.checks if check.outcome is not Outcome.HELD] == ["ledger"]
