"""The short way of most exchanges: a request in one piece, its answer in one piece, nothing unusual in either head.

Where nothing is armed such pieces can be passed on after a glance. A glance never errs: what it takes for a whole message is one to
every reader, and the answer to whatever it does not know is None. Those exchanges, and this one as soon as anything else happens,
go the long way (`Conversation`); the record is the same.
"""

from __future__ import annotations

import re
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from harness.wire.exchange import Exchange, build_entry
from harness.wire.heads import Framing, RequestHead
from harness.wire.messages import Response

if TYPE_CHECKING:
    from harness.wire.exchange import Site

_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
# Any header that says nothing of framing; the first letters are looked at apart, as that is quicker.
_OTHERS = rb"(?:(?![CcTtEe][OoRrXx](?i:nnection|ntent-length|ansfer-encoding|pect):)" + _NAME + rb"++:[^\r\n]*+\r\n)*+"
_LENGTH = rb"(?:[Cc]ontent-[Ll]ength: ?([0-9]{1,18}+)\r\n" + _OTHERS + rb")?"
_HEADERS = _OTHERS + _LENGTH + rb"(?:[Cc]onnection: ?[Kk]eep-[Aa]live\r\n" + _OTHERS + _LENGTH + rb")?\r\n"
_REQUEST = re.compile(rb"(?!HEAD |CONNECT )([A-Z]{1,20}) ([\x21-\x7e\x80-\xff]++) HTTP/1\.1\r\n" + _HEADERS)
_RESPONSE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [^\r\n]*+)?\r\n" + _HEADERS)
# Entity, rule and ordinal.
NOT_CHOSEN = (None, None, None)
_BODYLESS = (b"204", b"304")


def see_request(data: bytes) -> re.Match[bytes] | None:
    """Return the head of a request if the bytes are that request, whole, and nothing more."""
    head = _REQUEST.match(data)
    if head is None:
        return None
    length = head[3] or head[4]
    return head if head.end() + (int(length) if length else 0) == len(data) else None


def see_response(data: bytes) -> re.Match[bytes] | None:
    """Return the head of an answer, to a request that was seen, if the bytes are that answer, whole, and nothing more."""
    head = _RESPONSE.match(data)
    if head is None:
        return None
    length = head[2] or head[3]
    if head[1] in _BODYLESS:
        length = b"0"
    return head if length and head.end() + int(length) == len(data) else None


class Crossing:
    """An exchange on its short way: the request seen and passed on, and later its answer; times as in `Exchange`."""

    __slots__ = ("_connection", "_ended_mono", "_request", "_response", "_response_mono", "_sent_mono", "_site")

    def __init__(self, site: Site, connection: str, request: re.Match[bytes], sent_mono: float) -> None:
        self._site = site
        self._connection = connection
        self._request = request
        self._sent_mono = sent_mono

    def end(self, response: re.Match[bytes], response_mono: float) -> None:
        """Take the answer, which has been passed on."""
        self._response = response
        self._response_mono = response_mono
        self._ended_mono = time.monotonic()

    def exchange(self) -> Exchange:
        """Return the exchange as it stands on the long way while the answer is still to come."""
        seen = self._request
        exchange = Exchange(self._site, self._connection, self._sent_mono)
        body = seen.string[seen.end() :]
        framing = Framing(length=len(body), closes=False, expects_continue=False)
        method = seen[1].decode("ascii")
        exchange.request.take_whole(RequestHead(method, seen[2].decode("latin-1"), framing), body)
        exchange.request_mono = self._sent_mono
        exchange.response = Response(method)
        return exchange

    def ended_entry(self) -> dict[str, Any]:
        """Return the fields of the `exchange` entry once it has ended, as `Exchange` does."""
        site, request, response = self._site, self._request, self._response
        method, target = request[1].decode("ascii"), request[2].decode("latin-1")
        sent, answered = request.string[request.end() :], response.string[response.end() :]
        values = (
            site.names.next("x"),
            site.listener.name,
            site.routes.find(method, target),
            *NOT_CHOSEN,
            self._sent_mono,
            site.listener.system,
            site.listener.direction,
            self._connection,
            method,
            site.redactor.redact_target(target),
            sha256(sent).hexdigest(),
            len(sent),
            int(response[1]),
            sha256(answered).hexdigest(),
            len(answered),
            self._sent_mono,
            self._response_mono,
            self._ended_mono,
            "complete",
        )
        return build_entry(values)
