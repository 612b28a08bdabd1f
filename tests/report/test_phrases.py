"""Behaviour of the plain words for clauses, faults and durations."""

import pytest

from harness.report.model import Fault, Gate, Handoff
from harness.report.phrases import (
    DASH,
    join_words,
    say_cause,
    say_clause,
    say_receipts,
    say_seconds,
    say_witnesses,
    split_clause,
)

_API = Handoff("order-to-erp", "storefront", "erp", "api", "", "")
_WEBHOOK = Handoff("order-capture", "storefront", "integration", "webhook", "", "")


@pytest.mark.parametrize(
    ("clause", "handoff", "cause"),
    [
        ("429:retry", _API, "ERP rate limits"),
        ("session_expired:renew_session", _API, "expired ERP sessions"),
        ("malformed:dead_letter", _API, "malformed ERP answers"),
        ("malformed:dead_letter", _WEBHOOK, "malformed storefront webhooks"),
        ("503:retry", _API, "ERP answers with status 503"),
        ("USER_ERROR+already-exists:branch", _API, "ERP errors USER_ERROR “already exists”"),
        ("breaker", _API, "repeated ERP failures"),
        ("429:retry", None, "rate limits"),
    ],
)
def test_cause_in_plain_words(clause, handoff, cause):
    """A clause is told as what goes wrong at the other end of its handoff."""
    assert cause == say_cause(clause, handoff)


@pytest.mark.parametrize(
    ("clause", "label"),
    [
        ("session_expired:renew_session", "session expired → renew session"),
        ("any:retry", "any other error → retry"),
        ("USER_ERROR+already-exists:branch", "USER_ERROR “already exists” → branch"),
        ("breaker", "breaker"),
    ],
)
def test_clause_as_label(clause, label):
    """A clause loses its underscores, a vendor's code keeps them."""
    assert label == say_clause(clause)


def test_clause_splits_at_its_outcome():
    """Everything before the last colon is the trigger."""
    assert split_clause("amount>500.00:EUR:queue") == ("amount>500.00:EUR", "queue")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, DASH),
        (float("inf"), DASH),
        (0.0, "0 ms"),
        (0.0841, "84 ms"),
        (0.99951, "1.00 s"),
        (3.049, "3.05 s"),
        (74.2, "74 s"),
        (125, "2 min 05 s"),
    ],
)
def test_durations_for_people(seconds, words):
    """Durations carry as many digits as a person reads."""
    assert words == say_seconds(seconds)


@pytest.mark.parametrize(
    ("receipts", "minimum", "expected", "words"),
    [
        (5, 1, 4, "5 (at least 1, 4 expected)"),
        (0, 1, None, "0 (at least 1)"),
        (2, None, None, "2"),
        (None, 1, 4, DASH),
    ],
)
def test_receipts_beside_their_limits(receipts, minimum, expected, words):
    """Receipts stand beside how many were needed and how many a correct run leaves."""
    assert words == say_receipts(Fault("f1", "status", "erp", receipts, (), minimum, expected))


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        ((Gate("witnesses agree", True, ""),), "both witnesses agree"),
        ((Gate("witnesses agree", False, ""),), "the witnesses disagree"),
        ((Gate("traffic", True, ""),), ""),
    ],
)
def test_witnesses(gates, words):
    """Agreement of the witnesses is claimed only where a gate says so."""
    assert words == say_witnesses(gates)


def test_words_join_as_in_a_sentence():
    """Lists of words read like a sentence, whatever their length."""
    assert [join_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
