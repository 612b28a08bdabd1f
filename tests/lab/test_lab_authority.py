"""The authority of a lab: what it issues is what a strict client wants to see."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from harness.lab.authority import make_authority


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Let a client meet a server in memory; raise what the client finds wrong."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)


@pytest.fixture(scope="module")
def authority():
    """Make an authority."""
    return make_authority()


@pytest.fixture
def server(authority, tmp_path):
    """Build a server's context with a certificate for a shop, its wildcard and an address."""
    certificate = authority.issue(["acme.myshopify.com", "*.suitetalk.example", "127.0.0.1"])
    pem = tmp_path / "server.pem"
    pem.write_text(certificate.key_pem + certificate.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("name", ["acme.myshopify.com", "1234567.suitetalk.example", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_accepts_every_host_named(authority, server, name):
    """Host, wildcard and address all pass verification against ca_pem, in OpenSSL's strict mode too."""
    client = ssl.create_default_context(cadata=authority.ca_pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    shake_hands(server, client, name)


def test_a_host_that_is_not_named_is_refused(authority, server):
    """The certificate is good for its hosts alone."""
    client = ssl.create_default_context(cadata=authority.ca_pem)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(server, client, "api.stripe.com")


def test_another_labs_authority_is_not_trusted(server):
    """Two labs do not trust each other."""
    client = ssl.create_default_context(cadata=make_authority().ca_pem)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client, "acme.myshopify.com")


def test_it_is_valid_now_and_for_no_more_than_clients_take(authority):
    """No longer than 398 days, and a clock that is a little behind accepts it."""
    leaf = x509.load_pem_x509_certificate(authority.issue(["a.example"]).chain_pem.encode())
    assert leaf.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=1)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=398)


def test_the_key_shows_in_no_repr(authority):
    """What is logged by accident holds no key; what the tap is sent does."""
    certificate = authority.issue(["a.example"])
    assert "PRIVATE KEY" not in repr(certificate)
    assert certificate.as_body()["key_pem"].startswith("-----BEGIN")


def test_a_certificate_for_nobody_is_refused(authority):
    """Without hosts there is nothing to issue."""
    with pytest.raises(ValueError, match="identity"):
        authority.issue([])
