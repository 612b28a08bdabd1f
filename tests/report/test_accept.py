"""Acceptance: what may be named, and which experiments an entry excuses until when."""

import datetime as dt
from dataclasses import dataclass

import pytest

from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.report.run_json import find_accept

TEXT = """\
version: 1
name: acme
systems: {{storefront: {{fake: shopify}}, erp: {{fake: netsuite}}}}
integration: {{command: [./run], webhooks: {{storefront: /hooks}}}}
accept:
  - {{clause: {clause}, reason: known, until: 2027-03-31}}
roles: {{oncall: {{sla: 15m}}}}
handoffs:
  - id: capture
    from: storefront
    to: integration
    protocol: webhook
    owner: oncall
    within: 5m
    resolved_when: {{system: erp, record: sales_order, state: exists_once}}
    paths: [{{on: duplicate, deduplicate: true}}]
  - id: post
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    operation: [sales_order.upsert]
    within: 10m
    resolved_when: {{system: erp, record: sales_order, state: exists_once}}
    paths: [{{on: any, retry: {{attempts: 3, initial: 4s}}, then: dead_letter}}]
    dead_letter: {{escalate_after: 3, to: oncall}}
"""


@dataclass(frozen=True)
class Asked:
    """An experiment as far as an acceptance looks at it."""

    clause: str
    shape: str

    @property
    def id(self):
        """Return its id."""
        return f"{self.clause}/{self.shape}"


def accepting(clause):
    """Read a stack that accepts a clause."""
    return load_stack(TEXT.format(clause=clause), file="stack.yaml").accept


@pytest.mark.parametrize(
    "clause",
    [
        "post/any:retry",
        "post/any:retry/last",
        "post/clean:resolve",
        "post/lost_answer:exactly_once",
        "post/outage:contain",
        "post/dead_letter:escalate",
        "capture/pairs:resolve/03",
    ],
)
def test_what_may_be_accepted(clause):
    """Every clause that `handoff plan` lists can be accepted, and a single experiment of it."""
    (entry,) = accepting(clause)
    assert entry.clause == clause


def test_what_is_not_there():
    """A clause that the stack does not declare is an error that names the nearest one."""
    with pytest.raises(StackError) as raised:
        accepting("post/outages:contain")
    (problem,) = raised.value.problems
    assert (problem.code, problem.suggestion) == ("unknown-clause", "post/outage:contain")


@pytest.mark.parametrize(
    ("accepted", "day", "excused"),
    [
        ("post/any:retry", 31, ["once", "last"]),
        ("post/any:retry/last", 31, ["last"]),
        ("post/any:retry/last", 1, ["last"]),
        ("post/dead_letter:escalate", 31, []),
    ],
)
def test_what_is_excused(accepted, day, excused):
    """An entry excuses all experiments of its clause, or the one it names, up to and including its day."""
    asked = [Asked("post/any:retry", shape) for shape in ("once", "last")]
    entries = accepting(accepted)
    assert [each.shape for each in asked if find_accept(entries, each, dt.date(2027, 3, day))] == excused
    assert [each for each in asked if find_accept(entries, each, dt.date(2027, 4, 1))] == []
