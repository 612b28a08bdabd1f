"""Triggers: slugs, specificity, and when two of them tie."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.problems import Location
from harness.core.triggers import CONDITIONS, Specificity, Trigger, parse_threshold

CODE = Trigger(code="USER_ERROR")
CODE_AND_TEXT = Trigger(code="USER_ERROR", text="already exists")
THRESHOLD = Trigger(when=parse_threshold("amount > 500.00 EUR"))
CONDITION = Trigger(condition="session_expired")
STATUS = Trigger(status=429)
ANY = Trigger(condition="any")


def test_most_specific_first():
    """Code with text beats code, then threshold, named condition, status, any."""
    ranked = [CODE_AND_TEXT, CODE, THRESHOLD, CONDITION, STATUS, ANY]
    assert sorted(ranked, key=lambda trigger: -trigger.specificity) == ranked
    assert [trigger.specificity for trigger in ranked] == sorted(Specificity, reverse=True)


@pytest.mark.parametrize(
    ("trigger", "slug"),
    [
        (STATUS, "429"),
        (CODE, "USER_ERROR"),
        (CODE_AND_TEXT, "USER_ERROR+already-exists"),
        (CONDITION, "session_expired"),
        (ANY, "any"),
        (THRESHOLD, "amount>500.00EUR"),
        (Trigger(code="any"), "code-any"),
        (Trigger(code="429"), "code-429"),
        (Trigger(code="INV NOT/FOUND: 7"), "INV-NOT-FOUND-7"),
        (Trigger(code="***"), "code"),
    ],
)
def test_slug(trigger, slug):
    """A slug is the trigger without spaces, slashes or colons, and no code is mistaken for a status or condition."""
    assert trigger.slug == slug


def test_location_does_not_count():
    """The same trigger at two places is the same trigger."""
    assert Trigger(status=429, location=Location("a", 1, 2)) == Trigger(status=429, location=Location("b", 3, 4))


def test_different_levels_never_tie():
    """Triggers of different specificity never tie: one of them wins."""
    for one, other in itertools.permutations([CODE_AND_TEXT, CODE, THRESHOLD, CONDITION, STATUS, ANY], 2):
        assert not one.ties_with(other)


@pytest.mark.parametrize(
    ("one", "other", "tie"),
    [
        (STATUS, Trigger(status=429), True),
        (STATUS, Trigger(status=503), False),
        (CODE, Trigger(code="OTHER"), False),
        (Trigger(code="A B"), Trigger(code="A-B"), False),
        (CODE_AND_TEXT, Trigger(code="USER_ERROR", text="exists"), True),
        (CODE_AND_TEXT, Trigger(code="USER_ERROR", text="locked"), False),
        (CODE_AND_TEXT, Trigger(code="OTHER", text="already exists"), False),
        (CONDITION, Trigger(condition="malformed"), False),
        (ANY, Trigger(condition="any"), True),
    ],
)
def test_ties(one, other, tie):
    """Two triggers of one level tie when one failure can match both."""
    assert one.ties_with(other) is tie
    assert other.ties_with(one) is tie


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("amount > 500 EUR", "amount > 100 EUR", True),
        ("amount > 500 EUR", "amount <= 500 EUR", False),
        ("amount >= 500 EUR", "amount <= 500 EUR", True),
        ("amount > 500 EUR", "amount < 500.01 EUR", True),
        ("amount > 500 EUR", "amount == 500 EUR", False),
        ("amount != 500 EUR", "amount == 500 EUR", False),
        ("amount != 500 EUR", "amount != 400 EUR", True),
        ("amount > 500 EUR", "amount > 500 USD", False),
        ("amount > 500 EUR", "quantity > 5", False),
        ("amount > 500 EUR", "amount > 5", True),
        ("amount > 500", "total > 5", True),
        ("order.total > 500 EUR", "total_price <= 600", True),
        ("total > 500 EUR", "amount <= 500", False),
        ("quantity > 5", "quantity > 5 pcs", True),
    ],
)
def test_threshold_overlap(one, other, overlap):
    """Two thresholds on one value tie when a value satisfies both."""
    left, right = (Trigger(when=parse_threshold(text)) for text in (one, other))
    assert left.ties_with(right) is overlap


def test_same_id():
    """Codes that read the same in ids are not the same failure, and still cannot both have a path of the same handoff."""
    one, other = Trigger(code="A B"), Trigger(code="A-B")
    assert one.shares_id_with(other)
    assert not one.shares_id_with(Trigger(code="A_B"))


@given(
    st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
    st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
    st.integers(-3, 3),
    st.integers(-3, 3),
)
def test_overlap_agrees_with_trying_values(first, second, low, high):
    """Overlap says the same as trying every half step around both limits."""
    one, other = parse_threshold(f"amount {first} {low}"), parse_threshold(f"amount {second} {high}")
    tried = any(one.holds(Decimal(n) / 2) and other.holds(Decimal(n) / 2) for n in range(-10, 11))
    assert one.overlaps(other) is tried


@pytest.mark.parametrize(
    "text", ["", "amount", "amount > ", "> 5", "amount => 5", "amount > 5 EUR now", "1 > 2", "a > 1e9"]
)
def test_no_threshold(text):
    """What is no comparison is refused with an example."""
    with pytest.raises(ValueError, match=r"amount > 500\.00 EUR"):
        parse_threshold(text)


def test_every_condition_has_its_own_slug():
    """Named conditions are their own slugs."""
    assert len({Trigger(condition=condition).slug for condition in CONDITIONS}) == 23
