"""The calls of the benchmark: what a client of an ERP sends, every one about another order, and what it is answered."""

from __future__ import annotations

import json
import os
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
PUT /services/rest/record/v1/salesOrder/eid:SHP-%s HTTP/1.1\r
Host: 1234567.suitetalk.api.netsuite.com\r
User-Agent: python-requests/2.32.5\r
Accept-Encoding: gzip, deflate\r
Accept: application/json\r
Connection: keep-alive\r
Authorization: Bearer {token}\r
X-Idempotency-Key: %s-6f1c-4f0e-9a52-1f7f0c1d2e3b\r
Content-Type: application/json\r
Content-Length: {length}\r
\r
"""
_ANSWER = """\
HTTP/1.1 200 OK\r
Date: Tue, 03 Mar 2026 09:00:00 GMT\r
Content-Type: application/json; charset=utf-8\r
X-Request-Id: %s-0b7e-4d55-8f43-5e1c9a6b7d80\r
Connection: keep-alive\r
Content-Length: {length}\r
\r
"""
_LINES = [{"item": {"id": f"SKU-{line}"}, "quantity": 1, "rate": "12.50"} for line in range(3)]
_ORDER = json.dumps({"externalId": "SHP-%s", "entity": {"id": "42"}, "item": {"items": _LINES}})
_RESULT = json.dumps({"id": "%s", "status": "Pending Fulfillment"})
_RECORDS = ("salesOrder", "itemFulfillment", "creditMemo", "customer")
# What the tap looks an operation up in: as many routes as an ERP has.
ROUTES = [
    {"operation": f"{record}.{method}", "method": method, "path": rf"/services/rest/record/v1/{record}/[^/]+"}
    for method in ("GET", "PUT", "PATCH", "DELETE")
    for record in reversed(_RECORDS)
]
# What a number looks like: as many digits for all of them.
_NUMBER = b"%05d%08d"


def make_requests() -> Iterator[bytes]:
    """Make requests of a few hundred bytes, all of one length, none like another of any process."""
    return _make(_HEAD, _ORDER)


def make_answers() -> Iterator[bytes]:
    """Make answers, all of one length, none like another."""
    return _make(_ANSWER, _RESULT)


def _make(head: str, body: str) -> Iterator[bytes]:
    size = len((body % "").encode()) + len(_NUMBER % (0, 0))
    form = (head.format(token="t" * 300, length=size) + body).encode()
    places = form.count(b"%s")
    process = os.getpid() % 100_000
    for number in _NUMBERS:
        yield form % ((_NUMBER % (process, number),) * places)


_NUMBERS = count()
REQUEST_BYTES = len(next(make_requests()))
ANSWER_BYTES = len(next(make_answers()))
