"""Regression files: written and read back alike, and located complaints about what is wrong with one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.problems import StackError
from harness.core.regression import Regression, read_regression, write_regression
from harness.core.schedule import EVERY, Strike, build_schedule

FOUND = Regression(
    stack="acme",
    seed=5,
    schedule=build_schedule([Strike(1, "order-to-erp/429"), Strike(2, "payment-capture/timeout", 2, 1, 2)], slots=3),
    broken=("ledger",),
    reason='#1001 is "lost": paid, and nowhere else',
    hits=9,
    runs=10,
    at_least=0.6058,
)
TEXT = """\
# A schedule that broke a promise. Slots count orders: a strike is armed before that order is placed.
schedule: 1
stack: "acme"
seed: 5
slots: 3
strikes:
  - {fault: "order-to-erp/429", order: every, attempt: every, begins: 1, lasts: 1}
  - {fault: "payment-capture/timeout", order: 2, attempt: 2, begins: 2, lasts: 1}
broken: ["ledger"]
reason: "#1001 is \\"lost\\": paid, and nowhere else"
confirmed: {hits: 9, runs: 10, at_least: 0.6058}
"""
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=30)


def complain(text, **settings):
    """Return what is wrong with a text, each with its place."""
    with pytest.raises(StackError) as caught:
        read_regression(text, file="found.yaml", **settings)
    return [f"{each.line}:{each.column} {each.code} {each.suggestion}".strip() for each in caught.value.problems]


def test_written():
    """It is written so that people can read it, and reads back as it was."""
    assert write_regression(FOUND) == TEXT
    assert read_regression(TEXT, file="found.yaml") == FOUND


@settings(deadline=None, database=None)
@given(
    st.lists(st.builds(Strike, st.integers(1, 4), WORDS, st.integers(EVERY, 4), st.integers(1, 4)), min_size=1),
    WORDS,
    WORDS,
)
def test_any_words(strikes, stack, reason):
    """Whatever faults, files and reasons are called, they read back as they were."""
    found = Regression(stack, 0, build_schedule(strikes, slots=4), reason=reason)
    assert read_regression(write_regression(found), file="found.yaml") == found


def test_least():
    """What is known of the finding may be left out, and so may the order and how long it lasts."""
    text = "schedule: 1\nstack: s.yaml\nseed: 0\nslots: 2\nstrikes:\n  - {fault: a/429, begins: 1}\n"
    assert read_regression(text, file="found.yaml").schedule == build_schedule([Strike(1, "a/429")], slots=2)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("schedule: 1", "schedule: 2", "2:11 unknown-version 1"),
        ("seed: 5\n", "", "2:1 missing-key"),
        ("seed: 5", "seeds: 5", "4:1 unknown-key seed"),
        ("slots: 3", "slots: 0", "5:8 out-of-range"),
        ("slots: 3", "slots: many", "5:8 out-of-range"),
        ("order: 2", "order: all", "8:47 out-of-range"),
        ("begins: 2", "begins: 0", "8:70 out-of-range"),
        ("lasts: 1}\nbroken", "last: 1}\nbroken", "8:73 unknown-key lasts"),
        ("order: 2", "order: 4", "8:47 out-of-range"),
        ("begins: 2", "begins: 4", "8:70 out-of-range"),
        ("attempt: 2", "attempt: last", "8:59 out-of-range"),
        ("slots: 3", "slots: 101", "5:8 out-of-range"),
        ("hits: 9", "hits: most", "11:19 out-of-range"),
        ("0.6058", "60 %", "11:42 out-of-range"),
        ('"payment-capture/timeout"', "7", "8:13 wrong-type"),
        ('"acme"', '"acme', "7:14 yaml-syntax"),
    ],
)
def test_what_is_wrong(right, wrong, complaint):
    """Each mistake is told at its place, with the nearest valid name."""
    assert right in TEXT
    assert complain(TEXT.replace(right, wrong, 1))[0].startswith(complaint)


@pytest.mark.parametrize("strikes", ["[]", "{}", "none", "[1]"])
def test_no_strikes(strikes):
    """A schedule without strikes is none."""
    assert complain(f"schedule: 1\nstack: s.yaml\nseed: 0\nslots: 2\nstrikes: {strikes}\n")


def test_unknown_fault():
    """A fault the menu does not have is told with the nearest that it has."""
    faults = ("order-to-erp/429", "payment-capture/timeouts")
    assert complain(TEXT, faults=faults) == ["8:13 unknown-fault payment-capture/timeouts"]
    assert read_regression(TEXT, file="found.yaml", faults=(*faults, "payment-capture/timeout")) == FOUND


def test_another_stack():
    """A schedule of another stack is told where it says so."""
    assert complain(TEXT, stack="acne") == ["3:8 other-stack acne"]
    assert read_regression(TEXT, file="found.yaml", stack="acme") == FOUND


@pytest.mark.parametrize("text", ["", "[]", "7", "a: [", "\x00"])
def test_nothing_like_it(text):
    """What is no such file is told, not crashed upon."""
    assert complain(text)
