"""Webhooks: what the receiver answered."""

import pytest
from histories import sent, told

from harness.core.checks.webhook import check_acknowledged, check_answer, check_refused_again
from harness.core.verdict import Outcome, UnknownKind


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [([401], "held"), ([401, 401], "held"), ([200], "violated"), ([401, 200], "violated"), ([None], "violated")],
)
def test_answer(answers, outcome):
    """Every delivery about the order is answered with the declared status."""
    history = told(*(sent(t, status) for t, status in enumerate(answers)), sent(9, 200, order=2))
    assert check_answer(history, order=1, status=401).outcome == outcome


@pytest.mark.parametrize(
    ("answers", "at_least", "outcome"),
    [
        ([200], 1, "held"),
        ([204, 299], 2, "held"),
        ([200, 409], 2, "violated"),
        ([199], 1, "violated"),
        ([300], 1, "violated"),
        ([None], 1, "violated"),
        ([500, 200], 1, "held"),
    ],
)
def test_acknowledged(answers, at_least, outcome):
    """As many deliveries as declared are answered with a 2xx."""
    history = told(*(sent(t, status) for t, status in enumerate(answers)))
    assert check_acknowledged(history, order=1, at_least=at_least).outcome == outcome


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([200, 409], "held"),
        ([204, 409, 409], "held"),
        ([409, 409], "violated"),
        ([None, 409], "violated"),
        ([200, 200], "violated"),
        ([200, None], "violated"),
        ([200, 409, 200], "violated"),
        ([200, 200, 409], "violated"),
        ([200], "unknown"),
        ([409], "unknown"),
        ([], "unknown"),
    ],
)
def test_refused_again(answers, outcome):
    """The first delivery is acknowledged and each further one refused; one alone shows nothing."""
    history = told(*(sent(t, status) for t, status in enumerate(answers)), sent(9, 200, order=2))
    result = check_refused_again(history, order=1, status=409)
    assert (result.outcome, result.kind) == (outcome, UnknownKind.VACUOUS if outcome == "unknown" else None)


def test_which_one_is_refused():
    """Deliveries are taken in the order they began, however they were told."""
    assert check_refused_again(told(sent(2, 409), sent(1, 200)), order=1, status=409).outcome is Outcome.HELD
    assert check_refused_again(told(sent(2, 200), sent(1, 409)), order=1, status=409).outcome is Outcome.VIOLATED


def test_nothing_delivered():
    """Without a delivery there was nothing to answer."""
    nothing = told(sent(0, order=2))
    for result in (check_answer(nothing, order=1, status=401), check_acknowledged(nothing, order=1)):
        assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.VACUOUS)
