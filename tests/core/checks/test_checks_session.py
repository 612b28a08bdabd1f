"""Session: renewed once, by whoever meets that it expired."""

import pytest
from histories import call, met, told

from harness.core.checks.session import check_no_storm, check_renewed
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


def calm(*things, **more):
    """Judge calls of the first two orders, of which each may be sent twice."""
    return check_no_storm(
        told(*things, **more),
        system="erp",
        renewals=("token.create",),
        operations=("sales_order.upsert",),
        orders=(1, 2),
        attempts=2,
    )


def test_one_call_each_is_no_storm():
    """Every order may meet the old session once, also while it is being renewed."""
    result = calm(call(1.0, 401), call(1.0, 401, order=2), renewal(1.1), call(1.15, 401, order=2), call(1.3))
    assert (result.outcome, result.observed) == (Outcome.HELD, "3 of 4 calls refused, none after the renewal")


def test_sent_until_it_works():
    """An order that is sent again and again until the session is there is a storm."""
    result = calm(*(call(1 + n / 100, 401) for n in range(3)), renewal(1.1), call(1.2, order=2))
    assert (result.outcome, result.observed) == (Outcome.VIOLATED, "an order sent 3 times, 3 calls refused")


@pytest.mark.parametrize(("t", "outcome"), [(1.2, "held"), (1.22, "violated")])
def test_the_old_session_lives_on(t, outcome):
    """A call that begins well after the renewal is not under way any more."""
    assert calm(call(1.0, 401), renewal(1.1), call(t, 401, order=2)).outcome == outcome


def test_a_renewal_elsewhere_or_none_at_all():
    """What another system renews is not this session, and without a renewal nothing comes after it."""
    late = call(3.0, 401, order=2)
    assert calm(call(1.0, 401), renewal(1.1, system="wms"), late).outcome is Outcome.HELD
    assert calm(call(1.0, 401), late).outcome is Outcome.HELD


def test_what_renews_nothing():
    """A renewal that failed, or that came before anybody was refused, gives no session that could be used."""
    late = call(3.0, 401, order=2)
    failed = call(1.1, 500, order=None, operation="token.create")
    assert calm(call(1.0, 401), failed, late).outcome is Outcome.HELD
    assert calm(renewal(0.5), call(1.0, 401), late).outcome is Outcome.HELD


def test_how_late_the_old_session_was_used():
    """The margin is how long after the renewal the last of them began, beyond what may be under way."""
    result = calm(call(1.0, 401), renewal(1.1), call(1.5, 401), call(2.0, 401, order=2))
    assert (result.observed, result.margin_s) == (
        "2 sent with the old session after it was renewed",
        pytest.approx(2.0 - 1.11 - 0.1),
    )


def test_where_nobody_was_refused():
    """Where no call met the old session, nothing could become a storm."""
    assert calm(call(1.0), call(1.0, order=2)).kind is UnknownKind.VACUOUS
