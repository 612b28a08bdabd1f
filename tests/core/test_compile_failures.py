"""Failures: which fault brings a trigger about, and which no more specific path catches."""

import pytest
from compiled_stacks import Shape

from harness.core.compile.failures import NAMED, choose_failure, choose_outage, choose_unlisted
from harness.core.loading import load_stack
from harness.core.triggers import Trigger


def statuses(experiments, name):
    """Return the parameters of an experiment's fault."""
    return dict(experiments[name].faults[0].params)


@pytest.mark.parametrize(
    ("paths", "status"), [((), 503), (("{status: 503}",), 500), (("{status: 503}", "{status: 409}"), 500)]
)
def test_any_is_what_no_other_path_names(paths, status):
    """The failure that `any` must catch is one that no path of the handoff names by its status."""
    found = Shape(api_paths=("session_expired", *paths)).experiments
    assert statuses(found, "post/any:retry/once") == {"status": status}
    assert statuses(found, "post/breaker/opens") == {"status": status}


def test_refusals_that_a_status_catches():
    """Where a path catches refusals by the status they come with, no experiment says that `any` must."""
    found = Shape(api_paths=("{status: 409}", "{code: USER_ERROR, text: already exists}")).experiments
    assert "post/any:retry/unlisted-code" not in found
    assert "post/USER_ERROR+already-exists:branch/other-text" not in found
    assert "post/USER_ERROR+already-exists:branch/taken" in found
    free = Shape(api_paths=("{status: 429}", "{code: USER_ERROR, text: already exists}")).experiments
    assert {"post/any:retry/unlisted-code", "post/USER_ERROR+already-exists:branch/other-text"} <= set(free)


@pytest.mark.parametrize(
    ("status", "condition"), [("{status: 429}", "rate_limited"), ("{status: 401}", "session_expired")]
)
def test_a_status_that_is_a_condition(status, condition):
    """A status that the vendor sends with a condition is the condition's, where both are declared."""
    both = Shape(api_paths=(status, condition)).plan
    (row,) = [row for row in both.coverage if row.clause.startswith(f"post/{status[9:12]}:")]
    assert row.not_exercised
    assert any(name.startswith(f"post/{status[9:12]}:") for name in Shape(api_paths=(status,)).experiments)


def test_every_named_failure_is_chosen():
    """Each condition with a fault is brought about by it, and one without by nothing."""
    handoff = load_stack(Shape(api_paths=("malformed",), any_path=None).text, file="stack.yaml").handoffs[1]
    for condition, failure in NAMED.items():
        assert choose_failure(handoff, Trigger(condition=condition)) == failure
    assert choose_failure(handoff, Trigger(condition="partial_allocation")) is None
    assert choose_failure(handoff, Trigger(condition="any")) == choose_outage(handoff)
    assert choose_failure(handoff, Trigger(status=418)).params == {"status": 418}
    assert not choose_failure(handoff, Trigger(status=418)).counts_for_breaker
    assert choose_failure(handoff, Trigger(status=500)).counts_for_breaker
    assert choose_failure(handoff, Trigger(status=429)) == NAMED["rate_limited"]
    assert choose_failure(handoff, Trigger(code="A", text="b"), commit=True).params == {
        "code": "A",
        "text": "Refused: b.",
        "commit": True,
    }


def test_an_outage_none_of_which_is_free():
    """Where every status of an outage has a path of its own, `any` has none left, and neither has what it would refuse."""
    paths = [
        f"{{on: {{status: {status}}}, retry: {{attempts: 2, initial: 1s}}, then: dead_letter}}"
        for status in (500, 502, 503, 504)
    ]
    text = Shape().text.replace(
        "      - {on: malformed, dead_letter: {escalate_after: 1",
        "".join(f"      - {path}\n" for path in paths) + "      - {on: malformed, dead_letter: {escalate_after: 1",
    )
    handoff = load_stack(text, file="stack.yaml").handoffs[1]
    assert choose_outage(handoff) is None
    assert choose_unlisted(handoff) is not None
