"""How an exchange ends: the client sees what the upstream did, and the journal says so."""

import asyncio

import pytest

from harness.wire import upstream as upstream_module
from harness.wire.rules import Rule
from wire.stands import OK, Client, Origin, answer_ok, open_tap, read_request, reset, run, unused_address

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"


def ending(answer, how):
    """Build a script that reads a request, sends these bytes and ends in that way."""

    async def play(reader, writer, _):
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if how == "reset":
            await reader.read(1)
            reset(writer)
        elif how == "hang":
            await reader.read(1)

    return play


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", HALF], ids=["nothing", "half a head", "half a body"])
def test_an_upstream_that_closes_early_closes_the_client(answer):
    """What came before is passed on, then the connection closes; the exchange is `closed`."""

    async def scene():
        async with (
            Origin(ending(answer, "close")) as origin,
            open_tap(origin.address) as stand,
            stand.client() as client,
        ):
            client.post("/")
            assert await client.end() == "closed"
            assert client.rest == answer
            (entry,) = await stand.exchanges(1)
            assert entry["end"] == "closed"
            assert entry["status"] == (200 if answer == HALF else None)

    run(scene)


@pytest.mark.parametrize("answer", [b"", HALF], ids=["nothing", "half a body"])
def test_an_upstream_that_resets_resets_the_client(answer):
    """The client sees a real reset, not a polite end."""

    async def resetting(reader, writer, _):
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if answer:
            await passed.wait()
        reset(writer)

    passed = asyncio.Event()

    async def scene():
        async with Origin(resetting) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.post("/", b"x" * 10)
            assert await client.reader.readexactly(len(answer)) == answer
            passed.set()
            assert await client.end() == "reset"
            (entry,) = await stand.exchanges(1)
            assert (entry["end"], entry["request_bytes"]) == ("reset", 10)
            assert (entry["response_sha256"] is None) is (not answer)

    run(scene)


def test_an_upstream_that_refuses_resets_the_client():
    """Nobody listening behind the tap is `refused`."""

    async def scene():
        async with open_tap(unused_address()) as stand, stand.client() as client:
            client.post("/")
            assert await client.end() == "reset"
            (entry,) = await stand.exchanges(1)
            assert (entry["end"], entry["status"], entry["response_mono"]) == ("refused", None, None)

    run(scene)


def test_a_rule_can_refuse():
    """`refuse` resets the client at once and never reaches an upstream."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand:
            stand.tap.arm_rule(Rule("f1", "erp", "refuse", attempts=(1,)))
            async with stand.client() as client:
                client.post("/")
                assert await client.end() == "reset"
            async with stand.client() as client:
                assert await client.ask("/") == 200
            first, second = await stand.exchanges(2)
            assert (first["end"], first["rule"], first["ordinal"]) == ("refused", "f1", 1)
            assert (second["end"], second["rule"]) == ("complete", None)
            assert origin.connections == 1

    run(scene)


@pytest.mark.parametrize("answer", [b"", HALF], ids=["before the answer", "in its middle"])
def test_a_client_that_hangs_up_is_recorded_and_frees_the_upstream(answer):
    """The client's timeout closes the upstream connection and ends the exchange as `client_closed`."""
    gone = asyncio.Event()

    async def hanging(reader, writer, _):
        await read_request(reader)
        writer.write(answer)
        if not await reader.read(1):
            gone.set()

    async def scene():
        async with Origin(hanging) as origin, open_tap(origin.address) as stand:
            async with stand.client() as client:
                client.post("/")
                await origin.connected()
                await client.reader.readexactly(len(answer))
            (entry,) = await stand.exchanges(1)
            assert entry["end"] == "client_closed"
            await gone.wait()

    run(scene)


@pytest.mark.parametrize(("size", "hang_up"), [(3_000_000, "close"), (60_000_000, "reset")])
def test_a_client_that_hangs_up_while_nobody_reads_is_noticed(size, hang_up):
    """An upstream that takes no more bytes hides neither the end of a client that sent its request nor a reset."""

    async def deaf(reader, writer, _):
        await asyncio.Event().wait()

    async def scene():
        async with Origin(deaf) as origin, open_tap(origin.address) as stand:
            client = await Client.connect(stand.listener.address)
            client.post("/", b"x" * size)
            await origin.connected()
            if hang_up == "reset":
                reset(client.writer)
            else:
                await client.writer.drain()
            await client.close()
            (entry,) = await stand.exchanges(1)
            assert entry["end"] == "client_closed"
            assert (entry["request_mono"] is None) is (hang_up == "reset")

    run(scene)


def test_an_upstream_that_closes_an_idle_connection_is_no_fault():
    """The next exchange goes over a fresh connection; the client notices nothing."""

    async def one_each(reader, writer, _):
        await read_request(reader)
        writer.write(OK)

    async def scene():
        async with Origin(one_each) as origin, open_tap(origin.address) as stand, stand.client() as client:
            for _ in range(10):
                assert await client.ask("/") == 200
            assert origin.connections == 10
            assert {entry["end"] for entry in await stand.exchanges(10)} == {"complete"}

    run(scene)


def test_an_idle_connection_is_not_trusted_for_long(monkeypatch):
    """Past the limit a fresh connection is made, so the upstream's idle timeout cannot hit a request."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            await client.ask("/")
            await client.ask("/")
            assert origin.connections == 1
            monkeypatch.setattr(upstream_module, "IDLE_LIMIT_S", -1.0)
            await client.ask("/")
            assert origin.connections == 2

    run(scene)


def test_an_answer_before_the_request_is_whole_lets_the_client_finish():
    """The exchange is complete when both are; the connection goes on."""

    async def hasty(reader, writer, _):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readexactly(4)
        await answer_ok(reader, writer, 0)

    async def scene():
        async with Origin(hasty) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.writer.write(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
            assert (await client.answer())[0] == 200
            assert stand.entries() == []
            client.writer.write(b"body")
            assert await client.ask("/next") == 200
            first, second = await stand.exchanges(2)
            assert first["response_mono"] < first["request_mono"]
            assert (first["end"], second["end"]) == ("complete", "complete")

    run(scene)


def test_an_upstream_that_says_too_much_closes_the_client():
    """Bytes beyond the answer are passed on, and the connection is not used again."""

    async def scene():
        async with (
            Origin(ending(OK + b"more", "hang")) as origin,
            open_tap(origin.address) as stand,
            stand.client() as client,
        ):
            client.post("/")
            assert await client.end() == "closed"
            assert client.rest == OK + b"more"

    run(scene)


def test_an_answer_that_is_not_http_is_passed_on():
    """The client gets the bytes; the exchange has no status and ends with the connection."""

    async def scene():
        async with (
            Origin(ending(b"nonsense\n\n", "close")) as origin,
            open_tap(origin.address) as stand,
            stand.client() as client,
        ):
            client.post("/")
            assert await client.end() == "closed"
            assert client.rest == b"nonsense\n\n"
            (entry,) = await stand.exchanges(1)
            assert (entry["status"], entry["end"], entry["response_bytes"]) == (None, "closed", 10)

    run(scene)


def test_a_closed_listener_refuses_and_comes_back_under_its_port():
    """`accepting: false` breaks off what is open and refuses connections; `true` accepts again at the same address."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand:
            async with stand.client() as client:
                assert await client.ask("/") == 200
                for _ in range(2):
                    closed = await stand.tap.change_listener("erp", upstream=None, accepting=False)
                assert not closed.accepting
                assert await client.end() in ("closed", "reset")
                with pytest.raises(ConnectionRefusedError):
                    await Client.connect(stand.listener.address)
            opened = await stand.tap.change_listener("erp", upstream=None, accepting=True)
            assert opened.address == stand.listener.address
            async with stand.client() as client:
                assert await client.ask("/") == 200

    run(scene)


def test_a_listener_can_lead_elsewhere():
    """Another upstream takes over at the next exchange, also on an open connection."""

    async def scene():
        async with (
            Origin(answer_ok) as one,
            Origin(answer_ok) as two,
            open_tap(one.address) as stand,
            stand.client() as client,
        ):
            await client.ask("/")
            await stand.tap.change_listener("erp", upstream=two.address, accepting=None)
            await client.ask("/")
            assert (one.connections, two.connections) == (1, 1)

    run(scene)


def test_an_exchange_says_when_its_parts_came():
    """The times are in order and secrets in the query stay out of the journal."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            client.post("/a?access_token=hush&x=1", b"private", b"Authorization: Bearer hush\r\n")
            await client.answer()
            (entry,) = await stand.exchanges(1)
            order = ["started_mono", "request_mono", "response_mono", "ended_mono"]
            times = [entry[name] for name in order]
            assert times == sorted(times)
            assert entry["path"].endswith("&x=1")
            written = repr(stand.tap.journal.entries())
            assert "hush" not in written
            assert "private" not in written

    run(scene)


def test_a_closed_listener_accepts_again_by_itself():
    """Whoever closed it may be dead: after its time to live it serves as before, under its port."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand:
            closed = await stand.tap.change_listener("erp", upstream=None, accepting=False, ttl_s=0.2)
            assert not closed.accepting
            async with asyncio.timeout(10):
                while not stand.tap.listeners()[0].accepting:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
            async with stand.client() as client:
                assert await client.ask("/") == 200

    run(scene)


def test_what_a_rule_led_astray_ends_when_the_rule_has_had_its_time():
    """An upstream that never answers, and a client that never hangs up: the tap ends it, though nobody lifts the rule."""
    hold = asyncio.Event()

    async def never(reader, writer, _):
        await read_request(reader)
        await hold.wait()

    async def scene():
        async with (
            Origin(answer_ok) as origin,
            Origin(never) as astray,
            open_tap(origin.address) as stand,
            stand.client() as led,
            stand.client() as left_alone,
        ):
            stand.tap.arm_rule(Rule("r", "erp", astray.address, attempts=(1,), ttl_s=0.5))
            with pytest.raises((ConnectionError, EOFError, asyncio.IncompleteReadError)):
                async with asyncio.timeout(10):
                    await led.ask("/")
            hold.set()
            assert await left_alone.ask("/") == 200
            assert [entry["event"] for entry in stand.entries("rule")] == ["armed", "expired"]
            (entry, _) = await stand.exchanges(2)
            assert (entry["rule"], entry["end"]) == ("r", "closed")

    run(scene)
