"""Garbage: whatever is wrong with a request, the gateway answers as the vendor would."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.gateway.conftest import AUTH, INTENTS, authorise

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

FORM = {**AUTH, "Content-Type": "application/x-www-form-urlencoded"}
GOOD = b"amount=5000&currency=eur"

REQUESTS: list[tuple[str, str, bytes, dict[str, Any]]] = [
    ("GET", "/", b"", {}),
    ("GET", "/v1", b"", {}),
    ("GET", "/v1/nope", b"", {}),
    ("GET", "/v2/payment_intents", b"", {}),
    ("PUT", INTENTS, GOOD, {}),
    ("DELETE", f"{INTENTS}/pi_1", b"", {}),
    ("BREW", INTENTS, GOOD, {}),
    ("HEAD", INTENTS, b"", {}),
    ("GET", f"{INTENTS}/{'pi_' + '9' * 5000}", b"", {}),
    ("GET", f"{INTENTS}/pi_%00", b"", {}),
    ("GET", f"{INTENTS}/%ff%fe", b"", {}),
    ("GET", f"{INTENTS}/../../etc/passwd", b"", {}),
    ("GET", f"{INTENTS}?limit=0", b"", {}),
    ("GET", f"{INTENTS}?limit=101", b"", {}),
    ("GET", f"{INTENTS}?limit=%00", b"", {}),
    ("GET", f"{INTENTS}?limit=%D9%A3", b"", {}),
    ("GET", f"{INTENTS}?starting_after=pi_nobody", b"", {}),
    ("GET", f"{INTENTS}?starting_after=a&ending_before=b", b"", {}),
    ("GET", f"{INTENTS}?created[near]=7", b"", {}),
    ("GET", f"{INTENTS}?created[gt]={'9' * 400}", b"", {}),
    ("GET", f"{INTENTS}?expand[]=data.secrets", b"", {}),
    ("GET", f"{INTENTS}?%ff=%fe", b"", {}),
    ("GET", f"{INTENTS}/search", b"", {}),
    ("GET", f"{INTENTS}/search?query=", b"", {}),
    ("GET", f"{INTENTS}/search?query=status:'x'%20AND", b"", {}),
    ("GET", f"{INTENTS}/search?query=status:'a'%20AND%20status:'b'%20OR%20status:'c'", b"", {}),
    ("GET", f"{INTENTS}/search?query=amount~3", b"", {}),
    ("GET", f"{INTENTS}/search?query=colour:'red'", b"", {}),
    ("GET", f"{INTENTS}/search?query=metadata:'red'", b"", {}),
    ("GET", f"{INTENTS}/search?query=amount>1&page=second", b"", {}),
    ("GET", "/v1/charges/ch_nobody", b"", {}),
    ("GET", "/v1/events/evt_nobody", b"", {}),
    ("GET", "/v1/webhook_endpoints/we_nobody", b"", {}),
    ("DELETE", "/v1/webhook_endpoints/we_nobody", b"", {}),
    ("POST", INTENTS, b"", {}),
    ("POST", INTENTS, b"amount=5000", {}),
    ("POST", INTENTS, b"amount=&currency=eur", {}),
    ("POST", INTENTS, b"amount=37.50&currency=eur", {}),
    ("POST", INTENTS, b"amount=-5&currency=eur", {}),
    ("POST", INTENTS, b"amount=49&currency=eur", {}),
    ("POST", INTENTS, b"amount=100000000&currency=eur", {}),
    ("POST", INTENTS, b"amount=" + b"9" * 5000 + b"&currency=eur", {}),
    ("POST", INTENTS, b"amount[0]=5000&currency=eur", {}),
    ("POST", INTENTS, b"amount=5000&currency=money", {}),
    ("POST", INTENTS, GOOD + b"&amount[a]=1", {}),
    ("POST", INTENTS, GOOD + b"&metadata=x", {}),
    ("POST", INTENTS, GOOD + b"&metadata[a][b]=x", {}),
    ("POST", INTENTS, GOOD + b"&metadata[" + b"k" * 41 + b"]=x", {}),
    ("POST", INTENTS, GOOD + b"&metadata[k]=" + b"v" * 501, {}),
    ("POST", INTENTS, GOOD + b"".join(b"&metadata[k%d]=v" % i for i in range(51)), {}),
    ("POST", INTENTS, GOOD + b"&a" + b"[b]" * 5000 + b"=x", {}),
    ("POST", INTENTS, GOOD + b"&a=1" * 2000, {}),
    ("POST", INTENTS, GOOD + b"&[a]=1", {}),
    ("POST", INTENTS, GOOD + b"&a]b=1", {}),
    ("POST", INTENTS, GOOD + b"&description=%ff%fe", {}),
    ("POST", INTENTS, b"\xff\xfe\x00", {}),
    ("POST", INTENTS, GOOD + b"&confirm=perhaps", {}),
    ("POST", INTENTS, GOOD + b"&capture_method=later", {}),
    ("POST", INTENTS, GOOD + b"&payment_method=pm_card_chargeDeclined%0a", {}),
    ("POST", INTENTS, GOOD + b"&expand=latest_charge", {}),
    ("POST", INTENTS, b'{"amount":5000,"currency":"eur"}', {"Content-Type": "application/json"}),
    ("POST", INTENTS, b"<payment/>", {"Content-Type": "text/xml"}),
    ("POST", f"{INTENTS}/pi_nobody/capture", b"", {}),
    ("POST", "/v1/refunds", b"", {}),
    ("POST", "/v1/refunds", b"payment_intent=pi_nobody", {}),
    ("POST", "/v1/refunds", b"charge=ch_nobody", {}),
    ("POST", "/v1/refunds", b"charge=ch_nobody&payment_intent=pi_nobody", {}),
    ("POST", "/v1/refunds", b"payment_intent[a]=pi_nobody", {}),
    ("POST", "/v1/webhook_endpoints", b"url=http://127.0.0.1:9/x", {}),
    ("POST", "/v1/webhook_endpoints", b"url=ftp://x&enabled_events[]=*", {}),
    ("POST", "/v1/webhook_endpoints", b"url=http://[::1&enabled_events[]=*", {}),
    ("POST", "/v1/webhook_endpoints", b"url=http://127.0.0.1:9/x&enabled_events[]=orders/create", {}),
    ("GET", INTENTS, b"", {"Authorization": b"Bearer \xc3\xbc"}),
    ("GET", INTENTS, b"", {"Authorization": "Basic !!!"}),
    ("GET", INTENTS, b"", {"Authorization": ""}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), REQUESTS)
def test_garbage_is_refused_in_the_vendors_shape(
    gateway: RunningFake, method: str, path: str, body: bytes, headers: dict[str, Any]
) -> None:
    """Whatever is wrong with a request, the answer is a 4xx with the vendor's error object, and nothing happens."""
    answer = gateway.client.request(method, path, content=body, headers={**FORM, **headers})
    assert 400 <= answer.status_code < 500
    if method != "HEAD":
        error = answer.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert error["message"]
    assert gateway.journal("change") == []


def test_what_is_not_http_is_refused(gateway: RunningFake) -> None:
    """What is no HTTP at all gets the vendor's error object too."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as sock:
        sock.sendall(b"not http at all\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'{"error":{"message":"Bad Request","type":"invalid_request_error"}}' in answer


names = st.sampled_from(
    ["amount", "currency", "metadata", "metadata[order_id]", "confirm", "payment_method", "expand[]", "limit", "query"]
) | st.text(max_size=12)
forms = st.lists(st.tuples(names, st.text(max_size=12)), max_size=6)


@pytest.fixture
def held(gateway: RunningFake) -> str:
    """Give a payment whose money is held."""
    return authorise(gateway)


@given(form=forms, raw=st.binary(max_size=60))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_breaks_it(gateway: RunningFake, held: str, form: list[tuple[str, str]], raw: bytes) -> None:
    """No body and no query makes the gateway fail."""
    encoded = urlencode([(name, value) for name, value in form], errors="replace")
    answers = [
        gateway.client.post(path, content=content, headers={**FORM, "Idempotency-Key": "k"})
        for path in (INTENTS, f"{INTENTS}/{held}", f"{INTENTS}/{held}/capture", "/v1/refunds")
        for content in (encoded.encode(), raw, b"amount=5000&currency=eur&" + encoded.encode())
    ]
    answers += [
        gateway.client.get(f"{path}?{encoded}", headers=AUTH)
        for path in (INTENTS, f"{INTENTS}/search", f"{INTENTS}/{held}", "/v1/events", "/v1/charges")
    ]
    assert max(answer.status_code for answer in answers) < 500


@given(query=st.text(alphabet="abstu mdle[]'\":~<>=-10ANDOR\\", max_size=40))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_breaks_the_search(gateway: RunningFake, query: str) -> None:
    """Whatever is searched for, the answer is a result or a refusal."""
    answer = gateway.client.get(f"{INTENTS}/search", params={"query": query}, headers=AUTH)
    assert answer.status_code in {200, 400}
