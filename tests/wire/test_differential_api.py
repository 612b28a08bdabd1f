"""The admin API of the embedded engine beside that of a real Toxiproxy server: the same calls, the same answers."""

import json
import re

import httpx2
import pytest

from tests.programs import needs_toxiproxy

pytestmark = needs_toxiproxy

LATENCY = b'{"type":"latency","attributes":{"latency":5,"jitter":1}}'
P = ("POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:9","listen":"127.0.0.1:0"}')
T = ("POST", "/proxies/p/toxics", LATENCY)

# What a body says after these words is what our JSON reader, and not Go's, has to say of it.
OWN_WORDS = re.compile(r"(?<=bad request body: )(?!EOF$).+|(?<=listen tcp: ).+")

CALLS = {
    "a proxy": [P, ("GET", "/proxies"), ("GET", "/proxies/p"), ("DELETE", "/proxies/p"), ("GET", "/proxies")],
    "a proxy that is disabled": [
        ("POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","enabled":false}'),
        ("PATCH", "/proxies/p", b'{"enabled":true}'),
        ("POST", "/proxies/p", b'{"enabled":false}'),
        ("POST", "/proxies/p", b'{"enabled":true}'),
    ],
    "a name of any letters": [
        ("POST", "/proxies", '{"name":"a b ü","upstream":"127.0.0.1:9","listen":"127.0.0.1:0"}'.encode()),
        ("GET", "/proxies/a%20b%20%C3%BC"),
        ("GET", "/proxies"),
    ],
    "a proxy led elsewhere": [P, T, ("POST", "/proxies/p", b'{"upstream":"127.0.0.1:10"}'), ("GET", "/proxies/p")],
    "a proxy led nowhere": [P, ("POST", "/proxies/p", b'{"upstream":""}'), ("POST", "/proxies/p", b'{"name":"q"}')],
    "a proxy updated with nothing": [P, ("POST", "/proxies/p", b"{}"), ("POST", "/proxies/p", b"null")],
    "a proxy whose port is any again": [P, ("POST", "/proxies/p", b'{"listen":"127.0.0.1:0"}')],
    "a proxy at a name": [("POST", "/proxies", b'{"name":"p","upstream":"127.0.0.1:9","listen":"localhost:0"}')],
    "proxies twice": [P, P],
    "bodies of a proxy": [
        ("POST", "/proxies", body)
        for body in (
            b"",
            b" \n",
            b"null",
            b"garbage",
            b"[]",
            b"5",
            b"{",
            b'{"name":',
            b'{"name":"x"}',
            b'{"upstream":"127.0.0.1:9"}',
            b'{"name":"","upstream":"127.0.0.1:9"}',
            b'{"name":5,"upstream":"127.0.0.1:9"}',
            b'{"name":"x","upstream":5}',
            b'{"name":"x","upstream":"127.0.0.1:9","enabled":"yes"}',
            b'{"name":"x","upstream":"127.0.0.1:9","listen":"bad"}',
            b'{"name":"x","upstream":"127.0.0.1:9","listen":"127.0.0.1:99999"}',
            b'{"name":"x","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","more":[1,{"a":null}]}',
            b'{"NAME":"y","Upstream":"127.0.0.1:9","listen":"127.0.0.1:0"} and what follows it',
            b'{"name":"z","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","enabled":null}',
        )
    ],
    "what is not there": [
        ("GET", "/proxies/none"),
        ("POST", "/proxies/none", b"{}"),
        ("POST", "/proxies/none", b"garbage"),
        ("DELETE", "/proxies/none"),
        ("GET", "/proxies/none/toxics"),
        ("POST", "/proxies/none/toxics", LATENCY),
        P,
        ("GET", "/proxies/p/toxics/none"),
        ("POST", "/proxies/p/toxics/none", b"{}"),
        ("DELETE", "/proxies/p/toxics/none"),
        ("GET", "/"),
        ("GET", "/proxies/p/toxics/a/b"),
        ("GET", "/nothing"),
        ("DELETE", "/proxies"),
        ("PUT", "/proxies/p", b"{}"),
        ("POST", "/version"),
        ("GET", "/reset"),
    ],
    "toxics in their order": [
        P,
        ("POST", "/proxies/p/toxics", b'{"type":"slicer","attributes":{"average_size":3}}'),
        T,
        ("POST", "/proxies/p/toxics", b'{"type":"timeout","stream":"upstream"}'),
        ("POST", "/proxies/p/toxics", b'{"type":"noop","name":"n","stream":"UpStream","toxicity":0}'),
        ("GET", "/proxies/p/toxics"),
        ("GET", "/proxies"),
        ("DELETE", "/proxies/p/toxics/slicer_downstream"),
        ("GET", "/proxies/p/toxics"),
        ("POST", "/reset"),
        ("GET", "/proxies/p"),
    ],
    "every type, as it is when nothing is said of it": [
        P,
        *(
            ("POST", "/proxies/p/toxics", json.dumps({"type": kind}).encode())
            for kind in ("bandwidth", "latency", "limit_data", "noop", "reset_peer", "slicer", "slow_close", "timeout")
        ),
        ("GET", "/proxies/p/toxics"),
    ],
    "an update of a toxic": [
        P,
        T,
        *(
            (method, "/proxies/p/toxics/latency_downstream", body)
            for method in ("POST", "PATCH")
            for body in (
                b"{}",
                b"null",
                b'{"attributes":{"latency":7}}',
                b'{"attributes":null,"toxicity":null}',
                b'{"toxicity":0.25}',
                b'{"toxicity":0.123456789}',
                b'{"toxicity":1e39}',
                b'{"toxicity":-1}',
                b'{"name":"other","type":"slicer","stream":"upstream"}',
                b'{"ATTRIBUTES":{"Jitter":3,"unknown":1}}',
                b'{"attributes":[]}',
                b'{"attributes":{"latency":"1"}}',
                b'{"attributes":{"latency":1.5}}',
                b'{"attributes":{"latency":1e3}}',
                b'{"attributes":{"latency":99999999999999999999}}',
                b'{"attributes":{"latency":true}}',
                b"",
                b"{",
            )
        ),
        ("GET", "/proxies/p/toxics/latency_downstream"),
        ("GET", "/proxies/p/toxics/other"),
    ],
    "bodies of a toxic": [
        P,
        T,
        *(
            ("POST", "/proxies/p/toxics", body)
            for body in (
                b"",
                b"null",
                b"{}",
                b'"latency"',
                b'{"type":"down"}',
                b'{"type":"latency"}',
                b'{"type":"slicer","name":"latency_downstream","stream":"upstream"}',
                b'{"type":"slicer","stream":"sideways"}',
                b'{"type":"slicer","stream":""}',
                b'{"type":"nonsense","stream":"sideways"}',
                b'{"type":"slicer","name":""}',
                b'{"type":"slicer","name":"a","toxicity":"1"}',
                b'{"type":"slicer","name":"a","attributes":{"average_size":"1"}}',
                b'{"type":"slicer","name":"a","attributes":{"average_size":null,"delay":2}}',
                b'{"type":"slicer","name":"b","attributes":5}',
                b'{"type":5}',
                b'{"type":"slicer","name":"c","stream":null,"toxicity":0.3}',
            )
        ),
        ("GET", "/proxies/p/toxics"),
    ],
    "populate": [
        ("POST", "/populate", body)
        for body in (
            b"[]",
            b"null",
            b"{}",
            b"",
            b"[5]",
            b"[null]",
            b'[{"name":"x"}]',
            b'[{"name":"a","upstream":"127.0.0.1:9","listen":"127.0.0.1:0"},{"upstream":"b"}]',
            b'[{"name":"a","upstream":"127.0.0.1:9","listen":"127.0.0.1:0"},{"name":"b","upstream":"127.0.0.1:9","listen":"bad"}]',
            b'[{"name":"c","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","enabled":false}]',
            b'[{"name":"c","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","enabled":true}]',
            b'[{"name":"d","upstream":"127.0.0.1:9","listen":"127.0.0.1:0","toxics":[{"type":"latency"}]}]',
        )
    ]
    + [("GET", "/proxies")],
    "everything reset": [
        P,
        T,
        ("POST", "/proxies/p", b'{"enabled":false}'),
        ("POST", "/reset"),
        ("GET", "/proxies"),
        ("POST", "/reset", b"whatever"),
    ],
}


def ask(client, method, path, body=None):
    """Make one call; return what of its answer can be compared, and its body with port numbers by their order."""
    answer = client.request(method, path, content=body)
    try:
        # The server shows a field that was meant for itself.
        content = json.loads(
            answer.text, object_hook=lambda shown: {key: shown[key] for key in shown if key != "Logger"}
        )
    except ValueError:
        content = answer.text
    return answer.status_code, answer.headers.get("content-type", ""), content


def replay(url, calls):
    """Make the calls on a server without proxies; leave it so."""
    ports = {}
    with httpx2.Client(base_url=url, trust_env=False) as client:
        answers = [ask(client, *each) for each in calls]
        for name in client.get("/proxies").json():
            client.delete(f"/proxies/{httpx2.URL(path='/' + name).raw_path.decode()[1:]}")
        client.get("/proxies").json()
    return [[simplify(leaf, ports) for leaf in flatten(list(answer))] for answer in answers]


def simplify(leaf, ports):
    """Leave out the words that are our own, and name port numbers by the order in which they came."""
    if not isinstance(leaf, str):
        return leaf
    words = OWN_WORDS.sub("…", leaf)
    return re.sub(r"(?<=127\.0\.0\.1:)\d{4,}", lambda port: ports.setdefault(port[0], f"<{len(ports)}>"), words)


def flatten(value):
    """List the leaves of an answer with their places."""
    if isinstance(value, dict):
        return [
            f"{key}: {leaf}" if isinstance(leaf, str) else (key, leaf)
            for key in sorted(value)
            for leaf in flatten(value[key])
        ] or ["{}"]
    if isinstance(value, list):
        return [leaf for item in value for leaf in flatten(item)] or ["[]"]
    return [value]


@pytest.mark.parametrize("case", CALLS)
def test_the_same_calls_get_the_same_answers(wire, real, case):
    """Status, content type and body agree, errors and their words too; ports are told apart by their order alone."""
    assert replay(wire.admin_url, CALLS[case]) == replay(real, CALLS[case])
