"""What the gateway reads: forms with brackets, amounts, the search language."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.gateway.forms import read_form, read_items
from fakes.gateway.model import Intent
from fakes.gateway.money import format_money, read_money
from fakes.gateway.search import read_query
from fakes.kit.answers import RefusedError
from fakes.kit.bodies import BadBodyError

INTENT = Intent(
    "pi_1",
    "s",
    3_750,
    "eur",
    created=1_000.5,
    status="requires_capture",
    metadata={"order_id": "6411001", "it's": 'a "b"'},
    extra={"customer": "cus_1"},
)


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"metadata[order_id]=7&metadata%5Bb%5D=%C3%BC+%2B", {"metadata": {"order_id": "7", "b": "\u00fc +"}}),
        (b"expand[0]=x&expand[1]=y", {"expand": {"0": "x", "1": "y"}}),
        (b"expand[]=x&expand[]=y", {"expand": {"0": "x", "1": "y"}}),
        (b"created[gte]=1&created[lt]=2", {"created": {"gte": "1", "lt": "2"}}),
        (b"a=1&a=2", {"a": "2"}),
    ],
)
def test_forms_become_trees(form: bytes, tree: dict[str, Any]) -> None:
    """Brackets nest, plain or encoded; the last of two values stands."""
    assert read_form(form) == tree


@pytest.mark.parametrize(
    "form", [b"\xff", b"a=%ff", b"a[b=1", b"a=1&a[b]=2", b"a[b]=1&a=2", b"a[b]=1&a[b][c]=2", b"=1"]
)
def test_what_is_no_form_is_refused(form: bytes) -> None:
    """What cannot be decoded, or is a value and a hash at once, is a bad body."""
    with pytest.raises(BadBodyError):
        read_form(form)


def test_items_come_in_the_order_of_their_indexes() -> None:
    """A list is in the order of its numbers; a hash is no list."""
    assert read_items({"10": "c", "2": "b", "0": "a"}) == ["a", "b", "c"]
    assert read_items({"a": "b"}) is None
    assert read_items("a") is None


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("37.50", "EUR", 3_750), ("0.015", "eur", 2), ("1200", "JPY", 1_200), ("1.5", "kwd", 1_500), (12, "usd", 1_200)],
)
def test_money_is_read_in_major_units(text: object, currency: str, minor: int) -> None:
    """Amounts have as many decimals as their currency, and are rounded half up."""
    assert read_money(text, currency) == minor


def test_money_is_shown_in_major_units() -> None:
    """Messages show amounts as people read them."""
    assert [format_money(3_750, "eur"), format_money(7, "jpy"), format_money(5, "kwd")] == [
        "37.50 EUR",
        "7 JPY",
        "0.005 KWD",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status:'requires_capture'", True),
        ('status:"requires_capture"', True),
        ("status:'succeeded'", False),
        ("-status:'succeeded'", True),
        ("status~'CAPTURE'", True),
        ("amount=3750", None),
        ("amount:3750", True),
        ("amount>3749 AND amount<3751", True),
        ("amount>=3751 OR amount<=3750", True),
        ("amount>3750", False),
        ("created<1001", True),
        ("metadata['order_id']:'6411001'", True),
        ("metadata['order_id']:'641'", False),
        ("metadata['order_id']~'641'", True),
        ("metadata['other']:null", True),
        ("-metadata['order_id']:null currency:'EUR'", True),
        (r"metadata['it\'s']:'a \"b\"'", True),
        ("customer:'cus_1' and amount:3750", True),
        ("customer:null", False),
        ("status:'a' AND", None),
        ("amount:'3750'", None),
        ("status>'a'", None),
        ("created:null", None),
        ("status['x']:'y'", None),
    ],
)
def test_queries_are_understood(query: str, found: bool | None) -> None:
    """Each query finds what it says, None is refused."""
    if found is None:
        with pytest.raises(RefusedError):
            read_query(query)
    else:
        assert read_query(query).fits(INTENT) is found
