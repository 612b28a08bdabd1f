"""The short way of most exchanges: a glance never errs, and what went that way reads like all else."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import product

import pytest

from harness.wire.crossing import see_request, see_response
from harness.wire.exchange import FIELDS
from harness.wire.messages import Request, Response
from harness.wire.rules import REFUSE, Rule
from harness.wire.signals import Signal
from wire.stands import OK, Origin, answer_ok, open_tap, read_request, reset, run

HEADERS = (
    *(b"Content-Length: 2", b"content-length:0", b"CONTENT-LENGTH: 2", b"Content-Length: +2", b"Content-Length: 2, 2"),
    *(b"Connection: keep-alive", b"Connection: close", b"connection: Upgrade", b"Transfer-Encoding: chunked"),
    *(b"Transfer-Encoding: gzip", b"Expect: 100-continue", b"eXPECT:100-continue", b"Content-Type: a/b", b"Tr: x"),
    *(b"X : y", b" folded", b"no colon", b"X: a\rb", b"X: a\nb", b"X: y\r", b""),
)
BODIES = (b"", b"ok", b"0\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n", b"okGET / HTTP/1.1\r\n\r\n")
REQUEST_LINES = (
    b"GET / HTTP/1.1",
    b"POST /a?b HTTP/1.1",
    b"HEAD / HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"GET / HTTP/1.0",
)
STATUS_LINES = (
    *(b"HTTP/1.1 200 OK", b"HTTP/1.1 204", b"HTTP/1.1 304 Not", b"HTTP/1.1 100 Go", b"HTTP/1.1 101 S"),
    *(b"HTTP/1.0 200 OK", b"HTTP/1.1 99 No"),
)


def messages(first_lines: tuple[bytes, ...]) -> Iterator[bytes]:
    """Make every message of these first lines, no, one or two of the headers, and one of the bodies."""
    for count in range(3):
        for first, headers, body in product(first_lines, product(HEADERS, repeat=count), BODIES):
            yield b"\r\n".join((first, *headers, b"", body))


def test_a_request_that_is_seen_is_one_to_the_careful_reader_too():
    """Whole, nothing behind it, its connection kept; and the short way reads the same from it."""
    found = [(data, seen) for data in messages(REQUEST_LINES) if (seen := see_request(data)) is not None]
    assert found
    for data, seen in found:
        request = Request()
        assert request.feed(data) == len(data), data
        assert request.done, data
        assert (request.head.method, request.head.target) == (seen[1].decode(), seen[2].decode())
        assert request.body_bytes == len(data) - seen.end(), data
        assert not request.head.framing.closes, data
        assert not request.head.framing.expects_continue, data
        assert request.head.method not in ("HEAD", "CONNECT")


def test_an_answer_that_is_seen_is_one_to_the_careful_reader_too():
    """As for requests; an answer without a length, and one that is not the last, is never seen."""
    found = [(data, seen) for data in messages(STATUS_LINES) if (seen := see_response(data)) is not None]
    assert found
    for data, seen in found:
        response = Response("GET")
        assert response.feed(data) == len(data), data
        assert response.done, data
        assert response.head.status == int(seen[1])
        assert response.body_bytes == len(data) - seen.end(), data
        assert not response.head.framing.closes, data
        assert response.interim is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /a HTTP/1.1\r\ncontent-length:2\r\nConnection: Keep-Alive\r\nContent-Type: a/b\r\n\r\nok",
        b"PUT /a HTTP/1.1\r\nConnection: keep-alive\r\nX-Trace: 1\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_what_clients_usually_send_is_seen(data):
    """Else nothing would go the short way."""
    assert see_request(data) is not None


def test_both_ways_write_the_same(tmp_path):
    """The same call, on the long way because it is the connection's first, and then on the short way."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            for _ in range(2):
                await client.ask("/a?token=hidden", b"body")
            long, short = await stand.exchanges(2)
        assert tuple(long)[4:] == tuple(short)[4:] == FIELDS
        differing = {name for name in FIELDS if long[name] != short[name]}
        assert differing == {"id", "started_mono", "request_mono", "response_mono", "ended_mono"}
        assert (
            short["started_mono"]
            <= short["request_mono"]
            <= short["response_mono"]
            <= short["ended_mono"]
            <= short["mono"]
        )
        assert "hidden" not in short["path"]

    run(scene)


def test_the_journal_keeps_the_order_in_which_things_happened():
    """What is built late is numbered before what was written after it."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            for path in ("/1", "/2", "/3"):
                await client.ask(path)
            stand.tap.arm_rule(Rule("r", "erp", REFUSE, operation="none"))
            await client.ask("/4")
            stand.tap.lift_rule("r")
            entries = stand.tap.journal.entries()
        assert [entry.get("path", entry["type"]) for entry in entries] == ["/1", "/2", "/3", "rule", "/4", "rule"]
        assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5, 6]

    run(scene)


async def answer_when_asked(reader, writer, _):
    """Answer the first request, and those after it in pieces, each once the request is there."""
    await read_request(reader)
    writer.write(OK)
    while True:
        await read_request(reader)
        for at in range(len(OK)):
            writer.write(OK[at : at + 1])
            await asyncio.sleep(0)


def test_an_answer_in_pieces_goes_on_the_long_way():
    """It is whole when its last byte has come, and reads as one that came at once."""

    async def scene() -> None:
        async with Origin(answer_when_asked) as origin, open_tap(origin.address) as stand, stand.client() as client:
            for _ in range(3):
                assert await client.ask("/") == 200
            entries = await stand.exchanges(3)
        assert [entry["end"] for entry in entries] == ["complete"] * 3
        assert len({entry["response_sha256"] for entry in entries}) == 1
        assert origin.connections == 1

    run(scene)


def test_requests_sent_ahead_wait_for_their_turn():
    """A client that does not wait for answers gets them all, in order, and every exchange is in the journal."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            await client.ask("/first")
            for number in range(5):
                client.post(f"/{number}")
                await client.writer.drain()
            for _ in range(5):
                assert await client.answer() == (200, b"ok")
            entries = await stand.exchanges(6)
        assert [entry["path"] for entry in entries] == ["/first", "/0", "/1", "/2", "/3", "/4"]

    run(scene)


@pytest.mark.parametrize(("how", "end"), [("closes", "closed"), ("resets", "reset"), ("waits", "client_closed")])
def test_an_end_on_the_way_is_told_as_on_the_long_way(how, end):
    """The upstream that closes or resets after taking the request, and the client that does not wait."""
    asked = asyncio.Event()

    async def script(reader, writer, _):
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        asked.set()
        if how == "resets":
            reset(writer)
        elif how == "waits":
            await reader.read(1)

    async def scene() -> None:
        async with Origin(script) as origin, open_tap(origin.address) as stand:
            async with stand.client() as client:
                await client.ask("/1")
                client.post("/2", b"body")
                await asked.wait()
                if how != "waits":
                    assert await client.end() == {"closes": "closed", "resets": "reset"}[how]
            entry = (await stand.exchanges(2))[1]
        assert (entry["path"], entry["end"], entry["status"], entry["request_bytes"]) == ("/2", end, None, 4)
        assert entry["request_mono"] is not None
        assert entry["response_sha256"] is None

    run(scene)


def test_a_signal_armed_while_the_answer_is_awaited_comes_before_it():
    """Nothing of the answer is passed on before the process is gone."""
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def script(reader, writer, _):
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        asked.set()
        await go_on.wait()
        writer.write(OK)
        await reader.read(1)

    async def scene() -> None:
        async with Origin(script) as origin, open_tap(origin.address) as stand, stand.client() as client:
            await client.ask("/1")
            client.post("/2")
            await asked.wait()
            stand.tap.arm_signal(Signal("s", "erp", victim.pid, "KILL"))
            go_on.set()
            assert (await client.answer())[0] == 200
            (sent,) = stand.entries("signal")
            assert sent["exchange"] == (await stand.exchanges(2))[1]["id"]

    run(scene)
    assert victim.wait(10) == -signal.SIGKILL


def test_a_rule_armed_between_two_calls_meets_the_next():
    """The way of the one before does not matter."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            await client.ask("/1")
            await client.ask("/2")
            stand.tap.arm_rule(Rule("r", "erp", REFUSE))
            client.post("/3")
            assert await client.end() == "reset"
            assert (await stand.exchanges(3))[2]["rule"] == "r"

    run(scene)


def test_a_slow_reader_of_large_answers_loses_nothing():
    """More than every buffer holds, several times over one connection."""
    body = os.urandom(2_000_000)

    async def script(reader, writer, _):
        while True:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()

    async def scene() -> None:
        async with Origin(script) as origin, open_tap(origin.address) as stand, stand.client() as client:
            for _ in range(3):
                client.post("/", b"small")
                assert await client.answer() == (200, body)
            assert [entry["response_bytes"] for entry in await stand.exchanges(3)] == [len(body)] * 3

    run(scene)
