"""Pairing what the tap saw with what the fakes saw."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.witnesses import AFTERWARDS_S, CLOCK_GRAIN_S, list_disagreements, pair_calls, pair_deliveries

CALL = {"method": "PUT", "path": "/salesOrder/1", "request_sha256": "body"}


def seen_by_tap(call_id, started=1.0, took=1.0, **more):
    """Make an exchange of the tap."""
    times = {"started_mono": started, "request_mono": started, "ended_mono": started + took}
    return {"id": call_id, **CALL, **times, "status": 204, "end": "complete", "rule": None, **more}


def seen_by_fake(received=1.1, **more):
    """Make an exchange of a fake."""
    return {**CALL, "received_mono": received, "status": 204, "faults": [], **more}


def delivered(sent=1.0, took=1.0, **more):
    """Make a delivery."""
    times = {"sent_mono": sent, "ended_mono": sent + took}
    known = {"topic": "orders/create", "webhook_id": "w", "attempt": 1, "body_sha256": "body", "outcome": "delivered"}
    return {**known, **times, "status": 204, "faults": [], **more}


def disagreements(tap, fake):
    """List what the witnesses of calls disagree on."""
    return list_disagreements(pair_calls(tap, fake), since=0.0)


def test_a_pair():
    """A call is paired with what the fake received while it was open."""
    tap, fake = seen_by_tap("a"), seen_by_fake()
    (pair,) = pair_calls([tap], [fake])
    assert (pair.tap, pair.fake) == (tap, fake)
    assert disagreements([tap], [fake]) == ()


@pytest.mark.parametrize("differs", [{"method": "POST"}, {"path": "/salesOrder/2"}, {"request_sha256": "other"}])
def test_what_differs_is_no_pair(differs):
    """Another method, path or body is another call: one that never arrived and one past the tap."""
    found = disagreements([seen_by_tap("a")], [seen_by_fake(**differs)])
    assert [sentence.rpartition(" ")[0].split(" ", 2)[2] for sentence in found] == [
        "passed the tap (complete) and never reached the other",
        "reached the other side without passing the",
    ]


@pytest.mark.parametrize(
    ("received", "paired"),
    [
        (1.0 - CLOCK_GRAIN_S * 0.9, True),
        (1.0 - CLOCK_GRAIN_S * 1.1, False),
        (2.0 + AFTERWARDS_S * 0.99, True),
        (2.0 + AFTERWARDS_S * 1.01, False),
    ],
)
def test_a_call_is_received_while_it_is_open(received, paired):
    """A fake gets a call after the tap did, and not long after the client has gone."""
    assert (disagreements([seen_by_tap("a")], [seen_by_fake(received)]) == ()) is paired


@pytest.mark.parametrize(
    ("tap", "fake", "agree"),
    [
        ({"status": 500}, {}, False),
        ({"status": None, "end": "reset"}, {}, False),
        ({"status": None, "end": "client_closed"}, {}, True),
        ({"status": 500, "rule": "e#f1~0"}, {}, True),
        ({"status": 500}, {"faults": ["e#f1~0"]}, True),
        ({"status": 500}, {"status": 500}, True),
    ],
)
def test_differences_need_an_explanation(tap, fake, agree):
    """An answer that was seen otherwise than given is explained by a fault, or by the client having gone."""
    assert (disagreements([seen_by_tap("a", **tap)], [seen_by_fake(**fake)]) == ()) is agree


@pytest.mark.parametrize(
    ("tap", "agree"),
    [
        ({}, False),
        ({"end": "client_closed", "status": None}, False),
        ({"end": "client_closed", "status": None, "request_mono": None}, True),
        ({"end": "reset", "status": None, "request_mono": None}, False),
        ({"rule": "e#f1~0", "end": "reset", "status": None}, True),
    ],
)
def test_a_call_that_never_arrived(tap, agree):
    """A call that never arrived is the harness's fault, unless a rule took it or the client was gone before it was whole."""
    assert (disagreements([seen_by_tap("a", **tap)], []) == ()) is agree


def test_an_older_call_cannot_take_a_newer_ones_arrival():
    """Of two equal calls of which one hung, the newer one is paired with what arrived after it began."""
    hung = seen_by_tap("hung", 1.0, 0.5, status=None, end="client_closed", rule="e#f1~0")
    again = seen_by_tap("again", 2.0, 0.5)
    pairs = {pair.tap["id"]: pair.fake for pair in pair_calls([hung, again], [seen_by_fake(2.1)])}
    assert pairs["hung"] is None
    assert pairs["again"] is not None


def test_equal_calls_at_once_keep_their_answers():
    """Two equal calls under way at once are told apart by their answers."""
    refused, taken = seen_by_tap("refused", 1.0, status=429), seen_by_tap("taken", 1.1)
    fakes = [seen_by_fake(1.3, status=429), seen_by_fake(1.4)]
    assert disagreements([refused, taken], fakes) == ()


def test_only_this_experiment_counts():
    """What began before the experiment helps to pair and disagrees with nobody."""
    pairs = pair_calls([seen_by_tap("a", 1.0)], [])
    assert list_disagreements(pairs, since=1.0)
    assert not list_disagreements(pairs, since=1.001)
    past = pair_calls([], [seen_by_fake(1.0)])
    assert list_disagreements(past, since=1.0)
    assert not list_disagreements(past, since=1.001)


def test_deliveries():
    """A delivery is paired with the inbound call that carried its body while it was on its way; a suppressed one with none."""
    inbound = seen_by_tap("in", 1.1, 0.2)
    suppressed = delivered(outcome="suppressed", status=None)
    pairs = pair_deliveries([inbound], [delivered(), suppressed])
    assert [(pair.tap is inbound, pair.fake is not None) for pair in pairs] == [(True, True)]
    assert list_disagreements(pairs, since=0) == ()


@pytest.mark.parametrize(
    "inbound",
    [
        seen_by_tap("in", 0.9),
        seen_by_tap("in", 2.1),
        seen_by_tap("in", 1.1, request_sha256="other"),
        seen_by_tap("in", 1.1, status=500),
    ],
)
def test_deliveries_that_disagree(inbound):
    """A delivery that no inbound call carried, or that was answered otherwise, is a disagreement that names its topic."""
    found = list_disagreements(pair_deliveries([inbound], [delivered()]), since=0)
    assert found
    assert any("webhook orders/create attempt 1" in sentence for sentence in found) or "was answered 204" in found[0]


def test_copies_at_once_keep_their_answers():
    """Equal deliveries at once, one taken and one refused, do not swap their answers."""
    taken, refused = seen_by_tap("taken", 1.1), seen_by_tap("refused", 1.2, status=409)
    pairs = pair_deliveries([taken, refused], [delivered(1.0, status=409), delivered(1.05)])
    assert list_disagreements(pairs, since=0) == ()


call_spans = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.floats(0.01, 0.3),
        st.floats(0, 1),
        st.sampled_from(["a", "b"]),
        st.sampled_from([204, 429, 503]),
    ),
    max_size=14,
)


@given(call_spans, st.randoms(use_true_random=False))
def test_any_interleaving_is_paired(spans, rng: random.Random):
    """However equal calls interleave, and in whatever order they were written down, faithful witnesses agree."""
    tap = [
        seen_by_tap(f"x{n}", t, took, path=path, status=status) for n, (t, took, _, path, status) in enumerate(spans)
    ]
    fake = [seen_by_fake(t + took * part, path=path, status=status) for t, took, part, path, status in spans]
    rng.shuffle(tap)
    rng.shuffle(fake)
    pairs = pair_calls(tap, fake)
    assert list_disagreements(pairs, since=0) == ()
    assert len(pairs) == len(spans)
    assert sorted(id(pair.fake) for pair in pairs) == sorted(map(id, fake))


@given(call_spans, st.data())
def test_a_missing_call_is_always_noticed(spans, data):
    """Whichever call one of the witnesses keeps to itself, there is a disagreement."""
    tap = [
        seen_by_tap(f"x{n}", t, took, path=path, status=status) for n, (t, took, _, path, status) in enumerate(spans)
    ]
    fake = [seen_by_fake(t + took * part, path=path, status=status) for t, took, part, path, status in spans]
    if not spans:
        return
    kept = data.draw(st.integers(0, len(spans) - 1))
    silent = data.draw(st.sampled_from([tap, fake]))
    del silent[kept]
    assert disagreements(tap, fake)


def test_the_newest_of_equal_calls_takes_what_was_received():
    """Of two calls that are open and were answered alike, the newer one is what the fake received."""
    tap = [seen_by_tap("a", started=1.0, took=2.0), seen_by_tap("b", started=1.5, took=2.0)]
    assert [pair.tap["id"] for pair in pair_calls(tap, [seen_by_fake(1.75)]) if pair.fake] == ["b"]


def carried(call_id, started):
    """Make an exchange by which the tap carried a webhook."""
    return seen_by_tap(call_id, started=started, took=0.25)


@pytest.mark.parametrize("times", [(1.125, 1.25), (1.0625, 1.0625)])
def test_two_deliveries_of_one_payload(times):
    """Each is carried by a call of its own, however close they are."""
    tap = [carried(name, started) for name, started in zip("ab", times, strict=True)]
    pairs = pair_deliveries(tap, [delivered(1.0), delivered(1.03125), delivered(1.0625, outcome="suppressed")])
    assert [pair.tap["id"] for pair in pairs] == ["a", "b"]


@pytest.mark.parametrize(("late_s", "paired"), [(0.5, True), (0.9, True), (1.1, False), (-0.9, True), (-1.1, False)])
def test_how_far_clocks_of_a_delivery_may_be_apart(late_s, paired):
    """A call may begin a grain of the clock after its sender was done with it, or before it began."""
    started = (2.0 if late_s > 0 else 1.0) + late_s * CLOCK_GRAIN_S
    pairs = pair_deliveries([carried("a", started)], [delivered(1.0, took=1.0)])
    assert (len(pairs) == 1) is paired


@pytest.mark.parametrize(("since", "told"), [(4.0, 1), (5.0, 1), (6.0, 0)])
def test_a_delivery_past_the_tap_is_told_from_when_it_was_sent(since, told):
    """What a sender did before the experiment began is nobody's disagreement."""
    assert len(list_disagreements(pair_deliveries([], [delivered(5.0)]), since=since)) == told
