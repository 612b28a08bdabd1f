"""Toxiproxy's stock clients, unchanged, against the embedded engine, and against the real server where it is here."""

import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import httpx2
import pytest
from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from tests.programs import NOT_HERE, needs_toxiproxy

FOLDER = Path(__file__).parents[1] / "clients" / "toxiproxy-node"
NODE = shutil.which("node")
INSTALLED = (FOLDER / "node_modules" / ".package-lock.json").exists()
UPSTREAM = "127.0.0.1:9"

needs_node_client = pytest.mark.skipif(
    NODE is None or not INSTALLED, reason=f"{NOT_HERE}toxiproxy-node-client (make node-client gets it)"
)


@pytest.fixture(params=["the embedded engine", pytest.param("the real server", marks=needs_toxiproxy)])
def url(request, wire):
    """Give the admin API's URL of either."""
    return wire.admin_url if request.param == "the embedded engine" else request.getfixturevalue("real")


@pytest.fixture
def echo_address():
    """Run an upstream that answers what it is sent, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(connection.recv(65536))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "{}:{}".format(*listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def tell_story(url):
    """Have the node client tell its story to a server; return what it answered, the ports left out."""
    done = subprocess.run(
        [NODE, "story.js", url, UPSTREAM], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(re.sub(r'(?<="127\.0\.0\.1:)\d{4,}', "PORT", done.stdout))


@needs_node_client
def test_the_node_client_works_unchanged(url):
    """Every call of it: proxies, each toxic in both streams, updates, populate, reset, and what is refused."""
    told = tell_story(url)
    proxy = {"name": "p", "upstream": UPSTREAM, "listen": "127.0.0.1:PORT", "enabled": True}
    assert told["create"] == told["get"] == told["after reset"] == proxy
    assert told["create again"] == {"refused": "Request failed with status code 409"}
    assert told["a toxic again"] == {"refused": "Request failed with status code 409"}
    assert told["a toxic that is unknown"] == {"refused": "Request failed with status code 400"}
    for name in ("get none", "get removed toxic", "no toxic after reset"):
        assert told[name] == {"refused": "Request failed with status code 404"}, name
    toxic = {"type": "slicer", "stream": "upstream", "name": "slicer-upstream", "toxicity": 0.5}
    toxic["attributes"] = {"average_size": 5, "size_variation": 1, "delay": 2}
    assert told["slicer upstream"] == told["get toxic"] == toxic
    assert (told["update toxic"]["attributes"], told["update toxic"]["toxicity"]) == ({"latency": 7, "jitter": 0}, 1)
    assert told["down"] == {**proxy, "enabled": False}
    assert [each["name"] for each in told["populate"]] == ["q", "r"]
    assert told["populate badly"] == {"refused": "Request failed with status code 400"}
    assert (told["version"], told["all"], told["nothing is left"]) == (["version"], ["p"], [])


@needs_node_client
@needs_toxiproxy
def test_the_node_client_cannot_tell_the_engines_apart(wire, real):
    """What each call answers is the same, call by call."""
    assert tell_story(wire.admin_url) == tell_story(real)


def test_the_python_client_works_unchanged(url, echo_address):
    """Proxies and toxics come and go, bytes meet them, and what is refused is refused with the client's own errors."""
    at = httpx2.URL(url)
    server = Toxiproxy()
    server.update_api_consumer(at.host, at.port)
    try:
        assert server.running()
        proxy = server.create(upstream=echo_address, name="p", listen="127.0.0.1:0")
        assert talk(proxy.listen) == b"hello"
        proxy.add_toxic(type="limit_data", attributes={"bytes": 2})
        assert talk(proxy.listen) == b"he"
        assert proxy.get_toxic("limit_data_downstream").attributes == {"bytes": 2}
        with pytest.raises(ProxyExists):
            proxy.add_toxic(type="limit_data")
        with pytest.raises(InvalidToxic):
            proxy.add_toxic(type="nonsense")
        proxy.destroy_toxic("limit_data_downstream")
        assert talk(proxy.listen) == b"hello"
        with proxy.down(), pytest.raises(ConnectionRefusedError):
            talk(proxy.listen)
        server.reset()
        assert talk(proxy.listen) == b"hello"
        assert server.destroy(proxy)
        with pytest.raises(NotFound):
            proxy.toxics()
    finally:
        server.destroy_all()


def talk(address):
    """Say hello through a proxy and hear what comes back."""
    host, _, port = address.rpartition(":")
    heard = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"hello")
        while piece := connection.recv(100):
            heard += piece
    return heard
