"""Follow a chunked body, without I/O: where it ends, and which bytes of it are content."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
LONGEST_LINE = 16 * 1024


class Phase(enum.Enum):
    """What the next byte of a chunked body belongs to."""

    SIZE = enum.auto()
    DATA = enum.auto()
    DATA_END = enum.auto()
    TRAILER = enum.auto()
    DONE = enum.auto()
    BROKEN = enum.auto()


# See harness.wire.messages: looking a member up in its class takes long.
SIZE, DATA, DATA_END, TRAILER, DONE, BROKEN = Phase


class ChunkedBody:
    """Walk over a chunked body as it arrives in pieces of any size.

    `feed` hands content to `content` and returns how far the body reaches in the piece; `phase` says whether it is whole.
    """

    def __init__(self, content: Callable[[memoryview], None]) -> None:
        self.phase: Phase = SIZE
        self._content = content
        self._line = bytearray()
        self._left = 0

    def feed(self, view: memoryview) -> int:
        """Take the next piece; return how many of its bytes belong to this body."""
        at = 0
        while at < len(view) and self.phase not in (DONE, BROKEN):
            at = self._take_data(view, at) if self.phase is DATA else self._take_line(view, at)
        return at

    def _take_data(self, view: memoryview, at: int) -> int:
        end = min(at + self._left, len(view))
        self._content(view[at:end])
        self._left -= end - at
        if not self._left:
            self.phase = DATA_END
        return end

    def _take_line(self, view: memoryview, at: int) -> int:
        found = bytes(view[at : at + LONGEST_LINE]).find(b"\n")
        end = min(at + LONGEST_LINE, len(view)) if found < 0 else at + found + 1
        self._line += view[at:end]
        if found >= 0:
            line, self._line = bytes(self._line), bytearray()
            self._end_line(line)
        elif len(self._line) > LONGEST_LINE or (self.phase is DATA_END and self._line != b"\r"):
            self.phase = BROKEN
        return end

    def _end_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            self.phase = BROKEN
        elif self.phase is SIZE:
            self._begin_chunk(line)
        elif self.phase is DATA_END:
            self.phase = SIZE if line == b"\r\n" else BROKEN
        elif line == b"\r\n":
            self.phase = DONE

    def _begin_chunk(self, line: bytes) -> None:
        size = SIZE_LINE.fullmatch(line)
        if size is None:
            self.phase = BROKEN
            return
        self._left = int(size[1], 16)
        self.phase = DATA if self._left else TRAILER
