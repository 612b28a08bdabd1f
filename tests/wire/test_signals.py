"""Signals reach a process at the response's head, before a byte of it is passed on."""

import asyncio
import subprocess
import sys

import psutil
import pytest

from fakes.kit.problems import ProblemError
from harness.wire.signals import Signal
from wire.stands import OK, Origin, answer_ok, open_tap, read_request, run


@pytest.fixture
def victim():
    """Run a process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


def signal(pid, **fields):
    """Build a signal on the listener of the tests."""
    return Signal(**{"id": "s1", "listener": "erp", "pid": pid, "signal": "KILL", **fields})


def test_the_process_is_dead_before_the_client_reads_a_byte(victim):
    """Only the second call about that order kills, and the entry names the exchange."""
    alive = []

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid, entities={"#1": ("7001",)}, nth=2))
            for body in (b"7001", b"7002", b"7001"):
                alive.append(victim.poll() is None)
                assert await client.ask("/", body) == 200
            assert await asyncio.to_thread(victim.wait, 10) == -9
            (entry,) = stand.entries("signal")
            assert (entry["id"], entry["pid"], entry["signal"], entry["entity"]) == ("s1", victim.pid, "KILL", "#1")
            assert (entry["exchange"], entry["error"]) == (stand.entries()[2]["id"], None)
            assert stand.tap.signals() == []

    run(scene)
    assert alive == [True, True, True]


def test_half_a_head_is_kept_back_until_the_signal_is_sent(victim):
    """With a signal armed no part of the head is passed on before it is whole."""
    go_on = asyncio.Event()

    async def halting(reader, writer, _):
        await read_request(reader)
        writer.write(OK[:20])
        await writer.drain()
        await go_on.wait()
        writer.write(OK[20:])
        await reader.read(1)

    async def scene():
        async with Origin(halting) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid))
            client.post("/")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.read(1), 0.1)
            assert victim.poll() is None
            go_on.set()
            assert await client.answer() == (200, b"ok")
            assert await asyncio.to_thread(victim.wait, 10) == -9

    run(scene)


def test_half_a_head_kept_back_is_passed_on_when_the_upstream_ends(victim):
    """The client sees what came, as it would without the signal."""

    async def cut(reader, writer, _):
        await read_request(reader)
        writer.write(OK[:20])

    async def scene():
        async with Origin(cut) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid))
            client.post("/")
            assert await client.end() == "closed"
            assert client.rest == OK[:20]
            assert victim.poll() is None

    run(scene)


def test_a_process_that_is_gone_is_told_in_the_entry(victim):
    """The exchange goes on, the entry says what went wrong."""
    victim.kill()
    victim.wait()

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid))
            assert await client.ask("/") == 200
            assert stand.entries("signal")[0]["error"] == "no such process"

    run(scene)


def test_a_signal_can_be_disarmed_and_expires(victim):
    """A signal that was lifted or is too old is not sent."""

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid))
            stand.tap.lift_signal("s1")
            stand.tap.arm_signal(signal(victim.pid, id="s2", ttl_s=0.02))
            with pytest.raises(ProblemError, match="s1"):
                stand.tap.lift_signal("s1")
            while stand.tap.signals():  # noqa: ASYNC110 - an expiry leaves no entry to wait for
                await asyncio.sleep(0.005)
            assert await client.ask("/") == 200
            assert victim.poll() is None

    run(scene)


def test_a_process_that_was_stopped_goes_on_when_the_signal_has_had_its_time(victim):
    """Whoever stopped it may be dead: the tap wakes it."""

    def state():
        return psutil.Process(victim.pid).status()

    async def reach(wanted):
        while (state() == psutil.STATUS_STOPPED) != wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    async def scene():
        async with Origin(answer_ok) as origin, open_tap(origin.address) as stand, stand.client() as client:
            stand.tap.arm_signal(signal(victim.pid, signal="STOP", ttl_s=0.5))
            assert await client.ask("/", b"x") == 200
            async with asyncio.timeout(10):
                await reach(wanted=True)
                await reach(wanted=False)

    run(scene)
    assert victim.poll() is None
