"""Behaviour of the geometry of a timeline."""

from itertools import pairwise

import pytest

from harness.report.model import Event, Gap, Timeline
from harness.report.timeline import PLOT_X, WIDTH, build_picture, choose_events


def _event(t, kind="attempt", lane="integration → erp", **changes):
    fields = {"label": kind, "entity": "#1", "fault": "", "until_t": None} | changes
    return Event(t=t, lane=lane, kind=kind, **fields)


def _picture(*events, gaps=(), duration=10.0, **options):
    return build_picture(Timeline(duration, tuple(events), tuple(gaps)), **options)


def test_time_runs_from_left_to_right():
    """Marks stand in the order of their times, inside the plot, in proportion."""
    picture = _picture(_event(0.0), _event(2.5), _event(5.0), _event(10.0))
    xs = [mark.x for mark in picture.marks]

    assert xs == sorted(xs)
    assert PLOT_X <= xs[0] < xs[-1] <= WIDTH
    assert xs[2] - xs[0] == pytest.approx(2 * (xs[1] - xs[0]), abs=0.2)


def test_what_comes_back_stands_below_what_was_sent():
    """An answer a millisecond after its attempt is drawn below it, not on it."""
    sent, answered = _picture(_event(1.0), _event(1.001, "answer_ok")).marks

    assert answered.y > sent.y + 10


def test_attempts_are_numbered_by_order():
    """Attempts of an order that is sent again are counted for that order."""
    picture = _picture(_event(1.0), _event(3.0, entity="#2"), _event(5.0), _event(7.0, entity="#2"))

    assert [mark.number for mark in picture.marks] == ["1", "1", "2", "2"]


def test_attempts_of_many_orders_are_numbered_by_lane():
    """Where no order is sent twice the count is of the lane, as a breaker counts."""
    picture = _picture(*(_event(float(n), entity=f"#{n}") for n in range(3)))

    assert [mark.number for mark in picture.marks] == ["1", "2", "3"]


def test_crowded_attempts_lose_their_numbers():
    """Attempts that would cover each other become strokes."""
    picture = _picture(_event(1.0), _event(1.01), _event(9.0))

    assert [mark.symbol for mark in picture.marks] == ["attempt-small", "attempt-small", "attempt"]
    assert [mark.number for mark in picture.marks] == ["", "", "3"]


def test_breaker_band_ends_where_it_closes():
    """An open breaker is a band until its closing, to the end where it never closes."""
    closed = _picture(_event(2.0, "breaker_open"), _event(6.0, "breaker_close")).bands[0]
    never = _picture(_event(2.0, "breaker_open")).bands[0]

    assert closed.kind == "open"
    assert never.w == pytest.approx(2 * closed.w, abs=0.2)


def test_horizon_states_its_length():
    """A horizon of absence carries its words where they fit."""
    wide = _picture(_event(1.0, "horizon", label="none within 5.0 s", until_t=6.0)).bands[0]
    narrow = _picture(_event(1.0, "horizon", label="none within 5.0 s", until_t=1.1)).bands[0]

    assert (wide.label, narrow.label) == ("none within 5.0 s", "")


def test_labels_keep_clear_of_each_other():
    """Words beside marks of one height neither overlap nor leave the picture."""
    events = [_event(0.3 * n, "alert", label=f"alert number {n}") for n in range(30)]
    labels = sorted(_picture(*events).labels, key=lambda label: label.x)
    spans = [
        (label.x, label.x + 6 * len(label.text))
        if label.anchor == "start"
        else (label.x - 6 * len(label.text), label.x)
        for label in labels
    ]

    assert spans
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(start >= 0 and end <= WIDTH for start, end in spans)


def test_gap_shows_declared_beside_observed():
    """A wait is a line from answer to next attempt, and a band where the next attempt was allowed."""
    (gap,) = _picture(_event(1.0), gaps=[Gap(1.0, 5.0, 3.0, 4.5, 4.0)]).gaps

    assert gap.x0 < gap.band_x < gap.x1 < gap.band_x + gap.band_w
    assert gap.title == "waited 4.00 s, declared 3.00 to 4.50 s"


@pytest.mark.parametrize(
    ("low", "high", "outside"),
    [(3.0, 4.5, False), (4.1, 4.5, True), (3.0, 3.9, True), (None, 4.0, False), (None, None, False)],
)
def test_gap_outside_is_marked_only_when_asked(low, high, outside):
    """A wait beyond what is declared is marked in an experiment that did not hold, and never in one that did."""
    gaps = [Gap(1.0, 5.0, low, high, 4.0)]

    assert _picture(_event(1.0), gaps=gaps, judge_gaps=True).gaps[0].outside is outside
    assert _picture(_event(1.0), gaps=gaps).gaps[0].outside is False


def test_open_ended_gap_reaches_the_edge():
    """A wait without a declared maximum has a band to the end of the picture."""
    (gap,) = _picture(_event(1.0), gaps=[Gap(1.0, 5.0, 3.0, None, 4.0)]).gaps

    assert gap.band_x + gap.band_w == pytest.approx(_picture(_event(10.0)).marks[0].x, abs=0.2)


def test_gaps_that_meet_get_rows_of_their_own():
    """Waits whose lines, bands or words would meet stand below each other; those that do not share a row."""
    gaps = [
        Gap(0.0, 1.0, 0.5, 1.5, 1.0),
        Gap(1.0, 2.0, 0.5, 9.0, 1.0),
        Gap(2.0, 3.0, 0.5, 1.5, 1.0),
        Gap(8.0, 9.0, 0.5, 1.0, 1.0),
    ]
    marks = _picture(_event(1.0), gaps=gaps).gaps

    assert [mark.row for mark in marks] == [0, 1, 2, 0]
    for one, other in pairwise(sorted((mark for mark in marks if mark.row == 0), key=lambda mark: mark.x0)):
        assert one.text_x + 5 * len(one.text) <= other.x0


def test_more_gaps_than_rows_are_left_out():
    """Waits that would need a sixth row are not drawn over others."""
    marks = _picture(_event(1.0), gaps=[Gap(1.0, 5.0, 3.0, 4.5, 4.0)] * 9).gaps

    assert [mark.row for mark in marks] == [0, 1, 2, 3, 4]


def test_cap_keeps_what_tells_the_story():
    """Beyond the cap routine answers go first; faults and consequences stay, and the rest is counted."""
    events = [_event(n / 100, "answer_ok") for n in range(200)]
    events += [_event(9.0, "dead_letter"), _event(9.5, "alert"), _event(0.0, "fault", until_t=9.0)]

    picture = _picture(*events, cap=10)

    assert {"dead_letter", "alert", "fault"} <= {event.kind for event in picture.events}
    assert (len(picture.events), picture.omitted) == (10, 193)
    assert list(picture.events) == sorted(picture.events, key=lambda event: event.t)


def test_unknown_kind_is_drawn():
    """An event of a kind this version does not know is still a mark."""
    assert choose_events([_event(1.0, "teleport")], 5)
    assert [mark.symbol for mark in _picture(_event(1.0, "teleport")).marks] == ["record"]


@pytest.mark.parametrize("duration", [0.0, 0.003, 1.0, 75.0, 86_400.0])
def test_axis_has_a_few_ticks(duration):
    """Whatever the duration the axis has between one and nine ticks, all different."""
    ticks = [tick.text for tick in _picture(_event(0.0), duration=duration).ticks]

    assert 1 <= len(ticks) <= 9
    assert len(set(ticks)) == len(ticks)


def test_summary_counts_the_events():
    """The text for those who cannot see the picture says how long, how many lanes, how many of what."""
    picture = _picture(_event(1.0), _event(2.0), _event(3.0, "alert", lane="ops desk"))

    assert picture.summary == "Timeline over 10.0 s on 2 lanes: 2 attempt, 1 alert"
