"""Follow HTTP/1 messages through a stream of bytes, without I/O and without changing them.

    HEAD ──head complete──► BODY ──────────────► DONE
     │  ▲                    ├─ by length          ▲
     │  └─ 1xx (response)    ├─ chunked            │ end of the stream
     │                       └─ until the end ─────┘
     └─ not HTTP ─► OPAQUE (from here on the bytes mean nothing to us)

Each `feed` says how far the bytes given belong to this message; the caller passes exactly those on. Most messages come whole, in one
piece: what is kept for the others is made when it is needed.
"""

from __future__ import annotations

import enum
import hashlib
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from harness.wire.chunked import ChunkedBody, Phase
from harness.wire.heads import (
    CHUNKED,
    REQUEST_LINE,
    STATUS_LINE,
    BadHeadError,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
)

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

HEAD_LIMIT = 64 * 1024
PREFIX_LIMIT = 64 * 1024
UNHASHED_LIMIT = 4 * 1024
FIRST_WORD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?:\Z|[ /])")

Head = TypeVar("Head", RequestHead, ResponseHead)


class State(enum.Enum):
    """How far a message has come."""

    HEAD = enum.auto()
    BODY = enum.auto()
    UNTIL_END = enum.auto()
    DONE = enum.auto()
    OPAQUE = enum.auto()


# Looking a member up in its class takes longer than all else that is done with it here.
HEAD, BODY, UNTIL_END, DONE, OPAQUE = State


class Message(ABC, Generic[Head]):
    """The part of a message that both directions share: its head's bytes, its body's size, hash and, where asked for, beginning."""

    state: State = HEAD
    head: Head | None = None
    body_bytes = 0
    prefix = b""
    keeps_prefix = False
    _first_line: ClassVar[re.Pattern[bytes]]
    _digest: Hash | None = None
    _unhashed = b""
    _pending = b""
    _left = 0
    _chunks: ChunkedBody | None = None

    @property
    def done(self) -> bool:
        """Say whether the message is whole."""
        return self.state is DONE

    @property
    def is_opaque(self) -> bool:
        """Say whether its bytes stopped meaning anything."""
        return self.state is OPAQUE

    @property
    def begun(self) -> bool:
        """Say whether any byte but empty lines has come."""
        return self.head is not None or self.state is not HEAD or bool(self._pending.strip(b"\r\n"))

    @property
    def sha256(self) -> str:
        """Return the hash of the body as carried, after de-chunking, in hexadecimal."""
        return self._hash().hexdigest()

    def feed(self, data: bytes, at: int = 0) -> int:
        """Take bytes of the stream from position `at`; return the position up to which they belong to this message."""
        if self.state is HEAD:
            at = self._feed_head(data, at)
        state = self.state
        if state is BODY:
            return self._feed_body(data, at)
        if state is UNTIL_END or state is OPAQUE:
            self._content(data[at:])
            return len(data)
        return at

    def take_whole(self, head: Head, body: bytes) -> None:
        """Take a message whose head and body are known already."""
        self.head = head
        self.state = DONE
        self._content(body)

    @abstractmethod
    def _parse(self, head: bytes) -> None:
        """Read the head and set the state and length of what follows; raise `BadHeadError`."""

    def _feed_head(self, data: bytes, at: int) -> int:
        before = len(self._pending)
        whole, start = (self._pending + data[at:], 0) if before else (data, at)
        lead = start
        while whole.startswith(b"\r\n", lead):
            lead += 2
        end = whole.find(b"\r\n\r\n", lead) + 4
        if end < 4:
            self._pending = whole[start:]
            if len(self._pending) > HEAD_LIMIT or not self._may_become_head(lead - start):
                self._go_opaque()
            return len(data)
        try:
            self._parse(whole[lead:end])
        except BadHeadError:
            self._pending = whole[start:]
            self._go_opaque()
            return len(data)
        self._pending = b""
        return at + end - start - before

    def _may_become_head(self, lead: int) -> bool:
        end = self._pending.find(b"\n", lead)
        if end < 0:
            return self._pending[lead:] in (b"", b"\r") or FIRST_WORD.match(self._pending, lead) is not None
        if self._pending.count(b"\n") != self._pending.count(b"\r\n"):
            return False
        return self._first_line.fullmatch(self._pending, lead, end - 1) is not None

    def _go_opaque(self) -> None:
        self.state = OPAQUE
        self._content(self._pending)
        self._pending = b""

    def _begin_body(self, length: int) -> None:
        self.state = BODY if length else DONE
        if length == CHUNKED:
            self._chunks = ChunkedBody(self._content)
        else:
            self._left = length

    def _feed_body(self, data: bytes, at: int) -> int:
        if self._chunks is None:
            part = data[at : at + self._left]
            self._content(part)
            self._left -= len(part)
            if not self._left:
                self.state = DONE
            return at + len(part)
        used = self._chunks.feed(memoryview(data)[at:])
        if self._chunks.phase is Phase.DONE:
            self.state = DONE
        elif self._chunks.phase is Phase.BROKEN:
            self.state = OPAQUE
            self._content(data[at + used :])
            return len(data)
        return at + used

    def _content(self, part: bytes | memoryview) -> None:
        self.body_bytes += len(part)
        self._unhashed += part
        if len(self._unhashed) > UNHASHED_LIMIT:
            self._hash()
        if self.keeps_prefix and len(self.prefix) < PREFIX_LIMIT:
            self.prefix += part[: PREFIX_LIMIT - len(self.prefix)]

    def _hash(self) -> Hash:
        unhashed, self._unhashed = self._unhashed, b""
        if self._digest is None:
            self._digest = hashlib.sha256(unhashed)
        else:
            self._digest.update(unhashed)
        return self._digest


class Request(Message[RequestHead]):
    """A request on its way."""

    _first_line = REQUEST_LINE

    def _parse(self, head: bytes) -> None:
        self.head = parsed = parse_request_head(head)
        self._begin_body(parsed.framing.length or 0)


class Response(Message[ResponseHead]):
    """A response on its way; interim answers (1xx) pass before it and are shown in `interim` as each one ends."""

    interim: int | None = None
    switched = False
    ended_by_close = False
    _first_line = STATUS_LINE

    def __init__(self, method: str) -> None:
        self._method = method

    def end(self) -> bool:
        """Take note that the stream has ended; return whether the message is whole."""
        if self.state is UNTIL_END:
            self.state = DONE
            self.ended_by_close = True
        return self.done

    def feed(self, data: bytes, at: int = 0) -> int:
        """Take bytes as every message does, but stop after an interim head."""
        self.interim = None
        return super().feed(data, at)

    def _parse(self, head: bytes) -> None:
        parsed = parse_response_head(head)
        status = parsed.status
        if status // 100 == 1 and status != 101:
            self.interim = status
            return
        self.head = parsed
        if status == 101 or (self._method == "CONNECT" and status // 100 == 2):
            self.switched = True
            self.state = DONE
        elif self._method == "HEAD" or status in (204, 304):
            self.state = DONE
        elif parsed.framing.length is None:
            self.state = UNTIL_END
        else:
            self._begin_body(parsed.framing.length)
