"""
Fixtures for stories written by hand: small ones that say what is played, and those a test asks for.

    stack_file   the stack: `stack.yaml` in the root folder            ┐
    integration_command   what to start instead of the stack's command │ session: override one, keep the rest
    scale        another time scale than the stack's                   │
    stack        the stack as a value                                  │
    lab          the lab, one a process                                ┘
    story        one test's stay in the lab, settled before and after
    storefront, erp, gateway, wms, carrier, crm, ops, faults, history    what a test speaks to

A story is concluded as a part of its test: where a gate of the harness fails, a fault never met traffic, the lab does not
come to rest or the ledger does not balance, the test fails. One the harness itself disturbed is played once more.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.keys import use_lab

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from harness.core.stack import Stack
    from harness.pytest_plugin.carrier import Carrier
    from harness.pytest_plugin.crm import Crm
    from harness.pytest_plugin.erp import Erp
    from harness.pytest_plugin.faults import Faults
    from harness.pytest_plugin.gateway import Gateway
    from harness.pytest_plugin.lab import LabThread
    from harness.pytest_plugin.ops import Ops
    from harness.pytest_plugin.past import Past
    from harness.pytest_plugin.storefront import Storefront
    from harness.pytest_plugin.story import Story
    from harness.pytest_plugin.wms import Wms

STORY: pytest.StashKey[Story] = pytest.StashKey()


@pytest.fixture(scope="session")
def stack_file(pytestconfig: pytest.Config) -> Path:
    """Say which stack the stories are played in; `--handoff-stack` goes before it."""
    return pytestconfig.rootpath / "stack.yaml"


@pytest.fixture(scope="session")
def integration_command() -> str | None:
    """Say what to start instead of the stack's command; `--handoff-integration` goes before it."""
    return None


@pytest.fixture(scope="session")
def scale() -> float | None:
    """Say by how much declared waits are divided, where it is not the stack's own number."""
    return None


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config, stack_file: Path, scale: float | None) -> Stack:
    """Read the stack."""
    from harness.core.loading import load_stack  # noqa: PLC0415 - whoever plays no story pays nothing
    from harness.core.problems import StackError  # noqa: PLC0415 - as above
    from harness.lab.live_keys import ensure_safe_text  # noqa: PLC0415 - as above

    chosen = Path(pytestconfig.getoption("--handoff-stack") or stack_file)
    try:
        stack = load_stack(ensure_safe_text(chosen.read_text(encoding="utf-8"), str(chosen)), file=str(chosen))
    except OSError as error:
        pytest.fail(f"{chosen}: {error.strerror}; name a stack with --handoff-stack, or override `stack_file`")
    except StackError as error:
        pytest.fail("\n".join(problem.render() for problem in error.problems), pytrace=False)
    return stack if scale is None else replace(stack, time=replace(stack.time, scale=scale))


@pytest.fixture(scope="session")
def lab(
    pytestconfig: pytest.Config, stack: Stack, stack_file: Path, integration_command: str | None
) -> Iterator[LabThread]:
    """Give the lab of this process, which comes up with the first story."""
    from harness.pytest_plugin.lab import LabThread, read_options  # noqa: PLC0415 - as above

    options = read_options(pytestconfig, Path(pytestconfig.getoption("--handoff-stack") or stack_file))
    lab = LabThread(stack, replace(options, integration_command=options.integration_command or integration_command))
    yield lab
    lab.close()


@pytest.fixture
def story(request: pytest.FixtureRequest, lab: LabThread) -> Iterator[Story]:
    """Begin a story in the settled lab, and leave it settled."""
    from harness.lab.errors import LabError  # noqa: PLC0415 - as above
    from harness.pytest_plugin.story import Story  # noqa: PLC0415 - as above

    use_lab(request.config, lab)
    try:
        story = Story(lab, request.node.name)
    except LabError as error:
        pytest.fail(str(error), pytrace=False)
    request.node.stash[STORY] = story
    yield story
    story.conclude()


@pytest.fixture
def storefront(story: Story) -> Storefront:
    """Give the shop."""
    from harness.pytest_plugin.storefront import Storefront  # noqa: PLC0415 - as above

    return Storefront(story)


@pytest.fixture
def erp(story: Story) -> Erp:
    """Give the ERP."""
    from harness.pytest_plugin.erp import Erp  # noqa: PLC0415 - as above

    return Erp(story)


@pytest.fixture
def gateway(story: Story) -> Gateway:
    """Give the payment gateway."""
    from harness.pytest_plugin.gateway import Gateway  # noqa: PLC0415 - as above

    return Gateway(story)


@pytest.fixture
def wms(story: Story) -> Wms:
    """Give the warehouse."""
    from harness.pytest_plugin.wms import Wms  # noqa: PLC0415 - as above

    return Wms(story)


@pytest.fixture
def carrier(story: Story) -> Carrier:
    """Give the carrier; a story that needs one is skipped where the lab has none."""
    from harness.pytest_plugin.carrier import Carrier  # noqa: PLC0415 - as above

    with _skipping():
        return Carrier(story)


@pytest.fixture
def crm(story: Story) -> Crm:
    """Give the CRM; a story that needs one is skipped where the lab has none."""
    from harness.pytest_plugin.crm import Crm  # noqa: PLC0415 - as above

    with _skipping():
        return Crm(story)


@pytest.fixture
def ops(story: Story) -> Ops:
    """Give the ops desk, and the operators' view into the integration."""
    from harness.pytest_plugin.ops import Ops  # noqa: PLC0415 - as above

    return Ops(story)


@pytest.fixture
def faults(story: Story) -> Faults:
    """Give what arms faults."""
    from harness.pytest_plugin.faults import Faults  # noqa: PLC0415 - as above

    return Faults(story)


@pytest.fixture
def history(story: Story) -> Past:
    """Give what has happened."""
    from harness.pytest_plugin.past import Past  # noqa: PLC0415 - as above

    return Past(story)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Conclude a story as a part of its test; play one that the harness itself disturbed once more."""
    story = item.stash.get(STORY, None)
    if story is None:
        return (yield)
    try:
        answer = yield
    except (Exception, pytest.fail.Exception):
        story.conclude()
        if not story.disturbed:
            raise
    else:
        story.conclude()
        if not story.disturbed:
            _ensure_held(story)
            return answer
    story.begin()
    try:
        item.runtest()
    finally:
        story.conclude()
    _ensure_held(story)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed story what happened in it, across the systems."""
    report = yield
    story = item.stash.get(STORY, None)
    if story is not None and report.when == "call" and report.failed and story.result is not None:
        from harness.pytest_plugin.telling import describe_story  # noqa: PLC0415 - as above

        report.sections.append(("what happened in the lab", "\n".join(describe_story(story.result))))
    return report


@contextmanager
def _skipping() -> Iterator[None]:
    """Skip what needs a system that is not in the lab."""
    from harness.pytest_plugin.story import AbsentError  # noqa: PLC0415 - as above

    try:
        yield
    except AbsentError as error:
        pytest.skip(str(error))


def _ensure_held(story: Story) -> None:
    """Fail a story whose gates or ledger do not hold."""
    from harness.report.words import describe_result  # noqa: PLC0415 - as above

    if story.result is not None and not story.held:
        pytest.fail("\n".join([*describe_result(story.result), story.unsettled]).strip(), pytrace=False)
