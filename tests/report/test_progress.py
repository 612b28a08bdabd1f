"""Behaviour of the progress on stderr."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rich.console import Console

from harness.report import Progress

from .samples import build_experiment, build_run

_ROOT = Path(__file__).parents[2]


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


def _info(run):
    first = [item for item in run["experiments"] if "rerun_of" not in item]
    return {key: run[key] for key in ("stack", "seed", "labs", "versions", "handoffs")} | {
        "experiments": [{"id": item["id"], "handoff": item["handoff"]} for item in first]
    }


def _play(stream, run, **console):
    with Progress(Console(file=stream, **console)) as progress:
        progress.started(_info(run))
        for item in run["experiments"]:
            progress.experiment_done(item)
        progress.finished(run)
    return stream.getvalue()


def test_without_terminal_one_line_each(monkeypatch):
    """Without a terminal each finished experiment is one plain line with its verdict and its times."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    run = build_run()
    lines = _play(io.StringIO(), run, width=80).splitlines()

    assert lines[0] == "handoff 0.1.0 · acme · 62 experiments · 4 labs · seed 11"
    assert len(lines) == 1 + len(run["experiments"])
    assert (
        lines[1] == " 1/62  held      order-capture/clean:resolve/one  wait 630 ms  integration 486 ms  overhead 84 ms"
    )
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_what_is_not_held_says_why():
    """A line of an experiment that does not hold carries what was seen."""
    shown = _play(io.StringIO(), build_run())

    assert re.search(
        r"violated  order-to-erp/429:retry/exhausted .* 5 attempts at .*, no dead letter within 5.0 s\n", shown
    )


def test_rerun_is_not_counted_twice():
    """A rerun is told as one, and the count stays within what was planned."""
    assert "\nagain  held      erp-to-wms/connection:retry/once@2  " in _play(io.StringIO(), build_run())


def test_terminal_shows_a_row_a_handoff():
    """On a terminal the rows fill with marks, and the last picture stays."""
    shown = _play(_Terminal(), build_run(), width=100, height=30, force_terminal=True, color_system=None)
    last = shown[shown.rindex("handoff 0.1.0") :]

    assert re.search(r"order-capture +webhook +●{19} +19 held", last)
    assert re.search(r"order-to-erp +api +●{6}✗●{23} +29 held +1 violated", last)
    assert "overhead" not in last


def test_rows_show_what_is_still_to_come():
    """Planned experiments are pending marks until they are done; the latest one is told with its times."""
    run = build_run()
    stream = _Terminal()
    progress = Progress(Console(file=stream, width=100, height=30, force_terminal=True, color_system=None))
    progress.started(_info(run))
    progress.experiment_done(run["experiments"][0])
    shown = stream.getvalue()
    progress.stop()

    assert re.search(r"order-capture +webhook +●·{18} +1 held", shown)
    assert "held      order-capture/clean:resolve/one  wait 630 ms  integration 486 ms  overhead 84 ms" in shown


def test_dumb_terminal_gets_lines(monkeypatch):
    """A terminal that cannot move its cursor is treated as none."""
    monkeypatch.setenv("TERM", "dumb")

    assert not Progress(Console(file=_Terminal(), force_terminal=True)).live


def test_unplanned_and_unknown_are_taken():
    """Without any plan, and with results that lack fields, progress is shown all the same."""
    stream = io.StringIO()
    with Progress(Console(file=stream)) as progress:
        progress.started({})
        progress.experiment_done({"id": "a/b/c"})
        progress.experiment_done(build_experiment("order-to-erp", "any:retry", "once"))
        progress.finished({})

    assert stream.getvalue().splitlines() == [
        "handoff",
        "unknown   a/b/c",
        "held      order-to-erp/any:retry/once  wait 630 ms  integration 486 ms  overhead 84 ms",
    ]


def test_stop_twice_does_nothing():
    """Stopping again, or without a start, writes nothing more."""
    stream = _Terminal()
    progress = Progress(Console(file=stream, force_terminal=True))
    progress.stop()
    progress.started({})
    progress.stop()
    before = stream.getvalue()
    progress.stop()

    assert before == stream.getvalue()


@pytest.mark.parametrize("ending", ["finished", "interrupted"])
def test_ctrl_c_leaves_the_terminal_clean(ending):
    """However the run ends, Ctrl-C in the middle included, the cursor is back and the last row is a line of its own."""
    script = textwrap.dedent("""
        import sys, time
        from harness.report.progress import Progress
        try:
            with Progress() as progress:
                progress.started({"stack": "acme", "handoffs": [{"id": "order-to-erp", "protocol": "api"}]})
                progress.experiment_done({"id": "order-to-erp/any:retry/once", "verdict": "held"})
                while sys.argv[1] == "interrupted":
                    time.sleep(0.05)  # again and again: a signal just before a wait without end would be slept through
                progress.finished({})
        except KeyboardInterrupt:
            print("stopped")
    """)
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(_ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, ending], stdin=child, stdout=child, stderr=child, env=environment
    )
    os.close(child)
    shown = ""
    try:
        signalled = ending == "finished"
        while select.select([parent], [], [], 60)[0]:
            try:
                chunk = os.read(parent, 65_536).decode()
            except OSError:
                break
            shown += chunk
            if not signalled and "1 held" in shown:
                process.send_signal(signal.SIGINT)
                signalled = True
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(parent)

    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert ("stopped" in shown) == (ending == "interrupted")
    assert shown.replace("\x1b[?25h", "").endswith("\n")
