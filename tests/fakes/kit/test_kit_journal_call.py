"""`GET /journal` goes past the framework: what it answers is what the control plane answers everywhere."""

import asyncio
import json

import pytest

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from fakes.kit.journal_call import JournalFirst

TOKEN = "token"
ADMITTED = [(b"host", b"127.0.0.1:9"), (b"authorization", b"Bearer token")]


async def _others(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(query="", *, method="GET", path="/journal", headers=None, journal=None):
    """Make a call of a journal of three entries; return status, headers and body."""
    made = journal or Journal(SystemClock(), epoch="e1")
    for number in range(0 if journal else 3):
        made.append("act", number=number)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    scope["headers"] = ADMITTED if headers is None else headers
    asyncio.run(JournalFirst(made, TOKEN, _others)(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize("query", ["after=1&wait=0", "wait=0&after=1", "after=1", "after=%31", "after=1&wait=2.5&x="])
def test_however_it_is_asked_the_answer_is_the_same(query):
    """The harness's own way to ask is a short cut to the answer, not another answer."""
    status, headers, body = ask(query)
    assert [json.loads(line)["seq"] for line in body.splitlines()] == [2, 3]
    assert (status, headers[b"journal-last"], headers[b"journal-epoch"]) == (200, b"3", b"e1")


@pytest.mark.parametrize("query", ["after=-1&wait=0", "after=1&wait=31", "after=1&wait=99.5", "after=x", "wait=soon"])
def test_what_cannot_be_asked_is_told_where(query):
    """A query that is none is refused with its place."""
    status, _, body = ask(query)
    assert status == 422
    assert json.loads(body)["errors"][0]["at"].startswith("query.")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (ADMITTED[:1], 401),
        ([ADMITTED[0], (b"authorization", b"Bearer other")], 401),
        ([*ADMITTED, (b"origin", b"http://shop.example")], 403),
        ([(b"host", b"shop.example"), ADMITTED[1]], 421),
    ],
)
def test_whoever_may_not_ask_is_turned_away(headers, status):
    """The short cut passes the same door as every other call."""
    answered, shown, _ = ask("after=0&wait=0", headers=headers)
    assert answered == status
    assert (b"www-authenticate" in shown) == (status == 401)


def test_entries_that_are_gone_are_told():
    """A reader that was away too long is told what the oldest entry is."""
    journal = Journal(SystemClock(), keep=2)
    for number in range(4):
        journal.append("act", number=number)
    asyncio.run(journal.read(3))
    journal.append("act", number=4)
    status, _, body = ask("after=0&wait=0", journal=journal)
    assert (status, json.loads(body)["oldest"]) == (410, 4)


@pytest.mark.parametrize(("method", "path"), [("POST", "/journal"), ("HEAD", "/journal"), ("GET", "/faults")])
def test_every_other_call_goes_its_way(method, path):
    """Only the one call goes past the framework."""
    assert ask(method=method, path=path)[0] == 299
