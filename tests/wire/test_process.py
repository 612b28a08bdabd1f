"""The process: what it prints, how it ends, what it inherits, and that it notices when it stood still."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx2
import pytest

from harness.lab.tap import TapClient
from wire.process import TOKEN, listen, start
from wire.stands import Client, Origin, answer_ok, run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number):
    """SIGTERM and SIGINT end the process with status 0, open connections and all."""
    with start() as process:

        async def scene():
            async with Origin(answer_ok) as origin, TapClient(process.control_url, TOKEN) as tap:
                listener = await listen(tap, "erp", origin.address)
                client = await Client.connect(listener["address"])
                assert await client.ask("/") == 200
                process.popen.send_signal(number)
                assert await client.end() in ("closed", "reset")
                await client.close()

        run(scene)
        assert process.popen.wait(10) == 0


def test_it_ends_with_its_lifeline():
    """When the other end of the pipe closes the process goes."""
    read, write = os.pipe()
    with start("--lifeline-fd", str(read), pass_fds=[read]) as process:
        os.close(read)
        assert process.popen.poll() is None
        os.close(write)
        assert process.popen.wait(10) == 0


def test_it_serves_on_sockets_it_inherits():
    """Control, admin and listener ports may all be bound by the parent, who may keep its copies."""
    with (
        socket.create_server(("127.0.0.1", 0)) as control,
        socket.create_server(("127.0.0.1", 0)) as admin,
        socket.create_server(("127.0.0.1", 0)) as port,
    ):
        fds = [sock.fileno() for sock in (control, admin, port)]
        with start("--control-fd", str(fds[0]), "--admin-fd", str(fds[1]), pass_fds=fds) as process:
            assert process.control_url.endswith(f":{control.getsockname()[1]}")
            assert process.admin_url.endswith(f":{admin.getsockname()[1]}")

            async def scene():
                async with Origin(answer_ok) as origin, TapClient(process.control_url, TOKEN) as tap:
                    listener = await listen(tap, "erp", origin.address, fd=fds[2])
                    assert listener["address"].endswith(f":{port.getsockname()[1]}")
                    for _ in range(2):
                        client = await Client.connect(listener["address"])
                        assert await client.ask("/") == 200
                        await client.close()
                        await tap.change_listener("erp", accepting=False)
                        with pytest.raises(ConnectionRefusedError):
                            await Client.connect(listener["address"])
                        await tap.change_listener("erp", accepting=True)

            run(scene)


def test_a_freeze_leaves_a_stall_entry():
    """A process that was not scheduled says so, and for how long."""
    with start() as process:

        async def scene():
            async with TapClient(process.control_url, TOKEN) as tap:
                await tap.healthz()
                process.popen.send_signal(signal.SIGSTOP)
                await asyncio.to_thread(os.waitid, os.P_PID, process.popen.pid, os.WSTOPPED | os.WNOWAIT)
                threading.Timer(0.5, process.popen.send_signal, [signal.SIGCONT]).start()
                page = await tap.journal(wait=10)
                assert page.entries[0]["type"] == "stall"
                assert page.entries[0]["seconds"] > 0.25

        run(scene)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--control-port", "70000"], "a port is a number from 0 to 65535"),
        (["--admin-port", "-1"], "a port is a number from 0 to 65535"),
        (["--admin-port", "{taken}"], "Address already in use"),
    ],
)
def test_a_bad_start_ends_with_a_message(options, says):
    """What is wrong with the command line or an address is said in a line, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [option.format(taken=taken.getsockname()[1]) for option in options]
        command = [sys.executable, "-m", "harness.wire", *given]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_makes_up_a_token_where_none_is_given(wire):
    """Calls without the token are refused; health needs none."""
    assert "token" not in wire.line
    assert httpx2.get(f"{wire.control_url}/rules", trust_env=False).status_code == 401
    assert httpx2.get(f"{wire.control_url}/healthz", trust_env=False).json()["system"] == "tap"
