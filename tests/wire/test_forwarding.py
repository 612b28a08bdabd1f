"""Bytes pass the tap unchanged, in both directions, whatever HTTP/1 allows."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wire.stands import OK, Client, Origin, answer_ok, ask_for_body, mirror, open_tap, read_request, run

ODD_REQUEST = (
    b"pUrGe /a%20b?q=%7e&&x HTTP/1.1\r\nhOST:   x  \r\nX-Odd:\t v\t\r\nx-odd:again\r\nEmpty:\r\n"
    b'Transfer-Encoding:chunked\r\n\r\n03;a="b;c"\r\nabc\r\n000\r\nT: 1\r\n\r\n'
)
ODD_RESPONSE = (
    b"HTTP/1.1 299 \xc3\xbcber  fine\r\nsErVeR:x\r\nX:  1 \r\nTRANSFER-encoding: chunked\r\n\r\n"
    b"4 ;e\r\n\x00\xff\r\n\r\n0\r\nD: 2\r\n\r\n"
)


def scripted(request, response, pieces=()):
    """Build a script that reads a request of this size and answers with these bytes, cut at these places."""
    places = [0, *sorted(place % (len(response) + 1) for place in pieces), len(response)]

    async def play(reader, writer, _):
        while True:
            await reader.readexactly(len(request))
            for start, end in pairwise(places):
                writer.write(response[start:end])
                await writer.drain()
                await asyncio.sleep(0)

    return play


async def exchange(request, response, request_pieces=(), response_pieces=()):
    """Send a request in pieces through a tap; return what each side got, and the journal's exchange."""
    places = [0, *sorted(place % (len(request) + 1) for place in request_pieces), len(request)]
    async with Origin(scripted(request, response, response_pieces)) as origin, open_tap(origin.address) as stand:
        async with stand.client() as client:
            for start, end in pairwise(places):
                client.writer.write(request[start:end])
                await client.writer.drain()
                await asyncio.sleep(0)
            got = await client.reader.readexactly(len(response))
            entries = await stand.exchanges(1)
        return bytes(origin.received[0]), got, entries[0]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 300), max_size=12), st.lists(st.integers(0, 300), max_size=12))
def test_bytes_arrive_unchanged_however_they_are_cut(request_pieces, response_pieces):
    """Odd header case, spacing, chunk extensions and trailers reach the other side byte for byte."""

    async def scene():
        sent, got, entry = await exchange(ODD_REQUEST, ODD_RESPONSE, request_pieces, response_pieces)
        assert sent == ODD_REQUEST
        assert got == ODD_RESPONSE
        assert (entry["status"], entry["end"], entry["request_bytes"], entry["response_bytes"]) == (
            299,
            "complete",
            3,
            4,
        )

    run(scene)


def test_large_bodies_pass_with_a_slow_reader_on_either_side():
    """Eight megabytes each way arrive whole though nobody reads ahead."""
    body = bytes(range(256)) * 32768

    async def slow_echo(reader, writer, _):
        _, received = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received))
        for at in range(0, len(received), 65536):
            writer.write(received[at : at + 65536])
            await writer.drain()

    async def scene():
        async with Origin(slow_echo) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.post("/big", body)
            assert await client.answer() == (200, body)
            (entry,) = await stand.exchanges(1)
            assert (entry["request_bytes"], entry["response_bytes"]) == (len(body), len(body))
            assert entry["request_sha256"] == entry["response_sha256"]

    run(scene)


def test_keep_alive_uses_one_upstream_connection():
    """Exchange after exchange of one client goes over one connection to the upstream."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            assert [await client.ask(f"/{n}") for n in range(5)] == [200] * 5
            assert origin.connections == 1
            assert {entry["connection"] for entry in await stand.exchanges(5)} == {stand.entries()[0]["connection"]}

    run(scene)


def test_pipelined_requests_are_answered_in_order():
    """What a client sends ahead of its turn waits until the exchange before is over."""

    async def numbered(reader, writer, _):
        while True:
            head, _ = await read_request(reader)
            path = head.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))

    async def scene():
        async with Origin(numbered) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % n for n in range(20)))
            assert [(await client.answer())[1] for _ in range(20)] == [b"/%d" % n for n in range(20)]
            assert [entry["path"] for entry in await stand.exchanges(20)] == [f"/{n}" for n in range(20)]

    run(scene)


def test_a_body_that_waits_for_100_continue_is_asked_for_by_the_upstream():
    """The interim answer passes, then the body, then the answer."""

    async def scene():
        async with Origin(ask_for_body) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.writer.write(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            assert await client.answer() == (100, b"")
            client.writer.write(b"body")
            assert await client.answer() == (200, b"ok")
            assert (await stand.exchanges(1))[0]["status"] == 200

    run(scene)


def test_an_http_10_answer_ends_with_its_connection():
    """The client sees the same end, and the exchange is complete."""

    async def old(reader, writer, _):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    async def scene():
        async with Origin(old) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert await client.end() == "closed"
            assert client.rest == b"HTTP/1.0 200 OK\r\n\r\nall of it"
            (entry,) = await stand.exchanges(1)
            assert (entry["end"], entry["response_bytes"]) == ("complete", 9)

    run(scene)


def test_a_server_that_says_close_closes_the_client():
    """`Connection: close` ends the client's connection after the answer."""

    async def closing(reader, writer, _):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await reader.read(1)

    async def scene():
        async with Origin(closing) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.post("/")
            assert await client.end() == "closed"
            assert (await stand.exchanges(1))[0]["end"] == "complete"

    run(scene)


@pytest.mark.parametrize(
    ("ask", "accept"),
    [
        (b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 Connected\r\n\r\n"),
    ],
)
def test_a_changed_protocol_is_relayed_opaque(ask, accept):
    """After an upgrade or CONNECT any bytes pass, and the connection leaves its own entry."""

    async def switching(reader, writer, n):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(accept + b"\x00early")
        await mirror(reader, writer, n)

    async def scene():
        async with Origin(switching) as origin, open_tap(origin.address) as stand:
            async with stand.client() as client:
                client.writer.write(ask)
                assert await client.reader.readexactly(len(accept) + 6) == accept + b"\x00early"
                client.writer.write(b"\x01\x02\r\n\r\n")
                assert await client.reader.readexactly(6) == b"\x01\x02\r\n\r\n"
            (connection,) = await stand.written("connection", 1)
            assert (connection["bytes_up"], connection["bytes_down"]) == (6, 12)
            assert len(stand.entries()) == 1

    run(scene)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\x05hello", b"SSH-2.0-probe\r\n", b"GET nothing\r\n", b"{}"])
def test_what_is_not_http_is_relayed_opaque(data):
    """Any protocol passes, each side may end first, and the connection is recorded with its size."""

    async def scene():
        async with Origin(mirror) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.writer.write(data)
            client.writer.write_eof()
            assert await client.end() == "closed"
            assert client.rest == data
            (entry,) = await stand.written("connection", 1)
            assert (entry["bytes_up"], entry["bytes_down"], entry["end"]) == (len(data), len(data), "complete")
            assert stand.entries() == []

    run(scene)


def test_an_opaque_listener_lets_the_upstream_speak_first():
    """Where a listener says so, connections are relayed from the first moment."""

    async def greeting(reader, writer, n):
        writer.write(b"220 hello\r\n")
        await mirror(reader, writer, n)

    async def scene():
        async with (
            Origin(greeting) as origin,
            open_tap(origin.address, relay="opaque") as stand,
            stand.client() as client,
        ):
            assert await client.reader.readexactly(11) == b"220 hello\r\n"

    run(scene)


def test_two_hundred_keep_alive_clients_are_not_mixed_up():
    """Each of 200 clients gets the answers to its own requests, and the journal has every exchange once."""

    async def echo_path(reader, writer, _):
        while True:
            head, body = await read_request(reader)
            answer = head.split()[1] + body
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    async def one(address, n):
        client = await Client.connect(address)
        try:
            for turn in range(5):
                client.post(f"/{n}/{turn}", b"%d-%d" % (n, turn))
                assert (await client.answer())[1] == b"/%d/%d%d-%d" % (n, turn, n, turn)
        finally:
            await client.close()

    async def scene():
        async with Origin(echo_path) as origin, open_tap(origin.address) as stand:
            await asyncio.gather(*(one(stand.listener.address, n) for n in range(200)))
            entries = await stand.exchanges(1000)
            assert len({entry["path"] for entry in entries}) == 1000
            assert len({entry["id"] for entry in entries}) == 1000
            assert {entry["end"] for entry in entries} == {"complete"}

    run(scene)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    b"GET / HTTP/1.1\r\n",
                    b"\r\n",
                    b"\n",
                    b"Content-Length: 3\r\n",
                    b"abc",
                    b"\x00",
                    b"0\r\n",
                    b": x\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"HTTP/1.1 200 OK\r\n",
                    b"Expect: 100-continue\r\n",
                ]
            ),
            max_size=12,
        ).map(b"".join),
    ),
    st.one_of(st.binary(max_size=60), st.just(OK)),
)
def test_garbage_never_ends_the_tap(data, answer):
    """Whatever either side says, the next client is served."""

    async def blurting(reader, writer, n):
        await reader.read(64)
        writer.write(answer)

    async def scene():
        async with Origin(blurting) as origin, open_tap(origin.address) as stand:
            async with stand.client() as client:
                client.writer.write(data)
                client.writer.write_eof()
                await client.end()
            origin.script = answer_ok
            async with stand.client() as client:
                assert await client.ask("/after") == 200

    run(scene)
