"""Following HTTP messages: where they end, what their bodies are, and what is left alone."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.heads import BadHeadError, parse_request_head, parse_response_head
from harness.wire.messages import Request, Response

CHUNKED = (
    b"POST /a HTTP/1.1\r\nHOST:x\r\ntransfer-ENCODING:   chunked\r\n\r\n"
    b'5;ext=1\r\nhello\r\n00a ;q="s"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n'
)


def feed(message, data, cuts):
    """Feed data cut at these places; return how many bytes the message took."""
    taken = 0
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        at = 0
        while at < end - start:
            before, at = at, message.feed(data[start:end], at)
            taken += at - before
            if at == before:
                return taken
    return taken


cuts = st.lists(st.integers(0, 400), max_size=30)


@given(cuts)
def test_a_chunked_request_ends_at_its_last_byte_however_it_is_cut(cuts):
    """Size lines, extensions, trailers and data may be split anywhere; the hash is over the content alone."""
    request = Request()
    assert feed(request, CHUNKED + b"GET / HTTP/1.1\r\n", cuts) == len(CHUNKED)
    assert request.done
    assert request.body_bytes == 15
    assert request.sha256 == hashlib.sha256(b"hello0123456789").hexdigest()


@given(cuts, st.binary(max_size=300))
def test_a_body_of_known_length_ends_there_however_it_is_cut(cuts, body):
    """A content length is counted over whatever pieces come."""
    data = b"PUT /b HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    request = Request()
    assert feed(request, data + b"x", cuts) == len(data)
    assert request.done
    assert request.sha256 == hashlib.sha256(body).hexdigest()


@given(st.binary(min_size=1, max_size=500), cuts)
def test_arbitrary_bytes_are_followed_without_a_crash(data, cuts):
    """Whatever comes, every byte is either taken or left, never lost."""
    for message in (Request(), Response("GET")):
        assert 0 <= feed(message, data, cuts) <= len(data)


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"),
    ],
)
def test_answers_without_a_body_end_at_their_head(method, head):
    """HEAD, 204 and 304 have no body, whatever their headers say."""
    response = Response(method)
    assert feed(response, head + b"HTTP/1.1", []) == len(head)
    assert response.done


def test_an_answer_without_a_length_ends_with_the_connection():
    """Such a body is whole exactly when the stream ends."""
    response = Response("GET")
    feed(response, b"HTTP/1.0 200 OK\r\n\r\nabc", [])
    assert not response.done
    assert response.end()
    assert response.body_bytes == 3


def test_an_answer_cut_off_is_not_whole():
    """The end of the stream does not complete a body of known length."""
    response = Response("GET")
    feed(response, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", [])
    assert not response.end()


def test_interim_answers_come_before_the_answer():
    """Each interim head is shown as it ends, and the real one follows."""
    response = Response("POST")
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    at, seen = 0, []
    while at < len(data):
        at = response.feed(data, at)
        seen.append(response.interim)
    assert seen == [100, 103, None]
    assert response.head.status == 201


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    ],
)
def test_a_head_two_readers_could_read_differently_is_refused(head):
    """Such bytes are relayed without a claim to know them."""
    with pytest.raises(BadHeadError):
        parse_request_head(head)


@pytest.mark.parametrize("head", [b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n"])
def test_a_status_line_that_is_none_is_refused(head):
    """An answer must begin with a version and three digits."""
    with pytest.raises(BadHeadError):
        parse_response_head(head)


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n", False),
    ],
)
def test_the_end_of_the_connection_is_read_from_version_and_header(head, closes):
    """HTTP/1.1 keeps connections unless told, HTTP/1.0 closes them unless told."""
    assert parse_response_head(head).framing.closes is closes


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02", b"SSH-2.0-x\r\n", b"GET nothing\r\n", b"{", b"\n\n", b"A" * 65])
def test_what_cannot_become_a_request_is_known_at_once(data):
    """No more bytes are waited for once no continuation would be HTTP."""
    request = Request()
    assert feed(request, data, []) == len(data)
    assert request.is_opaque


def test_a_head_beyond_the_limit_is_opaque():
    """A head of more than 64 KiB is given up on."""
    request = Request()
    feed(request, b"GET / HTTP/1.1\r\nA: " + b"x" * 65536, [])
    assert request.is_opaque


@pytest.mark.parametrize("body", [b"5\r\nhelloX", b"5\nhello\r\n", b"-5\r\n", b"fffffffffffffffff\r\n", b"g\r\n"])
def test_a_broken_chunked_body_is_opaque_from_there(body):
    """The head stays known, the rest is not followed any further."""
    request = Request()
    data = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    assert feed(request, data, []) == len(data)
    assert request.is_opaque
    assert request.head.method == "POST"
