"""Record lists: pages and the `q` filter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import CUSTOMERS, ORDERS, Erp, error_of


def place(erp: Erp, count: int) -> list[str]:
    """Bring in orders SO-0, SO-1, … and return their ids in that order."""
    rows = [{"externalId": f"SO-{n}", "memo": f"memo {n}", "shippingCost": n} for n in range(count)]
    erp.fake.seed(records={"sales_orders": rows})
    return [row["id"] for row in erp.fake.state("sales_orders")]


def list_ids(erp: Erp, **query: Any) -> list[str]:
    """List orders and return their ids."""
    answer = erp.call("GET", ORDERS, params=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["items"]]


def test_pages_hold_ids_and_links_only(erp: Erp) -> None:
    """A list shows ids; following its next links goes through every record once."""
    ids = place(erp, 7)
    url: str | None = f"{ORDERS}?limit=3"
    seen: list[str] = []
    pages: list[dict[str, Any]] = []
    while url:
        page = erp.call("GET", url).json()
        pages.append(page)
        seen += [row["id"] for row in page["items"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert seen == ids
    assert [(page["count"], page["hasMore"], page["offset"], page["totalResults"]) for page in pages] == [
        (3, True, 0, 7),
        (3, True, 3, 7),
        (1, False, 6, 7),
    ]
    assert set(pages[0]["items"][0]) == {"id", "links"}
    assert {link["rel"] for link in pages[1]["links"]} == {"self", "first", "previous", "next", "last"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=",
        "offset=5&limit=3",
        "offset=-3",
        "offset=100000",
        "limit=²",
    ],
)
def test_bad_pages_are_refused(erp: Erp, query: str) -> None:
    """Limits are 1 to 1,000, offsets multiples of them, below 100,000."""
    answer = erp.call("GET", f"{ORDERS}?{query}")
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER")
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] in {"limit", "offset"}


@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ('externalId IS "SO-1"', [1]),
        ("externalId IS so-1", [1]),
        ("externalId IS_NOT SO-1", [0, 2, 3]),
        ("externalId ANY_OF [SO-1, SO-3]", [1, 3]),
        ('memo CONTAIN "memo 2"', [2]),
        ("memo START_WITH memo AND shippingCost GREATER 1", [2, 3]),
        ("memo END_WITH 0 OR memo END_WITH 3", [0, 3]),
        ("(memo END_WITH 0 or memo END_WITH 3) and shippingCost LESS 1", [0]),
        ("shippingCost EQUAL 2", [2]),
        ("shippingCost LESS_OR_EQUAL 1", [0, 1]),
        ("total GREATER_OR_EQUAL 2.00", [2, 3]),
        ("otherRefNum EMPTY", [0, 1, 2, 3]),
        ("otherRefNum EMPTY_NOT", []),
        ("otherRefNum IS x", []),
        ('lastModifiedDate ON_OR_AFTER "2020-01-01"', [0, 1, 2, 3]),
        ('lastModifiedDate BEFORE "01/01/2020"', []),
        ("createdDate ON_OR_AFTER 2999-01-01", []),
    ],
)
def test_filter_selects(erp: Erp, q: str, numbers: list[int]) -> None:
    """Conditions on fields, joined and grouped, select records."""
    ids = place(erp, 4)
    assert list_ids(erp, q=q) == [ids[n] for n in numbers]


def test_filter_finds_a_customer_by_mail(erp: Erp) -> None:
    """Customers are filtered by their own fields, flags and references included."""
    rows = [{"email": "ada@example.com", "isPerson": True}, {"email": "bob@example.com", "category": {"id": "5"}}]
    erp.fake.seed(records={"customers": rows})
    for q, email in (("email START_WITH ada", "ada"), ("isPerson IS true", "ada"), ("category ANY_OF [5]", "bob")):
        (found,) = erp.call("GET", CUSTOMERS, params={"q": q}).json()["items"]
        assert erp.call("GET", f"{CUSTOMERS}/{found['id']}").json()["email"].startswith(email)


@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        "memo",
        "memo IS",
        "memo SOUNDS_LIKE x",
        "colour IS red",
        "shippingAddress IS x",
        "memo IS a b",
        "memo IS a AND",
        "(memo IS a",
        "memo IS a)",
        "(" * 5000,
        "(" * 100 + "memo IS a" + ")" * 100,
        "memo ANY_OF a",
        "memo ANY_OF [a",
        "memo ANY_OF []",
        "shippingCost EQUAL many",
        "shippingCost GREATER NaN",
        "tranDate ON never",
        'memo IS "open',
        "'memo' = 'a'",
        "IS IS IS",
        "[,]",
    ],
    ids=lambda q: q[:20],
)
def test_bad_filters_are_refused(erp: Erp, q: str) -> None:
    """A filter that cannot be understood is the vendor's 400 about `q`, whatever is wrong with it."""
    answer = erp.call("GET", ORDERS, params={"q": q})
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER")
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"
