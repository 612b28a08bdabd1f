"""Connections that say whom they are for: TLS ended at the tap, fronts, and what is written of those that get no further."""

import asyncio
import json
import os
import socket
import ssl
from tempfile import NamedTemporaryFile

import pytest

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from fakes.kit.problems import ProblemError
from harness.lab.authority import Authority, make_authority
from harness.wire.rules import REFUSE, Rule
from harness.wire.tap import Tap
from harness.wire.values import Certificate, Listener, Tls
from wire.fronts import SHOP, STRIPE, connect, open_front, open_gateway, serve, trust
from wire.stands import OK, Origin, Stand, answer_ok, mirror, read_request, run, unused_address

GET = b"GET /v1/charges HTTP/1.1\r\nHost: %s\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Make the authority of the lab."""
    return make_authority()


def test_one_port_leads_every_host_to_its_listener_by_the_name_asked_for(authority):
    """By SNI; the exchange is in the journal under the listener's own name, and its upstream sees plain HTTP."""

    async def scene() -> None:
        async with Origin(answer_ok) as gateway, Origin(answer_ok) as shop:
            hosts = {STRIPE: "gateway", "*.myshopify.com": "storefront"}
            tls = serve(authority, STRIPE, "*.myshopify.com")
            async with open_front(hosts, tls=tls, gateway=gateway.address, storefront=shop.address) as stand:
                for host in (STRIPE, SHOP):
                    client = await connect(stand, trust(authority), host)
                    client.writer.write(GET % host.encode())
                    assert await client.answer() == (200, b"ok")
                    await client.close()
                first, second = await stand.exchanges(2)
        assert (first["listener"], second["listener"]) == ("gateway", "storefront")
        assert first["system"] == "gateway"
        assert bytes(gateway.received[0]).startswith(b"GET /v1/charges HTTP/1.1\r\n")

    run(scene)


def test_a_plain_front_leads_by_the_host_of_the_first_request(authority):
    """However the head is cut: the bytes reach the upstream as they were sent."""

    async def scene() -> None:
        async with Origin(answer_ok) as gateway, Origin(answer_ok) as shop:
            hosts = {STRIPE: "gateway", SHOP: "storefront"}
            async with (
                open_front(hosts, gateway=gateway.address, storefront=shop.address) as stand,
                stand.client() as client,
            ):
                request = GET % SHOP.encode()
                for at in range(len(request)):
                    client.writer.write(request[at : at + 1])
                    await client.writer.drain()
                assert await client.answer() == (200, b"ok")
                assert [entry["listener"] for entry in await stand.exchanges(1)] == ["storefront"]
        assert bytes(shop.received[0]) == request
        assert not gateway.received

    run(scene)


def test_rules_of_the_listener_meet_what_comes_through_the_front(authority):
    """A rule knows nothing of fronts: it is armed on the listener that is led to."""

    async def scene() -> None:
        async with open_gateway(authority) as stand:
            stand.tap.arm_rule(Rule("r", "gateway", REFUSE, attempts=(2,)))
            client = await connect(stand, trust(authority), STRIPE)
            assert await client.ask("/1") == 200
            client.post("/2")
            assert await client.end() == "reset"
            assert [entry["end"] for entry in await stand.exchanges(2)] == ["complete", "refused"]

    run(scene)


def test_only_http_1_1_is_offered(authority):
    """A client that would rather speak HTTP/2 is told that the tap speaks HTTP/1.1."""

    async def scene() -> None:
        async with open_gateway(authority) as stand:
            context = trust(authority)
            context.set_alpn_protocols(["h2", "http/1.1"])
            client = await connect(stand, context, STRIPE)
            assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            await client.close()

    run(scene)


def test_a_listener_of_its_own_ends_tls_too_and_shows_its_first_certificate_to_who_names_nobody(authority):
    """A client that connects to an address sends no server name."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin:
            tap = Tap(Journal(SystemClock(), epoch="test"))
            listener = Listener("erp", "erp", "outbound", origin.address, tls=serve(authority, "127.0.0.1"))
            stand = Stand(tap, await tap.add_listener(listener))
            client = await connect(stand, trust(authority), "127.0.0.1")
            assert await client.ask("/") == 200
            await client.close()
            assert [entry["listener"] for entry in await stand.exchanges(1)] == ["erp"]
            tap.close()

    run(scene)


def handshake(address: str, context: ssl.SSLContext, name: str) -> None:
    """Shake hands as a blocking client does, which tells the server what it does not like."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as sock, context.wrap_socket(sock, server_hostname=name):
        pass


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_does_not_trust_the_lab_is_written_down_with_its_reason(authority, version):
    """So that an engineer sees why a program says nothing but `connection failed`."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=unused_address()) as stand:
            context = trust(make_authority())
            context.maximum_version = version
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.to_thread(handshake, stand.listener.address, context, STRIPE)
            (entry,) = await stand.written("connection", 1)
        assert entry["end"] == "handshake_failed"
        assert (entry["listener"], entry["host"]) == ("front", STRIPE)
        assert "does not trust the authority" in entry["reason"]

    run(scene)


def test_a_client_that_leaves_after_the_handshake_without_a_word_is_written_down(authority):
    """Some programs look at the certificate only then."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=unused_address()) as stand:
            client = await connect(stand, trust(authority), STRIPE)
            await client.close()
            (entry,) = await stand.written("connection", 1)
        assert entry["end"] == "client_closed"
        assert "without a request" in entry["reason"]

    run(scene)


def test_a_host_without_certificate_is_closed_and_the_journal_says_so(authority):
    """The client is told in TLS's own words, the engineer in the journal's."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=unused_address()) as stand:
            with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                await connect(stand, trust(authority), SHOP)
            (entry,) = await stand.written("connection", 1)
        assert entry["end"] == "closed"
        assert entry["host"] == SHOP
        assert entry["reason"] == f"there is no certificate for '{SHOP}'"

    run(scene)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (GET % SHOP.encode(), f"no listener serves '{SHOP}'"),
        (b"GET / HTTP/1.0\r\n\r\n", "it asks for no host"),
        (b"\x16\x03\x01\x00\x05", "it sent no HTTP/1 request"),
    ],
)
def test_what_a_plain_front_cannot_lead_is_closed_with_the_reason(sent, reason):
    """An unknown host, no host at all, and what is not HTTP."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, gateway=unused_address()) as stand, stand.client() as client:
            client.writer.write(sent)
            assert await client.end() == "closed"
            (entry,) = await stand.written("connection", 1)
        assert entry["end"] == "closed"
        assert entry["reason"] == reason

    run(scene)


def test_plain_http_on_a_tls_port_is_closed_with_the_reason(authority):
    """A program that forgot the s."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=unused_address()) as stand:
            async with stand.client() as client:
                client.writer.write(GET % STRIPE.encode())
                assert await client.end() == "closed"
                assert client.rest == b""
            (entry,) = await stand.written("connection", 1)
        assert entry["reason"] == "it sent no TLS"

    run(scene)


def test_tls_the_tap_may_not_end_passes_through_where_the_listener_says_where(authority):
    """The client meets the certificate of whoever stands behind; the journal shows an opaque connection."""
    theirs = make_authority()
    issued = theirs.issue([SHOP])

    async def scene() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        await asyncio.to_thread(load, context, issued.key_pem + issued.chain_pem)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await reader.read()
            writer.close()

        behind = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        passthrough = "{}:{}".format(*behind.sockets[0].getsockname())
        tls = serve(authority, STRIPE, passthrough=passthrough)
        async with open_front({STRIPE: "gateway"}, tls=tls, gateway=unused_address()) as stand:
            client = await connect(stand, trust(theirs), SHOP)
            client.writer.write(GET % SHOP.encode())
            assert await client.answer() == (200, b"ok")
            await client.close()
            (entry,) = await stand.written("connection", 1)
        assert entry["listener"] == "front"
        assert entry["bytes_up"] > len(GET)
        behind.close()

    run(scene)


def load(context: ssl.SSLContext, pem: str) -> None:
    """Load a certificate and its key from text."""
    with NamedTemporaryFile("w") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)


def test_a_listener_that_accepts_nothing_resets_who_comes_by_the_front(authority):
    """As connecting to its own port would be refused."""

    async def scene() -> None:
        async with Origin(answer_ok) as origin, open_front({STRIPE: "gateway"}, gateway=origin.address) as stand:
            await stand.tap.change_listener("gateway", upstream=None, accepting=False)
            async with stand.client() as client:
                client.writer.write(GET % STRIPE.encode())
                assert await client.end() == "reset"
            (entry,) = await stand.written("connection", 1)
            assert entry["end"] == "refused"

    run(scene)


def test_a_front_that_closes_drops_who_came_that_way(authority):
    """Waiting ones and those led on alike."""

    async def scene() -> None:
        async with (
            Origin(answer_ok) as origin,
            open_front({STRIPE: "gateway"}, gateway=origin.address) as stand,
            stand.client() as led,
            stand.client() as waiting,
        ):
            led.writer.write(GET % STRIPE.encode())
            await led.answer()
            waiting.writer.write(b"GET")
            await waiting.writer.drain()
            stand.tap.remove_listener("front")
            assert await led.end() == "closed"
            assert await waiting.end() in ("closed", "reset")

    run(scene)


def test_an_upgraded_connection_works_inside_tls(authority):
    """What follows a 101 is relayed both ways; the upstream's end is the client's end."""

    async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        await mirror(reader, writer, n)

    async def scene() -> None:
        async with open_gateway(authority, switch) as stand:
            client = await connect(stand, trust(authority), STRIPE)
            client.post("/", headers=b"Upgrade: x\r\nConnection: Upgrade\r\n")
            await client.reader.readuntil(b"\r\n\r\n")
            client.writer.write(b"over and back")
            assert await client.reader.readexactly(13) == b"over and back"
            await client.close()
            assert [entry["bytes_down"] for entry in await stand.written("connection", 1)] == [13]

    run(scene)


def test_megabytes_pass_through_tls_unharmed(authority):
    """Both ways, beyond every buffer."""
    size = 3_000_000

    async def scene() -> None:
        async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
            _, body = await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body[::-1]))
            await writer.drain()
            await reader.read(1)

        async with open_gateway(authority, give) as stand:
            client = await connect(stand, trust(authority), STRIPE)
            body = os.urandom(size)
            client.post("/", body)
            assert await client.answer() == (200, body[::-1])
            await client.close()

    run(scene)


def test_what_a_front_leads_to_must_be_there(authority):
    """The nearest listener is named."""

    async def scene() -> None:
        with pytest.raises(
            ProblemError, match=r"hosts\.api\.stripe\.com: unknown name 'gatway'; did you mean 'gateway'\?"
        ):
            async with open_front({STRIPE: "gatway"}, gateway=unused_address()):
                pass

    run(scene)


def test_nothing_is_armed_on_a_front(authority):
    """It has no exchanges of its own; the listeners that have are named."""

    async def scene() -> None:
        async with open_front({STRIPE: "gateway"}, gateway=unused_address()) as stand:
            with pytest.raises(ProblemError, match="leads to other listeners; name one of gateway"):
                stand.tap.arm_rule(Rule("r", "front", REFUSE))

    run(scene)


def test_a_key_that_does_not_fit_is_refused_and_no_key_is_ever_shown(authority):
    """Neither in what is refused, nor where listeners are listed, nor in a repr."""
    one, other = authority.issue([STRIPE]), authority.issue([SHOP])

    async def scene() -> None:
        mixed = Tls((Certificate(one.hosts, one.chain_pem, other.key_pem),))
        with pytest.raises(ProblemError, match=r"tls\.certificates\.0: key values mismatch"):
            async with open_front({STRIPE: "gateway"}, tls=mixed, gateway=unused_address()):
                pass
        async with open_front({STRIPE: "gateway"}, tls=serve(authority, STRIPE), gateway=unused_address()) as stand:
            shown = [json.dumps(listener.as_body()) + repr(listener) for listener in stand.tap.listeners()]
        assert not [text for text in shown if "PRIVATE" in text or "BEGIN" in text]

    run(scene)
