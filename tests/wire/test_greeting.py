"""Whom a connection asks for, read from its first bytes as a real client sends them."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.greeting import BadGreetingError, fold_host, read_host, read_server_name


def hello(name: str | None, **settings: object) -> bytes:
    """Return the ClientHello that OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for setting, value in settings.items():
        setattr(context, setting, value)
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name).do_handshake()
    return sent.read()


def fragment(record: bytes, size: int) -> bytes:
    """Split the handshake of one record over records of this size."""
    body = record[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(record[:3] + len(part).to_bytes(2, "big") + part for part in parts)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_name_a_client_asks_for_is_read(version):
    """With TLS 1.2 and 1.3, in lower case."""
    assert read_server_name(hello("API.Stripe.com", maximum_version=version)) == "api.stripe.com"


def test_a_client_that_names_nobody_has_an_empty_name():
    """A client that connects to an address sends no name."""
    assert read_server_name(hello(None)) == ""


def test_every_beginning_of_a_hello_asks_for_more():
    """No cut, however odd, is taken for a whole hello or for something else."""
    whole = hello("acme.myshopify.com")
    assert [read_server_name(whole[:size]) for size in range(1, len(whole))] == [None] * (len(whole) - 1)
    assert read_server_name(whole + b"more") == "acme.myshopify.com"


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_hello_may_come_in_several_records(size):
    """RFC 8446 5.1: a handshake message may be split over records."""
    assert read_server_name(fragment(hello("acme.myshopify.com"), size)) == "acme.myshopify.com"


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x02", b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\x15\x03\x03\x00\x02\x02\x28"],
)
def test_what_is_no_hello_is_known_at_once(data):
    """Plain text, another version's bytes, a ServerHello and an alert are not waited for."""
    with pytest.raises(BadGreetingError):
        read_server_name(data)


@given(st.binary(max_size=600))
def test_arbitrary_bytes_never_crash_the_reader(data):
    """Whatever follows a hello's first bytes is read, waited for or refused."""
    for read in (read_server_name, read_host):
        for prefix in (b"", b"\x16\x03\x01\x00\xff\x01\x00\x00\xfb"):
            try:
                assert isinstance(read(prefix + data), str | None)
            except BadGreetingError:
                continue


@pytest.mark.parametrize(
    ("data", "host"),
    [
        (b"GET / HTTP/1.1\r\nAccept: */*\r\nhost:  Acme.myshopify.com:8080 \r\n", "acme.myshopify.com"),
        (b"GET http://api.stripe.com/v1 HTTP/1.1\r\nHost: proxy\r\n", "api.stripe.com"),
        (b"GET / HTTP/1.0\r\n\r\n", ""),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\nHost: b\r\n", "a"),
        (b"GE", None),
        (b"GET / HTTP/1.1\r\nHost: acme", None),
    ],
)
def test_the_host_of_a_plain_request_is_read(data, host):
    """From its header, or from its target where that is absolute; None asks for more."""
    assert read_host(data) == host


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01", b"SSH-2.0\r\n", b"GET /\r\n", b"GET / HTTP/1.1\r\nA: " + b"x" * 65536]
)
def test_what_is_no_request_is_refused(data):
    """TLS on a plain port, other protocols, and a head without end."""
    with pytest.raises(BadGreetingError):
        read_host(data)


def test_hosts_are_compared_without_port_case_and_final_dot():
    """So `Api.Stripe.com.:443` is api.stripe.com."""
    assert fold_host("Api.Stripe.com.:443") == "api.stripe.com"
