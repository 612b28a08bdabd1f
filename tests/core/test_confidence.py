"""The bounds of Clopper and Pearson, against published values and against themselves."""

import pytest

from harness.core.confidence import bound_above, bound_below, tail


@pytest.mark.parametrize(
    ("hits", "trials", "below", "above"),
    [(10, 10, 0.7411, 1.0), (0, 10, 0.0, 0.2589), (5, 10, 0.2224, 0.7776), (1, 1, 0.05, 1.0), (20, 20, 0.8609, 1.0)],
)
def test_known(hits, trials, below, above):
    """One-sided bounds of 95 % are those of the tables."""
    assert bound_below(hits, trials) == pytest.approx(below, abs=1e-4)
    assert bound_above(hits, trials) == pytest.approx(above, abs=1e-4)


def test_all_of_them():
    """Where every trial hit, the bound is the root that can be written down."""
    for trials in (1, 3, 10, 100):
        assert bound_below(trials, trials, confidence=0.9) == pytest.approx(0.1 ** (1 / trials))


@pytest.mark.parametrize("trials", [1, 7, 30])
def test_it_holds_as_often_as_it_says(trials):
    """Whatever the true share, the bound from below is above it in at most 5 % of the cases."""
    for share in (0.05, 0.3, 0.5, 0.9, 0.99):
        wrong = [hits for hits in range(trials + 1) if bound_below(hits, trials) > share]
        assert (tail(min(wrong), trials, share) if wrong else 0.0) <= 0.05 + 1e-9


def test_more_is_surer():
    """More hits raise the bound, and so do more trials of which all hit."""
    bounds = [bound_below(hits, 20) for hits in range(21)]
    assert bounds == sorted(bounds)
    assert bound_below(5, 5) < bound_below(10, 10) < bound_below(50, 50) < 1
