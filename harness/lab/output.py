"""Keep what a child prints: redacted, bounded on disk, its last lines at hand, its first JSON line as an event."""

import asyncio
import json
import os
import re
from collections import deque
from pathlib import Path
from typing import Any

from harness.wire.privacy import OURS

FILE_LIMIT = 4 * 1024 * 1024
LINE_LIMIT = 64 * 1024
KEPT_LINES = 200
KEY_BEGINS = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
KEY_ENDS = "-----END "
HIDDEN = "(a line of a private key)"
_CHUNK = 64 * 1024


class Output:
    """
    One stream of a child, read on the event loop as it comes, so that a full pipe never blocks the child.

    Lines go, without secrets, cards and people, to `lines` (shared by both streams of a child, in the order of arrival) and
    to `path`, which is turned over to `<path>.1` at `limit` bytes. `first_json` resolves with the first line that is a JSON
    object, as it was printed.
    """

    def __init__(self, path: Path, lines: deque[str], *, limit: int = FILE_LIMIT) -> None:
        self.path = path
        self._lines = lines
        self._limit = limit
        self._file = path.open("ab")
        self._partial = b""
        self._in_key = False
        self._loop = asyncio.get_running_loop()
        self.first_json: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._source: int | None = None

    def attach(self, source: int) -> None:
        """Read from this end of a pipe from now on; it is closed when the stream ends."""
        os.set_blocking(source, False)
        self._source = source
        self._loop.add_reader(source, self._read)

    def drain(self) -> None:
        """Read all that is there now."""
        while self._source is not None and self._read():
            pass

    def close(self) -> None:
        """Read what is left and let go of pipe and file; somebody else may still hold the pipe's other end."""
        self.drain()
        self._detach()
        if self._partial:
            self._take_line(self._partial)
            self._partial = b""
        self._file.close()

    def _read(self) -> bool:
        assert self._source is not None  # noqa: S101 (the reader is removed before the source is)
        try:
            chunk = os.read(self._source, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self._detach()
            return False
        *whole, self._partial = (self._partial + chunk).split(b"\n")
        for line in whole:
            self._take_line(line)
        self._file.flush()
        if len(self._partial) > LINE_LIMIT:
            self._take_line(self._partial)
            self._partial = b""
        return True

    def _detach(self) -> None:
        if self._source is not None:
            self._loop.remove_reader(self._source)
            os.close(self._source)
            self._source = None

    def _write(self, chunk: bytes) -> None:
        if self._file.tell() + len(chunk) > self._limit:
            self._file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._file = self.path.open("ab")
        self._file.write(chunk)

    def _take_line(self, line: bytes) -> None:
        text = line[-LINE_LIMIT:].decode(errors="replace").rstrip("\r")
        if not self.first_json.done() and text.startswith("{"):
            self._offer(text)
        shown = self._redact(text)
        self._lines.append(shown)
        self._write(f"{shown}\n".encode())

    def _redact(self, text: str) -> str:
        """Redact a line; the lines of a private key say nothing by themselves, and go with its first."""
        within = self._in_key
        self._in_key = KEY_ENDS not in text and (within or KEY_BEGINS.search(text) is not None)
        return HIDDEN if within else OURS.redact_line(text)

    def _offer(self, text: str) -> None:
        try:
            value = json.loads(text)
        except ValueError:
            return
        if isinstance(value, dict):
            self.first_json.set_result(value)
