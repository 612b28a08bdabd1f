"""Behaviour of the words for what a failed check means."""

import pytest

from harness.report import build_view
from harness.report.effects import say_effects

from .samples import build_experiment, wrap_run


def _effects(*checks, **changes):
    listed = [
        {"name": name, "verdict": verdict, "declared": declared, "observed": observed}
        for name, verdict, declared, observed in checks
    ]
    item = build_experiment("order-to-erp", "429:retry", "once", verdict="violated", checks=listed, **changes)
    return say_effects(build_view(wrap_run([item])).experiments[0])


@pytest.mark.parametrize(
    ("name", "declared", "observed", "effect"),
    [
        ("attempts", "4 attempts", "5 attempts at 0.00 0.21 s", "a fifth attempt"),
        ("attempts 2", "4 attempts", "7 attempts at 0.00 0.21 s", "7 attempts instead of 4"),
        ("attempts", "4 attempts", "2 attempts at 0.00 0.21 s", "only 2 of 4 attempts"),
        ("attempts", "1 attempt", "no attempt", "no attempt at all"),
        ("attempts", "20 attempts", "21 attempts", "a 21st attempt"),
        ("attempts", "as declared", "otherwise", "the wrong number of attempts"),
        ("dead_letter", "one", "no dead letter within 5.0 s", "no dead letter"),
        ("dead_letter", "one", "another payload", "a dead letter other than declared"),
        ("no_dead_letter", "none", "1 dead letters", "a dead letter where none is due"),
        ("escalation", "one", "no alert within 5.0 s", "no escalation"),
        ("escalation", "one", "to warehouse", "a wrong escalation"),
        ("stays_closed", "closed", "paused for 2.00 s after 4 failures", "a breaker that opens too early"),
        ("resolved_once", "one", "doubled: #1", "doubled orders"),
        ("resolved_once", "one", "not in sales_orders within 5 s: #1", "orders that do not arrive"),
        ("renewed", "once", "never renewed", "sessions that are never renewed"),
        ("brand_new_check", "this", "that", "another outcome than declared"),
    ],
)
def test_failed_check_in_plain_words(name, declared, observed, effect):
    """A failed check is told as what it led to."""
    assert _effects((name, "violated", declared, observed)) == (effect,)


def test_checks_that_held_are_not_told():
    """Only violated checks lead to something, each thing once."""
    assert _effects(
        ("attempts", "held", "4 attempts", "5 attempts"),
        ("backoff", "violated", "", ""),
        ("backoff", "violated", "", ""),
        ("dead_letter", "unknown", "", "no dead letter"),
    ) == ("retries at the wrong times",)


def test_without_checks_the_texts_are_read():
    """A violated experiment that lists no check is told from its own declared and observed."""
    assert _effects(
        declared="4 attempts, then dead letter", observed="5 attempts at 0 s, no dead letter within 5 s"
    ) == (
        "a fifth attempt",
        "no dead letter",
    )
