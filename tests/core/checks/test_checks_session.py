"""Session: renewed once, by whoever meets that it expired."""

import pytest
from histories import call, met, told

from harness.core.checks.session import check_renewed
from harness.core.verdict import Outcome, UnknownKind


def renewal(t, **more):
    """Make a call that gets a new session."""
    return call(t, 200, order=None, operation="token.create", **more)


def judge(*things, at_most=1):
    """Judge renewals after one call met the expired session at 1 s."""
    return check_renewed(
        told(met(t=1.0), *things), system="erp", renewals=("token.create",), fault="f1", at_most=at_most
    )


@pytest.mark.parametrize(
    ("renewals", "at_most", "outcome"),
    [(0, 1, "violated"), (1, 1, "held"), (2, 1, "violated"), (2, 2, "held"), (3, 2, "violated"), (0, 2, "violated")],
)
def test_how_often(renewals, at_most, outcome):
    """At least one renewal and at most as many as declared."""
    assert judge(*(renewal(1.1 + n) for n in range(renewals)), at_most=at_most).outcome == outcome


def test_earlier_renewals_do_not_count():
    """A session that was got before anyone met the expiry is not its renewal; one under way then may be."""
    assert judge(renewal(0.5)).observed == "never renewed"
    assert judge(renewal(0.995)).outcome is Outcome.HELD


def test_other_systems_do_not_count():
    """A session at another system is none here."""
    assert judge(renewal(1.1), renewal(1.2, system="wms")).outcome is Outcome.HELD


def test_nobody_met_it():
    """Without a receipt there was nothing to renew for."""
    result = check_renewed(told(renewal(1)), system="erp", renewals=("token.create",), fault="f1")
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.VACUOUS)
