"""How much the linter makes of names: those people write who have not read it, planted into a sound stack and measured."""

import re
from dataclasses import replace
from pathlib import Path as File

import pytest

from harness.core.lint import lint_stack
from harness.core.loading import load_stack
from harness.core.outcomes import Branch, Decision, Queue, ResolvedWhen, Retry
from harness.core.stack import Path
from harness.core.triggers import Trigger
from harness.core.wording import says_no_error, says_refusal, tells_somebody
from tests.core import strangers_words as words
from tests.core.sound_stacks import WAREHOUSE
from tests.core.strangers_words import list_names

STACK = load_stack(WAREHOUSE, file="stack.yaml")
HANDOFF = STACK.handoff("shipment-to-carrier")
REFERENCE = File(__file__).parents[2] / "docs" / "reference" / "lint.md"
ON = Trigger(code="X")

# What finds each kind of name, the lists it is measured by, and how many of each are found: meant, innocent, and of the later ones.
MEASURED = {
    "branch-notifies": ("TELLING", 75, 0, 16, 1),
    "decision-decides-nothing": ("SEEN", 32, 0, 10, 0),
    "end-state-no-error": ("NO_ERROR", 35, 0, 13, 0),
    "retry-on-refusal": ("REFUSED", 29, 0, 14, 1),
}
PLANTED = {
    "branch-notifies": lambda name: Path(ON, Branch(name)),
    "decision-decides-nothing": lambda name: Path(ON, Queue("warehouse-ops", (Decision("choose", name),))),
    "end-state-no-error": lambda name: Path(ON, Branch("later", ResolvedWhen("carrier", "label", name))),
    "retry-on-refusal": lambda name: Path(Trigger(code=name), Retry(3, 4.0), Branch("later")),
}


def count(code: str, names: str) -> tuple[int, int]:
    """Plant each name into a path of its own; return how many are found under the code, and how many there are."""
    listed = list_names(names)
    found = 0
    for name in listed:
        handoff = replace(HANDOFF, paths=(PLANTED[code](name), *HANDOFF.paths))
        findings = {each.code for each in lint_stack(replace(STACK, handoffs=(handoff, *STACK.handoffs[:-1])))}
        assert findings <= {code}
        found += code in findings
    return found, len(listed)


@pytest.mark.parametrize("code", MEASURED)
def test_measured(code):
    """As many names are found as are said to be, and no more innocent ones."""
    lists, *counted = MEASURED[code]
    names = [lists, f"{lists}_INNOCENT", f"LATER_{lists}", f"LATER_{lists}_INNOCENT"]
    assert [count(code, getattr(words, name))[0] for name in names] == counted


def test_told():
    """The reference of the linter tells the numbers as they are measured here."""
    text = REFERENCE.read_text(encoding="utf-8")
    for code, (lists, *counted) in MEASURED.items():
        names = [lists, f"{lists}_INNOCENT", f"LATER_{lists}", f"LATER_{lists}_INNOCENT"]
        shown = [
            f"{found} of {len(list_names(getattr(words, name)))}" for name, found in zip(names, counted, strict=True)
        ]
        assert f"| `{code}` | {' | '.join(shown)} |" in text
    sums = [sum(counted[place] for _, *counted in MEASURED.values()) for place in range(4)]
    assert re.search(rf"\*\*{sums[2]} of \d+\*\* and \*\*{sums[3]} of \d+\*\*", text)


@pytest.mark.parametrize("name", ["notifyOps", "NOTIFY_OPS", "notify ops", "notify-ops", "ping the on-call engineer"])
def test_written_otherwise(name):
    """However the words are joined, they say the same."""
    assert tells_somebody(name)


@pytest.mark.parametrize(
    ("name", "tells"),
    [
        ("forward-to-store", False),
        ("forward-to-the-warehouse", False),
        ("forward-to-vendor", False),
        ("skip-item", False),
        ("ignore-line", False),
        ("phone-sales", False),
        ("forward-to-store-manager", True),
        ("forward-to-inbox", True),
        ("forward-it", True),
        ("skip-silently", True),
        ("phone-the-sales-manager", True),
    ],
)
def test_real_ways(name, tells):
    """To send an order to a place, to leave a line out or to sell by phone tells nobody; to send it on to a person does."""
    assert tells_somebody(name) is tells


@pytest.mark.parametrize("state", ["clear", "normal", "issue_closed"])
def test_real_states(state):
    """What a screened order, a ticket or a priority can be says what is there."""
    assert not says_no_error(state)
    assert says_no_error("all_clear")
    assert says_no_error("issue_resolved")


def test_said_of_codes():
    """A code that names what may pass with time is none that names a rule, whatever else is in it."""
    assert says_refusal("CREDIT_LIMIT_EXCEEDED")
    assert not says_refusal("CONCURRENCY_LIMIT_EXCEEDED")
    assert not says_refusal("BLOCKED_BY_RATE_LIMIT")
