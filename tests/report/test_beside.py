"""What a run shows beside its verdicts: how it is gathered from results, and where it is told."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from harness.core.history import Exchange, History, Order
from harness.core.jitter import Wait
from harness.core.loading import load_stack
from harness.core.verdict import CheckResult, Gate, Outcome, UnknownKind, merge
from harness.report import render_html, render_markdown
from harness.report.beside import list_backoff_rows, list_undeclared_rows
from harness.report.summary import render_summary

from .samples import build_run

STACK = load_stack(
    """\
version: 1
name: small
time: {scale: 20}
systems: {storefront: {fake: shopify}, erp: {fake: netsuite}}
integration: {command: [serve]}
roles: {oncall: {}}
handoffs:
  - id: post
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    operation: [sales_order.upsert]
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 5m
    paths:
      - on: {status: 503}
        retry: {attempts: 3, initial: 4s, factor: 2, max: 60s, jitter: equal}
""",
    file="stack.yaml",
)


def result(shape, *statuses, waits=(), gates=()):
    """Make what a report reads of a result: calls with these answers, and waits that a check was judged by."""
    calls = tuple(
        Exchange(f"x{at}", "erp", "sales_order.upsert", 1, at + 0.25, at + 0.5, status, method="PUT")
        for at, status in enumerate(statuses)
    )
    check = CheckResult("backoff", Outcome.HELD, "", "", waits=tuple(waits))
    return SimpleNamespace(
        experiment=SimpleNamespace(id=f"post/503:retry/{shape}", clause="post/503:retry"),
        history=History(now=9.0, orders=(Order(1, "#1"),), exchanges=calls),
        verdict=merge(gates, [check]),
    )


def test_the_same_thing_is_one_row():
    """What was met several times is one row: how often, in which experiments, and where first."""
    rows = list_undeclared_rows(STACK, [result("once", 503, 200), result("last", 422, 422), result("exhausted", 422)])
    assert rows == [
        {
            "kind": "answer",
            "where": "post",
            "what": "422 to sales_order.upsert, which no path takes",
            "count": 3,
            "experiments": ["post/503:retry/last", "post/503:retry/exhausted"],
            "exchange": "x0",
            "t": 0.25,
        }
    ]


@pytest.mark.parametrize(
    ("kind", "count"), [(UnknownKind.ENVIRONMENT, 0), (UnknownKind.INTERFERENCE, 0), (UnknownKind.VACUOUS, 1)]
)
def test_what_a_broken_lab_met_is_not_told(kind, count):
    """What was met while the lab was not in order is nobody's doing; that a fault bit too seldom is no disorder."""
    disturbed = result("once", 422, waits=[Wait(1, 0.2)], gates=[Gate("a gate", False, kind)])
    assert len(list_undeclared_rows(STACK, [disturbed])) == len(list_backoff_rows(STACK, [disturbed])) == count


def test_the_waits_of_a_clause_are_pooled():
    """All waits of a clause's experiments make one estimate, in production seconds, beside what is declared."""
    waits = [Wait(ordinal, 0.2 * 2 ** (ordinal - 1) + 0.001) for ordinal in (1, 2)]
    (row,) = list_backoff_rows(STACK, [result(shape, waits=waits) for shape in ("once", "last", "exhausted")])
    assert (row["clause"], row["waits"], row["jitter"]) == ("post/503:retry", 6, ["none"])
    assert row["declared"] == "equal jitter, base 4 s, factor 2, at most 60 s"
    assert row["observed"].startswith("no jitter, base ≈ 4.0")
    assert row["base_s"]["lowest"] <= 4.0 <= row["base_s"]["highest"]


def test_where_nothing_waited_there_is_no_row():
    """A clause none of whose experiments waited says nothing."""
    assert list_backoff_rows(STACK, [result("once", 200)]) == []


def test_every_surface_tells_what_is_declared_nowhere():
    """Page, Markdown and terminal say what was met, how often and where."""
    run = build_run()
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    render_summary(run, console)
    page = render_html(run)
    for words in ("409 lock_timeout to payment_intent.capture, which no path takes", "payment-capture"):
        assert words in page
        assert words.replace("_", "\\_") in render_markdown(run)
    printed = " ".join(console.file.getvalue().split())
    assert "MET payment-capture 3 times" in printed
    assert "409 lock_timeout to payment_intent.capture, which no path takes; declared nowhere" in printed
    assert "no jitter, base ≈ 4.00 (3.70 to 4.10) s" in page


def test_nothing_beside_is_no_section():
    """A run with nothing to tell beside its verdicts has no such section, and says so nowhere."""
    run = build_run(undeclared=[], backoff=[])
    assert 'id="beside"' not in render_html(run)
    assert "declared nowhere" not in render_markdown(run)
