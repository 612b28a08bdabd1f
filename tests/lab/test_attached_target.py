"""Where an attached integration may be."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.loading import load_stack
from harness.core.problems import Location, StackError
from harness.core.stack import Observe, Source
from harness.engine.observer import ObserveError, Observer
from harness.lab.errors import EnvironmentNotReady
from harness.lab.integration import AttachedIntegration
from harness.lab.target import choose_target, ensure_here, is_loopback, read_target
from harness.wire.address import Address

STACK_PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", Address("127.0.0.1", 9000)),
        ("http://127.9.9.9:9000/", Address("127.9.9.9", 9000)),
        ("http://LOCALHOST", Address("localhost", 80)),
        ("http://[::1]:9000", Address("::1", 9000)),
    ],
)
def test_an_address_on_loopback_is_taken(url, expected):
    """Host and port are what the tap needs; port 80 is meant where none is named."""
    assert read_target(url) == expected


@pytest.mark.parametrize("host", ["10.1.2.3", "0.0.0.0", "[fe80::1]", "shop.example", "localhost.shop.example"])
def test_a_host_off_loopback_must_be_allowed_by_name(host):
    """Without permission the reason and the option are told; with it, that host and no other is taken."""
    url = f"http://{host}:9000"
    bare = host.strip("[]")
    with pytest.raises(StackError) as refused:
        read_target(url, allowed_hosts=["other.example"])
    (problem,) = refused.value.problems
    assert f"{bare} is not this machine" in problem.message
    assert problem.fix.startswith(f"give --allow-host {bare}")
    assert read_target(url, allowed_hosts=["other.example", bare.upper()]) == Address(bare, 9000)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:9000", "write http://127.0.0.1:9000"),
        ("localhost:9000", "write http://localhost:9000"),
        ("https://127.0.0.1:9000", "only http"),
        ("ftp://127.0.0.1", "only http"),
        ("http://", "no host"),
        ("http://127.0.0.1:0", "no host and port"),
        ("http://127.0.0.1:99999", "not an address"),
        ("http://127.0.0.1:port", "not an address"),
        ("http://[::1", "not an address"),
        ("http://127.0.0.1:9000/hooks", "more than an address"),
        ("http://127.0.0.1:9000?a=b", "more than an address"),
        ("http://me:secret@127.0.0.1:9000", "more than an address"),
        ("", "only http"),
    ],
)
def test_what_webhooks_cannot_be_led_to_is_refused(url, says):
    """Each refusal is located and says what would be right."""
    with pytest.raises(StackError) as refused:
        read_target(url)
    (problem,) = refused.value.problems
    assert problem.file == "<command line>"
    assert problem.fix
    assert says in problem.render()


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("a", False)])
def test_names_are_not_looked_up(host, expected):
    """Only what is this machine by itself counts."""
    assert is_loopback(host) is expected


def test_the_command_line_wins_over_the_stack():
    """An address in the stack is used where none is given, and refused where it stands."""
    stack = load_stack(STACK_PATH.read_text(), file="stack.yaml")
    assert choose_target(stack, None) is None
    place = Location("stack.yaml", 3, 5)
    declared = replace(stack, integration=replace(stack.integration, url="http://10.0.0.1:1", location=place))
    assert choose_target(declared, "http://127.0.0.1:2") == Address("127.0.0.1", 2)
    with pytest.raises(StackError) as refused:
        choose_target(declared, None)
    assert refused.value.problems[0].location == place


@pytest.mark.parametrize("url", ["http://203.0.113.7:8470", "http://0.0.0.0:8470", "http://169.254.169.254/lab"])
def test_a_lab_that_is_said_to_be_elsewhere_is_not_told_our_token(url):
    """Its address must be this machine's, or the lab network's, or be allowed by name."""
    with pytest.raises(EnvironmentNotReady, match="--allow-host"):
        ensure_here(url, "the lab")
    assert ensure_here("http://127.0.0.1:8470", "the lab") == "http://127.0.0.1:8470"
    with pytest.raises(EnvironmentNotReady, match="no address"):
        ensure_here("http://nobody.invalid:1", "the lab")


@pytest.mark.anyio
async def test_a_redirect_leads_nobody_elsewhere(anyio_backend):
    """A health endpoint or an observed list that answers by sending us on is not followed."""
    asked = []

    async def send_on(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://203.0.113.7/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(send_on, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(EnvironmentNotReady, match="no 200 from"):
            await AttachedIntegration(url, "/healthz").wait_healthy(within_s=0.3)
        observer = Observer(Observe(jobs=Source(path="//203.0.113.7/jobs")), url)
        with pytest.raises(ObserveError, match="302"):
            await observer.read("jobs")
        await observer.aclose()
    assert set(asked[:-1]) == {b"/healthz"}
    assert asked[-1].endswith(b"/jobs")
