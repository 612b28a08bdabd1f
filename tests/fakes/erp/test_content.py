"""What a body may hold, and how strictly it is checked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import ORDERS, Erp, error_of

NAMES = "X-NetSuite-PropertyNameValidation"
VALUES = "X-NetSuite-PropertyValueValidation"


def item(**line: Any) -> dict[str, Any]:
    """Build a body with one item line."""
    return {"item": {"items": [line]}}


@pytest.mark.parametrize(
    ("body", "path"),
    [({"colour": "red"}, "colour"), (item(colour="red"), "item.items[0].colour"), ({"custcol_x": 1}, "custcol_x")],
    ids=str,
)
def test_unknown_names_are_dropped_or_refused(erp: Erp, body: dict[str, Any], path: str) -> None:
    """By default and with warning or ignore an unknown name is dropped; with error it is refused, with its path."""
    for headers in ({}, {NAMES: "warning"}, {NAMES: "Ignore"}):
        assert erp.call("POST", ORDERS, json=body, headers=headers).status_code == 204
    answer = erp.call("POST", ORDERS, json=body, headers={NAMES: "error"})
    assert error_of(answer)[:2] == (400, "INVALID_CONTENT")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == path


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"memo": ["a"]}, "memo"),
        ({"memo": True}, "memo"),
        ({"externalId": {}}, "externalId"),
        ({"tranDate": "yesterday"}, "tranDate"),
        ({"tranDate": "2026-13-01"}, "tranDate"),
        ({"toBeEmailed": "yes"}, "toBeEmailed"),
        ({"shippingCost": "free"}, "shippingCost"),
        ({"shippingCost": 1e300}, "shippingCost"),
        ({"shippingCost": "NaN"}, "shippingCost"),
        ({"entity": {}}, "entity"),
        ({"entity": []}, "entity"),
        ({"entity": {"id": ["1"]}}, "entity"),
        ({"orderStatus": "Z"}, "orderStatus"),
        ({"shippingAddress": "here"}, "shippingAddress"),
        (
            {"shippingAddress": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}},
            "shippingAddress",
        ),
        ({"custbody_x": [1]}, "custbody_x"),
        ({"item": []}, "item"),
        ({"item": {"items": {}}}, "item"),
        ({"item": {"items": [1]}}, "item"),
        (item(quantity="two"), "item.items[0].quantity"),
        (item(item=None, quantity=10**12), "item.items[0].quantity"),
    ],
    ids=str,
)
def test_bad_values_are_refused_or_dropped(erp: Erp, body: dict[str, Any], path: str) -> None:
    """By default a value that does not fit is refused, with its path; told to ignore, the fake drops it."""
    answer = erp.call("POST", ORDERS, json=body)
    assert error_of(answer)[:2] == (400, "INVALID_CONTENT")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == path
    assert erp.call("POST", ORDERS, json=body, headers={VALUES: "ignore"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"memo": 4711}, {"memo": "4711"}),
        ({"entity": "12"}, {"entity": {"id": "12"}}),
        ({"entity": {"externalId": "C-1"}}, {"entity": {"externalId": "C-1"}}),
        ({"orderStatus": {"id": "A"}}, {"orderStatus": {"id": "A", "refName": "Pending Approval"}}),
        ({"shippingCost": "4.990"}, {"shippingCost": 4.99, "total": 4.99}),
        ({"tranDate": "2026-11-21T10:00:00Z"}, {"tranDate": "2026-11-21"}),
        ({"custbody_gift": True, "custbody_n": 1.5}, {"custbody_gift": True, "custbody_n": 1.5}),
        (
            {"shippingAddress": {"zip": 12345, "lines": ["a", None]}},
            {"shippingAddress": {"zip": 12345, "lines": ["a", None]}},
        ),
        ({"id": "1", "total": 99, "status": "x", "links": []}, {"total": 0}),
    ],
    ids=str,
)
def test_values_are_kept_in_the_vendors_form(erp: Erp, body: dict[str, Any], shown: dict[str, Any]) -> None:
    """What fits is stored and shown; what only the vendor sets is accepted and ignored."""
    location = erp.call("POST", ORDERS, json=body, headers={NAMES: "error"}).headers["Location"]
    record = erp.call("GET", location).json()
    assert {name: record.get(name) for name in shown} == shown
    assert record["id"] != "1"


def test_validation_headers_take_three_words(erp: Erp) -> None:
    """Any other word is refused, naming the header."""
    for name in (NAMES, VALUES):
        answer = erp.call("POST", ORDERS, json={}, headers={name: "maybe"})
        assert error_of(answer)[:2] == (400, "INVALID_HEADER")
        assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == name


def test_body_must_be_json(erp: Erp) -> None:
    """Another media type is a 415; the vendor's own JSON types are taken."""
    answer = erp.call("POST", ORDERS, content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert error_of(answer)[:2] == (415, "INVALID_HEADER")
    headers = {"Content-Type": "application/vnd.oracle.resource+json; type=singular"}
    assert erp.call("POST", ORDERS, content=b"{}", headers=headers).status_code == 204


def test_money_is_exact(erp: Erp) -> None:
    """Line amounts are reckoned in decimals: ten times 0.10 and three times 1.15 are what they should be."""
    lines = [{"quantity": 1, "rate": 0.1}] * 10 + [{"quantity": 3, "rate": 1.15}]
    erp.put("SO-1", item={"items": lines})
    assert erp.read("SO-1")["total"] == 4.45
    assert erp.fake.state("sales_orders")[0]["total"] == "4.45"
