"""The calls of the benchmark: what a client of an ERP sends, every one about another order, and what it is answered."""

from __future__ import annotations

import json

# As many different calls as no cache of the last few would hold.
DIFFERENT = 10_000

_HEAD = """\
PUT /services/rest/record/v1/salesOrder/eid:SHP-{number:08d} HTTP/1.1\r
Host: 1234567.suitetalk.api.netsuite.com\r
User-Agent: python-requests/2.32.5\r
Accept-Encoding: gzip, deflate\r
Accept: application/json\r
Connection: keep-alive\r
Authorization: Bearer {token}\r
X-Idempotency-Key: {number:08d}-6f1c-4f0e-9a52-1f7f0c1d2e3b\r
Content-Type: application/json\r
Content-Length: {length}\r
\r
"""
_ANSWER = """\
HTTP/1.1 200 OK\r
Date: Tue, 03 Mar 2026 09:00:00 GMT\r
Content-Type: application/json; charset=utf-8\r
X-Request-Id: {number:08d}-0b7e-4d55-8f43-5e1c9a6b7d80\r
Connection: keep-alive\r
Content-Length: {length}\r
\r
"""


def build_request(number: int) -> bytes:
    """Build a request of a few hundred bytes; all have the same length."""
    lines = [{"item": {"id": f"SKU-{line}"}, "quantity": 1, "rate": "12.50"} for line in range(3)]
    body = json.dumps({"externalId": f"SHP-{number:08d}", "entity": {"id": "42"}, "item": {"items": lines}})
    return (_HEAD.format(number=number, token="t" * 300, length=len(body)) + body).encode()


def build_answer(number: int) -> bytes:
    """Build an answer; all have the same length."""
    body = json.dumps({"id": f"{number:08d}", "status": "Pending Fulfillment"})
    return (_ANSWER.format(number=number, length=len(body)) + body).encode()


REQUESTS = [build_request(number) for number in range(DIFFERENT)]
ANSWERS = [build_answer(number) for number in range(DIFFERENT)]
REQUEST_BYTES = len(REQUESTS[0])
ANSWER_BYTES = len(ANSWERS[0])
