"""Behaviour of the view of a run."""

import json
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.report import build_view, render_html, render_markdown

from .samples import build_experiment, build_run, wrap_run


def test_totals_add_up():
    """The counts of the view equal the summary run.json states, and the rows add up to them."""
    run = build_run()
    view = build_view(run)

    assert run["summary"] == {
        name: getattr(view.totals, name) for name in ("held", "violated", "unknown", "accepted", "skipped")
    }
    for name in ("held", "violated", "unknown", "accepted"):
        assert getattr(view.totals, name) == sum(getattr(row.totals, name) for row in view.rows)
    assert view.mismatches == ()


def test_every_experiment_is_in_one_cell():
    """Each counted experiment of run.json stands in exactly one cell of the matrix."""
    run = build_run()
    view = build_view(run)

    placed = [experiment.id for row in view.rows for cell in row.cells for experiment in cell.experiments]
    superseded = {item["rerun_of"] for item in run["experiments"] if "rerun_of" in item}

    assert sorted(item["id"] for item in run["experiments"] if item["id"] not in superseded) == sorted(placed)


def test_coverage_adds_up():
    """Clauses and exercised clauses equal what the coverage of run.json states."""
    run = build_run()
    view = build_view(run)

    assert (run["coverage"]["clauses"], run["coverage"]["exercised"]) == (view.clauses, view.exercised)
    assert ("not exercised", ("shipping-advice/file_truncated:resend",)) in [
        (it.state, it.names) for it in view.left_out
    ]


def test_times_are_sums_and_medians():
    """Totals and medians of the times are those of the experiments that count."""
    run = build_run()
    view = build_view(run)
    overheads = [item["overhead_s"] for item in run["experiments"] if item["id"] != "erp-to-wms/connection:retry/once"]

    assert sum(overheads) == pytest.approx(view.times.overhead_s)
    assert median(overheads) == view.times.median_overhead_s
    assert view.times.elapsed_s == 74.0


def test_worst_standing_wins_a_cell():
    """A clause stands as its worst experiment does, and links to it."""
    view = build_view(build_run())
    (cell,) = [
        cell for row in view.rows if row.id == "order-to-erp" for cell in row.cells if cell.clause == "429:retry"
    ]

    assert cell.standing == "violated"
    assert cell.anchor == "e-order-to-erp-429-retry-exhausted"


def test_rerun_counts_once():
    """An experiment that was run again is shown, and only its rerun is counted."""
    view = build_view(build_run())
    first, second = (item for item in view.experiments if item.id.startswith("erp-to-wms/connection:retry/once"))

    assert (first.superseded, second.superseded) == (True, False)
    assert first not in view.undecided
    assert first in view.first_tries


def test_rerun_told_inside_the_experiment():
    """A rerun that carries what its first try said counts as itself, and the first try is listed."""
    first = {"verdict": "unknown", "unknown_kind": "interference", "reason": "the tap stalled"}
    view = build_view(wrap_run([build_experiment("order-to-erp", "any:retry", "once", rerun_of=first)]))

    assert view.totals.held == 1
    assert [item.first_try for item in view.first_tries] == ["unknown, interference, the tap stalled"]


def test_accepted_is_neither_violated_nor_held():
    """A violated verdict that is lived with counts as accepted alone; a held one stays held."""
    accepted = {"reason": "vendor beta", "until": "2027-03-31"}
    view = build_view(
        wrap_run(
            [
                build_experiment("order-to-erp", "any:retry", "once", verdict="violated", accepted=accepted),
                build_experiment("order-to-erp", "any:retry", "last", accepted=accepted),
            ]
        )
    )

    assert (view.totals.accepted, view.totals.violated, view.totals.held) == (1, 0, 1)
    assert view.broken == ()


@pytest.mark.parametrize("verdict", [None, "HELD", "passed", 1, ["held"]])
def test_unreadable_verdict_is_unknown(verdict):
    """A verdict that cannot be read is unknown, never held."""
    view = build_view(wrap_run([]) | {"experiments": [{"id": "a/b/c", "verdict": verdict}]})

    assert (view.totals.held, view.totals.unknown) == (0, 1)


def test_timelines_may_come_from_outside():
    """Timelines handed in beside the run take the place of those inside."""
    run = wrap_run([build_experiment("order-to-erp", "any:retry", "once")])
    outside = {"order-to-erp/any:retry/once": {"duration_s": 9.0, "events": [{"t": 1.0, "lane": "x", "kind": "kill"}]}}

    timeline = build_view(run, timelines=outside).experiments[0].timeline

    assert [event.kind for event in timeline.events] == ["kill"]


def test_anchors_are_unique():
    """Experiments whose ids differ in punctuation only, or not at all, get anchors of their own."""
    names = ["a/b:c/d", "a/b-c/d", "a/b:c/d"]
    view = build_view({"experiments": [{"id": name, "verdict": "held"} for name in names]})

    assert len({item.anchor for item in view.experiments}) == 3


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["held", "violated"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "handoff",
                    "clause",
                    "verdict",
                    "reason",
                    "faults",
                    "receipts",
                    "gates",
                    "passed",
                    "checks",
                    "evidence",
                    "t",
                    "duration_s",
                    "overhead_s",
                    "timeline",
                    "events",
                    "gaps",
                    "from_t",
                    "to_t",
                    "declared_min_s",
                    "kind",
                    "lane",
                    "until_t",
                    "accepted",
                    "rerun_of",
                    "orders",
                    "lost",
                    "matrix",
                    "violations",
                    "story",
                    "experiments",
                    "not_exercised",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
_FIELDS = (
    "stack seed labs started_at finished_at versions handoffs experiments coverage ledger summary skipped interrupted"
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(_FIELDS.split()), _JSON))
def test_any_json_is_shown(run):
    """Whatever object stands in run.json, every surface shows it and nothing raises."""
    assert "<h1" in render_html(run)
    assert "handoff" in render_markdown(run)


def test_input_is_left_alone():
    """Building a view changes nothing in the run."""
    run = build_run()
    before = json.dumps(run)

    build_view(run)

    assert before == json.dumps(run)
