"""Toxiproxy's admin API: the stock client drives it unchanged, and our wrapper adds what that client lacks."""

import httpx2
import pytest
from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from harness.wire.toxiproxy import NameTaken, NotThere, Toxic, ToxiproxyRefused, ToxiproxyServer, ToxiproxyUnreachable
from wire.stands import Client, Origin, mirror, run, unused_address


@pytest.fixture
def stock(wire):
    """Point the stock client at the engine."""
    url = httpx2.URL(wire.admin_url)
    server = Toxiproxy()
    server.update_api_consumer(url.host, url.port)
    yield server
    server.destroy_all()


def call(wire, method, path, body=None):
    """Call the admin API with raw bytes."""
    return httpx2.request(method, wire.admin_url + path, content=body, trust_env=False)


def test_the_stock_client_works_unchanged(stock):
    """Version, create, toxics, down, populate, reset and destroy, as its users call them."""
    assert stock.running()
    assert b"2.12.0" in stock.version()
    proxy = stock.create(upstream="127.0.0.1:9", name="p")
    assert stock.get_proxy("p").listen == proxy.listen
    proxy.add_toxic(type="latency", attributes={"latency": 10})
    proxy.add_toxic(name="up", type="slicer", stream="upstream", attributes={"average_size": 3}, toxicity=0.5)
    assert proxy.get_toxic("latency_downstream").attributes == {"latency": 10, "jitter": 0}
    assert proxy.get_toxic("up").toxicity == 0.5
    with proxy.down():
        assert stock.get_proxy("p").enabled is False
    assert stock.get_proxy("p").enabled is True
    with pytest.raises(InvalidToxic):
        proxy.add_toxic(type="nonsense")
    with pytest.raises(ProxyExists):
        proxy.add_toxic(type="latency")
    proxy.destroy_toxic("up")
    with pytest.raises(NotFound):
        proxy.destroy_toxic("up")
    stock.reset()
    assert proxy.toxics() == {}
    (populated,) = stock.populate([{"name": "q", "upstream": "127.0.0.1:9", "listen": "127.0.0.1:0"}])
    assert set(stock.proxies()) == {"p", "q"}
    assert stock.destroy(populated)
    with pytest.raises(ProxyExists):
        stock.create(upstream="127.0.0.1:9", name="p")


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/proxies", b"", 400, "bad request body: EOF"),
        ("POST", "/proxies", b"garbage", 400, "bad request body: "),
        ("POST", "/proxies", b"[]", 400, "bad request body: "),
        ("POST", "/proxies", b'{"name":5,"upstream":"a:1"}', 400, "bad request body: "),
        ("POST", "/proxies", b'{"upstream":"127.0.0.1:1"}', 400, "missing required field: name"),
        ("POST", "/proxies", b'{"name":"x"}', 400, "missing required field: upstream"),
        ("POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:1"}', 409, "proxy already exists"),
        ("POST", "/proxies", b'{"name":"x","upstream":"a:1","listen":"bad"}', 500, "listen tcp: "),
        ("GET", "/proxies/none", None, 404, "proxy not found"),
        ("POST", "/proxies/none", b"{}", 404, "proxy not found"),
        ("DELETE", "/proxies/none", None, 404, "proxy not found"),
        ("POST", "/proxies/p", b"x", 400, "bad request body: "),
        ("GET", "/proxies/none/toxics", None, 404, "proxy not found"),
        ("POST", "/proxies/none/toxics", b"{}", 404, "proxy not found"),
        ("POST", "/proxies/p/toxics", b"{}", 400, "invalid toxic type"),
        ("POST", "/proxies/p/toxics", b'{"type":"down"}', 400, "invalid toxic type"),
        ("POST", "/proxies/p/toxics", b'{"type":"latency","stream":"x"}', 400, "stream was invalid"),
        ("POST", "/proxies/p/toxics", b'{"type":"latency","name":"t"}', 409, "toxic already exists"),
        ("POST", "/proxies/p/toxics", b'{"type":"latency","attributes":{"latency":"1"}}', 400, "bad request body: "),
        ("POST", "/proxies/p/toxics", b'{"type":"latency","attributes":{"latency":1.5}}', 400, "bad request body: "),
        ("POST", "/proxies/p/toxics", b'{"type":"latency","toxicity":"1"}', 400, "bad request body: "),
        ("POST", "/proxies/p/toxics/none", b"{}", 404, "toxic not found"),
        ("POST", "/proxies/p/toxics/t", b"{", 400, "bad request body: "),
        ("GET", "/proxies/p/toxics/none", None, 404, "toxic not found"),
        ("DELETE", "/proxies/p/toxics/none", None, 404, "toxic not found"),
        ("POST", "/populate", b"{}", 400, "bad request body: "),
        ("POST", "/populate", b'[{"name":"x"}]', 400, "missing required field: upstream at proxy 1"),
    ],
)
def test_refusals_have_the_status_and_words_of_toxiproxy(wire, method, path, body, status, error):
    """Errors are `{"error","status"}`, as toxiproxy-server 2.12.0 answers them."""
    call(wire, "POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:1","listen":"127.0.0.1:0"}')
    call(wire, "POST", "/proxies/p/toxics", b'{"name":"t","type":"latency"}')
    answer = call(wire, method, path, body)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.json()["error"].startswith(error)


@pytest.mark.usefixtures("stock")
def test_what_toxiproxy_would_do_and_a_lab_does_not(wire):
    """Nothing leads off this machine, by whichever call; no web page drives the engine, nor anybody under a foreign name."""
    call(wire, "POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:1","listen":"127.0.0.1:0"}')
    away = b'{"name":"q","upstream":"192.0.2.1:80"}'
    for path, body in (("/proxies", away), ("/proxies/p", away), ("/populate", b"[" + away + b"]")):
        answer = call(wire, "POST", path, body)
        assert (answer.status_code, "--allow-host 192.0.2.1" in answer.json()["error"]) == (403, True)
    assert list(call(wire, "GET", "/proxies").json()) == ["p"]
    for headers, status in (({"Origin": "http://page.example"}, 403), ({"Host": "rebound.example:8474"}, 421)):
        assert httpx2.get(f"{wire.admin_url}/proxies", headers=headers, trust_env=False).status_code == status


@pytest.mark.usefixtures("stock")
def test_a_taken_port_is_a_server_error_in_toxiproxys_words(wire):
    """The port of another proxy cannot be listened on, and the failed proxy is not there."""
    listen = call(wire, "POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:1"}').json()["listen"]
    answer = call(wire, "POST", "/proxies", b'{"name":"q","upstream":"127.0.0.1:1","listen":"%s"}' % listen.encode())
    assert answer.json() == {"error": f"listen tcp {listen}: bind: address already in use", "status": 500}
    assert call(wire, "GET", "/proxies/q").status_code == 404


@pytest.mark.usefixtures("stock")
def test_populate_replaces_what_differs_and_keeps_what_does_not(wire):
    """An unchanged proxy keeps its toxics, a changed one is made anew."""
    first = call(wire, "POST", "/populate", b'[{"name":"p","upstream":"127.0.0.1:1","listen":"127.0.0.1:0"}]')
    assert first.status_code == 201
    listen = first.json()["proxies"][0]["listen"].encode()
    call(wire, "POST", "/proxies/p/toxics", b'{"type":"latency"}')
    same = call(wire, "POST", "/populate", b'[{"name":"p","upstream":"127.0.0.1:1","listen":"%s"}]' % listen)
    assert len(same.json()["proxies"][0]["toxics"]) == 1
    other = call(
        wire, "POST", "/populate", b'[{"name":"p","upstream":"127.0.0.1:2","listen":"%s","enabled":false}]' % listen
    )
    assert (other.json()["proxies"][0]["toxics"], other.json()["proxies"][0]["enabled"]) == ([], False)


@pytest.mark.usefixtures("stock")
def test_an_update_changes_only_what_it_names(wire):
    """Attributes and toxicity not named stay; POST and PATCH are the same."""
    call(wire, "POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:1"}')
    call(wire, "POST", "/proxies/p/toxics", b'{"type":"latency","attributes":{"latency":5,"jitter":1}}')
    path = "/proxies/p/toxics/latency_downstream"
    assert call(wire, "POST", path, b'{"attributes":{"latency":7}}').json()["attributes"] == {"latency": 7, "jitter": 1}
    changed = call(wire, "PATCH", path, b'{"toxicity":0}').json()
    assert (changed["attributes"], changed["toxicity"]) == ({"latency": 7, "jitter": 1}, 0)
    assert call(wire, "PATCH", "/proxies/p", b'{"upstream":"127.0.0.1:2"}').json()["enabled"] is True


def test_browsers_are_turned_away(wire):
    """A web page cannot drive the engine."""
    headers = {"User-Agent": "Mozilla/5.0"}
    assert httpx2.get(f"{wire.admin_url}/version", headers=headers, trust_env=False).status_code == 403
    assert call(wire, "DELETE", "/proxies").status_code == 405


@pytest.mark.usefixtures("stock")
def test_the_wrapper_drives_proxies_and_toxics_of_several_servers(wire, monkeypatch):
    """Each server is its own, whatever the stock client was pointed at last; an HTTP proxy in the environment is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def scene():
        server, absent = ToxiproxyServer(wire.admin_url), ToxiproxyServer(f"http://{unused_address()}")
        with pytest.raises(ToxiproxyUnreachable):
            await absent.version()
        assert await server.version() == "2.12.0"
        async with Origin(mirror) as origin:
            proxy = await server.create_proxy("p", origin.address)
            with pytest.raises(NameTaken):
                await server.create_proxy("p", origin.address)
            toxic = await server.add_toxic("p", Toxic("limit_data", {"bytes": 3}))
            assert toxic.name == "limit_data_downstream"
            client = await Client.connect(proxy.listen)
            client.writer.write(b"hello")
            assert (await client.end(), client.rest) == ("closed", b"hel")
            await client.close()
            updated = await server.update_toxic("p", toxic.name, {"bytes": 4}, toxicity=0)
            assert (updated.attributes, updated.toxicity) == ({"bytes": 4}, 0)
            assert (await server.proxies())["p"].toxics == (updated,)
            await server.remove_toxic("p", toxic.name)
            with pytest.raises(NotThere):
                await server.remove_toxic("p", toxic.name)
            with pytest.raises(ToxiproxyRefused, match="invalid toxic type"):
                await server.add_toxic("p", Toxic("nonsense"))
            assert not (await server.update_proxy("p", enabled=False)).enabled
            with pytest.raises(ConnectionRefusedError):
                await Client.connect(proxy.listen)
            await server.reset()
            assert (await server.proxies())["p"].enabled
            await server.delete_proxy("p")
            with pytest.raises(NotThere):
                await server.delete_proxy("p")

    run(scene)
