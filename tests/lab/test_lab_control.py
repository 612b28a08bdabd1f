"""Control planes as typed calls, against a real fake and against one that answers oddly."""

import asyncio
import contextlib
import socket
import sys

import pytest

from harness.lab.control import ControlClient
from harness.lab.errors import ControlError, ControlUnreachable, JournalEvicted
from harness.lab.ports import Listener
from harness.lab.processes import Process, Program
from harness.lab.readiness import FirstLine
from harness.lab.tap import TapClient
from harness.wire.rules import Rule
from harness.wire.signals import Signal

pytestmark = pytest.mark.anyio

TOKEN = "control"


async def _serve(bench, module, **flags):
    argv = [sys.executable, "-m", module, "--token", TOKEN]
    program = Program(module, argv, bench.folder, {}, flags=flags, lifeline=True)
    process = Process(program, bench.registration, bench.logs, lifeline=bench.lifeline)
    bench.made.append(process)
    await process.start()
    await process.wait_ready(FirstLine(), within_s=30)
    return process


@pytest.fixture
async def fake(bench):
    """Give the ops desk's process and its control plane."""
    control = Listener()
    process = await _serve(bench, "fakes.opsdesk", **{"--fd": Listener(), "--control-fd": control})
    async with ControlClient(control.address.url, TOKEN, system="opsdesk") as client:
        yield process, client


@pytest.fixture
async def tap(bench):
    """Give a tap's control plane."""
    control = Listener()
    await _serve(bench, "harness.wire", **{"--control-fd": control, "--admin-fd": Listener()})
    async with TapClient(control.address.url, TOKEN) as client:
        yield client


@contextlib.asynccontextmanager
async def _odd(answer):
    """Serve one canned answer to every request."""

    async def reply(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with ControlClient(f"http://{host}:{port}", TOKEN, system="odd") as client:
            yield client


async def test_a_fake_tells_its_health_and_what_it_can_do(fake):
    """Health and catalogue come back as the contract spells them."""
    _, client = fake
    assert (await client.healthz())["system"] == "opsdesk"
    assert {"operations", "faults", "codes", "acts", "collections"} <= set(await client.catalogue())


async def test_seeds_and_state_come_back(fake):
    """Seeding answers counts; a collection answers its records."""
    _, client = fake
    roles = [{"role": "oncall", "key": "k" * 32, "channel": "pagerduty"}]
    assert isinstance(await client.seed(settings={"roles": roles}), dict)
    assert await client.state("alerts") == []


async def test_a_fault_is_armed_once_and_lifted_by_its_id(fake):
    """Arming twice is refused, naming system, call, status and why."""
    _, client = fake
    fault = {"id": "a/b 1", "kind": "status", "operation": "alert.enqueue", "params": {"status": 503}}
    assert (await client.arm(fault))["armed_seq"] > 0
    assert [armed["id"] for armed in await client.faults()] == ["a/b 1"]
    with pytest.raises(ControlError, match="POST /faults") as caught:
        await client.arm(fault)
    assert (caught.value.system, caught.value.status) == ("opsdesk", 409)
    assert "a/b 1" in caught.value.detail
    assert (await client.lift("a/b 1"))["hits"] == 0
    assert await client.lift_all() == []


async def test_a_verb_that_does_not_exist_is_refused(fake):
    """What the vendor cannot do is a refusal with a status."""
    _, client = fake
    with pytest.raises(ControlError) as caught:
        await client.act("levitate")
    assert caught.value.status == 404


async def test_a_reset_keeps_the_process(fake):
    """After a reset nothing is armed and the epoch is the same."""
    _, client = fake
    epoch = (await client.healthz())["epoch"]
    await client.arm({"id": "f", "kind": "status", "operation": "alert.enqueue", "params": {"status": 500}})
    await client.reset()
    assert await client.faults() == []
    assert (await client.healthz())["epoch"] == epoch


async def test_the_journal_is_read_on_from_where_one_was(fake):
    """Entries come in order; nothing is above the newest."""
    _, client = fake
    await client.arm({"id": "f", "kind": "status", "operation": "alert.enqueue", "params": {"status": 500}})
    page = await client.journal()
    assert [entry["seq"] for entry in page.entries] == list(range(1, page.last_seq + 1))
    assert await client.journal(after=page.last_seq) == ([], page.last_seq, page.epoch)


async def test_a_waiting_journal_delays_nothing_and_hears_the_first_entry(fake):
    """Calls are answered while a poll waits, and what they cause ends the poll."""
    _, client = fake
    last = (await client.journal()).last_seq
    poll = asyncio.create_task(client.journal(after=last, wait=30))
    await asyncio.gather(*(client.healthz() for _ in range(20)))
    assert not poll.done()
    await client.arm({"id": "f", "kind": "status", "operation": "alert.enqueue", "params": {"status": 500}})
    async with asyncio.timeout(20):
        page = await poll
    assert page.entries[0]["type"] == "fault"


async def test_a_wrong_token_is_told(fake):
    """Without its token a control plane answers 401."""
    _, client = fake
    async with ControlClient(client.base_url, "wrong") as stranger:
        with pytest.raises(ControlError) as caught:
            await stranger.catalogue()
    assert caught.value.status == 401


async def test_a_dead_fake_is_unreachable(fake):
    """Calls and polls to a process that is gone say so."""
    process, client = fake
    await process.kill()
    for call in (client.healthz, client.journal):
        with pytest.raises(ControlUnreachable, match="opsdesk"):
            await call()


async def test_a_gap_in_a_journal_is_an_error_of_its_own():
    """Evicted entries are told apart from any other refusal."""
    body = b'{"type":"about:blank","title":"Gone","status":410,"detail":"the oldest is 77"}'
    async with _odd(b"HTTP/1.1 410 Gone\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as client:
        with pytest.raises(JournalEvicted, match="the oldest is 77"):
            await client.journal(after=3)


@pytest.mark.parametrize(
    ("body", "detail"),
    [(b"<html>oops", "<html>oops"), (b'["x"]', '["x"]'), (b'{"title":"Bad"}', "Bad"), (b'{"a":1}', "{'a': 1}")],
)
async def test_refusals_without_a_problem_document_are_told_as_they_are(body, detail):
    """Whatever stands in a refusal is shown."""
    async with _odd(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as client:
        for call in (client.healthz, client.journal):
            with pytest.raises(ControlError) as caught:
                await call()
            assert (caught.value.status, caught.value.detail) == (502, detail)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.asynccontextmanager
async def _scripted(*answers):
    """Serve connections that give these answers each, one a request, and then close; yield a client and the requests seen."""
    seen = []

    async def reply(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for answer in answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0
                )
                await reader.readexactly(length)
                seen.append(head.split(b" HTTP")[0].decode())
                writer.write(answer)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with ControlClient(f"http://{host}:{port}", TOKEN, system="odd") as client:
            yield client, seen


async def test_a_connection_serves_one_call_after_another():
    """A server that answers each of its connections twice sees two calls on one, and the third on another."""
    async with _scripted(OK, OK) as (client, seen):
        for _ in range(3):
            assert await client.healthz() == {}
    assert seen == ["GET /healthz"] * 3


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux can be told so")
async def test_what_is_answered_in_two_parts_is_acknowledged_at_once(monkeypatch):
    """Whatever a server waits for an acknowledgement of, it has it: the kernel is asked for one at every call."""
    asked = []
    monkeypatch.setattr(socket.socket, "setsockopt", lambda _, *option: asked.append(option[:2]))
    async with _scripted(OK, OK) as (client, _):
        for _ in range(2):
            await client.healthz()
    assert asked.count((socket.IPPROTO_TCP, socket.TCP_QUICKACK)) == 2


async def test_what_changes_something_is_never_sent_twice():
    """A connection that ends under a call says nothing of whether it was carried out: asking is repeated, acting is not."""
    async with _scripted(OK, b"") as (client, seen):
        await client.healthz()
        with pytest.raises(ControlUnreachable):
            await client.act("place-order", count=1)
        await client.healthz()
        await client.healthz()
    assert seen.count("POST /act/place-order") == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}', {"a": 1}),
        (
            b'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=1\r\n{"a\r\n5\r\n": 1}\r\n0\r\nSum: 9\r\n\r\n',
            {"a": 1},
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, {}),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", {}),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", {}),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", {}),
    ],
)
async def test_an_answer_is_read_however_its_end_is_told(answer, said):
    """Integrations are asked the same way, and theirs end by length, in chunks, or with the connection."""
    async with _scripted(answer) as (client, seen):
        assert await client.healthz() == said
        assert await client.healthz() == said
    assert len(seen) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlong\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"",
    ],
)
async def test_an_answer_that_cannot_be_read_is_none(answer):
    """Whatever speaks there, it is no control plane of ours, and that is said."""
    async with _odd(answer) as client:
        with pytest.raises(ControlUnreachable, match="odd"):
            await client.healthz()


async def test_a_call_that_is_given_up_leaves_no_answer_for_the_next(fake):
    """Whoever is cancelled while waiting takes the connection along: the next call gets its own answer."""
    _, client = fake
    last = (await client.journal()).last_seq
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.journal(after=last, wait=30)
    assert (await client.healthz())["system"] == "opsdesk"
    assert await client.state("alerts") == []


async def test_no_proxy_of_the_environment_comes_between(fake, monkeypatch):
    """A proxy for the internet is not asked for loopback."""
    _, client = fake
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with ControlClient(client.base_url, TOKEN) as other:
        assert (await other.healthz())["status"] == "ok"


async def test_the_tap_takes_listeners_rules_and_signals(tap):
    """What is armed at the tap is shown, and lifted by its id."""
    route = {"operation": "order.create", "method": "POST", "path": "/orders"}
    made = await tap.add_listener("erp", system="erp", direction="outbound", upstream="127.0.0.1:9", routes=[route])
    assert made["address"]
    assert (await tap.change_listener("erp", accepting=False))["accepting"] is False
    assert [listener["name"] for listener in await tap.listeners()] == ["erp"]
    rule = Rule("a/b", "erp", "refuse", attempts=(1,))
    await tap.arm_rule(rule)
    assert (await tap.lift_rule("a/b"))["hits"] == 0
    await tap.arm_rule(rule)
    assert await tap.lift_rules() == ["a/b"]
    await tap.signal(Signal("s/1", "erp", 99999999, "KILL"))
    await tap.lift_signal("s/1")
    with pytest.raises(ControlError, match="tap"):
        await tap.lift_signal("s/1")
