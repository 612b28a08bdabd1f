"""Starting and ending a fake: sockets, signals, lifeline, what is not HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest

from fakes.kit.options import build_parser, read_options
from tests.fakes.conftest import ROOT, start_fake

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

COMMAND = [sys.executable, "-m", "tests.fakes.kit.toy"]


def test_it_serves_on_inherited_sockets() -> None:
    """A fake takes over sockets that were bound for it, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as vendor, socket.create_server(("127.0.0.1", 0)) as control:
        fds = [vendor.fileno(), control.fileno()]
        arguments = ["--fd", str(fds[0]), "--control-fd", str(fds[1])]
        process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, pass_fds=fds, cwd=ROOT)
        ports = [vendor.getsockname()[1], control.getsockname()[1]]
    with process:
        line = json.loads(process.stdout.readline())
        assert line["url"] == f"http://127.0.0.1:{ports[0]}"
        assert line["control_url"] == f"http://127.0.0.1:{ports[1]}"
        assert httpx2.get(line["url"] + "/ping").json() == {"pong": True}
        headers = {"Authorization": f"Bearer {line['token']}"}
        assert httpx2.get(line["control_url"] + "/catalogue", headers=headers).status_code == 200
        process.terminate()
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """A signal ends the fake with code 0 and nothing on stderr, long polls and hanging calls notwithstanding."""
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    with process:
        line = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {line['token']}"}
        fault = {"id": "f1", "kind": "lost_response", "params": {"how": "hang"}}
        httpx2.post(line["control_url"] + "/faults", headers=headers, json=fault)
        request = f"GET /journal?after=99&wait=30 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {line['token']}\r\n\r\n"
        with _open(line["control_url"], request), _open(line["url"], "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"):
            assert "exchange" in httpx2.get(line["control_url"] + "/journal?after=2&wait=20", headers=headers).text
            process.send_signal(number)
            assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_it_ends_when_its_lifeline_closes() -> None:
    """When nobody holds the other end of the pipe any more, the fake ends."""
    held, lifeline = os.pipe()
    command = [*COMMAND, "--lifeline-fd", str(held)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[held], cwd=ROOT) as process:
        os.close(held)
        assert process.stdout.readline()
        os.close(lifeline)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_with_400(toy: RunningFake, garbage: bytes) -> None:
    """Bytes that are no request get a 400 in JSON, and the fake lives on."""
    with socket.create_connection(("127.0.0.1", toy.port), timeout=20) as sock:
        sock.sendall(garbage)
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"application/json" in answer
    assert toy.client.get("/ping").status_code == 200


def test_half_a_request_is_nobodys_problem(toy: RunningFake) -> None:
    """A client that leaves in the middle of its body leaves no trace."""
    with socket.create_connection(("127.0.0.1", toy.port), timeout=20) as sock:
        sock.sendall(b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    toy.client.get("/ping")
    assert [entry["operation"] for entry in toy.journal("exchange")] == ["ping"]


def test_header_names_keep_the_vendors_case(toy: RunningFake) -> None:
    """Header names go out exactly as the vendor writes them."""
    with socket.create_connection(("127.0.0.1", toy.port), timeout=20) as sock:
        sock.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert b"\r\nX-Toy-Request: 1\r\n" in answer
    assert b"\r\nContent-Type: application/json" in answer


def test_the_environment_completes_the_command_line() -> None:
    """Token and time scale come from the environment unless they are given."""
    parser = build_parser("toy")
    environ = {"CONTROL_TOKEN": "hush", "HANDOFF_TIME_SCALE": "20"}
    options = read_options(parser.parse_args([]), environ)
    assert (options.token, options.token_generated, options.time_scale) == ("hush", False, 20)
    given = read_options(parser.parse_args(["--token", "other", "--time-scale", "2"]), environ)
    assert (given.token, given.time_scale) == ("other", 2)
    assert read_options(parser.parse_args([]), {}).token_generated


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (["--port", "70000"], {}, "a port is a number from 0 to 65535"),
        (["--time-scale", "0"], {}, "the time scale is a positive number"),
        (["--time-scale", "x"], {}, "invalid _time_scale value"),
        ([], {"HANDOFF_TIME_SCALE": "x"}, "HANDOFF_TIME_SCALE: could not convert"),
        (["--port", "{taken}"], {}, "Address already in use"),
    ],
)
def test_a_bad_start_ends_with_a_message(arguments: list[str], environ: dict[str, str], says: str) -> None:
    """What is wrong with the command line or the address is said in a line, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [argument.format(taken=taken.getsockname()[1]) for argument in arguments]
        ended = subprocess.run(
            [*COMMAND, *given], env={**os.environ, **environ}, cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert ended.returncode != 0
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_same_nonce_gives_the_same_ids_in_another_process(toy: RunningFake) -> None:
    """A fake started with a nonce gives ids no other nonce gives, and the same ones again."""
    ids = []
    for nonce in ("n1", "n1", "n2"):
        with start_fake("tests.fakes.kit.toy", "--nonce", nonce) as fake:
            ids.append(fake.client.post("/notes", json={"text": "x"}).json()["id"])
    assert ids[0] == ids[1] != ids[2]
    assert toy.client.post("/notes", json={"text": "x"}).json()["id"] not in ids


def test_a_process_that_was_stopped_says_so(toy: RunningFake) -> None:
    """When the process was not scheduled for a while, a stall entry tells how long."""
    os.kill(toy.process.pid, signal.SIGSTOP)
    try:
        with httpx2.Client(base_url=toy.url) as client, pytest.raises(httpx2.ReadTimeout):
            client.get("/ping", timeout=0.7)
    finally:
        os.kill(toy.process.pid, signal.SIGCONT)
    [entry] = toy.wait_for(lambda entry: entry["type"] == "stall")
    assert entry["seconds"] > 0.25


def _open(url: str, request: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)), timeout=20)
    sock.sendall(request.encode())
    return sock
