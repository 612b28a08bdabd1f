"""Benches with the reference integration, experiments by name, and the exit code a run of them would earn."""

import asyncio
import datetime as dt
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.cli.run import decide_exit
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.engine.run import Options, open_bench
from harness.report.run_json import RunInfo, build_run

STACK_PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"


@pytest.fixture(scope="session")
def anyio_backend():
    """Run asynchronous tests on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def state_dir(tmp_path_factory):
    """Keep the register of every file of tests in its own folder."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDOFF_STATE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def stack():
    """Read the stack of the storefront and the ERP alone."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


@pytest.fixture(scope="session")
def plan(stack):
    """Compile that stack."""
    return compile_stack(stack)


@pytest.fixture(scope="session")
def find(plan):
    """Find an experiment by its id."""
    return {experiment.id: experiment for experiment in plan.experiments}.__getitem__


@pytest.fixture(scope="module")
def open_lab(stack):
    """Open a bench; its lab runs the reference unless told otherwise."""

    @asynccontextmanager
    async def opened(given=stack, **options):
        chosen = Options(run_id="test", stack_path=STACK_PATH, **options)
        async with open_bench(given, chosen, index=0, stop=asyncio.Event()) as bench:
            yield bench

    return opened


@pytest.fixture(scope="module")
async def bench(open_lab, anyio_backend):
    """Give a bench that the tests of a file share: each must leave it usable."""
    async with open_lab() as shared:
        yield shared


@pytest.fixture
def exit_code(stack, plan):
    """Say which exit code a run with these results would end with."""

    def decide(*results):
        now = dt.datetime.now(dt.UTC)
        info = RunInfo("test", stack, str(STACK_PATH), 0, "embedded", "embedded", 1, now, now.date(), {})
        return decide_exit(build_run(info, plan, results, []))

    return decide
