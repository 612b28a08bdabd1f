"""The catalogue tells what is served, and what is told is served."""

from __future__ import annotations

import re

import pytest

from fakes.erp.errors import CODES
from fakes.erp.operations import build_catalogue
from tests.fakes.erp.conftest import CREDITS, CUSTOMERS, FULFILMENTS, ORDERS, SUITEQL, TOKEN_PATH, Erp

TYPES = {
    "sales_order": ORDERS,
    "customer": CUSTOMERS,
    "item_fulfillment": FULFILMENTS,
    "credit_memo": CREDITS,
}
TRANSFORMS = [
    f"{ORDERS}/1/!transform/itemFulfillment",
    f"{ORDERS}/eid:A-1/!transform/itemFulfillment",
    f"{ORDERS}/eid%3AA-1/%21transform/itemFulfillment",
    f"{ORDERS.lower()}/1/!transform/itemfulfillment",
]
CALLS = [
    ("token.create", "POST", TOKEN_PATH),
    ("suiteql.query", "POST", SUITEQL),
    *(("item_fulfillment.transform", "POST", path) for path in TRANSFORMS),
    *(
        call
        for name, path in TYPES.items()
        for call in (
            (f"{name}.list", "GET", path),
            (f"{name}.read", "GET", f"{path}/1"),
            (f"{name}.read", "GET", f"{path}/eid:A-1"),
            (f"{name}.update", "PATCH", f"{path}/1"),
            (f"{name}.update", "PATCH", f"{path}/eid:A-1"),
            (f"{name}.delete", "DELETE", f"{path}/1"),
            (f"{name}.delete", "DELETE", f"{path}/eid:A-1"),
        )
    ),
    *(
        call
        for name, path in TYPES.items()
        if name != "item_fulfillment"
        for call in (
            (f"{name}.create", "POST", path),
            (f"{name}.create", "POST", path.lower()),
            (f"{name}.upsert", "PUT", f"{path}/eid:A-1"),
            (f"{name}.upsert", "PUT", f"{path}/eid%3aA-1"),
        )
    ),
]


@pytest.mark.parametrize(("name", "method", "path"), CALLS)
def test_patterns_classify_what_is_served(erp: Erp, name: str, method: str, path: str) -> None:
    """Each call meets exactly one pattern of the catalogue, and the fake journals it under that operation."""
    catalogue = erp.fake.control.get("/catalogue").json()
    fitting = [
        each["name"]
        for each in catalogue["operations"]
        if each["method"] == method and re.fullmatch(each["path"], path)
    ]
    assert fitting == [name]
    erp.login()
    erp.call(method, path)
    assert erp.fake.journal("exchange")[-1]["operation"] == name


def test_every_operation_is_exercised_here() -> None:
    """The table above covers the whole catalogue."""
    assert {name for name, _, _ in CALLS} == {each.name for each in build_catalogue().operations}


def test_catalogue_names_what_a_stack_may_use(erp: Erp) -> None:
    """Faults, codes, acts and collections are listed; which calls serve no single order is marked."""
    catalogue = erp.fake.control.get("/catalogue").json()
    assert catalogue["system"] == "erp"
    assert {each["name"] for each in catalogue["operations"] if each["shared"]} == {
        "token.create",
        "suiteql.query",
        "sales_order.list",
        "customer.list",
        "item_fulfillment.list",
        "credit_memo.list",
    }
    assert {each["kind"] for each in catalogue["faults"]} == {
        "status",
        "error",
        "rate_limited",
        "session_expired",
        "permission_denied",
        "malformed",
        "not_persisted",
        "lost_response",
        "delay",
    }
    assert catalogue["acts"] == ["expire-sessions"]
    assert catalogue["collections"] == [
        "sales_orders",
        "customers",
        "item_fulfillments",
        "credit_memos",
        "sessions",
    ]
    by_code = {each["code"]: each for each in catalogue["codes"]}
    assert (by_code["USER_ERROR"]["status"], by_code["USER_ERROR"]["retriable"]) == (400, False)
    assert (by_code["CONCURRENCY_LIMIT_EXCEEDED"]["status"], by_code["CONCURRENCY_LIMIT_EXCEEDED"]["retriable"]) == (
        429,
        True,
    )


def test_codes_are_listed_once() -> None:
    """A code has one entry, with a status and a text."""
    assert len({each.code for each in CODES}) == len(CODES)
    assert all(400 <= each.status < 600 and each.text for each in CODES)
