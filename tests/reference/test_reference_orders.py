"""Reading orders, and writing them as sales orders."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_service import make_order

from reference.fields import UnusableError
from reference.orders import (
    build_external_id,
    build_sales_order,
    guess_name,
    parse_order,
    read_order,
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_an_order_is_read_with_its_money_exact():
    """Amounts are decimals, the stamp is in epoch seconds, a missing note is an empty one."""
    order = read_order(make_order(1001))

    assert (order.number, order.name, order.note) == ("1001", "#1001", "")
    assert order.updated_at == 1795165200.0
    assert order.lines[0].price == Decimal("19.95")


@given(field=st.sampled_from([*make_order(1)]), value=ANY_JSON)
def test_any_value_in_any_field_is_read_or_refused(field, value):
    """Whatever stands in a field, reading the order either works, and the sales order can be written, or is refused."""
    try:
        order = read_order(make_order(1001) | {field: value})
    except UnusableError:
        return
    assert json.loads(build_sales_order(order))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    """Garbage is refused, never an error of another kind, and names no order."""
    with pytest.raises(UnusableError):
        parse_order(body)
    assert guess_name(body) is None


@given(price=st.decimals(min_value=0, max_value=10**9, places=2))
def test_prices_reach_the_erp_unchanged(price):
    """The price in the sales order reads as the very decimal that stood in the storefront's order."""
    line = {"sku": "A", "quantity": 1, "price": str(price)}
    document = build_sales_order(read_order(make_order(1001, line_items=[line])))

    assert json.loads(document, parse_float=Decimal)["item"]["items"][0]["rate"] == price


def test_the_same_order_is_always_the_same_bytes_and_the_same_id():
    """What makes a second send harmless: the document and the external id depend on the order alone."""
    first, second = (build_sales_order(read_order(make_order(1001, tags=tags))) for tags in ("a", "b"))

    assert first == second
    assert {build_external_id("1001", attempt) for attempt in (1, 2, 3)} == {"SHP-1001"}
