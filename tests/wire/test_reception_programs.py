"""Real clients that believe they talk to the vendor: the address is baked in, the lab's authority comes by the usual variables."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from harness.lab.authority import Authority, make_authority
from tests.programs import NOT_HERE
from wire.fronts import STRIPE, open_gateway
from wire.stands import read_request, run


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Make the authority of the lab."""
    return make_authority()


PROGRAMS = {
    "httpx2": "import httpx2; print(httpx2.get(URL).text)",
    "requests": "import requests; print(requests.get(URL).text)",
    "urllib": "from urllib.request import urlopen; print(urlopen(URL).read().decode())",
    "stripe": (
        "import os, stripe; stripe.ca_bundle_path = os.environ['SSL_CERT_FILE']; "
        "print(stripe.StripeClient('sk_test_1').raw_request('get', '/v1/charges').data)"
    ),
}
# What a network alias does in a network of containers: the vendor's own name leads to the tap.
ALIAS = """
import socket
asked = socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *a, **k: asked("127.0.0.1", PORT if port in (443, "443") else port, *a, **k)
"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_with_the_vendors_address_in_them_work_unchanged(authority, program, tmp_path):
    """They trust the lab by the usual variables, and believe they talk to the vendor."""
    answered = []

    async def scene() -> None:
        async def charge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
            while True:
                await read_request(reader)
                body = b'{"object": "charge"}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(body), body)
                )

        async with open_gateway(authority, charge) as stand:
            port = stand.listener.address.rpartition(":")[2]
            code = f"PORT, URL = {port}, 'https://{STRIPE}/v1/charges'\n{ALIAS}\n{PROGRAMS[program]}"
            answered.append(await play(authority, tmp_path, sys.executable, "-c", code))
            (exchange,) = await stand.exchanges(1)
            assert (exchange["listener"], exchange["path"]) == ("gateway", "/v1/charges")

    run(scene)
    assert "charge" in answered[0]


async def play(authority: Authority, folder: Path, *command: str, trusting: bool = True) -> str:
    """Run a program that trusts the lab, and return what it prints."""
    file = folder / "ca.pem"
    file.write_text(authority.ca_pem)
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
    env = {**os.environ, **(dict.fromkeys(names, str(file)) if trusting else {})}
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await process.communicate())[0].decode()


NODE = """
const {lookup} = require('node:dns');
require('node:dns').lookup = (host, options, done) => lookup('127.0.0.1', options, done);
fetch(process.argv[1]).then(r => r.text()).then(t => console.log('read', t), e => console.log('failed', e.cause.code));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason=f"{NOT_HERE}Node")
@pytest.mark.parametrize("trusting", [True, False])
def test_fetch_of_node_works_with_the_authority_and_leaves_a_reason_without(authority, tmp_path, *, trusting):
    """NODE_EXTRA_CA_CERTS is all it needs; without it the journal says why there is no call."""
    said = []

    async def scene() -> None:
        async with open_gateway(authority) as stand:
            address = f"https://{STRIPE}:{stand.listener.address.rpartition(':')[2]}/v1/charges"
            said.append(await play(authority, tmp_path, "node", "-e", NODE, address, trusting=trusting))
            if trusting:
                assert [entry["path"] for entry in await stand.exchanges(1)] == ["/v1/charges"]
            else:
                (entry,) = await stand.written("connection", 1)
                assert "not trust the certificate" in entry["reason"]

    run(scene)
    assert said[0].startswith("read ok" if trusting else "failed UNABLE_TO_VERIFY_LEAF_SIGNATURE")
