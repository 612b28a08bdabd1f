"""Tests that judge with whole labs run one after another: two at once on two cores would only disturb each other."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.programs import NOT_HERE

HERE = Path(__file__).parent
WITH_LABS = (
    "cli/test_attach.py",
    "cli/test_cli_zoo.py",
    "cli/test_engine.py",
    "cli/test_init.py",
    "cli/test_run.py",
    "cli/test_wheel.py",
    "docs/test_howto.py",
    "engine",
    "explore/test_explore_labs.py",
    "examples",
    "lab/test_attached.py",
    "lab/test_kills.py",
    "lab/test_lab_toxiproxy.py",
    "pytest_plugin",
    "zoo/test_zoo_verdicts.py",
)


def pytest_configure():
    """Take Ctrl-C back where it is ignored, as in a job in the background: what tests start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Put them into one group, which pytest-xdist gives to one worker."""
    for item in items:
        place = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""
        if place.startswith(WITH_LABS):
            item.add_marker(pytest.mark.xdist_group("labs"))


def pytest_terminal_summary(terminalreporter):
    """Say aloud what was not tested since a program is not on this machine."""
    skips = (report.longrepr for report in terminalreporter.stats.get("skipped", ()))
    reasons = Counter(skip[2].removeprefix("Skipped: ") for skip in skips if isinstance(skip, tuple | list))
    for reason, count in sorted(reasons.items()):
        if reason.startswith(NOT_HERE):
            terminalreporter.write_line(f"{count} not tested, {reason}", yellow=True)
