"""Children: started, watched, stopped."""

import asyncio
import signal
import socket

import psutil
import pytest

from harness.lab.errors import ProcessFailed
from harness.lab.ports import Listener
from harness.lab.processes import Process, Program, describe_exit
from harness.lab.readiness import FirstLine, Healthy

pytestmark = pytest.mark.anyio

READY = "import json,sys,time;print(json.dumps({'ready': True}),flush=True);"
FOREVER = READY + "time.sleep(600)"
STUBBORN = "import signal;signal.signal(signal.SIGTERM, signal.SIG_IGN);" + FOREVER
SPAWNING = (
    "import json,subprocess,sys,time;"
    "p=subprocess.Popen([sys.executable,'-c','import time;time.sleep(600)'],start_new_session=True);"
    "print(json.dumps({'pid':p.pid}),flush=True);time.sleep(600)"
)
SERVER = """
import http.server, socket, sys
fd = int(sys.argv[sys.argv.index("--fd") + 1])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *a): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=fd)
server.socket.setblocking(True)
server.serve_forever()
"""


async def _started(bench, code, **parts):
    process = bench.child(code, **parts)
    await process.start()
    await process.wait_ready(FirstLine(), within_s=20)
    return process


async def test_the_first_json_line_makes_a_child_ready(bench):
    """Readiness answers the first JSON object on stdout and passes over every other line."""
    process = bench.child(
        "import json,time;print('starting');print(json.dumps({'port': 7}),flush=True);time.sleep(600)"
    )
    await process.start()
    assert await process.wait_ready(FirstLine(), within_s=20) == {"port": 7}


async def test_a_child_that_ends_before_it_is_ready_is_told_with_its_last_lines(bench):
    """The error names the exit code and carries what the child printed on both streams."""
    process = bench.child("import sys;print('no such port', file=sys.stderr);print('bye');sys.exit(3)")
    await process.start()
    with pytest.raises(ProcessFailed, match="exit code 3") as caught:
        await process.wait_ready(FirstLine(), within_s=20)
    assert caught.value.returncode == 3
    assert sorted(caught.value.tail) == ["bye", "no such port"]


async def test_a_child_that_never_becomes_ready_is_told_while_it_still_runs(bench):
    """Running out of time is an error without an exit code."""
    process = await _started(bench, FOREVER)
    with pytest.raises(ProcessFailed, match="200 from") as caught:
        await process.wait_ready(Healthy("http://127.0.0.1:9/healthz"), within_s=0.05)
    assert caught.value.returncode is None
    assert process.alive


async def test_a_command_that_does_not_exist_is_an_error_with_its_name(bench, tmp_path):
    """Failing to start is told as such, and nothing is left open."""
    process = Process(Program("ghost", ["./no-such-program"], tmp_path, {}), bench.registration, bench.logs)
    with pytest.raises(ProcessFailed, match="no-such-program"):
        await process.start()


async def test_an_inherited_socket_is_served_and_survives_a_restart(bench):
    """A child serves the socket that was bound for it, and the same address again after a restart."""
    listener = Listener()
    process = bench.child(SERVER, flags={"--fd": listener})
    healthy = Healthy(listener.address.url)
    await process.start()
    await process.wait_ready(healthy, within_s=20)
    before = process.pid
    await process.restart()
    await process.wait_ready(healthy, within_s=20)
    assert process.pid != before


async def test_a_dead_child_refuses_connections(bench):
    """The harness keeps no copy of a socket it handed over, so a dead server is seen as dead."""
    listener = Listener()
    process = bench.child(SERVER, flags={"--fd": listener})
    await process.start()
    await process.wait_ready(Healthy(listener.address.url), within_s=20)
    await process.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((listener.address.host, listener.address.port))


async def test_an_end_nobody_asked_for_is_told_at_once(bench):
    """A child killed by somebody else is reported with the signal that ended it."""
    process = await _started(bench, FOREVER)
    psutil.Process(process.pid).kill()
    assert await process.wait_exit() == -signal.SIGKILL
    assert bench.exits == [("child", -signal.SIGKILL)]
    assert not process.alive


async def test_an_end_that_was_asked_for_is_not_told(bench):
    """Stopping, killing and announcing an end are no surprises."""
    for end in (Process.stop, Process.kill):
        await end(await _started(bench, FOREVER))
    process = await _started(bench, FOREVER)
    process.expect_exit()
    psutil.Process(process.pid).kill()
    await process.wait_exit()
    assert bench.exits == []


async def test_a_child_is_asked_to_end_before_it_is_killed(bench):
    """A child that ends on SIGTERM ends with that signal."""
    process = await _started(bench, FOREVER)
    assert await process.stop(within_s=20) == -signal.SIGTERM


async def test_a_stubborn_child_is_killed(bench):
    """A child that ignores SIGTERM is gone when stop returns."""
    process = await _started(bench, STUBBORN)
    assert await process.stop(within_s=0.05) == -signal.SIGKILL
    assert not psutil.pid_exists(process.pid)


async def test_a_frozen_child_stops_all_the_same(bench):
    """A frozen child is thawed so that it can end gently."""
    process = await _started(bench, FOREVER)
    await process.freeze()
    assert psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
    assert await process.stop(within_s=20) == -signal.SIGTERM


async def test_a_thawed_child_runs_on(bench):
    """Freezing holds a child; thawing lets it run."""
    process = await _started(bench, FOREVER)
    await process.freeze()
    process.thaw()
    assert process.alive
    assert psutil.Process(process.pid).status() != psutil.STATUS_STOPPED


async def test_killing_takes_grandchildren_with_it_even_out_of_their_session(bench):
    """What a child started in a session of its own dies with it."""
    process = bench.child(SPAWNING)
    await process.start()
    grandchild = psutil.Process((await process.wait_ready(FirstLine(), within_s=20))["pid"])
    await process.kill()
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


async def test_a_new_start_ends_what_the_killed_one_left(bench):
    """Whoever killed only the child itself does not leave its grandchildren beside the next run."""
    process = bench.child(SPAWNING)
    await process.start()
    left = psutil.Process((await process.wait_ready(FirstLine(), within_s=20))["pid"])
    psutil.Process(process.pid).kill()
    await process.wait_exit()
    assert left.is_running()
    await process.start()
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


async def test_starting_a_running_child_changes_nothing(bench):
    """Start is safe to repeat."""
    process = await _started(bench, FOREVER)
    before = process.pid
    await process.start()
    assert process.pid == before


async def test_the_register_knows_a_child_while_it_runs(bench, read_entry):
    """A child is on disk from its start to its end."""
    process = await _started(bench, FOREVER)
    assert [mark["pid"] for mark in read_entry(bench.registration.record.id)["processes"]] == [process.pid]
    await process.kill()
    assert read_entry(bench.registration.record.id)["processes"] == []


async def test_the_lifeline_ends_when_its_owner_lets_go(bench):
    """A child that reads the lifeline sees its end."""
    code = (
        "import json,os,sys;fd=int(sys.argv[sys.argv.index('--lifeline-fd')+1]);"
        "print(json.dumps({}),flush=True);os.read(fd,1);sys.exit(9)"
    )
    process = await _started(bench, code, lifeline=True)
    bench.lifeline.close()
    assert await process.wait_exit() == 9


async def test_output_of_both_streams_is_kept_in_files(bench):
    """What a child prints is found in the lab's folder."""
    process = bench.child("import sys;print('one');print('two',file=sys.stderr)")
    await process.start()
    await process.wait_exit()
    assert (bench.logs / "child.out").read_text() == "one\n"
    assert (bench.logs / "child.err").read_text() == "two\n"


async def test_waiting_for_readiness_can_be_cancelled(bench):
    """Cancelling a wait leaves the child as it is."""
    process = bench.child("import time;time.sleep(600)")
    await process.start()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await process.wait_ready(FirstLine(), within_s=20)
    assert process.alive


@pytest.mark.parametrize(("returncode", "said"), [(0, "exit code 0"), (-9, "SIGKILL"), (-99, "signal 99")])
async def test_an_end_is_described_in_words(returncode, said):
    """Codes, signals and unknown signals each have a wording."""
    assert describe_exit(returncode) == said
