"""Sabotage of the harness: whatever is done to it, the verdict is unknown of the right kind, never held, never violated."""

import os
import signal
from dataclasses import replace

import anyio
import pytest

from harness.core.experiments import Arm, Await, Check, Place, Watch
from harness.core.verdict import Outcome, UnknownKind
from harness.engine.conduct import conduct
from tests.engine.saboteurs import assert_unknown, conduct_while, until

pytestmark = pytest.mark.anyio
shares_a_lab = pytest.mark.xdist_group("sabotage")

RETRIED = "order-to-erp/429:retry/once"
CLEAN = "order-to-erp/clean:resolve/one"


def aim(experiment, **changes):
    """Aim the only fault of an experiment elsewhere."""
    return replace(experiment, faults=(replace(experiment.faults[0], **changes),))


@shares_a_lab
class TestMisrouted:
    """A fault that cannot bite: nothing was tested."""

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param({"operations": ("customer.create",)}, id="at another operation"),
            pytest.param({"orders": (2,)}, id="at the order that only settles the lab"),
            pytest.param({"attempts": (7,)}, id="at an attempt that never comes"),
            pytest.param({"probability": 0.0}, id="with no chance"),
        ],
    )
    async def test_a_fault_that_never_bites_proves_nothing(self, bench, find, exit_code, elsewhere):
        """Armed where no call of the order comes along, a fault leaves no receipt and the verdict is vacuous."""
        result = (await conduct(bench, aim(find(RETRIED), **elsewhere))).result

        assert_unknown(result, UnknownKind.VACUOUS, exit_code, saying="never touched traffic")

    async def test_a_wire_fault_at_another_listener_proves_nothing(self, bench, find, exit_code):
        """A rule at the listener of another system takes no exchange of the handoff."""
        experiment = aim(find("order-to-erp/any:retry/connection"), system="opsdesk")
        result = (await conduct(bench, experiment)).result

        assert_unknown(result, UnknownKind.VACUOUS, exit_code, saying="never touched traffic")


class TestNoTraffic:
    """An integration nobody calls, and that calls nobody."""

    async def test_silence_proves_nothing(self, open_lab, find, exit_code, stack, mute, monkeypatch):
        """Without any traffic a clean run is vacuous, although no order arrived anywhere."""
        monkeypatch.setattr("harness.engine.conduct.WARM_WITHIN_S", 0.2)
        monkeypatch.setattr("harness.engine.conduct.PATIENCE_S", 0.2)
        deaf = replace(stack, integration=replace(stack.integration, webhooks={}))
        async with open_lab(deaf, integration_command=mute) as bench:
            hasty = replace(find(CLEAN), steps=(Place((1,)), Watch(0.2, "anything at all")))
            result = (await conduct(bench, hasty)).result

        assert_unknown(result, UnknownKind.VACUOUS, exit_code, saying="no traffic")


class TestKilled:
    """Parts of the lab that die in the middle of an experiment."""

    async def test_a_killed_fake_is_the_environments_fault(self, open_lab, find, exit_code):
        """A vendor that dies while its fault is armed leaves nothing to judge, and the lab is used no more."""

        async def kill(bench):
            await until(bench, "fault", event="hit")
            os.kill(bench.lab.fakes["erp"].pid, signal.SIGKILL)

        async with open_lab() as bench:
            result = await conduct_while(bench, find("order-to-erp/429:retry/exhausted"), kill)
            usable = bench.usable

        assert_unknown(result, UnknownKind.ENVIRONMENT, exit_code, saying="erp")
        assert not usable

    async def test_a_killed_integration_is_the_environments_fault(self, open_lab, find, exit_code):
        """Somebody who kills the integration shows nothing of it; it is started again, and the lab stays in use."""

        async def kill(bench):
            await until(bench, "fault", event="hit")
            os.kill(bench.lab.integration.pid, signal.SIGKILL)

        async with open_lab() as bench:
            result = await conduct_while(bench, find("order-to-erp/429:retry/exhausted"), kill)
            usable = bench.usable

        assert_unknown(result, UnknownKind.ENVIRONMENT, exit_code, saying="ended with SIGKILL")
        assert usable

    async def test_a_killed_tap_is_our_own_fault(self, open_lab, find, exit_code):
        """Without its witness the harness cannot tell what the integration saw."""

        async def kill(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            os.kill(bench.lab.tap_process.pid, signal.SIGKILL)

        async with open_lab() as bench:
            result = await conduct_while(bench, find("order-to-erp/429:retry/last"), kill)
            usable = bench.usable

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="tap")
        assert not usable


class TestFrozen:
    """A tap that stands still."""

    async def test_a_tap_frozen_for_a_while_interferes(self, open_lab, find, exit_code):
        """Thawed again it tells that it stalled, and what was measured meanwhile does not count."""

        async def freeze(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            await bench.lab.tap_process.freeze()
            await anyio.sleep(0.6)  # how long it stands still is the sabotage itself
            bench.lab.tap_process.thaw()

        async with open_lab() as bench:
            result = await conduct_while(bench, find("order-to-erp/429:retry/last"), freeze)

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="tap was not scheduled")

    async def test_a_tap_frozen_for_good_interferes(self, open_lab, find, exit_code):
        """One that never answers again is given up, and so is its lab."""

        async def freeze(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            await bench.lab.tap_process.freeze()

        brief = replace(find(CLEAN), steps=(Place((1,)), Watch(1.0, "a second record")))
        async with open_lab() as bench:
            result = await conduct_while(bench, brief, freeze)
            usable = bench.usable

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="tap: no answer within")
        assert not usable


class TestEscaped:
    """A call that goes around the tap."""

    async def test_a_connection_past_the_tap_interferes(self, open_lab, find, exit_code, tmp_path):
        """An integration that is told the vendor's real address is seen by one witness only."""
        escaping = tmp_path / "escaping.py"
        escaping.write_text(ESCAPING)
        async with open_lab(integration_command=["python", str(escaping)]) as bench:
            (tmp_path / "real").write_text(f"http://{bench.lab.vendor_addresses['erp']}")
            await bench.lab.integration.restart()
            result = (await conduct(bench, find(CLEAN))).result

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="without passing the tap")


@shares_a_lab
class TestOwnFaults:
    """What goes wrong in the harness's own code."""

    async def test_a_check_that_raises_is_unknown(self, bench, find, exit_code):
        """A check that crashes decides nothing and stops no other check."""

        def crash(history):
            raise ZeroDivisionError("by sabotage")

        experiment = find(CLEAN)
        sabotaged = replace(experiment, checks=(Check("crashing", crash), *experiment.checks))
        result = (await conduct(bench, sabotaged)).result

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="by sabotage")
        assert len(result.verdict.checks) == len(sabotaged.checks) + 1  # and the ledger

    async def test_a_driver_that_raises_is_unknown(self, bench, find, exit_code):
        """A condition that crashes ends the steps, and the lab is brought to rest all the same."""

        class Crashing:
            def is_met(self, *_):
                raise ZeroDivisionError("by sabotage")

        sabotaged = replace(find(CLEAN), steps=(Place((1,)), Await(Crashing(), within_s=5.0)))
        result = (await conduct(bench, sabotaged)).result
        usable = bench.usable

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="the driver crashed")
        assert usable

    async def test_a_record_that_cannot_be_read_is_unknown(self, open_lab, find, exit_code):
        """An entry no reader expects ends in a verdict that says so, not in the end of the run."""

        async def spoil(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            bench.recorder.note("order", ordinal=1)

        async with open_lab() as bench:
            result = await conduct_while(bench, find(CLEAN), spoil)

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="KeyError")


class TestJournals:
    """Journals that are not whole."""

    async def test_a_journal_that_began_anew_has_a_gap(self, open_lab, find, exit_code):
        """Somebody who resets a fake in the middle takes the harness's evidence away."""

        async def reset(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            await bench.lab.controls["storefront"].reset()

        async with open_lab() as bench:
            result = await conduct_while(bench, find("order-to-erp/429:retry/last"), reset)

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="gap")


@shares_a_lab
class TestCleaningUp:
    """Faults that cannot be lifted, and faults somebody else lifted."""

    async def test_a_clean_up_that_fails_is_the_environments_fault(self, bench, find, exit_code):
        """A proxy that is not there any more when it is to be taken away was not there for as long as was thought."""

        async def remove(bench):
            await until(bench, "exchange", operation="sales_order.upsert", end="reset")
            for name in await bench.lab.toxics.server.proxies():
                await bench.lab.toxics.server.delete_proxy(name)

        result = await conduct_while(bench, find("order-to-erp/any:retry/connection"), remove)
        usable = bench.usable

        assert_unknown(result, UnknownKind.ENVIRONMENT, exit_code, saying="could not be lifted")
        assert usable

    async def test_a_fault_that_cannot_be_armed_is_the_environments_fault(self, bench, find, exit_code):
        """What a control plane refuses was never tested; what was armed before it is lifted."""
        result = (await conduct(bench, aim(find(RETRIED), kind="no-such-fault"))).result
        armed = await bench.lab.controls["erp"].faults()

        assert_unknown(result, UnknownKind.ENVIRONMENT, exit_code, saying="no-such-fault")
        assert armed == []

    async def test_a_lab_that_was_sabotaged_judges_the_next_experiment(self, bench, find):
        """What is left of one experiment does not reach into the next one."""
        bad = replace(find(RETRIED), steps=(Arm("f1"), Place((1,)), Watch(0.05, "nothing")))
        await conduct(bench, aim(bad, attempts=None))
        faults = await bench.lab.controls["erp"].faults()
        after = (await conduct(bench, find(CLEAN))).result

        assert faults == []
        assert after.verdict.outcome is Outcome.HELD


ESCAPING = """
import os, pathlib, sys
real = pathlib.Path(__file__).with_name("real")
if real.exists():
    os.environ["ERP_URL"] = real.read_text()
sys.argv = ["reference"]
import runpy
runpy.run_module("reference", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def mute(tmp_path):
    """Give the command of an integration that is healthy and does nothing."""
    script = tmp_path / "mute.py"
    script.write_text(
        "import http.server, os\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200 if self.path == '/healthz' else 404)\n"
        "        self.send_header('Content-Length', '0')\n"
        "        self.end_headers()\n"
        "    def log_message(self, *a): pass\n"
        "address = (os.environ['INTEGRATION_HOST'], int(os.environ['INTEGRATION_PORT']))\n"
        "http.server.ThreadingHTTPServer(address, Handler).serve_forever()\n"
    )
    return ["python", str(script)]
