"""Behaviour of the summary on stdout."""

import io
import re

import pytest
from rich.console import Console

from harness.report import render_summary

from .samples import build_experiment, build_large, build_run, poison, wrap_run


def _print(run, *, width=100, encoding="utf-8", terminal=False, **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    render_summary(run, Console(file=stream, width=width, force_terminal=terminal or None), **options)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_summary_reads_like_the_example():
    """A violated experiment shows declared with its place, observed, receipts and how to repeat it."""
    assert """
VIOLATED  order-to-erp/429:retry/exhausted
  declared   4 attempts, then dead letter                                  reference/stack.yaml:41:9
  observed   5 attempts at 0.00 0.21 0.63 1.44 3.05 s, no dead letter within 5.0 s
  receipts   5 (at least 1, 4 expected), both witnesses agree
  reproduce  handoff run reference/stack.yaml --seed 11 -k 'order-to-erp/429:retry/exhausted'

UNKNOWN   payment-capture/lost_response:retry/once                                           vacuous
  the fault never touched traffic: 0 receipts (no capture was sent while it was armed)
""" in _print(build_run())


def test_totals_end_the_summary():
    """Verdicts, clauses, ledger, overhead and the report's place are the last lines."""
    lines = _print(build_run(), width=200, report="reports/20261121-211408/index.html").splitlines()

    assert lines[-2] == (
        "59 held · 1 violated · 1 unknown · 1 accepted · 1 skipped    26 of 27 clauses exercised    "
        "ledger: 412 orders, 0 lost, 0 doubled"
    )
    assert lines[-1] == (
        "median overhead 84 ms beyond the waits the clauses demand    report: reports/20261121-211408/index.html"
    )


def test_accepted_skipped_and_rerun_are_listed():
    """What is lived with, left out, not exercised or was run again stands in the summary with its reason."""
    shown = _print(build_run())

    assert re.search(r"ACCEPTED  inventory-sync/stale:retry/once +until 2027-03-31\n  vendor beta \(violated\)", shown)
    assert "SKIPPED   shipment-to-carrier\n  Java 11 is missing\n" in shown
    assert "NOT RUN   shipping-advice/file_truncated:resend\n  the reference has no EDI receiver yet\n" in shown
    assert "RERUN     erp-to-wms/connection:retry/once\n  first try: unknown, interference, the tap stalled" in shown


@pytest.mark.parametrize(
    ("handoffs", "said"),
    [
        (("to-carrier", "to-crm"), "SKIPPED   10 experiments of to-carrier, to-crm\n  no WireMock\n"),
        ("abcde", "SKIPPED   25 experiments\n  no WireMock\n"),
    ],
)
def test_many_that_were_skipped_are_counted(handoffs, said):
    """Where many were skipped for one reason they are counted, with their handoffs where these are few."""
    skipped = [
        {"id": f"{handoff}/any:retry/{n}", "reason": "no WireMock", "applicable": False}
        for handoff in handoffs
        for n in range(5)
    ]
    assert said in _print({**build_run(), "skipped": skipped})


def test_rows_show_a_mark_for_each_experiment():
    """Each handoff has a row of marks and counts, in line with the others."""
    shown = _print(build_run())

    assert re.search(r"order-to-erp +api +●{6}✗●{23} +29 held +1 violated\n", shown)
    assert "handoff 0.1.0 · acme · 62 experiments · 4 labs · seed 11\n" in shown
    assert "●" not in _print(build_run(), rows=False)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_lines_fit_the_width(width):
    """No line is wider than the terminal, except commands and paths, which stay whole to be copied."""
    report = "reports/a-rather-long-name-of-a-folder-that-must-not-be-broken/20261121-211408/index.html"
    lines = _print(build_run(), width=width, report=report).splitlines()
    wide = [line for line in lines if len(line) > width]

    assert all(
        line.startswith(("  reproduce", "VIOLATED", "UNKNOWN", "NOT RUN", "RERUN", "report:", "ACCEPTED"))
        for line in wide
    )
    assert any(line.endswith(report) for line in lines)


def test_many_experiments_keep_what_is_wrong_in_sight():
    """A row too long for the terminal drops held marks before violated ones."""
    run = build_large(200)
    run["experiments"][150]["verdict"] = "violated"
    row = next(line for line in _print(run, width=80).splitlines() if line.startswith("order-to-erp"))

    assert len(row) <= 80
    assert "✗" in row
    assert "…" in row
    assert row.endswith("199 held    1 violated")


def test_stream_without_unicode_gets_letters():
    """On a stream that cannot carry dots and crosses the marks are letters, and everything is printed."""
    shown = _print(build_run(), encoding="ascii")

    assert re.search(r"order-to-erp +api +o{6}Xo{23} +29 held", shown)
    assert "59 held - 1 violated" in shown


@pytest.mark.parametrize("terminal", [False, True])
def test_no_color_is_honoured(monkeypatch, terminal):
    """With NO_COLOR, and where there is no terminal, no colour is written."""
    monkeypatch.setenv("NO_COLOR", "1")

    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", _print(build_run(), terminal=terminal))


def test_no_terminal_no_control_codes(monkeypatch):
    """Into a file or a pipe nothing but text is written."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    assert "\x1b" not in _print(build_run())


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_text_moves_no_cursor(terminal):
    """Escape sequences and markup inside a run are printed as words."""
    shown = _print(poison(build_run(), "\x1b[2J[bold red]x[/]\x9b1A\r"), terminal=terminal)

    assert "\x1b[2J" not in shown
    assert "\x9b" not in shown
    assert "\r" not in shown.replace("\r\n", "\n")
    assert "[bold red]x[/]" in shown


@pytest.mark.parametrize(
    "run",
    [{}, wrap_run([]), build_run(interrupted=True), {"experiments": [{}, {"verdict": "violated", "id": "a/b/c"}]}],
)
def test_odd_runs_are_told(run):
    """Empty, interrupted and half-written runs have a summary."""
    assert re.search(r"\d+ held · \d+ violated · \d+ unknown", _print(run))


def test_interruption_is_said():
    """The totals of an interrupted run say that they are not all."""
    assert "interrupted: the totals are of what was finished by then" in _print(build_run(interrupted=True))


def test_contradictions_are_said():
    """Numbers of run.json that do not add up are named before the totals."""
    run = wrap_run([build_experiment("order-to-erp", "any:retry", "once")])
    run["summary"]["held"] = 5

    assert "MISMATCH  the summary states 5 held, the experiments add up to 1\n" in _print(run)
