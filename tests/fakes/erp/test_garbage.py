"""Garbage gets the vendor's 4xx, never a 5xx and never an answer without a shape."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.erp.conftest import CREDITS, CUSTOMERS, FULFILMENTS, ORDERS, SUITEQL, TOKEN_PATH, Erp, error_of

if TYPE_CHECKING:
    import httpx2

JSON = {"Content-Type": "application/json"}
PROPERTY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    [
        "externalId",
        "memo",
        "entity",
        "item",
        "tranDate",
        "shippingCost",
        "orderStatus",
        "toBeEmailed",
        "shippingAddress",
        "custbody_x",
        "otherRefNum",
        "total",
        "id",
        "tranId",
        "addressBook",
        "q",
        "createdFrom",
        "shipStatus",
        "package",
        "linkedTrackingNumbers",
    ]
)
lines = st.fixed_dictionaries(
    {
        "items": st.lists(
            st.dictionaries(
                st.sampled_from(["line", "orderLine", "item", "quantity", "rate", "amount", "itemReceive", "isClosed"]),
                values | st.integers(-1, 3) | st.just({"externalId": "TEE"}),
                max_size=5,
            ),
            max_size=4,
        )
    }
)
bodies = st.dictionaries(names, values | lines, max_size=6)


def check(answer: httpx2.Response) -> None:
    """Accept a 2xx, or a 4xx in the envelope."""
    if not answer.is_success:
        status, code, detail = error_of(answer)
        assert 400 <= status < 500
        assert code
        assert detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{}{}",
        b"\xff\xfe",
        b'{"memo": "\xc3"}',
        b'{"memo": "\\ud800"}',
        b'{"memo": NaN}',
        b'{"shippingCost": 1e999}',
        b'{"shippingCost": ' + b"9" * 5000 + b"}",
        b'{"shippingCost": "1e999999999999999999999"}',
        b'{"item": {"items": [{"quantity": "1e999999999", "rate": 2}]}}',
        b"[" * 100_000,
        b'{"shippingAddress": ' * 500 + b"1" + b"}" * 500,
        b'{"custbody_x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"\x00" * 1000,
        b"grant_type=client_credentials",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_bodies_that_are_no_record_are_refused(erp: Erp, body: bytes) -> None:
    """No body breaks a create, an upsert, an update or a query; what is refused is refused in the envelope."""
    erp.put("SO-1", item={"items": [{"item": {"externalId": "TEE"}, "quantity": 1}]})
    calls = [("POST", ORDERS), ("PUT", f"{ORDERS}/eid:SO-1"), ("PATCH", f"{ORDERS}/eid:SO-1")]
    if body:  # without one a transform takes all there is
        calls.append(("POST", f"{ORDERS}/eid:SO-1/!transform/itemFulfillment"))
    for method, path in calls:
        answer = erp.call(method, path, content=body, headers=JSON)
        assert error_of(answer)[0] == 400
    assert erp.fake.state("item_fulfillments") == []
    assert error_of(erp.call("POST", SUITEQL, content=body, headers={**JSON, "Prefer": "transient"}))[0] == 400
    assert erp.fake.client.post(TOKEN_PATH, content=body).json()["error"] == "invalid_request"


def test_body_beyond_the_limit_is_refused(erp: Erp) -> None:
    """A body larger than the fake takes is a 413 in the envelope."""
    answer = erp.call("POST", ORDERS, content=b" " * (33 * 1024 * 1024), headers=JSON)
    assert error_of(answer)[0] == 413


@PROPERTY
@given(
    body=bodies,
    method=st.sampled_from(["POST", "PUT", "PATCH"]),
    place=st.sampled_from([(ORDERS, "sales_orders"), (CUSTOMERS, "customers"), (CREDITS, "credit_memos")]),
)
def test_any_body_is_taken_or_refused(erp: Erp, body: dict[str, Any], method: str, place: tuple[str, str]) -> None:
    """Whatever JSON comes, the fake takes it or refuses it; and what it took it can show again."""
    path, collection = place
    target = path if method == "POST" else f"{path}/eid:SO-1"
    answer = erp.call(method, target, content=json.dumps(body), headers=JSON)
    check(answer)
    if answer.status_code == 204:
        show(erp, answer, collection)


@PROPERTY
@given(made=bodies, changed=bodies, replaced=st.booleans(), reordered=bodies)
def test_any_fulfilment_is_made_or_refused(
    erp: Erp, made: dict[str, Any], changed: dict[str, Any], replaced: bool, reordered: dict[str, Any]
) -> None:
    """Whatever JSON makes or changes a fulfilment or its order, the order's lines add up with its fulfilments."""
    tees = [{"item": {"externalId": "TEE"}, "quantity": 3}, {"item": {"externalId": "TEE"}, "quantity": 1}]
    location = erp.call("POST", ORDERS, json={"item": {"items": tees}}).headers["Location"]
    query = "?replace=item" if replaced else ""
    fulfilled = erp.call(
        "POST", f"{location}/!transform/itemFulfillment{query}", content=json.dumps(made), headers=JSON
    )
    check(fulfilled)
    check(erp.call("PATCH", f"{location}{query}", content=json.dumps(reordered), headers=JSON))
    if fulfilled.status_code == 204:
        check(erp.call("PATCH", f"{fulfilled.headers['Location']}{query}", content=json.dumps(changed), headers=JSON))
        show(erp, fulfilled, "item_fulfillments")
    (order,) = (row for row in erp.fake.state("sales_orders") if row["id"] == location.rpartition("/")[2])
    name = order["external_id"] or order["id"]
    taken = [row for row in erp.fake.state("item_fulfillments") if row["sales_order"] in {name, order["id"]}]
    total = sum(line["fulfilled"] for line in order["lines"])
    assert total == pytest.approx(sum(line["quantity"] for row in taken for line in row["lines"]))
    assert all(line["fulfilled"] <= line["quantity"] for line in order["lines"] if line["fulfilled"])


def show(erp: Erp, answer: httpx2.Response, collection: str) -> None:
    """Read a record that was written back, from both sides."""
    shown = erp.call("GET", f"{answer.headers['Location']}?expandSubResources=true")
    assert shown.status_code == 200
    shown.json()
    erp.fake.state(collection)


@PROPERTY
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    head=st.sampled_from(
        [
            "",
            ORDERS,
            f"{ORDERS}/",
            f"{ORDERS}/eid:",
            f"{ORDERS}/1/!transform/",
            f"{FULFILMENTS}/",
            f"{CREDITS}/eid:",
            CUSTOMERS,
            SUITEQL,
            "/services/rest/record/v1/",
        ]
    ),
    tail=st.text(max_size=20),
    query=st.dictionaries(
        st.sampled_from(["q", "limit", "offset", "fields", "expandSubResources", "replace"]),
        st.text(max_size=20),
        max_size=3,
    ),
)
def test_any_path_and_query_are_answered(erp: Erp, method: str, head: str, tail: str, query: dict[str, str]) -> None:
    """No path, query or method breaks the fake."""
    quoted = quote(tail.encode("utf-8", "replace"), safe="")
    answer = erp.call(
        method, f"{head}/{quoted}" if not head else f"{head}{quoted}", params=query, content=b"{}", headers=JSON
    )
    if method == "HEAD":
        assert answer.status_code < 500
    else:
        check(answer)


@PROPERTY
@given(q=st.text(alphabet=st.sampled_from(" ()[]\",'=<>;aeIS_AND OR12.%\\é\x00"), max_size=40) | st.text(max_size=30))
def test_any_query_is_answered(erp: Erp, q: str) -> None:
    """No text breaks the filter or the query language."""
    check(erp.suiteql(q))
    check(erp.suiteql(f"SELECT id FROM transaction WHERE {q}"))  # noqa: S608 -- no database
    check(erp.call("GET", ORDERS, params={"q": q}))
    check(erp.call("GET", ORDERS, params={"q": f"memo {q}"}))


@PROPERTY
@given(
    name=st.sampled_from(["Authorization", "Content-Type", "Prefer", "X-NetSuite-PropertyNameValidation", "Host"]),
    value=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_any_header_is_answered(erp: Erp, name: str, value: str) -> None:
    """No header breaks the fake."""
    erp.fake.client.headers.pop("host", None)
    answer = erp.call("POST", ORDERS, content=b"{}", headers={**JSON, name: value.strip()})
    check(answer)


@PROPERTY
@given(
    st.dictionaries(
        st.sampled_from(["grant_type", "client_assertion_type", "client_assertion", "scope"]),
        st.text(max_size=30),
        max_size=4,
    )
)
def test_any_token_form_is_refused(erp: Erp, form: dict[str, str]) -> None:
    """No form that is not a good one gets a token or breaks the endpoint."""
    answer = erp.fake.client.post(TOKEN_PATH, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "payload", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 64], ids=repr
)
def test_what_is_not_http_gets_a_400(erp: Erp, payload: bytes) -> None:
    """Bytes that are no HTTP are answered 400 in the envelope, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", erp.fake.port), timeout=10) as client:
        client.sendall(payload)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["o:errorDetails"][0]["o:errorCode"] == "INVALID_CONTENT"
