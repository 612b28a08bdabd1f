"""Asking the integration what it shows: the same answer is understood once, and a refusal says what it is."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from harness.core.stack import Observe, Source
from harness.engine.observer import ObserveError, Observer
from harness.wire.privacy import Redactor

pytestmark = pytest.mark.anyio
LETTER = {"id": "dl-1", "handoff": "order-to-erp", "text": "no Ada Lovelace here"}


@asynccontextmanager
async def shown(*answers, redactor=None):
    """Observe an integration that gives these answers (status and body), the last one again and again; yield its calls too."""
    left, calls = list(answers), []

    async def reply(reader, writer):
        while head := await reader.read(65536):
            calls.append(head.split(b" HTTP")[0].decode())
            status, body = left.pop(0) if len(left) > 1 else left[0]
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        observer = Observer(Observe(dead_letters=Source(path="/dead letters?all=1")), url, redactor)
        yield observer, calls
        await observer.aclose()


async def test_an_answer_that_is_the_same_is_understood_once():
    """Equal bytes are the very same list, others another one; what is asked is a proper path."""
    first, second = json.dumps([LETTER]).encode(), json.dumps([LETTER, LETTER]).encode()
    async with shown((200, first), (200, first), (200, second)) as (observer, calls):
        before, again, after = [await observer.read("dead_letters") for _ in range(3)]
    assert before is again
    assert (len(before), len(after)) == (1, 2)
    assert calls == ["GET /dead%20letters?all=1"] * 3


async def test_what_has_been_learnt_since_is_kept_out_of_the_same_answer():
    """A name that nobody knew when an answer was read first does not stand in it when it is read again."""
    redactor = Redactor()
    async with shown((200, json.dumps([LETTER]).encode()), redactor=redactor) as (observer, _):
        (before,) = await observer.read("dead_letters")
        redactor.tell(["Ada Lovelace"])
        (after,) = await observer.read("dead_letters")
    assert before["text"] == LETTER["text"]
    assert "Ada" not in after["text"]


@pytest.mark.parametrize(("status", "no_way"), [(404, True), (405, True), (501, True), (409, False), (500, False)])
async def test_a_refusal_says_what_it_is(status, no_way):
    """Whoever does not serve a call offers no way; whoever answers otherwise had a chance."""
    async with shown((status, b"{}")) as (observer, calls):
        with pytest.raises(ObserveError, match=str(status)) as refused:
            await observer.replay("dl 1")
    assert (refused.value.status, refused.value.no_way) == (status, no_way)
    assert calls == ["POST /dead%20letters?all=1/dl%201/replay"]
