"""The zoo: complete, composed of the reference, and each broken one broken in its own way."""

import json
import subprocess
import sys

import pytest

from reference.outcomes import Failure, Kind
from reference.parts import Parts
from reference.retry import Park, decide
from scenarios.zoo.catalogue import VARIANTS, find_variant

REQUIRED = {
    "retries-on-400": "order-to-erp/RESTRICTED_PRODUCT:queue",
    "no-jitter": "order-to-erp/429:retry",
    "write-back-ignores-retry-after": "payment-writeback/rate_limited:retry",
    "new-key-per-attempt": "payment-capture/429:retry",
    "new-external-id-per-attempt": "order-to-erp/any:retry",
    "acknowledges-dead-letters-before-writing": "order-to-erp/dead_letter:escalate",
    "acknowledges-before-persisting": "order-capture/crash:recover",
    "escalates-to-wrong-role": "order-to-erp/dead_letter:escalate",
    "escalates-every-time": "order-to-erp/dead_letter:escalate",
    "never-escalates": "order-to-erp/dead_letter:escalate",
    "one-breaker-for-all": "fulfilment-writeback/outage:contain",
    "breaker-never-half-opens": "order-to-erp/breaker",
    "breaker-counts-failures-in-all": "order-to-erp/breaker",
    "breaker-at-n-plus-1": "order-to-erp/breaker",
    "renews-per-worker": "order-to-erp/session_expired:renew_session",
    "no-signature-check": "order-capture/bad_signature:reject",
    "deduplicates-by-body": "order-capture/out_of_order:reorder",
    "ignores-dedupe": "order-capture/duplicate:deduplicate",
    "reconciliation-skips-a-page": "order-capture/dropped:reconcile",
    "doubles-partial-captures": "payment-capture/any:retry",
    "explodes-kits-twice": "order-to-erp/any:retry",
    "one-attempt-too-many": "order-to-erp/429:retry",
    "gives-up-too-early": "order-to-erp/429:retry",
}
CORRECT = {"other-jitter", "other-worker-count", "many-workers", "lazy-breaker", "batching", "slower"}
# The reference itself, and what takes two parts to go wrong.
UNCHANGED, TWOFOLD = {"reference", "reference-under-a-ban"}, {"storms-on-expiry"}


def run(*arguments):
    """Run the zoo's command."""
    command = [sys.executable, "-m", "scenarios.zoo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_list_is_json():
    """Everyone is listed by name and kind; the broken ones with the clauses they break, the correct ones without."""
    listed = {row["name"]: row for row in json.loads(run("--list").stdout)}

    assert len(listed) == len(VARIANTS)
    assert all(row["kind"] == "broken" or not row["clauses"] for row in listed.values())
    assert all(row["kind"] == "correct" or row["clauses"] for row in listed.values())
    assert sum(row["kind"] == "broken" for row in listed.values()) >= 45
    for name, clause in REQUIRED.items():
        assert clause in listed[name]["clauses"], name
    assert all(listed[name]["kind"] == "correct" for name in CORRECT)


def test_an_unknown_name_is_told_the_nearest():
    """A misspelt name ends with exit code 4 and the name that was probably meant."""
    ended = run("never-escalate")

    assert ended.returncode == 4
    assert "`never-escalates`" in ended.stderr


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_each_replaces_exactly_one_part(variant):
    """A variant differs from the reference in one part, or in the two that its defect takes; the reference itself in none."""
    parts, reference = variant.compose(), Parts()
    replaced = [name for name in Parts.__slots__ if getattr(parts, name) != getattr(reference, name)]

    assert len(replaced) == (0 if variant.name in UNCHANGED else 2 if variant.name in TWOFOLD else 1)


@pytest.mark.parametrize(("name", "attempts"), [("one-attempt-too-many", 5), ("gives-up-too-early", 3), ("slower", 4)])
def test_attempts_under_rate_limits(name, attempts):
    """The variants about rate limits differ from the reference there, and in no other path."""
    policy = find_variant(name).compose().order_to_erp
    decisions = [decide(policy, Failure(Kind.RATE_LIMITED, "C", "t"), made) for made in range(1, 9)]

    assert 1 + sum(not isinstance(step, Park) for step in decisions) == attempts
    assert isinstance(decide(policy, Failure(Kind.OTHER, "C", "t"), 3), Park)
