"""
Collect a stack.yaml as pytest items, one an experiment.

    pytest reference/stack.yaml -k breaker -n 4 --junitxml results.xml

Only a stack named on the command line is collected. An unknown experiment fails, a clause that cannot be exercised is
skipped with its reason, and pytest's own exit codes keep their meaning.

The fixtures for stories written by hand are in `harness.pytest_plugin.fixtures`; docs/howto/write-a-scenario.md tells of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from harness.pytest_plugin.items import StackFile

pytest_plugins = ["harness.pytest_plugin.fixtures"]
SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the harness."""
    group = parser.getgroup("handoff", "chaos experiments of a stack.yaml")
    group.addoption("--handoff-seed", type=int, default=0, metavar="S", help="decide by this seed (default 0)")
    group.addoption("--handoff-integration", metavar="CMD", help="start this command instead of the stack's")
    group.addoption("--handoff-stack", metavar="FILE", help="play stories in the lab of this stack")
    group.addoption(
        "--handoff-engine",
        choices=("embedded", "toxiproxy"),
        default="embedded",
        help="what makes the faults of the wire",
    )
    group.addoption("--handoff-attach", metavar="URL", help="judge an integration that runs elsewhere")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> StackFile | None:
    """Take a YAML file that was named on the command line and is a stack."""
    if file_path.suffix not in SUFFIXES or not parent.session.isinitpath(file_path):
        return None
    from harness.pytest_plugin.items import StackFile  # noqa: PLC0415 - whoever runs no stack pays nothing

    collected: StackFile = StackFile.from_parent(parent, path=file_path)
    return collected


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the labs of this process, if any were opened."""
    from harness.pytest_plugin.keys import LABS  # noqa: PLC0415 - as above

    for lab in config.stash.get(LABS, ()):
        lab.close()
