"""What children print is bounded on disk and in memory."""

import asyncio
import os

import pytest

from harness.lab.output import LINE_LIMIT, Output

pytestmark = pytest.mark.anyio


@pytest.fixture
def pipe():
    """Give both ends of a pipe; the reading end goes to the output."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)


async def _make(tmp_path, lines, pipe, **limits):
    output = Output(tmp_path / "child.out", lines, **limits)
    output.attach(pipe[0])
    return output


async def test_the_file_is_turned_over_at_its_limit(tmp_path, lines, pipe):
    """However much a child prints, two files of the limit hold it, and the newest lines are among them."""
    output = await _make(tmp_path, lines, pipe, limit=1_000)
    for number in range(200):
        os.write(pipe[1], f"line {number:03} of many\n".encode())
        output.drain()
    output.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 1_000
    assert (tmp_path / "child.out").read_text().endswith("line 199 of many\n")


async def test_the_last_lines_are_at_hand(tmp_path, lines, pipe):
    """Only so many lines are held in memory, the newest."""
    output = await _make(tmp_path, lines, pipe)
    os.write(pipe[1], b"".join(b"%d\n" % number for number in range(80)))
    output.close()
    assert list(lines) == [str(number) for number in range(30, 80)]


async def test_a_line_without_an_end_is_bounded_too(tmp_path, lines, pipe):
    """A child that never ends its line does not fill the memory; the line's end is kept."""
    output = await _make(tmp_path, lines, pipe)
    for _ in range(4):
        os.write(pipe[1], b"x" * (LINE_LIMIT // 2))
        output.drain()
    os.write(pipe[1], b"end")
    output.close()
    assert len(lines[-1]) <= LINE_LIMIT
    assert lines[-1].endswith("xend")


async def test_the_first_json_object_is_an_event(tmp_path, lines, pipe):
    """Text, lists and broken JSON are passed over; later objects change nothing."""
    output = await _make(tmp_path, lines, pipe)
    os.write(pipe[1], b'hello\n[1]\n{"broken\n{"port": 1}\n{"port": 2}\n')
    async with asyncio.timeout(20):
        assert await output.first_json == {"port": 1}
    output.close()


async def test_bytes_that_are_no_text_are_shown_somehow(tmp_path, lines, pipe):
    """Garbage is replaced, in the lines as in the file: what cannot be read cannot be redacted."""
    output = await _make(tmp_path, lines, pipe)
    os.write(pipe[1], b"\xff\xfe ok\r\n")
    output.close()
    assert list(lines) == ["\ufffd\ufffd ok"]
    assert (tmp_path / "child.out").read_text(encoding="utf-8") == "\ufffd\ufffd ok\n"


async def test_what_nobody_may_read_is_neither_in_the_file_nor_in_the_lines(tmp_path, lines, pipe):
    """Secrets, cards and people are replaced in prose and in JSON; the lines of a private key all go."""
    printed = [
        "customer ada@example.com paid with 4242 4242 4242 4242",
        '{"event": "order", "customer": {"first_name": "Ada", "city": "Turin"}, "order": "#1001"}',
        "-----BEGIN EC PRIVATE KEY-----",
        "MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5",
        "-----END EC PRIVATE KEY-----",
        "calling with Bearer 0a1b2c3d4e5f6071",
    ]
    output = await _make(tmp_path, lines, pipe)
    os.write(pipe[1], "\n".join(printed).encode())
    output.close()
    kept = (tmp_path / "child.out").read_text(encoding="utf-8")
    for secret in ("ada@", "4242", "Ada", "Turin", "MHcC", "0a1b2c3d4e5f6071"):
        assert secret not in kept
        assert not any(secret in line for line in lines)
    assert kept.count("\n") == len(printed)
    assert "#1001" in kept
    assert (await output.first_json)["customer"]["city"] == "Turin"


async def test_a_pipe_that_somebody_else_holds_does_not_keep_us(tmp_path, lines, pipe):
    """Closing does not wait for a grandchild that inherited the other end."""
    output = await _make(tmp_path, lines, pipe)
    os.write(pipe[1], b"last words")
    output.close()
    assert list(lines) == ["last words"]
